/** A CEL filter over a store gives the records that the same filter gives live. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FIELDS } from '../../src/exchange/fields.ts'
import { compileFilter } from '../../src/sink/filter/mod.ts'
import { filterSql } from '../../src/store/mod.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from './testing/corpus-lines.ts'
import { assertSameAnswers } from './testing/filters.ts'
import { renumbered } from './testing/renumbered.ts'
import { batchesOf, COLUMNS, openReader, openStore, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What SQL cannot say the same, with the column of the place. */
const UNTOLD = [
  ['string(duration) == "1"', 1, /string\(\) of a number/], ['has(url.path) && url.path.matches("[^]")', 35, /pattern with \[\^\]/],
  ['url.path.matches("\\\\p")', 18, /pattern with "\\p"/], ['url.path.matches("[\\\\S]")', 18, /\\S" between/],
  ['url.path.matches("\u{1f600}")', 18, /pattern with/],
] as const

test('filters give the same records from a store as over the records themselves', async (context) => {
  if (!hasCorpora(context)) return
  const lines = renumbered(await corpusLines())
  const path = join(folder, 'corpora')
  const store = openStore(path, new StoreHost())
  for (const batch of batchesOf(lines)) store.write(batch)
  await store.close()
  const reader = await openReader(path)
  await assertSameAnswers(reader, lines)
  reader.close()
})

test('what SQL cannot say the same is refused, with its place', () => {
  for (const [text, column, message] of UNTOLD) {
    assert.throws(() => filterSql(text, COLUMNS), (error: Error & { column?: number }) => {
      assert.match(error.message, message)
      assert.equal(error.column, column, text)
      return true
    })
  }
})

test('what the filter refuses the store refuses with the same words', () => {
  for (const text of ['http.response.status >= 400', 'url.path ==', 'url.path.matches("(?i)a")', '']) {
    const say = (run: () => unknown): string => {
      try {
        run()
        return 'nothing'
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.notEqual(say(() => compileFilter(text, FIELDS)), 'nothing')
    assert.equal(say(() => filterSql(text, COLUMNS)), say(() => compileFilter(text, FIELDS)))
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { quote } from '../columns.ts'
import { openEngine } from '../engine.ts'
import { FORMS } from './route-sql.ts'

test('forms that DuckDB is asked for in another way are those of their patterns', async () => {
  const engine = await openEngine({ threads: 1, memoryMiB: 256 })
  const character = fc.oneof({ weight: 100, arbitrary: fc.constantFrom(...'ab0Z_=~.-') }, fc.constantFrom('@', '/', 'ü', ' ', '%'))
  const segments = fc.sample(fc.string({ unit: character, maxLength: 40, size: 'max' }), 20_000)
  const cheaper = FORMS.filter(([, , sql]) => sql !== undefined)
  assert.ok(cheaper.length > 0)
  let matched = 0
  for (const [name, pattern, sql] of cheaper) {
    const asked = await engine.runAndReadAll(`SELECT s, regexp_full_match(s, ${quote(pattern)}), ${sql} FROM (SELECT unnest([${segments.map(quote).join(', ')}]) AS s)`)
    for (const [segment, wanted, found] of asked.getRows() as [string, boolean, boolean][]) {
      assert.equal(found, wanted, `${name} of ${JSON.stringify(segment)}`)
      if (wanted) matched++
    }
  }
  assert.ok(matched > 2000 && matched < 18_000, `${matched} matched`)
  engine.closeSync()
})

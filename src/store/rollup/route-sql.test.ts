import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { quote } from '../columns.ts'
import { openEngine } from '../engine.ts'
import { FORMS } from './route-sql.ts'

test('forms that DuckDB is asked for in another way are those of their patterns', async () => {
  const engine = await openEngine({ threads: 1, memoryMiB: 256 })
  const character = fc.oneof({ weight: 100, arbitrary: fc.constantFrom(...'ab0Z_=~.-') }, fc.constantFrom('@', '/', 'ü', ' ', '%'))
  const digit = fc.constantFrom(...'0123456789')
  const date = fc.tuple(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }), fc.integer({ min: 0, max: 24 })).map(([each, length]) => each.toISOString().slice(0, length))
  const segments = fc.sample(fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: character, maxLength: 40, size: 'max' }) }, fc.uuid(), date, fc.emailAddress(),
    fc.string({ unit: fc.oneof({ weight: 20, arbitrary: digit }, fc.constantFrom(...'abfG-')), maxLength: 24, size: 'max' }),
    fc.uuid().map(each => each.slice(0, -1)), fc.uuid().map(each => `${each}0`),
  ), 20_000)
  const cheaper = FORMS.flatMap(([name, pattern, cheaper]) => cheaper === undefined ? [] : [{ name, pattern, cheaper }])
  assert.ok(cheaper.length > 0)
  for (const { name, pattern, cheaper: asked } of cheaper) {
    const matches = `regexp_full_match(s, ${quote(pattern)})`
    const answer = await engine.runAndReadAll(`SELECT s, ${matches}, ${asked(matches)} FROM (SELECT unnest([${segments.map(quote).join(', ')}]) AS s)`)
    let matched = 0
    for (const [segment, wanted, found] of answer.getRows() as [string, boolean, boolean][]) {
      assert.equal(found, wanted, `${name} of ${JSON.stringify(segment)}`)
      if (wanted) matched++
    }
    assert.ok(matched > 200 && matched < 18_000, `${matched} are ${name}`)
  }
  engine.closeSync()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { namePredicate } from './linear-pattern.ts'

const text = (most: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', 'é', '€'), maxLength: most })

/** What a glob means, said with an expression. */
function reference(glob: string): RegExp {
  return new RegExp(`^${glob.replace(/[.]/g, '\\.').replaceAll('*', '.*')}$`, 's')
}

test('globs match what an expression with the same meaning matches', () => {
  const glob = fc.array(fc.oneof(text(2), fc.constant('*')), { maxLength: 5 }).map((parts) => parts.join(''))
  fc.assert(fc.property(fc.array(glob.filter((one) => one !== ''), { maxLength: 6 }), text(8), (globs, name) => {
    assert.equal(namePredicate(globs, 'test')(name), globs.some((one) => reference(one).test(name)), `${globs.join(' ')} | ${name}`)
  }), { numRuns: 20_000, seed: 7 })
})

test('names, globs and expressions of one list are all looked for', () => {
  const matches = namePredicate(['Host', 'x-*', '*-key', '*token*', 'a*b*c', '/^y[0-9]$/'], 'test')
  for (const name of ['host', 'x-', 'x-a', 'a-key', '-key', 'mytokens', 'abc', 'a-b-c', 'y1']) assert.ok(matches(name), name)
  for (const name of ['hosts', 'ax-', 'key', 'a-keys', 'tok-en', 'acb', 'ab', 'y12', '']) assert.ok(!matches(name), name)
})

/** What a header name costs after a flood of names that nobody uses: one decision, not one an exchange. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WallProbe } from './wall-probe.ts'

const IN_USE = Array.from({ length: 8 }, (_, index) => `x-in-use-${index}`)

test('after a flood of names those in use are decided once and then known again', () => {
  const probe = new WallProbe()
  for (let index = 0; index < 5000; index++) assert.equal(probe.header(`x-n${index}`, 'v'), 'v')
  for (let index = 0; index < 100; index++) assert.equal(probe.header(`x-late-token-${index}`, 'v'), 'REDACTED')
  probe.decisions = 0
  for (let round = 0; round < 100; round++) for (const name of IN_USE) assert.equal(probe.header(name, 'v'), 'v')
  assert.equal(probe.decisions, IN_USE.length)
  const { names, namesNotKept, nameTableCleared } = probe.wall.counters()
  assert.equal(names, 5000 - 4096 + 100 + IN_USE.length)
  assert.equal(nameTableCleared, 1)
  assert.equal(namesNotKept, 0)
})

test('both directions of a name stay apart through a cleared table', () => {
  const probe = new WallProbe({ headers: [{ match: 'x-side', action: 'drop', direction: 'response' }] })
  for (let round = 0; round < 3; round++) {
    assert.equal(probe.header('x-side', 'v'), 'v')
    assert.equal(probe.header('x-side', 'v', true), undefined)
    for (let index = 0; index < 4200; index++) probe.action(`x-${round}-${index}`)
  }
  assert.equal(probe.wall.counters().nameTableCleared, 3)
})

test('names of up to 128 bytes are decided once, longer ones each time, and counted', () => {
  const probe = new WallProbe()
  for (const [length, expected] of [[56, 1], [57, 1], [128, 1], [129, 10]] as const) {
    const name = `x-${'long '.repeat(30).replaceAll(' ', '.')}`.slice(0, length)
    probe.decisions = 0
    for (let round = 0; round < 10; round++) assert.equal(probe.header(name, 'v'), 'v')
    assert.equal(probe.decisions, expected, `${length} bytes`)
  }
  assert.equal(probe.header(`x-${'long'.repeat(40)}-token`, 'v'), 'REDACTED')
  assert.equal(probe.wall.counters().namesNotKept, 11)
})

test('a flood of long names does not push out the short ones', () => {
  const probe = new WallProbe()
  for (const name of IN_USE) probe.action(name)
  for (let index = 0; index < 2000; index++) probe.action(`x-${'y.'.repeat(40)}${index}`)
  probe.decisions = 0
  for (const name of IN_USE) probe.action(name)
  assert.equal(probe.decisions, 0)
  assert.equal(probe.wall.counters().nameTableCleared, 3)
})

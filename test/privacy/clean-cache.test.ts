/** Texts that held nothing are remembered byte for byte: nothing that differs may profit from it, nor an older rule. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privacySchema } from '../../src/privacy/mod.ts'
import { WallProbe } from './wall-probe.ts'

test('a text that held nothing is hidden as soon as the rules say so', () => {
  const probe = new WallProbe()
  const text = 'ticket code ZX-4711-PLAIN'
  for (let round = 0; round < 3; round++) assert.equal(probe.text(text), text)
  probe.wall.setOptions(privacySchema.parse({ credentials: { patterns: [{ name: 'ticket', regex: 'ZX-[0-9]+-[A-Z]+' }] } }))
  assert.equal(probe.text(text), 'ticket code REDACTED')
  probe.wall.setOptions(privacySchema.parse({}))
  assert.equal(probe.text(text), text)
})

test('a query parameter that held nothing is hidden as soon as its name is secret', () => {
  const probe = new WallProbe()
  for (let round = 0; round < 3; round++) assert.equal(probe.query('order=123456789'), 'order=123456789')
  probe.wall.setOptions(privacySchema.parse({ query: { secret_names: ['order'] } }))
  assert.equal(probe.query('order=123456789'), 'order=REDACTED')
})

test('a text that is known as a value is still searched as a query', () => {
  const probe = new WallProbe()
  const text = 'code=abcdefgh'
  for (let round = 0; round < 3; round++) probe.text(text)
  assert.equal(probe.query(text), 'code=REDACTED')
})

test('one differing byte at any place of any length makes it another text', () => {
  const probe = new WallProbe()
  const secret = `ghp_${'A1b2'.repeat(9)}`
  for (let length = secret.length; length <= 260; length += 7) {
    const front = 'word '.repeat(60).slice(0, length - secret.length)
    const clean = front + secret.replace('ghp_', 'gxp_').replaceAll(/[A-Z]/g, ' ')
    for (let round = 0; round < 2; round++) assert.equal(probe.text(clean), clean)
    for (let at = 0; at < length; at += 3) {
      const other = `${clean.slice(0, at)}~${clean.slice(at + 1)}`
      assert.equal(probe.text(other), other)
    }
    assert.ok(!probe.text(front + secret).includes(secret), `length ${length}`)
  }
})

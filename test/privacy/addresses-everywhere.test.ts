/** With addresses replaced, none may stand as it is anywhere: beside its replacement it would give the map away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privacySchema } from '../../src/privacy/mod.ts'
import { WallProbe } from './wall-probe.ts'

const CUT = { addresses: { truncate: { ipv4: 8, ipv6: 32 } } } as const
const HEADERS = ['referer', 'location', 'via', 'forwarded', 'x-forwarded-for', 'x-upstream', 'x-served-by', 'x-custom',
  'x-request-id', 'user-agent', 'host', 'server', 'sec-websocket-protocol', 'origin', 'link']

/** Writers of texts, by name. */
function writers(probe: WallProbe): [string, (text: string) => string][] {
  return [...HEADERS.map((name): [string, (text: string) => string] =>
    [name, (text) => probe.header(name, text) ?? 'dropped']),
  ['query', (text) => probe.query(text)], ['path', (text) => probe.path(text)], ['text', (text) => probe.text(text)]]
}

test('an address is cut in every header, query, path and text, and kept in the mode that keeps', () => {
  const probe = new WallProbe(CUT)
  const kept = new WallProbe()
  for (const [text, expected] of [
    ['203.0.113.195', '203.0.0.0'], ['http://203.0.113.195:80/a', 'http://203.0.0.0:80/a'],
    ['a=203.0.113.195&b=2', 'a=203.0.0.0&b=2'], ['peer:203.0.113.195', 'peer:203.0.0.0'],
    ['at 203.0.113.195.', 'at 203.0.0.0.'], ['u%3A203.0.113.195%2C', 'u%3A203.0.0.0%2C'],
    ['203.0.113.195.nip.io', '203.0.0.0.nip.io'],
    ['[2001:db8:1:2::3]:443', '[2001:db8::]:443'], ['ip=2001%3Adb8%3a1%3A%3A3', 'ip=2001:db8::'],
    ['from 2001:db8:1:2:3:4:5:6.', 'from 2001:db8::.'], ['::ffff:203.0.113.195', '::ffff:203.0.0.0'],
    ['1.2.3.4.5', '1.2.3.4.5'], ['12:34:56', '12:34:56'], ['std :: vector', 'std :: vector'], ['v1.2.3.4', 'v1.2.3.4'],
  ] as const) {
    for (let round = 0; round < 3; round++) {
      for (const [name, write] of writers(probe)) assert.equal(write(text), expected, `${name}: ${text}`)
    }
    for (const [name, write] of writers(kept)) assert.equal(write(text), text, `${name}: ${text}`)
  }
})

test('a path that ends in an address is cut, a product and its version stay', () => {
  const probe = new WallProbe(CUT)
  for (let round = 0; round < 3; round++) {
    assert.equal(probe.header('user-agent', 'Agent/11.22.33.44 (203.0.113.195)'), 'Agent/11.22.33.44 (203.0.0.0)')
    assert.equal(probe.header('user-agent', 'Agent/11.22.33.44'), 'Agent/11.22.33.44')
    assert.equal(probe.path('Agent/11.22.33.44'), 'Agent/11.0.0.0')
    assert.equal(probe.header('user-agent', 'bot (http://203.0.113.195/)'), 'bot (http://203.0.0.0/)')
    assert.equal(probe.header('x-any', 'Chrome/120.0.0.0'), 'Chrome/120.0.0.0')
  }
})

test('what was known to hold nothing is searched again when the mode changes, both ways', () => {
  const probe = new WallProbe()
  const text = 'upstream 203.0.113.195 answered'
  for (const options of [{}, CUT, {}, { addresses: 'anonymise', hash_key_ephemeral: true }, CUT, {}] as const) {
    probe.wall.setOptions(privacySchema.parse(options))
    const shown = 'addresses' in options
    for (let round = 0; round < 3; round++) {
      for (const [name, write] of writers(probe)) assert.equal(write(text).includes('203.0.113.195'), !shown, name)
    }
  }
})

test('an address beside a secret and in a cookie is cut too', () => {
  const probe = new WallProbe(CUT)
  assert.equal(probe.text('https://u:p@203.0.113.195/?token=x'), 'https://REDACTED:REDACTED@203.0.0.0/?token=REDACTED')
  assert.equal(probe.header('host', 'u:p@203.0.113.195'), 'REDACTED:REDACTED@203.0.0.0')
  assert.equal(probe.header('set-cookie', 'a=b; Domain=203.0.113.195', true), 'a=REDACTED; Domain=203.0.0.0')
  assert.equal(probe.header('cookie', '203.0.113.195=b'), '203.0.0.0=REDACTED')
})

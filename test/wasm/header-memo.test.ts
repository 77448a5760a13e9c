/** Header lines that are known are written without another look: the record must be the one that the closer look gives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PrivacyInput } from '../../src/privacy/mod.ts'
import { ExchangeFixture } from './exchange-fixture.ts'

process.env['LINTEL_MEMO_TEST_KEY'] = 'a key of more than sixteen bytes'
const keyed = { hash_key_env: 'LINTEL_MEMO_TEST_KEY' }

/** Options under which the same lines must come out differently. */
const OPTIONS: PrivacyInput[] = [
  {},
  { ...keyed, headers: [{ match: ['user-agent', 'x-plain'], action: 'hash' },
    { match: 'accept', action: 'drop', direction: 'response' }] },
  { ...keyed, addresses: 'anonymise' },
  { addresses: { truncate: { ipv4: 16, ipv6: 32 } }, headers: [{ match: 'x-*', action: 'redact', direction: 'request' }] },
  { credentials: { cards: true, patterns: [{ name: 'ticket', regex: 'ZX-[0-9]+' }] } },
  { headers: [{ match: ['cookie', 'authorization', 'x-api-key'], action: 'keep' }] },
  { query: { secret_names: ['order'] } },
]

const token = `ghp_${'A1b2'.repeat(9)}`
const names = ['Host', 'User-Agent', 'user-agent', 'Accept', 'X-Plain', 'X-Plai', 'Cookie', 'Set-Cookie', 'Authorization',
  'X-Api-Key', 'X-Forwarded-For', 'X-Request-ID', 'Date', 'Server', 'N', `x-${'long-'.repeat(30)}`]
const texts = ['', 'a', 'ok', 'a.example:8080', 'curl/8.5.0', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Safari/537.36',
  'user:word@a.example', 'ticket ZX-4711', 'order=123456789', '198.51.100.23', '2001:db8::17', 'x/198.51.100.23',
  'Bearer abcdefghijklmnop', 'session=0123456789abcdef; theme=dark', token, `see ${token}`, '4111 1111 1111 1111', 'caf\u00e9',
  'caf\u00c3\u00a9', 'quote " and \\ and \t tab', 'x'.repeat(15), 'x'.repeat(16), 'y '.repeat(90), 'z '.repeat(130)]
const line = fc.tuple(fc.constantFrom(...names), fc.constantFrom(': ', ':', ':  \t'), fc.constantFrom(...texts))
  .map(([name, gap, value]) => name + gap + value)
const message = fc.record({ request: fc.array(line, { maxLength: 6 }), response: fc.array(line, { maxLength: 6 }) })
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never

class Writer {
  readonly fixture = new ExchangeFixture()

  /** The record's bytes. */
  write({ request, response }: Message): Buffer {
    const { fixture } = this
    const exchange = fixture.exchange({
      request: ['GET /a?order=123456789 HTTP/1.1', ...request, '', ''].join('\r\n'),
      response: ['HTTP/1.1 200 OK', ...response, '', ''].join('\r\n'),
    })
    const length = fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
    fixture.free(exchange)
    assert.ok(length > 0)
    return Buffer.from(fixture.memory.read(fixture.record, length))
  }
}

test('whatever came before, and whichever options: the record is that of a wall that knows nothing', () => {
  const warm = new Writer()
  const cold = new Writer()
  const step = fc.record({ options: fc.constantFrom(...OPTIONS), messages: fc.array(message, { minLength: 1, maxLength: 4 }) })
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
    for (const { options, messages } of steps) {
      warm.fixture.privacy(options)
      for (let round = 0; round < 4; round++) {
        for (const each of messages) {
          const known = warm.write(each)
          if (round === 1 || round === 2) continue
          // Options that are set make a wall forget all it knows.
          cold.fixture.privacy(options)
          assert.deepEqual(known, cold.write(each))
        }
      }
    }
  }), { numRuns: 60 })
})

test('a line is looked at twice, whatever comes once in between', () => {
  const writer = new Writer()
  const before = writer.fixture.looks
  const long = `x-${'long-'.repeat(30)}: value`
  for (let round = 0; round < 2000; round++) {
    writer.write({ request: [long, `x-request-id: ${round}-${round * 7919}`], response: [] })
  }
  assert.equal(writer.fixture.looks - before, 2)
  writer.write({ request: [], response: [long] })
  assert.equal(writer.fixture.looks - before, 3, 'the other direction is judged by itself')
  writer.fixture.privacy({})
  writer.write({ request: [long], response: [] })
  assert.equal(writer.fixture.looks - before, 4, 'other options are another look')
})

test('one differing byte at any place of any length makes it another line, which is searched', () => {
  const writer = new Writer()
  writer.fixture.privacy({ credentials: { patterns: [{ name: 'tilde', regex: '~' }] } })
  for (let length = 1; length <= 320; length += 7) {
    const clean = 'word '.repeat(64).slice(0, length - 1) + 'x'
    const lineOf = (value: string): Message => ({ request: [`x-plain: ${value}`], response: [] })
    for (let round = 0; round < 3; round++) assert.ok(writer.write(lineOf(clean)).includes(clean))
    for (let at = 0; at < length; at++) {
      const other = writer.write(lineOf(`${clean.slice(0, at)}~${clean.slice(at + 1)}`))
      assert.ok(other.includes('REDACTED') && !other.includes('~'), `length ${length}, byte ${at}`)
    }
  }
})

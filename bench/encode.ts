/**
 * Nanoseconds per exchange for its record and its JSON: `node bench/encode.ts`. The exchange is the one of bench/load's
 * shape: eight request headers and Host, five response headers. One line per step, the best of 400 short rounds, so that
 * other work on the machine does not count.
 *
 * @module
 */
import { DEFAULT_PRIVACY } from '../src/privacy/mod.ts'
import { ExchangeFixture, ipv4 } from '../test/wasm/exchange-fixture.ts'
import type { PrivacyInput } from '../src/privacy/mod.ts'

const ROUNDS = 400
const CALLS = 500
const ROOM = 1 << 20
const fixture = new ExchangeFixture()

const request = [
  'GET /api/v1/users/42?expand=orders HTTP/1.1',
  'Host: 127.0.0.1:8081',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br',
  `Authorization: Bearer ${'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'}.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${'dozjgNryP4J3jVmNHl0w5N'}`,
  'X-Request-ID: 7f3c1e3a-9c55-4f0e-8f5e-2f0f6a1c0b11',
  'X-Tenant-ID: acme',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '', '',
].join('\r\n')
const response = [
  'HTTP/1.1 200 OK', 'Server: nginx/1.22.1', 'Date: Sun, 22 Nov 2026 14:13:03 GMT', 'Content-Type: text/plain',
  'Content-Length: 12', 'Connection: keep-alive', '', '',
].join('\r\n')

const exchange = fixture.exchange({
  request, response, requestTime: 1_000_000, responseTime: 1_050_000, responseEndTime: 1_051_000,
  requestBody: 0, responseBody: 12,
  addresses: [ipv4('127.0.0.1'), ipv4('127.0.0.1')], ports: [40000, 8081], interfaceIndex: 1,
})
fixture.nameInterface(1, 'lo')
fixture.exports.setClockZero(1_795_356_782_000_000_000n)

function best(name: string, call: () => number): void {
  let least = Number.POSITIVE_INFINITY
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let index = 0; index < CALLS; index++) bytes = call()
    least = Math.min(least, Number(process.hrtime.bigint() - start) / CALLS)
  }
  console.log(`${name.padEnd(44)} ${least.toFixed(0).padStart(6)} ns  ${String(bytes).padStart(6)} bytes`)
}

const write = (): number => fixture.exports.writeExchange(exchange, fixture.record, ROOM)
const encode = (): number => fixture.encoder.encode(fixture.record, fixture.line, ROOM)

/** Standard fields; then without those whose text is searched for credentials, so what is left is this side's cost. */
const choices: [name: string, options: PrivacyInput, fields: { include: string[], exclude: string[] }][] = [
  ['standard fields', DEFAULT_PRIVACY, { include: [], exclude: [] }],
  ['standard fields, every header hidden', { headers: [{ match: '*', action: 'redact' }] },
    { include: [], exclude: ['url.path', 'url.query', 'url.domain'] }],
  ['no text from traffic', DEFAULT_PRIVACY,
    { include: [], exclude: ['url.path', 'url.query', 'url.domain', 'http.*.header', 'user_agent', 'request.id'] }],
]
for (const [name, options, fields] of choices) {
  fixture.wall(options, fields)
  best(`record: ${name}`, write)
  best(`JSON:   ${name}`, encode)
}

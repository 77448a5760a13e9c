import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr } from '../../lib/cidr/mod.ts'
import { FactsTable, RecordWriter } from '../../lib/record/mod.ts'
import { writeGenAi } from '../../src/exchange/gen-ai-facts.ts'
import { writeProxy } from '../../src/exchange/handshake-record.ts'
import { DEFAULT_PRIVACY, Wall } from '../../src/privacy/mod.ts'
import * as L from '../../wasm/layout.ts'
import { ExchangeFixture, ipv4 } from './exchange-fixture.ts'

const fixture = new ExchangeFixture()
const { memory, table } = fixture

test('facts of an exchange stand in its record, and passed the wall on their way', () => {
  const wall = new Wall(memory, DEFAULT_PRIVACY, { fields: { include: ['/./'], exclude: [] } })
  const facts = new FactsTable({ memory, writer: new RecordWriter(memory, table), countMax: 1, protect: (raw) => wall.record(raw) })
  const block = facts.add((writer) => { writer.string(table.id('user_agent.original'), 'curl Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl0') })
  const exchange = fixture.exchange({ request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' })
  memory.u32[(exchange + L.EXCHANGE_FACTS) >>> 2] = block
  const length = fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  const json = Buffer.from(memory.read(fixture.line, fixture.encoder.encode(fixture.record, fixture.line, 1 << 20))).toString()
  assert.ok(length > 0)
  const { user_agent } = JSON.parse(json) as { user_agent: { original: string } }
  assert.match(user_agent.original, /^curl Bearer REDACTED/)
  fixture.free(exchange)
  facts.release(block)
})

test('a secret that stands where a model is named is hidden, and the call stands between its neighbours', () => {
  const wall = new Wall(memory, DEFAULT_PRIVACY, { fields: { include: ['/./'], exclude: [] } })
  const facts = new FactsTable({ memory, writer: new RecordWriter(memory, table), countMax: 1, protect: (raw) => wall.record(raw) })
  const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`
  const none = { cacheRead: undefined, cacheWrite: undefined, reasoning: undefined }
  const block = facts.add((writer) => {
    writeGenAi(writer, { ...none, operation: 'chat', provider: 'openai', requestModel: secret, responseModel: Buffer.from('m'), inputTokens: 3, outputTokens: 4 })
  })
  const exchange = fixture.exchange({ request: 'POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\n\r\n' })
  memory.u32[(exchange + L.EXCHANGE_FACTS) >>> 2] = block
  fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  const json = Buffer.from(memory.read(fixture.line, fixture.encoder.encode(fixture.record, fixture.line, 1 << 20))).toString()
  const { gen_ai } = JSON.parse(json) as { gen_ai: { request: { model: string }, usage: object } }
  assert.match(gen_ai.request.model, /REDACTED/)
  assert.ok(!json.includes(secret.slice(4, 20)))
  assert.deepEqual(gen_ai.usage, { input_tokens: 3, output_tokens: 4 })
  fixture.free(exchange)
  facts.release(block)
})

test('a field that is not chosen is left out of the facts', () => {
  const wall = new Wall(memory, DEFAULT_PRIVACY, { fields: { include: [], exclude: ['user_agent'] } })
  const facts = new FactsTable({ memory, writer: new RecordWriter(memory, table), countMax: 1, protect: (raw) => wall.record(raw) })
  const block = facts.add((writer) => { writer.string(table.id('user_agent.original'), 'curl') })
  const exchange = fixture.exchange({ request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' })
  memory.u32[(exchange + L.EXCHANGE_FACTS) >>> 2] = block
  fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  const json = Buffer.from(memory.read(fixture.line, fixture.encoder.encode(fixture.record, fixture.line, 1 << 20))).toString()
  assert.doesNotMatch(json, /user_agent/)
  fixture.free(exchange)
  facts.release(block)
})

/** client.real_address of an exchange whose connection began with a PROXY header that names `source`. */
function realAddress(source: string, options: { peer?: string; headers?: string; version?: 4 | 6 } = {}): unknown {
  const { peer = '10.0.0.1', headers = '', version = 4 } = options
  const wall = new Wall(memory, DEFAULT_PRIVACY, { fields: { include: ['/./'], exclude: [] } })
  const facts = new FactsTable({ memory, writer: new RecordWriter(memory, table), countMax: 1, protect: (raw) => wall.record(raw) })
  const address = new Uint8Array(16)
  address.set(parseCidr(source).bytes)
  const block = facts.add((writer) => {
    writeProxy(writer, {
      version: 2, ipVersion: version, source: address, destination: address, sourcePort: 1, destinationPort: 2, authority: Buffer.from('a.example'),
    })
  })
  const exchange = fixture.exchange({ request: `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`, addresses: [ipv4(peer), ipv4('10.0.0.2')] })
  const connection = memory.u32[(exchange + L.EXCHANGE_CONNECTION) >>> 2]!
  memory.u32[(connection + L.CONNECTION_FACTS + L.FACTS_PROXY) >>> 2] = block
  fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  const json = Buffer.from(memory.read(fixture.line, fixture.encoder.encode(fixture.record, fixture.line, 1 << 20))).toString()
  memory.u32[(connection + L.CONNECTION_FACTS + L.FACTS_PROXY) >>> 2] = 0
  fixture.free(exchange)
  facts.release(block)
  const record = JSON.parse(json) as { client: { real_address?: string }; proxy: { source: { address: string }; authority: string } }
  assert.equal(record.proxy.authority, 'a.example')
  return record.client.real_address
}

test('the client that a PROXY header names is the real one, when the peer is trusted', () => {
  assert.equal(realAddress('203.0.113.9'), '203.0.113.9')
  assert.equal(realAddress('2001:db8::9', { version: 6 }), '2001:db8::9')
  assert.equal(realAddress('203.0.113.9', { peer: '198.51.100.1' }), undefined, 'anybody can send a PROXY header')
})

test('headers count behind a PROXY header when the client that it names is trusted', () => {
  const forwarded = 'X-Forwarded-For: 198.51.100.4\r\n'
  assert.equal(realAddress('10.9.9.9', { headers: forwarded }), '198.51.100.4')
  assert.equal(realAddress('203.0.113.9', { headers: forwarded }), '203.0.113.9')
  assert.equal(realAddress('10.9.9.9', { headers: 'X-Forwarded-For: unknown\r\n' }), undefined, 'not known is not the proxy')
  assert.equal(realAddress('10.9.9.9'), '10.9.9.9')
})

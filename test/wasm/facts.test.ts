import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactsTable, RecordWriter } from '../../lib/record/mod.ts'
import { DEFAULT_PRIVACY, Wall } from '../../src/privacy/mod.ts'
import * as L from '../../wasm/layout.ts'
import { ExchangeFixture } from './exchange-fixture.ts'

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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldTable, RecordView, RecordWriter } from '../../lib/record/mod.ts'
import { FIELDS, fieldId, MARK_REASONS } from '../../src/exchange/fields.ts'
import type { PrivacyInput, WallChoice } from '../../src/privacy/mod.ts'
import { KIND_EXCHANGE } from '../../wasm/layout.ts'
import { WallProbe } from './wall-probe.ts'

const ROOM = 1 << 16
const SECRET = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'

function recordBehindWall(
  write: (writer: RecordWriter) => void, options: PrivacyInput = {}, choice: WallChoice = {},
) {
  const probe = new WallProbe(options, choice)
  const table = new FieldTable(probe.memory, FIELDS, MARK_REASONS)
  const writer = new RecordWriter(probe.memory, table)
  const raw = probe.memory.reserve(ROOM)
  writer.begin(KIND_EXCHANGE, raw, ROOM)
  write(writer)
  const record = probe.wall.record({ pointer: raw, length: writer.end() })
  const view = new RecordView(probe.memory, table).at(record.pointer)
  const bytes = Buffer.from(probe.memory.read(record.pointer, record.length)).toString('latin1')
  return { probe, record, bytes, get: (name: string) => view.get(fieldId(name)) }
}

test('every field of a raw record is checked by its sensitivity', () => {
  const { bytes, get } = recordBehindWall((writer) => {
    writer.string(fieldId('kind'), 'exchange')
    writer.address(fieldId('client.address'), 4, Uint8Array.of(192, 0, 2, 1))
    writer.int(fieldId('client.port'), 4711)
    writer.string(fieldId('url.domain'), 'example.com')
    writer.string(fieldId('url.path'), `/a/${SECRET}`)
    writer.string(fieldId('url.query'), 'a=1&code=xyzzy')
    writer.string(fieldId('http.request.method_original'), SECRET)
    writer.headers(fieldId('http.request.header'), [
      { name: 'cookie', value: 'sid=xyzzy' }, { name: 'accept', value: '*/*' },
      { name: 'x-note', value: SECRET }])
    writer.headers(fieldId('http.response.header'), [{ name: 'set-cookie', value: 'sid=xyzzy; Path=/' }])
    writer.ints(fieldId('http.response.interim_status_codes'), [100, 103])
  })
  assert.equal(get('kind'), 'exchange')
  assert.equal(get('client.address'), '192.0.2.1')
  assert.equal(get('client.port'), 4711)
  assert.equal(get('url.domain'), 'example.com')
  assert.equal(get('url.path'), '/a/REDACTED')
  assert.equal(get('url.query'), 'a=1&code=REDACTED')
  assert.equal(get('http.request.method_original'), 'REDACTED')
  assert.deepEqual(get('http.request.header'),
    new Map([['cookie', ['sid=REDACTED']], ['accept', ['*/*']], ['x-note', ['REDACTED']]]))
  assert.deepEqual(get('http.response.header'), new Map([['set-cookie', ['sid=REDACTED; Path=/']]]))
  assert.deepEqual(get('http.response.interim_status_codes'), [100, 103])
  assert.equal(bytes.includes(SECRET) || bytes.includes('xyzzy'), false)
})

test('fields and headers that are not chosen are left out with their names', () => {
  const { bytes, get } = recordBehindWall((writer) => {
    writer.string(fieldId('url.path'), '/p')
    writer.string(fieldId('url.query'), 'q=1')
    writer.headers(fieldId('http.request.header'), [
      { name: 'x-internal-a', value: 'v' }, { name: 'accept', value: 'w' }])
    writer.int(fieldId('ip.ttl'), 64)
  }, { headers: [{ match: 'x-internal-*', action: 'drop' }] },
  { fields: { include: ['ip'], exclude: ['url.query'] } })
  assert.equal(get('url.path'), '/p')
  assert.equal(get('url.query'), undefined)
  assert.equal(get('ip.ttl'), 64)
  assert.deepEqual(get('http.request.header'), new Map([['accept', ['w']]]))
  assert.equal(bytes.includes('x-internal'), false)
})

test('addresses of a raw record are anonymised', () => {
  const { get } = recordBehindWall((writer) => {
    writer.address(fieldId('client.address'), 6,
      Uint8Array.of(0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    writer.string(fieldId('client.real_address'), '198.51.100.7')
  }, { addresses: { truncate: {} } })
  assert.equal(get('client.address'), '2001:db8:102::')
  assert.equal(get('client.real_address'), '198.51.100.0')
})

test('a record that is not well formed gives no record, and is counted', () => {
  const { probe } = recordBehindWall((writer) => writer.string(fieldId('url.path'), '/p'))
  const raw = probe.memory.reserve(64)
  probe.memory.view.setUint32(raw, 12, true)
  probe.memory.view.setUint16(raw + 6, 3, true)
  assert.equal(probe.wall.record({ pointer: raw, length: 12 }).length, 0)
  assert.equal(probe.wall.counters().recordsTooLarge, 1)
})

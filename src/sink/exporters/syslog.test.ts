import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { SpooledRecord } from '../spool/mod.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from './exporter.suite.ts'
import { Output } from '../../../lib/protobuf/mod.ts'
import { sceneBefore, serverFaults } from './server-faults.suite.ts'
import { writeCef, writeLeef } from './siem-body.ts'
import { assertInSchema, assertTells, type Json } from './testing/ocsf-checker.ts'
import { StreamServer } from './testing/stream-server.ts'
import { readKept, readMessage, syslogConverse, type SyslogMessage } from './testing/syslog-converse.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-syslog-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function open(more: Record<string, unknown>, host: RecordingHost): ReturnType<typeof openOutput> {
  return openOutput({ type: 'syslog', host_name: 'gw-1', spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' },
    retry: { max_wait: '20ms' }, drain: '1m', ...more }, host)
}

function sequences(messages: readonly SyslogMessage[]): number[] {
  return messages.map(({ body }) => (JSON.parse(body) as { event: { sequence: number } }).event.sequence)
}

test('syslog: over TCP every record is one message, as it was', async () => {
  const messages: SyslogMessage[] = []
  const server = await StreamServer.start(syslogConverse(message => {
    messages.push(message)
    return readKept(message)
  }))
  const host = new RecordingHost()
  const sink = open({ url: server.url, facility: 'audit' }, host)
  const batch = exchanges(0, 45)
  sink.write(batch)
  await until('all there', () => messages.length === 45, host)
  await sink.close()
  await server.kill()
  assert.equal(server.failed, undefined)
  assert.equal(`${messages.map(({ body }) => body).join('\n')}\n`, Buffer.from(batch.bytes).toString())
  assert.equal(new Set(messages.map(({ id }) => id)).size, 45)
  const [first] = messages as [SyslogMessage]
  assert.deepEqual([first.priority, first.time, first.host], [13 * 8 + 6, '2026-05-28T20:26:40.000123Z', 'gw-1'])
  assertAddsUp(sink)
})

test('syslog: events of OCSF arrive whole, hostile values among them', async () => {
  const messages: SyslogMessage[] = []
  const server = await StreamServer.start(syslogConverse(message => {
    messages.push(message)
    return readKept(message)
  }))
  const host = new RecordingHost()
  const sink = open({ url: server.url, format: 'ocsf' }, host)
  sink.write(exchanges(0, 45))
  await until('all there', () => messages.length === 45, host)
  await sink.close()
  await server.kill()
  assert.equal(server.failed, undefined)
  const records = Buffer.from(exchanges(0, 45).bytes).toString().trimEnd().split('\n')
  for (const [index, { id, body }] of messages.entries()) {
    const event = JSON.parse(body) as Json
    assertInSchema(event)
    assertTells(event, JSON.parse(records[index] as string) as Json)
    assert.equal((event['metadata'] as Json)['uid'], id)
  }
  assertAddsUp(sink)
})

test('syslog: over UDP a record is a datagram; what is longer than one is refused', async () => {
  const messages: SyslogMessage[] = []
  const socket = createSocket('udp4').on('message', bytes => { messages.push(readMessage(bytes.toString())) })
  await new Promise<void>(resolve => { socket.bind(0, '127.0.0.1', resolve) })
  const host = new RecordingHost()
  const spool = { path: join(folder, 'udp') }
  const sink = open({ url: `udp://127.0.0.1:${socket.address().port}`, spool }, host)
  sink.write(exchanges(0, 10))
  const long = Buffer.from(`{"kind":"exchange","event":{"sequence":99},"x":"${'y'.repeat(70_000)}"}\n`)
  sink.write({ bytes: long, count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 1 })
  await until('all there', () => messages.length === 10 && delivery(sink).refused === 1, host)
  await sink.close()
  socket.close()
  assert.deepEqual(sequences(messages), range(0, 10))
  assert.match(readFileSync(join(spool.path, 'dead-letters.ndjson'), 'utf8'), /longer than a datagram/)
  assertAddsUp(sink)
})

function hostile(): { line: Buffer, id: string } {
  const value = HOSTILE.join('|')
  const record = { kind: 'exchange', client: { address: '2001:db8::1' }, url: { domain: value, path: `/${value}` },
    http: { request: { method: 'GET', header: { x: HOSTILE } }, response: { status_code: 503 } }, user_agent: { original: `x src=6.6.6.6\tsrc=6.6.6.6${value}` } }
  return { line: Buffer.from(JSON.stringify(record)), id: '0123456789abcdef-1' }
}

/** Header and extension, unescaped, as CEF's specification says. */
function readCef(text: string): { head: string[], keys: Map<string, string> } {
  const parts = text.match(/(?:[^\\|]|\\.)*\||.*$/g) as string[]
  const head = parts.slice(0, 7).map(part => part.slice(0, -1))
  const keys = new Map<string, string>()
  for (const [, key = '', value = ''] of parts.slice(7).join('').matchAll(/(\w+)=((?:[^\\=]|\\.)*?)(?= \w+=|$)/g)) {
    assert.equal(keys.has(key), false, `${key} is there twice`)
    keys.set(key, value.replace(/\\(.)/g, (_, char: string) => char === 'n' ? '\n' : char === 'r' ? '\r' : char))
  }
  return { head, keys }
}

function bodyOf(write: typeof writeCef, record: SpooledRecord): string {
  const out = new Output(0)
  write(record, 3, out)
  return out.view.toString()
}

test('CEF: hostile values forge no field, and the rest reads back equal', () => {
  const record = hostile()
  const text = bodyOf(writeCef, record)
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/)
  const { head, keys } = readCef(text)
  assert.deepEqual([...head.slice(0, 5), head[6]], ['CEF:0', 'Lintel', 'lintel', '1', 'exchange', '8'])
  assert.deepEqual([...keys.keys()], ['externalId', 'dhost', 'request', 'requestMethod', 'requestClientApplication', 'cn1', 'cn1Label', 'cs1Label', 'cs1'])
  assert.equal(keys.get('cn1'), '503')
  assert.deepEqual(JSON.parse((keys.get('cs1') as string)),
    { kind: 'exchange', client: { address: '2001:db8::1' }, http: { request: { header: { x: HOSTILE } } } })
})

test('LEEF: hostile values forge no attribute, and the rest reads back equal', () => {
  const text = bodyOf(writeLeef, hostile())
  const head = text.split('|', 6)
  assert.deepEqual(head, ['LEEF:2.0', 'Lintel', 'lintel', '1', 'exchange', 'x09'])
  const pairs = text.slice(head.join('|').length + 1).split('\t').map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
  assert.deepEqual(pairs.map(([key]) => key), ['sev', 'id', 'src', 'domain', 'url', 'method', 'userAgent', 'status', 'record'])
  assert.deepEqual(JSON.parse(pairs.at(-1)?.[1] as string), { kind: 'exchange', http: { request: { header: { x: HOSTILE } } } })
})

serverFaults({
  name: 'syslog', isUnacknowledged: true,
  async open(more, identity) {
    const server = await StreamServer.start(syslogConverse(), identity)
    const options = { type: 'syslog', url: server.url, spool: { path: join(folder, `${number++}`) }, ...more }
    return sceneBefore(server, options, address => ({ url: `tcp://${address}` }))
  },
})

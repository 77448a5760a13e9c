import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { SpooledRecord } from '../spool/mod.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from './exporter.suite.ts'
import { Output } from '../../../lib/protobuf/mod.ts'
import { writeCef, writeLeef } from './siem-body.ts'
import { assertInSchema, assertTells, type Json } from './testing/ocsf-checker.ts'
import { makeCertificates, readIdentity } from './testing/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-syslog-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

const MESSAGE = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) \[lintel@32473 id="([0-9a-f]{16}-\d+)"\] (.*)$/s

interface Message { readonly priority: number, readonly time: string, readonly host: string, readonly id: string, readonly body: string }

function parsed(text: string): Message {
  const [, priority, time = '', host = '', app, , kind, id = '', body = ''] = MESSAGE.exec(text) ?? assert.fail(`no message of RFC 5424: ${text}`)
  assert.deepEqual([app, kind], ['lintel', 'exchange'])
  return { priority: Number(priority), time, host, id, body }
}

/** Reads octet counting strictly; `failed` is what it could not read. */
class SyslogServer {
  readonly messages: Message[] = []
  failed: Error | undefined
  /** Connections are cut after so many bytes. */
  cutAfter = Infinity
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(make: (take: (socket: Socket) => void) => Server) {
    this.#server = make(socket => { this.#take(socket) })
  }

  async listen(): Promise<number> {
    await new Promise<void>(resolve => { this.#server.listen(0, '127.0.0.1', resolve) })
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #take(socket: Socket): void {
    let [waiting, bytes] = [Buffer.alloc(0), 0]
    this.#sockets.add(socket.on('error', () => undefined))
    socket.on('data', part => {
      bytes += part.length
      if (bytes > this.cutAfter) {
        socket.resetAndDestroy()
        return
      }
      waiting = Buffer.concat([waiting, part as Buffer])
      try {
        for (let rest = this.#one(waiting); rest !== undefined; rest = this.#one(waiting)) waiting = rest
      } catch (error) {
        this.failed = error as Error
      }
    })
  }

  #one(bytes: Buffer): Buffer<ArrayBuffer> | undefined {
    const space = bytes.indexOf(' ')
    if (space === -1) return undefined
    const count = bytes.toString('latin1', 0, space)
    assert.match(count, /^[1-9]\d*$/)
    const end = space + 1 + Number(count)
    if (bytes.length < end) return undefined
    this.messages.push(parsed(bytes.toString('utf8', space + 1, end)))
    return Buffer.from(bytes.subarray(end))
  }
}

function open(more: Record<string, unknown>, host: RecordingHost): ReturnType<typeof openOutput> {
  return openOutput({ type: 'syslog', host_name: 'gw-1', spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' },
    retry: { max_wait: '20ms' }, drain: '2s', ...more }, host)
}

function sequences(messages: readonly Message[]): number[] {
  return messages.map(({ body }) => (JSON.parse(body) as { event: { sequence: number } }).event.sequence)
}

test('syslog: over TCP every record is one message, as it was', async () => {
  const server = new SyslogServer(take => createServer(take))
  const host = new RecordingHost()
  const sink = open({ url: `tcp://127.0.0.1:${await server.listen()}`, facility: 'audit' }, host)
  const batch = exchanges(0, 45)
  sink.write(batch)
  await until('all there', () => server.messages.length === 45, host)
  await sink.close()
  server.close()
  assert.equal(server.failed, undefined)
  assert.equal(`${server.messages.map(({ body }) => body).join('\n')}\n`, Buffer.from(batch.bytes).toString())
  assert.equal(new Set(server.messages.map(({ id }) => id)).size, 45)
  const [first] = server.messages as [Message]
  assert.deepEqual([first.priority, first.time, first.host], [13 * 8 + 6, '2026-05-28T20:26:40.000123Z', 'gw-1'])
  assertAddsUp(sink)
})

test('syslog: events of OCSF arrive whole, hostile values among them', async () => {
  const server = new SyslogServer(take => createServer(take))
  const host = new RecordingHost()
  const sink = open({ url: `tcp://127.0.0.1:${await server.listen()}`, format: 'ocsf' }, host)
  sink.write(exchanges(0, 45))
  await until('all there', () => server.messages.length === 45, host)
  await sink.close()
  server.close()
  assert.equal(server.failed, undefined)
  const records = Buffer.from(exchanges(0, 45).bytes).toString().trimEnd().split('\n')
  for (const [index, { id, body }] of server.messages.entries()) {
    const event = JSON.parse(body) as Json
    assertInSchema(event)
    assertTells(event, JSON.parse(records[index] as string) as Json)
    assert.equal((event['metadata'] as Json)['uid'], id)
  }
  assertAddsUp(sink)
})

test('syslog: a connection that is reset within a batch takes it back', async () => {
  const server = new SyslogServer(take => createServer(take))
  server.cutAfter = 100_000
  const host = new RecordingHost()
  const sink = open({ url: `tcp://127.0.0.1:${await server.listen()}`, batch: { records: 100_000, bytes: '64MiB', age: '10ms' } }, host)
  sink.write(exchanges(0, 60_000)) // more than the buffers of a socket take
  await until('it is told', () => sink.health().lastError !== undefined, host)
  server.messages.length = 0
  server.cutAfter = Infinity
  await until('all there', () => new Set(server.messages.map(({ id }) => id)).size === 60_000, host)
  await sink.close()
  server.close()
  assert.deepEqual([...new Set(sequences(server.messages))].sort((a, b) => a - b), range(0, 60_000))
  assertAddsUp(sink)
})

test('syslog: over TLS only to a server whose certificate is known', async () => {
  const files = makeCertificates(folder, 'right', 'IP:127.0.0.1')
  const server = new SyslogServer(take => createTlsServer(readIdentity(files), take).on('tlsClientError', () => undefined))
  const url = `tls://127.0.0.1:${await server.listen()}`
  const host = new RecordingHost()
  const spool = { path: join(folder, 'tls') }
  const first = open({ url, spool, drain: '50ms' }, host)
  first.write(exchanges(0, 10))
  await until('it is told', () => first.health().lastError !== undefined, host)
  assert.match(first.health().lastError as string, /certificate.*; set tls.ca/)
  await first.close()
  assert.equal(server.messages.length, 0)
  const second = open({ url, spool, tls: { ca: files.ca } }, host)
  await until('all there', () => server.messages.length === 10, host)
  await second.close()
  server.close()
  assert.deepEqual(sequences(server.messages), range(0, 10))
})

test('syslog: over UDP a record is a datagram; what is longer than one is refused', async () => {
  const messages: Message[] = []
  const socket = createSocket('udp4').on('message', bytes => { messages.push(parsed(bytes.toString())) })
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

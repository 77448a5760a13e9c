import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, type Kept, openOutput, range, until } from './exporter.suite.ts'
import { spoolFaults } from './spool-faults.suite.ts'
import { makeCertificates, readIdentity } from './testing/certificates.ts'
import type { Identity } from './testing/receiver.ts'
import { type Converse, startTrickle, StreamServer } from './testing/stream-server.ts'

/** One kind of exporter over an acknowledged stream, and how its server speaks. */
export interface StreamSubject {
  /** For test names. */
  readonly name: string
  /** Keys besides url and spool. */
  readonly options: Readonly<Record<string, unknown>> & { readonly type: string }
  readonly converse: Converse
  /** What is told of an acknowledgement of something else, and of an answer that is none. */
  readonly told: { readonly another: RegExp, readonly nonsense: RegExp }
}

/** What every exporter over an acknowledged stream must hold to, against a server that speaks its protocol and misbehaves. */
export function streamExporterSuite(subject: StreamSubject): void {
  const { name } = subject
  const folder = mkdtempSync(join(tmpdir(), 'lintel-stream-'))
  const scenes: Scene[] = []
  after(async () => {
    for (const { sink, server } of scenes) await Promise.all([sink.close(), server.kill()]) // of tests that failed
    rmSync(folder, { recursive: true, force: true })
  })
  let number = 0

  interface Scene {
    readonly server: StreamServer
    readonly host: RecordingHost
    readonly options: Record<string, unknown>
    sink: Sink
  }

  async function scene(more: Record<string, unknown> = {}, identity?: Identity): Promise<Scene> {
    const server = await StreamServer.start(subject.converse, identity)
    const host = new RecordingHost()
    const options = {
      url: server.url, spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' }, retry: { max_wait: '20ms' }, drain: '2s',
      ...subject.options, ...more,
    }
    const made = { server, host, options, sink: openOutput(options, host) }
    scenes.push(made)
    return made
  }

  async function end({ sink, server }: Scene): Promise<void> {
    await sink.close()
    assertAddsUp(sink)
    await server.kill()
    assert.equal(server.failed, undefined)
  }

  const numbers = (kept: readonly Kept[]): number[] => kept.map(record => record.number)
  const unique = (kept: readonly Kept[]): number[] => [...new Map(kept.map(record => [record.id, record.number])).values()]

  test(`${name}: every record arrives once, in order, whole, with an id of its own`, async () => {
    const it = await scene()
    for (let index = 0; index < 10; index++) it.sink.write(exchanges(index * 15, 15))
    await it.sink.flush()
    await end(it)
    assert.deepEqual(numbers(it.server.kept), range(0, 150))
    assert.equal(new Set(it.server.kept.map(({ id }) => id)).size, 150)
    assert.deepEqual(it.server.kept[0]?.hostile, HOSTILE)
    assert.ok(it.server.kept.every(record => record.number % 15 === 0 || record.hostile === undefined))
    const { sent, waitingRecords, retried } = delivery(it.sink)
    assert.deepEqual({ sent, waitingRecords, retried, logs: it.host.logs }, { sent: 150, waitingRecords: 0, retried: 0, logs: [] })
    assert.equal(it.server.connections, 1)
  })

  test(`${name}: a batch that is not acknowledged, or whose server closes, is sent again; of one that is acknowledged as another, too`, async () => {
    for (const [fate, told, kept] of [
      ['say nothing', /no answer within 200 ms/, range(0, 40)], ['acknowledge another', subject.told.another, range(0, 40)],
      ['close', /the server closed the connection|ECONNRESET|EPIPE/, [...range(0, 20), ...range(0, 40)]],
    ] as const) {
      const it = await scene({ timeout: '200ms' })
      it.server.fates = [fate]
      it.sink.write(exchanges(0, 40))
      await until('all sent', () => delivery(it.sink).sent === 40, it.host)
      await end(it)
      assert.deepEqual(numbers(it.server.kept), kept, fate)
      assert.deepEqual(it.server.batches, [20, 20, 20])
      assert.equal(delivery(it.sink).retried, 20)
      assert.match(it.host.logs[0] as string, told)
      assert.match(it.host.logs.at(-1) as string, /works again/)
      assert.equal(it.server.connections, 2, 'the connection was given up')
    }
  })

  test(`${name}: a connection that is reset within a batch takes it back`, async () => {
    const it = await scene({ batch: { records: 100_000, bytes: '64MiB', age: '10ms' } })
    it.server.cutAfter = 30_000
    it.sink.write(exchanges(0, 4000))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.deepEqual([it.server.kept.length, delivery(it.sink).sent], [0, 0])
    it.server.cutAfter = Infinity
    await until('all sent', () => delivery(it.sink).sent === 4000, it.host)
    await end(it)
    assert.deepEqual(numbers(it.server.kept), range(0, 4000))
  })

  test(`${name}: a server that is killed and comes back later has everything`, async () => {
    const it = await scene()
    it.sink.write(exchanges(0, 40))
    await until('the first arrive', () => it.server.kept.length === 40, it.host)
    await it.server.kill()
    for (let index = 1; index < 10; index++) it.sink.write(exchanges(index * 40, 40))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /ECONNREFUSED|ECONNRESET|EPIPE|the server closed the connection/)
    assert.ok(delivery(it.sink).waitingRecords >= 320)
    await it.server.listen()
    await until('all sent', () => delivery(it.sink).sent === 400, it.host)
    await end(it)
    assert.deepEqual(unique(it.server.kept), range(0, 400))
    assert.ok(it.server.kept.length <= 420, 'a batch whose acknowledgement was lost with the server is there twice')
  })

  test(`${name}: over a connection that trickles everything arrives once`, async () => {
    const it = await scene({ drain: '50ms' })
    const trickle = await startTrickle(it.server.url)
    await it.sink.close()
    it.sink = openOutput({ ...it.options, url: trickle.url, drain: '20s', batch: { records: 200, age: '10ms' } }, it.host)
    it.sink.write(exchanges(0, 400))
    await end(it)
    trickle.close()
    assert.deepEqual([numbers(it.server.kept), it.host.logs], [range(0, 400), []])
  })

  spoolFaults(name, async more => {
    const it = await scene(more)
    return { it, server: it.server, kept: it.server.kept, reopen: options => openOutput({ ...it.options, ...options }, it.host) }
  })

  test(`${name}: what cannot be sent before a stop is sent after the next start`, async () => {
    const it = await scene({ drain: '100ms' })
    await it.server.kill()
    it.sink.write(exchanges(0, 30))
    await it.sink.flush()
    await it.sink.close()
    assert.equal(delivery(it.sink).waitingRecords, 30)
    await it.server.listen()
    it.sink = openOutput({ ...it.options, drain: '2s' }, it.host)
    it.sink.write(exchanges(30, 10))
    await end(it)
    assert.deepEqual(numbers(it.server.kept), range(0, 40))
  })

  test(`${name}: a stop ends in time while a server says nothing`, async () => {
    const it = await scene({ drain: '50ms', timeout: '1h' })
    it.server.fates = ['say nothing']
    it.sink.write(exchanges(0, 10))
    await until('it was read', () => it.server.batches.length === 1, it.host)
    await end(it)
    assert.deepEqual([delivery(it.sink).waitingRecords, it.server.kept.length], [10, 0])
  })

  test(`${name}: what is no server of the protocol is told`, async () => {
    const it = await scene({ drain: '50ms' })
    const other = await StreamServer.start(async socket => {
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      for await (const _ of socket) continue
    })
    it.sink.write(exchanges(0, 1))
    await until('all sent', () => delivery(it.sink).sent === 1, it.host)
    await it.sink.close()
    it.sink = openOutput({ ...it.options, url: other.url }, it.host)
    it.sink.write(exchanges(1, 5))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, subject.told.nonsense)
    await end(it)
    await other.kill()
    assert.equal(delivery(it.sink).waitingRecords, 5)
  })

  test(`${name}: a certificate of nobody known is refused, one of the named authority is taken`, async () => {
    const files = makeCertificates(folder, 'right', 'IP:127.0.0.1')
    const other = makeCertificates(folder, 'other', 'DNS:elsewhere.example')
    const it = await scene({ drain: '100ms', tls: { ca: other.ca } }, readIdentity(files))
    it.sink.write(exchanges(0, 10))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /Cannot send to 127.0.0.1:\d+: .*certificate.*; set tls.ca/)
    await it.sink.close()
    assert.equal(it.server.batches.length, 0, 'nothing was sent to it')
    it.sink = openOutput({ ...it.options, tls: { ca: files.ca }, drain: '2s' }, it.host)
    await until('all sent', () => delivery(it.sink).sent === 10, it.host)
    await end(it)
    assert.deepEqual(numbers(it.server.kept), range(0, 10))
  })

  test(`${name}: a name that does not resolve is told, and a stop ends in time`, async () => {
    const it = await scene({ url: 'tcp://no-such-host.invalid:9', drain: '50ms' })
    it.sink.write(exchanges(0, 10))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /Cannot send to no-such-host.invalid:9: getaddrinfo .*; (is the host's name right|this machine's resolver)/)
    await end(it)
    assert.equal(delivery(it.sink).waitingRecords, 10)
  })
}

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, type Kept, openOutput, range, until } from './exporter.suite.ts'
import { serverFaults } from './server-faults.suite.ts'
import type { Identity } from './testing/receiver.ts'
import { StoppedClock } from './testing/stopped-clock.ts'
import { type Converse, StreamServer } from './testing/stream-server.ts'

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
      url: server.url, spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' }, retry: { max_wait: '20ms' }, drain: '1m',
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
      ['say nothing', /no answer within 5000 ms/, range(0, 40)], ['acknowledge another', subject.told.another, range(0, 40)],
      ['close', /the server closed the connection|ECONNRESET|EPIPE/, [...range(0, 20), ...range(0, 40)]],
    ] as const) {
      const clock = new StoppedClock()
      const it = await scene({ timeout: '5s' })
      it.server.fates = [fate]
      try {
        it.sink.write(exchanges(0, 40))
        await until('it was read', () => it.server.batches.length === 1, it.host)
        if (fate === 'say nothing') await clock.forward(5000)
        await clock.until('all sent', () => delivery(it.sink).sent === 40)
      } finally {
        clock.go()
      }
      await end(it)
      assert.deepEqual(numbers(it.server.kept), kept, fate)
      assert.deepEqual(it.server.batches, [20, 20, 20])
      assert.equal(delivery(it.sink).retried, 20)
      assert.match(it.host.logs[0] as string, told)
      assert.match(it.host.logs.at(-1) as string, /works again/)
      assert.equal(it.server.connections, 2, 'the connection was given up')
    }
  })

  serverFaults({
    name,
    async open(more, identity) {
      const it = await scene(more, identity)
      return {
        it, server: it.server, kept: it.server.kept, to: address => ({ url: `tcp://${address}` }),
        reopen: options => openOutput({ ...it.options, ...options }, it.host),
      }
    },
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
}

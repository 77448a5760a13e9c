import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from './exporter.suite.ts'
import { sceneBefore, serverFaults } from './server-faults.suite.ts'
import { streamExporterSuite } from './stream-exporter.suite.ts'
import { linesConverse, lumberjackConverse } from './testing/lumberjack-converse.ts'
import { type Converse, StreamServer } from './testing/stream-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-logstash-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const told = { another: /acknowledges event 21 of a window of 20/, nonsense: /answers no acknowledgement; is it a beats input of Logstash/ }

streamExporterSuite({ name: 'logstash', options: { type: 'logstash' }, converse: lumberjackConverse(true), told })
streamExporterSuite({ name: 'logstash, not compressed, step by step', options: { type: 'logstash', compression: 'none' }, converse: lumberjackConverse(false, true), told })

async function open(converse: Converse, more: Record<string, unknown>): Promise<{ server: StreamServer, host: RecordingHost, sink: ReturnType<typeof openOutput> }> {
  const server = await StreamServer.start(converse)
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'logstash', url: server.url, spool: { path: mkdtempSync(join(folder, 'spool-')) }, batch: { records: 20, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '2s', ...more,
  }, host)
  return { server, host, sink }
}

function ack(sequence: number): Buffer {
  return Buffer.from([0x32, 0x41, 0, 0, 0, sequence])
}

test('logstash: what was acknowledged of a window before the connection died is not sent again', async () => {
  const windows: number[] = []
  const { server, host, sink } = await open(async socket => {
    let bytes = Buffer.alloc(0)
    for await (const part of socket as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, part])
      if (!bytes.toString().includes(`"sequence":19}`)) continue
      windows.push(bytes.readUInt32BE(2))
      if (windows.length === 1) socket.end(ack(12))
      else socket.write(ack(8))
      bytes = Buffer.alloc(0)
    }
  }, { compression: 'none' })
  sink.write(exchanges(0, 20))
  await until('all sent', () => delivery(sink).sent === 20, host)
  await sink.close()
  await server.kill()
  assert.deepEqual([windows, delivery(sink).retried], [[20, 8], 8])
  assertAddsUp(sink)
})

test('logstash: a server that says it is at work is waited for, but not for ever', async () => {
  let [acks, isBusy] = [0, true]
  const { server, host, sink } = await open(async socket => {
    socket.on('error', () => undefined)
    const beat = setInterval(() => {
      acks++
      socket.write(ack(isBusy ? 0 : 20))
    }, 20)
    socket.on('close', () => { clearInterval(beat) })
    for await (const _ of socket) continue
  }, { timeout: '100ms', compression: 'none' })
  sink.write(exchanges(0, 20))
  await until('it is told', () => sink.health().lastError !== undefined, host)
  assert.match(sink.health().lastError as string, /no answer within 100 ms/)
  assert.ok(acks >= 10, `${acks}`)
  isBusy = false
  await until('all sent', () => delivery(sink).sent === 20, host)
  await sink.close()
  await server.kill()
})

test('logstash: JSON lines arrive once, in order, whole', async () => {
  const { server, host, sink } = await open(linesConverse, { format: 'json_lines' })
  for (let index = 0; index < 5; index++) sink.write(exchanges(index * 15, 15))
  await until('all there', () => server.kept.length === 75, host)
  await sink.close()
  await server.kill()
  assert.deepEqual([server.kept.map(({ number }) => number), server.kept[0]?.hostile, server.failed, host.logs], [range(0, 75), HOSTILE, undefined, []])
  assertAddsUp(sink)
})

test('logstash: what is wrong in a config is told with its place and the mend', () => {
  for (const [more, path, message] of [
    [{ url: 'http://h:1' }, 'url', /must be tcp:\/\/HOST:PORT or tls:\/\/HOST:PORT, e.g. tls:\/\/logstash.example:5044/],
    [{ format: 'json_lines', compression: 'zlib' }, 'compression', /json_lines are not compressed/], [{ format: 'json' }, 'format', /lumberjack.*json_lines/],
    [{ tls: { cert: '/none' } }, 'tls', /must come with the other/],
  ] as const) {
    assert.throws(() => openOutput({ type: 'logstash', url: 'tcp://h:1', spool: { path: join(folder, 'none') }, ...more }, new RecordingHost()), (error: { issues: { path: string[], message: string }[] }) => {
      assert.match(error.issues[0]?.message ?? '', message)
      assert.equal(error.issues[0]?.path[0], path)
      return true
    })
  }
})

serverFaults({
  name: 'logstash, JSON lines', isUnacknowledged: true,
  async open(more, identity) {
    const server = await StreamServer.start(linesConverse, identity)
    const options = { type: 'logstash', format: 'json_lines', url: server.url, spool: { path: mkdtempSync(join(folder, 'spool-')) }, ...more }
    return sceneBefore(server, options, address => ({ url: `tcp://${address}` }))
  },
})

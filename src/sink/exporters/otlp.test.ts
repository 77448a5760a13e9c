import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, exporterSuite, openOutput, range, until } from './exporter.suite.ts'
import { partialSuccess } from './testing/otlp-decoder.ts'
import { type Received, Receiver, type Said } from './testing/receiver.ts'
import { OK, OTLPS, read } from './testing/subjects/otlp.ts'

for (const subject of OTLPS) exporterSuite(subject)

const folder = mkdtempSync(join(tmpdir(), 'lintel-otlp-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

interface Scene {
  readonly receiver: Receiver
  readonly sink: Sink
  readonly host: RecordingHost
  /** Numbers by path, as they were taken. */
  readonly taken: Record<string, number[]>
  readonly spool: string
  take(request: Received): Said
}

async function withOutput(body: (it: Scene) => Promise<void>): Promise<void> {
  const taken: Record<string, number[]> = { '/in/v1/logs': [], '/in/v1/traces': [] }
  const take = (request: Received): Said => {
    taken[request.path]?.push(...read(request).map(one => one.number))
    return OK
  }
  const receiver = await Receiver.start(take)
  const host = new RecordingHost()
  const spool = join(folder, `${number++}`)
  const sink = openOutput({
    type: 'otlp', url: `${receiver.url}/in/`, spool: { path: spool }, batch: { records: 20, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '1m',
  }, host)
  try {
    await body({ receiver, sink, host, taken, spool, take })
  } finally {
    await sink.close()
    assertAddsUp(sink)
    await receiver.kill()
  }
}

const both = (numbers: number[]): Record<string, number[]> => ({ '/in/v1/logs': numbers, '/in/v1/traces': numbers })

function letters(spool: string): { reason: string, number: number }[] {
  const lines = readFileSync(join(spool, 'dead-letters.ndjson'), 'utf8').trim().split('\n')
  return lines.map(line => JSON.parse(line) as { reason: string, record: { event: { sequence: number } } }).map(({ reason, record }) => ({ reason, number: record.event.sequence }))
}

test('otlp: what the server has as logs is not sent to it again because the spans have to be', async () => {
  await withOutput(async ({ receiver, sink, host, taken, take }) => {
    let troubles = 3
    receiver.behave = request => request.path === '/in/v1/traces' && troubles-- > 0 ? { status: 503, headers: { 'retry-after': '0' } } : take(request)
    sink.write(exchanges(0, 50))
    await until('all sent', () => delivery(sink).sent === 50, host)
    assert.deepEqual(taken, both(range(0, 50)))
    assert.equal(receiver.requests.filter(({ path }) => path === '/in/v1/logs').length, 3)
  })
})

test('otlp: spans that are refused for good are found by halves, without a log twice', async () => {
  await withOutput(async ({ receiver, sink, host, taken, take, spool }) => {
    receiver.behave = request => request.path === '/in/v1/traces' && read(request).some(one => one.number === 7) ? { status: 400, body: 'bad record' } : take(request)
    sink.write(exchanges(0, 40))
    await until('all through', () => delivery(sink).sent + delivery(sink).refused === 40, host)
    assert.deepEqual(taken, { '/in/v1/logs': range(0, 40), '/in/v1/traces': range(0, 40).filter(one => one !== 7) })
    assert.deepEqual(letters(spool), [{ number: 7, reason: '400 bad request: bad record' }])
  })
})

test('otlp: of a partial success as many are counted as the server has rejected, nothing is sent again, and all that may be meant are letters', async () => {
  await withOutput(async ({ receiver, sink, host, taken, take, spool }) => {
    let [logs, traces] = [0, 0]
    receiver.behave = request => {
      take(request)
      const isLogs = request.path === '/in/v1/logs'
      const turn = isLogs ? logs++ : traces++
      if (!isLogs && turn === 0) return { status: 503, headers: { 'retry-after': '0' } }
      const body = isLogs && turn === 0 ? partialSuccess('logs', 3, 'too\told') : !isLogs && turn === 2 ? partialSuccess('traces', 20, '') : OK.body as string
      return { ...OK, body }
    }
    sink.write(exchanges(0, 60))
    await until('all through', () => delivery(sink).waitingRecords === 0 && delivery(sink).sent > 0, host)
    const { sent, refused, dropped } = delivery(sink)
    assert.deepEqual({ sent, refused, dropped: dropped.size }, { sent: 37, refused: 23, dropped: 0 })
    assert.deepEqual(taken['/in/v1/logs'], range(0, 60))
    const reason = '3 of 20 log records rejected, not said which: too old'
    assert.deepEqual(letters(spool), [
      ...range(0, 20).map(one => ({ number: one, reason })), ...range(20, 20).map(one => ({ number: one, reason: '20 of 20 spans rejected' })),
    ])
  })
})

test('otlp: letters of a partial success that find no room are counted', async () => {
  const receiver = await Receiver.start(() => ({ ...OK, body: partialSuccess('logs', 5, 'no') }))
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'otlp', url: receiver.url, signals: ['logs'], spool: { path: join(folder, 'full') }, batch: { records: 20, age: '5ms' }, dead_letters: { max_bytes: '4KiB' },
  }, host)
  sink.write(exchanges(0, 40))
  await until('all through', () => delivery(sink).sent === 30, host)
  await sink.close()
  assertAddsUp(sink)
  const { refused, dropped } = delivery(sink)
  assert.ok(refused + (dropped.get('dead-letter file full') ?? 0) === 10 && (dropped.get('dead-letter file full') ?? 0) >= 5, JSON.stringify([refused, ...dropped]))
  await receiver.kill()
})

test('otlp: a server that takes all and warns is heard, once', async () => {
  await withOutput(async ({ receiver, sink, host, take }) => {
    receiver.behave = request => ({ ...take(request), body: partialSuccess(request.path.endsWith('logs') ? 'logs' : 'traces', 0, 'use\nless') })
    sink.write(exchanges(0, 60))
    await until('all sent', () => delivery(sink).sent === 60, host)
    assert.match(host.logs.join('\n'), /^warn: 127\.0\.0\.1:\d+ has taken logs, and warns: use less$/)
  })
})

test('otlp: a server without one of the signals is told of by its name', async () => {
  await withOutput(async ({ receiver, sink, host, take }) => {
    receiver.behave = request => request.path === '/in/v1/traces' ? { status: 404 } : take(request)
    sink.write(exchanges(0, 1))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, /answers 404; there is no such address: look at url, and at signals: does it take traces\?/)
    receiver.behave = take
    await until('all sent', () => delivery(sink).sent === 1, host)
  })
})

test('otlp: records of other kinds go as logs, and where only traces are wanted they are through', async () => {
  await withOutput(async ({ receiver, sink, host }) => {
    receiver.behave = () => OK
    const line = Buffer.from('{"kind":"handshake","time":"2026-05-28T20:26:40Z"}\n')
    sink.write({ bytes: line, count: 1, kinds: [0, 0, 0, 0, 0, 1], outputs: 1 })
    await until('all sent', () => delivery(sink).sent === 1, host)
    assert.deepEqual(receiver.requests.map(({ path }) => path), ['/in/v1/logs'])
  })
})

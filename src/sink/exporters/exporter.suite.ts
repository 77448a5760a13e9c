import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SafeBatch } from '../batch.ts'
import { openSink, SINK_KINDS, type SinkOptions } from '../registry.ts'
import type { DeliveryHealth, Sink, SinkHost } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { serverFaults } from './server-faults.suite.ts'
import { type Identity, type Received, Receiver, type Said } from './testing/receiver.ts'
import { StoppedClock } from './testing/stopped-clock.ts'

/** A record as its server keeps it. */
export interface Kept {
  /** `event.sequence`. */
  readonly number: number
  readonly id: string
  /** Values of the request header `x-hostile`. */
  readonly hostile: readonly string[] | undefined
}

/** One kind of exporter, and how its server reads and answers. */
export interface Subject {
  readonly type: string
  /** Path of the url; none = none. */
  readonly path?: string
  /** Keys besides type, url, spool. */
  readonly more: Readonly<Record<string, unknown>>
  /** Puts the keys of an output (url, headers, tls, timeout among them) where this type has them; none = as they are. */
  place?(options: Readonly<Record<string, unknown>>): Record<string, unknown>
  /** Records in a request; throws when it is not what such a server takes. */
  read(request: Received): readonly Kept[]
  /** All of it is durable. */
  accept(request: Received): Said
  /** The records of `bad` are refused for good, the others are kept (as such a server does it); `kept` are those. */
  refuse(request: Received, bad: ReadonlySet<number>): { readonly said: Said, readonly kept: readonly Kept[] }
}

export const HOSTILE = ['a"b\\c\nd\re\tf\0g', '\u001b[31mred', 'k=v|x', '"}\n{"kind":"exchange","event":{"sequence":666}}', '\u2028\ud83d\ude00', 'ff\ufffd']

/** Exchanges numbered from `first`, as the agent logs them; of the first the header `x-hostile` has hostile values. */
export function exchanges(first: number, count: number): SafeBatch {
  const lines = Array.from({ length: count }, (_, index) => JSON.stringify({
    kind: 'exchange', time: new Date(1_780_000_000_000 + first + index).toISOString().replace('Z', '123456Z'), duration: 0.0015, event: { sequence: first + index },
    client: { address: '192.0.2.7', port: 40_000 }, url: { path: '/a', query: 'x=1' },
    http: { request: { method: 'GET', header: { host: ['shop.example'], ...(index === 0 ? { 'x-hostile': HOSTILE } : {}) } }, response: { status_code: 200 + index % 5 } },
  }))
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), count, kinds: [count, 0, 0, 0, 0, 0], outputs: 1 }
}

export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

export async function until(what: string, isSo: () => boolean, host?: RecordingHost): Promise<void> {
  for (let left = 3000; !isSo(); left--) {
    if (left === 0) assert.fail(`waited in vain: ${what}${host === undefined ? '' : `; ${host.logs.join('\n')}`}`)
    await sleep(20)
  }
}

export function delivery(sink: Sink): DeliveryHealth {
  return sink.health().delivery as DeliveryHealth
}

export function assertAddsUp(sink: Sink): void {
  const { spooled, found, sent, refused, dropped, waitingRecords } = delivery(sink)
  assert.equal(spooled + found, sent + refused + [...dropped.values()].reduce((sum, count) => sum + count, 0) + waitingRecords, JSON.stringify(delivery(sink)))
}

/** An output as a config file makes it. */
export function openOutput(options: Record<string, unknown>, host: SinkHost): Sink {
  const kind = SINK_KINDS.find(({ type }) => type === options['type'])
  return openSink(kind?.schema.parse(options) as SinkOptions, host)
}

/** What every exporter must hold to, against a server that speaks its protocol and misbehaves. */
export function exporterSuite(subject: Subject): void {
  const { type } = subject
  const open = (options: Record<string, unknown>, host: SinkHost): Sink => openOutput(subject.place?.(options) ?? options, host)
  const folder = mkdtempSync(join(tmpdir(), `lintel-${type}-`))
  const scenes: Scene[] = []
  after(async () => {
    for (const { sink, receiver } of scenes) await Promise.all([sink.close(), receiver.kill()]) // of tests that failed
    rmSync(folder, { recursive: true, force: true })
  })
  let number = 0

  interface Scene {
    readonly receiver: Receiver
    readonly kept: Kept[]
    readonly host: RecordingHost
    readonly options: Record<string, unknown>
    sink: Sink
    accept(request: Received): Said
  }

  async function scene(more: Record<string, unknown> = {}, identity?: Identity): Promise<Scene> {
    const kept: Kept[] = []
    const accept = (request: Received): Said => {
      const records = subject.read(request)
      const said = subject.accept(request)
      if (said.status < 300) kept.push(...records)
      return said
    }
    const receiver = await Receiver.start(accept, identity)
    const host = new RecordingHost()
    const options = {
      type, url: receiver.url + (subject.path ?? ''), spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' }, retry: { max_wait: '20ms' }, drain: '1m',
      ...subject.more, ...more,
    }
    const made = { receiver, kept, host, options, accept, sink: open(options, host) }
    scenes.push(made)
    return made
  }

  async function end({ sink, receiver }: Scene): Promise<void> {
    await sink.close()
    assertAddsUp(sink)
    await receiver.kill()
  }

  const numbers = (kept: readonly Kept[]): number[] => kept.map(record => record.number)
  const unique = (kept: readonly Kept[]): number[] => [...new Map(kept.map(record => [record.id, record.number])).values()]

  test(`${type}: every record arrives once, in order, whole, with an id of its own`, async () => {
    const it = await scene()
    for (let index = 0; index < 10; index++) it.sink.write(exchanges(index * 15, 15))
    await it.sink.flush()
    await end(it)
    assert.deepEqual(numbers(it.kept), range(0, 150))
    assert.equal(new Set(it.kept.map(({ id }) => id)).size, 150)
    assert.deepEqual(it.kept[0]?.hostile, HOSTILE)
    assert.ok(it.kept.every(record => record.number % 15 === 0 || record.hostile === undefined))
    const { sent, waitingRecords, retried, state } = delivery(it.sink)
    assert.deepEqual({ sent, waitingRecords, retried, state }, { sent: 150, waitingRecords: 0, retried: 0, state: 'stopped' })
    assert.deepEqual(it.host.logs, [])
  })

  for (const status of [500, 503, 429]) {
    test(`${type}: what is answered with ${status} is sent again, the same, and nothing is lost or doubled`, async () => {
      const it = await scene()
      let refusals = 3
      it.receiver.behave = request => refusals-- > 0 ? { status, headers: { 'retry-after': '0' }, body: 'not now' } : it.accept(request)
      it.sink.write(exchanges(0, 50))
      await until('all sent', () => delivery(it.sink).sent === 50, it.host)
      await end(it)
      assert.deepEqual(numbers(it.kept), range(0, 50))
      assert.equal(delivery(it.sink).retried, 60)
      assert.equal(it.host.logs.length, 2, it.host.logs.join('\n'))
      assert.match(it.host.logs[0] as string, new RegExp(`error: 127.0.0.1:\\d+ answers ${status} \\(not now\\); trying again, what comes waits in the spool`))
      assert.match(it.host.logs[1] as string, /info: sending to 127.0.0.1:\d+ works again/)
      assert.equal(it.receiver.requests[0]?.text, it.receiver.requests[3]?.text)
    })
  }

  test(`${type}: a server that closes without an answer, within it, or says nothing, gets the batch again`, async () => {
    const clock = new StoppedClock()
    const it = await scene({ timeout: '5s' })
    let turn = 0
    it.receiver.behave = (request, response) => {
      switch (turn++) {
        case 0: response.socket?.destroy(); return undefined
        case 1:
          response.writeHead(200, { 'content-length': '100' })
          response.write('{"half":', () => response.socket?.destroy())
          return undefined
        case 2: return undefined
        default: return it.accept(request)
      }
    }
    try {
      it.sink.write(exchanges(0, 20))
      for (const turns of [1, 2]) {
        await until('it waits', () => turn === turns && delivery(it.sink).state === 'waiting', it.host)
        await clock.forward(20)
      }
      await until('it was asked', () => turn === 3, it.host)
      await clock.forward(5000)
      await clock.until('all sent', () => delivery(it.sink).sent === 20)
    } finally {
      clock.go()
    }
    await end(it)
    assert.deepEqual(numbers(it.kept), range(0, 20))
    const told = it.host.logs.join('\n')
    for (const what of [/Cannot send to 127.0.0.1:\d+: (socket hang up|read ECONNRESET)/, /no answer within 5000 ms/, /works again/]) assert.match(told, what)
  })

  serverFaults({
    name: type,
    async open(more, identity) {
      const it = await scene(more, identity)
      return {
        it, server: it.receiver, kept: it.kept, to: address => ({ url: `http://${address}${subject.path ?? ''}` }),
        reopen: options => open({ ...it.options, ...options }, it.host),
      }
    },
  })

  test(`${type}: records that are refused for good go to the dead letters with the reason, the others arrive`, async () => {
    const it = await scene()
    const bad = new Set([3, 17, 18, 39])
    it.receiver.behave = request => {
      const { said, kept } = subject.refuse(request, bad)
      it.kept.push(...kept)
      return said
    }
    it.sink.write(exchanges(0, 45))
    await until('all are through', () => delivery(it.sink).sent + delivery(it.sink).refused === 45, it.host)
    await end(it)
    assert.deepEqual(unique(it.kept), range(0, 45).filter(value => !bad.has(value)))
    assert.equal(delivery(it.sink).refused, 4)
    const path = join((it.options['spool'] as { path: string }).path, 'dead-letters.ndjson')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const letters = readFileSync(path, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(letters.map(letter => (letter['record'] as { event: { sequence: number } }).event.sequence), [...bad])
    for (const letter of letters) {
      assert.match(letter['reason'] as string, /bad record/)
      assert.match(letter['id'] as string, /^[0-9a-f]{16}-\d+$/)
      assert.equal(letter['output'], it.sink.name)
    }
  })

  test(`${type}: credentials that are not taken hold the records back, and stand in no message`, async () => {
    process.env['LINTEL_TEST_SECRET'] = 'open-sesame/42'
    const it = await scene({ headers: { 'x-api-key': { env: 'LINTEL_TEST_SECRET' } } })
    it.receiver.behave = request => ({ status: 401, body: `no such key: ${request.headers['x-api-key']}\n` })
    it.sink.write(exchanges(0, 10))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /answers 401 \(no such key: \[hidden\]\); the credentials are not taken: look at auth/)
    assert.equal(it.receiver.requests[0]?.headers['x-api-key'], 'open-sesame/42')
    it.receiver.behave = it.accept
    await end(it)
    assert.deepEqual(numbers(it.kept), range(0, 10))
    assert.doesNotMatch(it.host.logs.join('\n') + readFileSync(join((it.options['spool'] as { path: string }).path, 'position'), 'utf8'), /sesame/)
  })
}

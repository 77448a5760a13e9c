import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { exchanges, HOSTILE, openOutput, until } from './exporter.suite.ts'
import { makeCertificates, readIdentity } from './testing/certificates.ts'
import { Detour } from './testing/detour.ts'
import { type Identity, type Received, Receiver, type Said } from './testing/receiver.ts'
import { StoppedClock } from './testing/stopped-clock.ts'

/** An output of metrics of requests, and how its server reads a push. */
export interface MetricsSubject {
  readonly name: string
  /** Keys besides the url; the label is `url.domain`. @param interval of pushes */
  options(interval: string): Readonly<Record<string, unknown>> & { readonly type: string }
  /** Path of the url; '' = none. */
  readonly path: string
  readonly said: Said
  /** Requests by `url.domain`, and the time of a push in ms; throws when it is not what such a server takes. */
  read(request: Received): { readonly counts: ReadonlyMap<string, number>, readonly timeMs: number }
}

const AWAY_SECONDS = 600

/** What servers and networks do to outputs that keep no records but push what was counted. */
export function metricsFaults({ name, options, path, said, read }: MetricsSubject): void {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-metrics-faults-'))
  const ends: (() => unknown)[] = []
  after(async () => {
    for (const end of ends) await end() // of tests that failed
    rmSync(folder, { recursive: true, force: true })
  })

  async function receiverOf(identity?: Identity): Promise<Receiver> {
    const receiver = await Receiver.start(() => said, identity)
    ends.push(() => receiver.kill())
    return receiver
  }

  function open(url: string, host: RecordingHost, more: Record<string, unknown> = {}, interval = '100ms'): Sink {
    const sink = openOutput({ ...options(interval), url: url + path, retry: { max_wait: '20ms' }, drain: '1m', ...more }, host)
    ends.push(() => sink.close())
    return sink
  }

  const total = (request: Received | undefined): number => request === undefined ? 0 : [...read(request).counts.values()].reduce((sum, count) => sum + count, 0)

  test(`${name}: a server that is away for ten minutes is told of once a minute, and has all counts when it is back; times rise`, async () => {
    const clock = new StoppedClock()
    try {
      const receiver = await receiverOf()
      const host = new RecordingHost()
      const sink = open(receiver.url, host, { retry: { max_wait: '30s' } }, '10s')
      sink.write(exchanges(0, 10))
      await clock.until('pushed', () => total(receiver.requests.at(-1)) === 10)
      await receiver.kill()
      for (let second = 0; second < AWAY_SECONDS; second++) {
        if (second % 10 === 0) sink.write(exchanges(10 + second, 10))
        await clock.forward(1000)
      }
      const told = host.logs.filter(line => line.startsWith('error: '))
      assert.ok(told.length >= 5 && told.length <= 12, `told ${told.length} times`)
      await receiver.listen()
      await clock.until('pushed', () => total(receiver.requests.at(-1)) === 10 + AWAY_SECONDS)
      clock.go()
      await sink.close()
      await receiver.kill()
      const times = receiver.requests.map(request => read(request).timeMs)
      assert.deepEqual(times, times.toSorted((a, b) => a - b))
      assert.equal(sink.health().droppedRecords.size, 0)
    } finally {
      clock.go()
    }
  })

  test(`${name}: over a connection that trickles, or is reset within a push, all counts arrive; hostile values whole`, async () => {
    const receiver = await receiverOf()
    const way = await Detour.to(receiver.address)
    ends.push(() => { way.close() })
    way.cutAfter = 500
    const host = new RecordingHost()
    const sink = open(`http://${way.address}`, host)
    const domains = [...HOSTILE, ...Array.from({ length: 50 }, (_, index) => `host-${index}.example`)]
    const lines = domains.map(domain => JSON.stringify({ kind: 'exchange', duration: 0.001, url: { domain }, http: { request: { method: 'GET' } } }))
    sink.write({ bytes: Buffer.from(`${lines.join('\n')}\n`), count: lines.length, kinds: [lines.length, 0, 0, 0, 0, 0], outputs: 1 })
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.equal(receiver.requests.length, 0)
    way.cutAfter = Infinity
    way.isTrickle = true
    await until('pushed', () => total(receiver.requests.at(-1)) === domains.length, host)
    await sink.close()
    await receiver.kill()
    assert.deepEqual([...read(receiver.requests.at(-1) as Received).counts.keys()].sort(), domains.toSorted())
  })

  test(`${name}: a certificate of nobody known is refused, one of the named authority is taken`, async () => {
    const files = makeCertificates(folder, 'right', 'IP:127.0.0.1')
    const other = makeCertificates(folder, 'other', 'DNS:elsewhere.example')
    const receiver = await receiverOf(readIdentity(files))
    const host = new RecordingHost()
    for (const [ca, count] of [[other.ca, 0], [files.ca, 10]] as const) {
      const sink = open(receiver.url, host, { tls: { ca }, drain: ca === other.ca ? '50ms' : '1m' })
      sink.write(exchanges(0, 10))
      await until('pushed, or told', () => receiver.requests.length > 0 || sink.health().lastError !== undefined, host)
      if (count === 0) assert.match(sink.health().lastError as string, /Cannot send to 127.0.0.1:\d+: .*certificate.*; set tls.ca/)
      await sink.close()
      assert.equal(total(receiver.requests.at(-1)), count)
    }
    await receiver.kill()
  })

  test(`${name}: a name that does not resolve is told, and a stop ends in time`, async () => {
    const host = new RecordingHost()
    const sink = open('http://no-such-host.invalid:9', host, { drain: '50ms' })
    sink.write(exchanges(0, 10))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, /Cannot send to no-such-host.invalid:9: getaddrinfo .*no-such-host.invalid; (is the host's name right|this machine's resolver)/)
    await sink.close()
    assert.ok((sink.health().droppedRecords.get('not sent before the stop') ?? 0) > 0)
  })
}

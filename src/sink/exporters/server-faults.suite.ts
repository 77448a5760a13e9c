import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, type Kept, openOutput, range, until } from './exporter.suite.ts'
import { spoolFaults } from './spool-faults.suite.ts'
import { makeCertificates, readIdentity } from './testing/certificates.ts'
import { Detour } from './testing/detour.ts'
import type { Identity } from './testing/receiver.ts'
import { StoppedClock } from './testing/stopped-clock.ts'

/** A server of an exporter's protocol. */
export interface FaultServer {
  /** `HOST:PORT`. */
  readonly address: string
  /** What it could not read. */
  readonly failed?: Error | undefined
  /** Ends at once, every connection with it. */
  kill(): Promise<void>
  /** At the same address as before. */
  listen(): Promise<void>
}

/** An output before a server of its protocol. */
export interface FaultScene {
  readonly it: { sink: Sink, readonly host: RecordingHost, readonly options: Readonly<Record<string, unknown>> }
  readonly server: FaultServer
  /** What the server has, in its order. */
  readonly kept: readonly Kept[]
  /** The keys that send an output to this address in the clear. */
  to(address: string): Record<string, unknown>
  /** The output as it is, but for these keys. */
  reopen(options: Record<string, unknown>): Sink
}

export interface FaultSubject {
  readonly name: string
  /** Of protocols in which a server does not say that it has a record: what stands in the socket's buffers goes with the connection. */
  readonly isUnacknowledged?: boolean
  /** An output with these keys besides its own; batches have 20 records. @param identity of a server with TLS, which the output then speaks */
  open(more: Record<string, unknown>, identity?: Identity): Promise<FaultScene>
}

const BATCH = 20
const LARGE = { records: 100_000, bytes: '64MiB', age: '10ms' }
/** More than what protocols say before the first record, less than a batch of LARGE. */
const CUT_BYTES = 10_000
const AWAY_SECONDS = 600

/** A scene of an output with these keys besides those that all have. */
export function sceneBefore(server: FaultServer & { readonly kept: readonly Kept[] }, own: Record<string, unknown>, to: FaultScene['to']): FaultScene {
  const host = new RecordingHost()
  const options = { batch: { records: BATCH, age: '10ms' }, retry: { max_wait: '20ms' }, drain: '1m', ...own }
  return { it: { host, options, sink: openOutput(options, host) }, server, kept: server.kept, to, reopen: other => openOutput({ ...options, ...other }, host) }
}

/** What servers and networks do to every exporter, and what its spool must make of it. */
export function serverFaults(subject: FaultSubject): void {
  const { name, isUnacknowledged = false } = subject
  const folder = mkdtempSync(join(tmpdir(), 'lintel-faults-'))
  const ends: (() => unknown)[] = []
  after(async () => {
    for (const end of ends) await end() // of tests that failed
    rmSync(folder, { recursive: true, force: true })
  })

  async function scene(more: Record<string, unknown>, identity?: Identity): Promise<FaultScene> {
    const made = await subject.open(more, identity)
    ends.push(() => made.it.sink.close(), () => made.server.kill())
    return made
  }

  async function detour({ server }: FaultScene): Promise<Detour> {
    const made = await Detour.to(server.address)
    ends.push(() => { made.close() })
    return made
  }

  /** Where nobody says that the last one is there, it is waited for. */
  async function end({ it, server, kept }: FaultScene, last?: number): Promise<void> {
    if (last !== undefined) await until('the last is there', () => kept.at(-1)?.number === last, it.host)
    await it.sink.close()
    assertAddsUp(it.sink)
    await server.kill()
    assert.equal(server.failed, undefined)
  }

  const numbers = ({ kept }: FaultScene): number[] => kept.map(record => record.number)
  const unique = ({ kept }: FaultScene): number[] => [...new Map(kept.map(record => [record.id, record.number])).values()]

  /** All are there in order, but for what stood in the buffers of a connection that nobody answers on; a batch at most is there twice. */
  function assertThere(made: FaultScene, count: number): void {
    const there = unique(made)
    if (isUnacknowledged) {
      assert.ok(there.length >= count - BATCH, `${there.length} of ${count}`)
      assert.deepEqual(there, [...new Set(there)].sort((a, b) => a - b))
    } else assert.deepEqual(there, range(0, count))
    assert.ok(made.kept.length - there.length <= BATCH, 'a batch whose answer was lost with the server is there twice')
  }

  test(`${name}: a server that is killed and comes back later has everything`, async () => {
    const made = await scene({})
    const { it, server, kept } = made
    it.sink.write(exchanges(0, 40))
    await until('the first arrive', () => kept.length === 40, it.host)
    await server.kill()
    for (let index = 1; index < 10; index++) it.sink.write(exchanges(index * 40, 40))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /connection refused|ECONNREFUSED|ECONNRESET|EPIPE|hang up|closed/)
    assert.ok(delivery(it.sink).waitingRecords >= 320)
    await server.listen()
    await until('all sent', () => delivery(it.sink).sent === 400, it.host)
    await end(made, 399)
    assertThere(made, 400)
    assert.equal(it.sink.health().lastError, undefined)
  })

  test(`${name}: a server that is away for ten minutes gets all that came meanwhile, and is told of once a minute`, async () => {
    const clock = new StoppedClock()
    try {
      const made = await scene({ retry: { max_wait: '30s' } })
      const { it, server, kept } = made
      const count = 40 + AWAY_SECONDS
      it.sink.write(exchanges(0, 40))
      await clock.until('the first arrive', () => kept.length === 40 && delivery(it.sink).sent === 40)
      await server.kill()
      for (let second = 0; second < AWAY_SECONDS; second++) {
        if (second % 10 === 0) it.sink.write(exchanges(40 + second, 10))
        await it.sink.flush()
        await clock.forward(1000)
        await clock.until('it does not send', () => delivery(it.sink).state !== 'sending')
      }
      const told = it.host.logs.filter(line => line.startsWith('error: '))
      assert.ok(told.length >= 5 && told.length <= 12, `told ${told.length} times`)
      assert.equal(delivery(it.sink).waitingRecords + delivery(it.sink).sent, count)
      await server.listen()
      await clock.until('all sent', () => delivery(it.sink).sent === count)
      clock.go()
      await end(made, count - 1)
      assertThere(made, count)
      assert.match(it.host.logs.at(-1) as string, /works again/)
    } finally {
      clock.go()
    }
  })

  test(`${name}: over a connection that trickles everything arrives once`, async () => {
    const made = await scene({ drain: '50ms' })
    const { it, to, reopen } = made
    const trickle = await detour(made)
    trickle.isTrickle = true
    await it.sink.close()
    it.sink = reopen({ ...to(trickle.address), drain: '1m', batch: { records: 200, age: '10ms' } })
    it.sink.write(exchanges(0, 400))
    await until('all there', () => made.kept.length >= 400, it.host)
    await end(made)
    assert.deepEqual([numbers(made), it.host.logs], [range(0, 400), []])
  })

  test(`${name}: a connection that is reset within a batch takes it back`, async () => {
    const made = await scene({ drain: '50ms' })
    const { it, to, reopen } = made
    const cut = await detour(made)
    cut.cutAfter = CUT_BYTES
    await it.sink.close()
    it.sink = reopen({ ...to(cut.address), drain: '1m', batch: LARGE })
    const count = isUnacknowledged ? 60_000 : 4000 // more than the buffers of a socket take
    it.sink.write(exchanges(0, count))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.equal(delivery(it.sink).sent, 0)
    if (!isUnacknowledged) assert.equal(made.kept.length, 0)
    cut.cutAfter = Infinity
    await until('all there', () => delivery(it.sink).sent === count && unique(made).length === count, it.host)
    await it.sink.close()
    assertAddsUp(it.sink)
    await made.server.kill()
    if (isUnacknowledged) assert.deepEqual(unique(made).sort((a, b) => a - b), range(0, count))
    else assert.deepEqual([numbers(made), made.server.failed], [range(0, count), undefined])
  })

  test(`${name}: what cannot be sent before a stop is sent after the next start`, async () => {
    const made = await scene({ drain: '100ms' })
    const { it, server, reopen } = made
    await server.kill()
    it.sink.write(exchanges(0, 30))
    await it.sink.flush()
    await it.sink.close()
    assertAddsUp(it.sink)
    assert.equal(delivery(it.sink).waitingRecords, 30)
    assert.equal(it.host.written, 30, 'they stand in the spool')
    await server.listen()
    it.sink = reopen({ drain: '1m' })
    it.sink.write(exchanges(30, 10))
    await it.sink.close()
    await until('all there', () => made.kept.length >= 40, it.host)
    await end(made)
    assert.deepEqual(numbers(made), range(0, 40))
    assert.deepEqual([delivery(it.sink).found, delivery(it.sink).sent], [30, 40])
  })

  test(`${name}: a certificate of nobody known is refused, one of the named authority is taken`, async () => {
    const files = makeCertificates(folder, 'right', 'IP:127.0.0.1')
    const other = makeCertificates(folder, 'other', 'DNS:elsewhere.example')
    const made = await scene({ drain: '100ms', tls: { ca: other.ca } }, readIdentity(files))
    const { it, reopen } = made
    it.sink.write(exchanges(0, 10))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string, /Cannot send to 127.0.0.1:\d+\S*( \(broker \S+\))?: .*certificate.*; set tls.ca/)
    await it.sink.close()
    assert.equal(made.kept.length, 0, 'nothing was sent to it')
    it.sink = reopen({ tls: { ca: files.ca }, drain: '1m' })
    await until('all there', () => delivery(it.sink).sent === 10 && made.kept.length === 10, it.host)
    await end(made)
    assert.deepEqual(numbers(made), range(0, 10))
  })

  test(`${name}: a name that does not resolve is told, and a stop ends in time`, async () => {
    const made = await scene({ drain: '50ms' })
    const { it, to, reopen } = made
    await it.sink.close()
    it.sink = reopen(to('no-such-host.invalid:9'))
    it.sink.write(exchanges(0, 10))
    await until('it is told', () => it.sink.health().lastError !== undefined, it.host)
    assert.match(it.sink.health().lastError as string,
      /Cannot send to no-such-host.invalid:9\S*( \(broker \S+\))?: getaddrinfo .*no-such-host.invalid; (is the host's name right|this machine's resolver)/)
    await end(made)
    assert.equal(delivery(it.sink).waitingRecords, 10)
  })

  spoolFaults(name, scene)
}

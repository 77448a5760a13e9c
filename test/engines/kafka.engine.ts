/** Records to a real broker of Kafka (KRaft), and read back by a consumer. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from '../../src/sink/exporters/exporter.suite.ts'
import { makeCertificates } from '../../src/sink/exporters/testing/certificates.ts'
import type { SafeBatch, Sink } from '../../src/sink/mod.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { type Found, KafkaServer, PASSWORDS } from './testing/kafka-server.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { LIVE, SOURCES } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-kafka-'))
const certificate = makeCertificates(folder, 'broker', 'IP:127.0.0.1')
const BATCH = 500
let server: KafkaServer
let number = 0
const sinks: Sink[] = []
before(async () => { server = await KafkaServer.start(join(folder, 'broker'), certificate) })
after(async () => {
  for (const sink of sinks) await sink.close() // of tests that failed
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Scene { readonly host: RecordingHost, readonly sink: Sink, readonly spool: string }

function open(topic: string, more: Record<string, unknown> = {}): Scene {
  const spool = join(folder, `spool-${number++}`)
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'kafka', brokers: [server.brokers.plain], topic, spool: { path: spool }, batch: { records: BATCH, age: '10ms' },
    retry: { max_wait: '200ms' }, drain: '5s', ...more,
  }, host)
  sinks.push(sink)
  return { host, sink, spool }
}

interface Sent {
  readonly id: string
  readonly event: { readonly sequence: number }
  readonly http: { readonly request: { readonly header: { readonly 'x-hostile'?: readonly string[] } } }
}

function records(found: readonly Found[]): Sent[] {
  return found.map(({ value }) => JSON.parse(value) as Sent)
}

function sequences(found: readonly Found[]): number[] {
  return records(found).map(({ event }) => event.sequence).sort((a, b) => a - b)
}

for (const source of SOURCES) {
  test(`Kafka: ${source.name}: each is there once, byte for byte, those of one key in order in one partition`, async context => {
    const found = await source.lines(context)
    if (found === undefined) return
    const lines = source === LIVE ? found : renumbered(found) // captures have numbers of their own each
    const topic = `all-${number}`
    await server.createTopic(topic, 3)
    await sendAll(host => openOutput({
      type: 'kafka', brokers: [server.brokers.plain], topic, key: 'client.port', host_name: 'gw-1', ...PATIENT, batch: { age: '10ms' },
      spool: { path: join(folder, `spool-${number++}`) },
    }, host), lines)
    const keys = assertRead(await server.read(topic, lines.length), lines)
    context.diagnostic(`${lines.length} records, ${keys} keys`)
  })
}

interface Line { readonly kind: string, readonly event: { readonly sequence: number }, readonly client?: { readonly port?: number } }

/** Every line was read once, nothing else, in the order of its key. How many keys there are. */
function assertRead(found: readonly Found[], lines: readonly string[]): number {
  const missing = new Map(lines.map((line, index) => [(JSON.parse(line) as Line).event.sequence, { line, index }]))
  assert.equal(missing.size, lines.length, 'numbers of records tell them apart')
  const ids = new Set<string>()
  const places = new Map<string, { partition: number, last: number }>()
  for (const { key, value, headers, partition, offset } of found.toSorted((a, b) => Number(a.offset - b.offset))) {
    const { kind, event, client } = JSON.parse(value) as Line
    const { line, index } = missing.get(event.sequence) ?? assert.fail(`twice, or never sent: ${value}`)
    missing.delete(event.sequence)
    const id = headers.get('id') as string
    assert.equal(value, `{"id":"${id}",${line.slice(1)}`)
    assert.deepEqual([headers.get('kind'), headers.get('host.name'), key], [kind, 'gw-1', client?.port?.toString()])
    ids.add(id)
    if (key === undefined) continue
    const before = places.get(key)
    const isInOrder = before === undefined || (before.partition === partition && before.last < index)
    assert.ok(isInOrder, `${key}: ${index} in ${partition} at ${offset} after ${before?.last} in ${before?.partition}`)
    places.set(key, { partition, last: index })
  }
  assert.equal(missing.size, 0)
  assert.equal(ids.size, lines.length)
  assert.equal(new Set(found.map(({ partition }) => partition)).size, 3, 'all partitions were used')
  return places.size
}

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`Kafka: compression ${compression}: hostile values arrive whole`, async () => {
    await server.createTopic(`by-${compression}`, 2)
    const { sink, host } = open(`by-${compression}`, { compression })
    for (let index = 0; index < 4; index++) sink.write(exchanges(index * 100, 100))
    await until('all sent', () => delivery(sink).sent === 400, host)
    await sink.close()
    const found = await server.read(`by-${compression}`, 400)
    assert.deepEqual(sequences(found), range(0, 400))
    const hostile = records(found).flatMap(({ http }) => http.request.header['x-hostile'] === undefined ? [] : [http.request.header['x-hostile']])
    assert.deepEqual(hostile, [HOSTILE, HOSTILE, HOSTILE, HOSTILE])
  })
}

test('Kafka: a broker that is killed midway and started again has everything, a batch at most twice', async context => {
  await server.createTopic('killed', 3)
  const { sink, host } = open('killed', { timeout: '5s' })
  const [batches, count] = [300, 100]
  for (let index = 0; index < batches; index++) {
    sink.write(exchanges(index * count, count))
    await sink.flush()
    await sleep(2)
    if (index === 100) await server.kill()
    if (index === 200) {
      await until('it is told', () => sink.health().lastError !== undefined, host)
      assert.match(sink.health().lastError as string, /ECONNREFUSED.*; is the server running|closed the connection/)
      await server.run()
    }
  }
  await until('all sent', () => delivery(sink).sent === batches * count, host)
  await sink.close()
  assertAddsUp(sink)
  const found = await server.read('killed', batches * count)
  assert.equal(new Set(found.map(({ headers }) => headers.get('id'))).size, batches * count)
  assert.deepEqual([...new Set(sequences(found))], range(0, batches * count))
  assert.ok(found.length - batches * count <= BATCH, `${found.length - batches * count} twice`)
  context.diagnostic(`${found.length - batches * count} of ${batches * count} twice; ${host.logs.length} messages`)
})

test('Kafka: what is too large goes to the dead letters with the reason, the rest arrives once', async () => {
  await server.createTopic('small', 2, { 'max.message.bytes': '20000' })
  const { sink, host, spool } = open('small', { compression: 'none' })
  const big = (sequence: number): SafeBatch => {
    const pad = randomBytes(15_000).toString('hex')
    const line = JSON.stringify({ kind: 'exchange', event: { sequence }, http: { request: { header: {} } }, pad })
    return { bytes: Buffer.from(`${line}\n`), count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 1 }
  }
  for (const batch of [exchanges(0, 200), big(200), exchanges(201, 99), big(300), exchanges(301, 100)]) sink.write(batch)
  await until('all through', () => delivery(sink).sent + delivery(sink).refused === 401, host)
  await sink.close()
  assertAddsUp(sink)
  assert.equal(delivery(sink).refused, 2)
  const letters = readFileSync(join(spool, 'dead-letters.ndjson'), 'utf8').trim().split('\n')
    .map(line => JSON.parse(line) as { reason: string, record: Sent })
  assert.deepEqual(letters.map(({ record }) => record.event.sequence), [200, 300])
  for (const { reason } of letters) assert.match(reason, /^MESSAGE_TOO_LARGE: larger than max.message.bytes of the topic$/)
  assert.deepEqual(sequences(await server.read('small', 399)), range(0, 401).filter(value => value % 300 !== 200 && value !== 300))
})

test('Kafka: a topic that is missing, or goes and comes back, is waited for', async () => {
  const { sink, host } = open('late')
  sink.write(exchanges(0, 50))
  await until('it is told', () => sink.health().lastError !== undefined, host)
  assert.match(sink.health().lastError as string, /there is no topic "late"; create it, or set topic/)
  await server.createTopic('late', 1)
  await until('all sent', () => delivery(sink).sent === 50, host)
  await server.admin.deleteTopics({ topics: ['late'] })
  sink.write(exchanges(50, 50))
  await until('it is told again', () => sink.health().lastError !== undefined, host)
  await server.createTopic('late', 2)
  await until('all sent', () => delivery(sink).sent === 100, host)
  await sink.close()
  assert.deepEqual(sequences(await server.read('late', 50)), range(50, 50))
})

process.env['LINTEL_TEST_KAFKA'] = PASSWORDS.writer
process.env['LINTEL_TEST_KAFKA_WRONG'] = 'wrong-sesame-42'
process.env['LINTEL_TEST_KAFKA_STRANGER'] = PASSWORDS.stranger
const { ca, cert, key } = certificate

interface Door {
  readonly name: string
  readonly to: 'plain' | 'tls' | 'sasl'
  readonly more: Record<string, unknown>
  /** Undefined = it arrives. */
  readonly said?: RegExp
}

const sasl = (mechanism: string, user: string, env: string): object => ({ sasl: { mechanism, user, password: { env } } })

const DOORS: readonly Door[] = [
  ...['plain', 'scram-sha-256'].flatMap(mechanism => [
    { name: `${mechanism}, right`, to: 'sasl' as const, more: { ...sasl(mechanism, 'writer', 'LINTEL_TEST_KAFKA') } },
    { name: `${mechanism}, wrong password`, to: 'sasl' as const, more: { ...sasl(mechanism, 'writer', 'LINTEL_TEST_KAFKA_WRONG') },
      said: /the credentials of user "writer" are not taken; look at sasl: mechanism, user and password$/ },
    { name: `${mechanism}, not allowed`, to: 'sasl' as const, more: { ...sasl(mechanism, 'stranger', 'LINTEL_TEST_KAFKA_STRANGER') },
      said: /user "stranger" may not write (?:to the topic "doors"; allow it|idempotently; allow it)/ },
  ]),
  { name: 'a mechanism that is not offered', to: 'sasl', more: { ...sasl('scram-sha-512', 'writer', 'LINTEL_TEST_KAFKA') },
    said: /does not offer this SASL mechanism; set sasl.mechanism to one of/ },
  { name: 'no sasl where it is wanted', to: 'sasl', more: {}, said: /closed the connection; is it up, and does this listener want tls or sasl\?$/ },
  { name: 'mTLS, right', to: 'tls', more: { tls: { ca, cert, key } } },
  { name: 'TLS without the certificate that is wanted', to: 'tls', more: { tls: { ca } },
    said: /certificate|closed the connection; is it up, and does this listener want tls|no answer in time/ },
  { name: 'TLS, authority not known', to: 'tls', more: { tls: { cert, key } }, said: /certificate.*; set tls.ca/ },
  { name: 'no TLS where it is wanted', to: 'tls', more: {},
    said: /this listener wants TLS; give tls|closed the connection; is it up, and does this listener want tls/ },
  { name: 'TLS where it is not spoken', to: 'plain', more: { tls: { ca } }, said: /this listener speaks no TLS; leave tls out/ },
]

for (const { name, to, more, said } of DOORS) {
  test(`Kafka: ${name}`, async () => {
    if (!(await server.admin.listTopics()).includes('doors')) await server.createTopic('doors', 1)
    const { sink, host } = open('doors', { brokers: [server.brokers[to]], drain: '100ms', timeout: '3s', ...more })
    sink.write(exchanges(0, 10))
    if (said === undefined) {
      await until('all sent', () => delivery(sink).sent === 10, host)
    } else {
      await until('it is told', () => sink.health().lastError !== undefined, host)
    }
    const { lastError } = sink.health()
    await sink.close()
    assertAddsUp(sink)
    if (said === undefined) return
    assert.match(lastError as string, said)
    assert.equal(delivery(sink).waitingRecords, 10)
    assert.doesNotMatch(host.logs.join('\n'), /sesame|nothing-allowed/)
  })
}

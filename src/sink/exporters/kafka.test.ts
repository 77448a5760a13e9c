/** What needs no real broker; test/engines/kafka.engine.ts sends to one. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RecordingHost } from '../sink.suite.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, until } from './exporter.suite.ts'
import { MessageMaker } from './kafka-message.ts'
import { hindranceOf, outcomeOf } from './kafka-trouble.ts'
import { murmur2 } from './murmur2.ts'
import { sceneBefore, serverFaults } from './server-faults.suite.ts'
import { kafkaConverse, type KafkaState } from './testing/kafka-converse.ts'
import { StreamServer } from './testing/stream-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-kafka-'))
const sockets = new Set<Socket>()
const servers = new Set<Server>()
after(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
})
let number = 0

function records(count: number): SpooledRecord[] {
  const lines = Buffer.from(exchanges(0, count).bytes).toString().trimEnd().split('\n')
  return lines.map((line, index) => ({ id: `0123456789abcdef-${index}`, line: Buffer.from(line) }))
}

function open(more: Record<string, unknown>, host: RecordingHost): ReturnType<typeof openOutput> {
  return openOutput({ type: 'kafka', topic: 'lintel', spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '10ms' },
    retry: { max_wait: '20ms' }, drain: '50ms', ...more }, host)
}

test('kafka: a message is the record with its id in front, whole, with the headers id, kind and host.name', () => {
  const sent = records(3)
  const messages = new MessageMaker({ topic: 't', key: 'http.request.header.x-hostile', timestamp: 'record', hostName: 'gw-1' }).messages(sent)
  for (const [index, { value, headers, topic }] of messages.entries()) {
    const { id, ...record } = JSON.parse(value.toString()) as Record<string, unknown>
    assert.deepEqual([id, record, topic], [sent[index]?.id, JSON.parse((sent[index] as SpooledRecord).line.toString()), 't'])
    assert.deepEqual([...headers as Map<Buffer, Buffer>].map(([name, text]) => [name.toString(), text.toString()]), [['id', id], ['kind', 'exchange'], ['host.name', 'gw-1']])
  }
  assert.deepEqual(messages.map(({ key }) => key?.toString()), [HOSTILE[0], undefined, undefined])
  assert.deepEqual(messages.map(({ timestamp }) => timestamp), [1_780_000_000_000n, 1_780_000_000_001n, 1_780_000_000_002n])
  const [empty] = new MessageMaker({ topic: 't', key: 'none', timestamp: 'sent', hostName: 'gw-1' }).messages([{ id: 'i', line: Buffer.from('{}') }])
  assert.equal(empty?.value.toString(), '{"id":"i"}')
})

test('kafka: without a key partitions take turns by request; keys go where those of the Java client go', () => {
  const maker = new MessageMaker({ topic: 't', key: 'none', timestamp: 'sent', hostName: 'gw-1' })
  assert.deepEqual([0, 1, 2].map(() => maker.messages(records(2)).map(({ partition }) => partition)), [[0, 0], [1, 1], [2, 2]])
  // The pairs of UtilsTest.testMurmur2 in Kafka's source.
  const known: readonly (readonly [string, number])[] = [['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829], ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971], ['abc', 479470107]]
  for (const [text, hash] of known) assert.equal(murmur2(Buffer.from(text)), hash, text)
})

test('kafka: requests are cut by bytes, in order; what is longer is alone', () => {
  const of = (...sizes: number[]): SpooledRecord[] => sizes.map(size => ({ id: 'i', line: Buffer.alloc(size) }))
  const maker = new MessageMaker({ topic: 't', key: 'none', timestamp: 'sent', hostName: 'gw-1' }) // 99 bytes beside each
  assert.deepEqual(maker.chunks(of(100, 100, 100), 400), [[0, 1], [2]])
  assert.deepEqual(maker.chunks(of(1000, 10, 2000, 10, 10), 220), [[0], [1], [2], [3, 4]])
  assert.deepEqual(maker.chunks([], 100), [])
})

test('kafka: what was taken once is taken; what is about the records is refused; the rest is tried again', () => {
  const answer = (...partitionResponses: { index: number, errorCode: number }[]): Error => Object.assign(new Error('x'), { response: { responses: [{ partitionResponses }] } })
  const first = answer({ index: 0, errorCode: 0 }, { index: 1, errorCode: 6 }, { index: 2, errorCode: 10 })
  const second = answer({ index: 0, errorCode: 6 }, { index: 1, errorCode: 87 }, { index: 2, errorCode: 10 })
  const whole = Object.assign(new AggregateError([new AggregateError([first, second])]), { produced: { offsets: [{ partition: 7 }] } })
  const { taken, refused } = outcomeOf(whole)
  assert.deepEqual([...taken].sort(), [0, 7])
  assert.deepEqual([...refused.keys()], [2, 1])
  assert.match(refused.get(2) as string, /^MESSAGE_TOO_LARGE/)
  assert.deepEqual(outcomeOf(new Error('other')), { taken: new Set(), refused: new Map() })
})

test('kafka: a message names the topic and the user, and holds no secret', () => {
  const configured = { target: 'k:9092/t', topic: 't', user: 'ann', clean: (text: string) => text.replaceAll('sesame', '[hidden]') }
  const said = (error: object): string => hindranceOf(Object.assign(new Error('no sesame'), error), configured).message
  assert.equal(said({ apiId: 'TOPIC_AUTHORIZATION_FAILED' }), 'Cannot send to k:9092/t: user "ann" may not write to the topic "t"; allow it: kafka-acls --add --producer --topic t')
  assert.equal(said({ apiId: 'SOMETHING_NEW' }), 'Cannot send to k:9092/t: SOMETHING_NEW: no [hidden]')
  assert.equal(said({}), 'Cannot send to k:9092/t: no [hidden]')
})

test('kafka: nobody there, a name that does not resolve, one that closes, and one that is no broker, are told with the mend', async () => {
  const serve = async (then: (socket: Socket) => void): Promise<{ broker: string, close(): void }> => {
    const server = createServer(socket => { then(socket.on('error', () => undefined)); sockets.add(socket) })
    servers.add(server)
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    return { broker: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => { server.close() } }
  }
  const closing = await serve(socket => { socket.end() })
  const silent = await serve(socket => { socket.resume() })
  const nobody = await serve(() => undefined)
  nobody.close()
  const cases: readonly (readonly [string, RegExp])[] = [
    [nobody.broker, /ECONNREFUSED.*; is the server running, and is the port right\?$/],
    ['no-such-host.invalid:9092', /getaddrinfo .*no-such-host.invalid; (is the host's name right|this machine's resolver)/],
    [closing.broker, /the broker closed the connection; is it up, and does this listener want tls or sasl\?$/],
    [silent.broker, /no answer in time; is it reachable from here/],
  ]
  for (const [broker, expected] of cases) {
    const host = new RecordingHost()
    const sink = open({ brokers: [broker], timeout: broker === silent.broker ? '500ms' : '30s' }, host)
    sink.write(exchanges(0, 10))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    const said = sink.health().lastError as string
    await sink.close()
    assert.match(said, expected)
    assert.ok(said.startsWith(`Cannot send to ${broker}/lintel`), said)
    assertAddsUp(sink)
    assert.equal(delivery(sink).waitingRecords, 10)
  }
})

test('kafka: the client is not loaded before a record is sent', () => {
  const registry = fileURLToPath(new URL('../registry.ts', import.meta.url))
  const text = `const { registerHooks } = await import('node:module')
    registerHooks({ load(url, context, next) { if (url.includes('platformatic')) throw new Error('loaded ' + url); return next(url, context) } })
    const { openSink, SINK_KINDS } = await import(${JSON.stringify(registry)})
    const kind = SINK_KINDS.find(({ type }) => type === 'kafka')
    const options = kind.schema.parse({ type: 'kafka', brokers: ['127.0.0.1:9'], topic: 't', spool: { path: ${JSON.stringify(join(folder, 'unused'))} } })
    const sink = openSink(options, { settled() {}, ended() {}, log() {} })
    await sink.close()
    console.log('closed')`
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }), 'closed\n')
})

serverFaults({
  name: 'kafka',
  async open(more, identity) {
    const state: KafkaState = { advertised: undefined }
    const server = await StreamServer.start(kafkaConverse('lintel', state), identity)
    const options = { type: 'kafka', topic: 'lintel', brokers: [server.address], spool: { path: join(folder, `${number++}`) }, compression: 'none', ...more }
    return sceneBefore(server, options, address => {
      state.advertised = address
      return { brokers: [address] }
    })
  },
})

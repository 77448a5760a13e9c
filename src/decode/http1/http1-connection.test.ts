import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END } from '../../connection/mod.ts'
import type { End, Side } from '../../connection/mod.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import type { Recorded } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import type { TestConnectionOptions } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)

/** A connection of which each `c` and `s` is a segment of the client (side 0) or the server, one time unit after the other. */
class Talk {
  readonly connection: TestConnection
  readonly recorder = new MessageRecorder(memory)
  time = 0

  constructor(options: TestConnectionOptions = {}) {
    this.connection = new TestConnection(memory, input, options)
    this.connection.use(new Http1Connection({ memory, scanner, control: this.connection, sink: this.recorder }))
  }

  c(text: string): this {
    return this.send(0, text)
  }

  s(text: string): this {
    return this.send(1, text)
  }

  send(side: Side, text: string): this {
    this.connection.send(side, Buffer.from(text, 'latin1'), ++this.time)
    return this
  }

  lose(side: Side, length: number): this {
    this.connection.lose(side, length, ++this.time)
    return this
  }

  close(cause: End = END.fin): MessageRecorder {
    this.connection.close(++this.time, cause)
    assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
    return this.recorder
  }
}

const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const ok = (status: number, body = ''): string => `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const brief = (message: Recorded): unknown[] =>
  [message.kind, message.exchange, message.target || message.status, message.bodyBytes, message.ended]

test('a request and its response share a number', () => {
  const { messages, anomalies, closed } = new Talk().c(get('/a')).s(ok(200, 'hello')).c(get('/b')).s(ok(404)).close()
  assert.deepEqual(messages.map(brief), [
    ['request', 1, '/a', 0, 'complete'],
    ['response', 1, 200, 5, 'complete'],
    ['request', 2, '/b', 0, 'complete'],
    ['response', 2, 404, 0, 'complete'],
  ])
  assert.deepEqual(messages.map(({ startTime, endTime }) => [startTime, endTime]), [[1, 1], [2, 2], [3, 3], [4, 4]])
  assert.deepEqual(anomalies, [])
  assert.equal(closed, 'fin')
})

test('pipelined requests are answered in order', () => {
  const { pairs } = new Talk().c(get('/1') + get('/2') + get('/3')).s(ok(201) + ok(202, 'x')).s(ok(203)).close()
  assert.deepEqual(pairs, [['/1', 201], ['/2', 202], ['/3', 203]])
})

test('interim responses share the number of the final one and do not end the exchange', () => {
  const { messages } = new Talk().c(get('/', 'Expect: 100-continue\r\n')).s('HTTP/1.1 100 Continue\r\n\r\n')
    .s(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok(200)}`).close()
  assert.deepEqual(messages.map((message) => [message.kind, message.exchange, message.status]), [
    ['request', 1, 0], ['interim', 1, 100], ['interim', 1, 103], ['response', 1, 200],
  ])
})

test('bodies are framed by length, chunks and close', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'
  const { responses, anomalies } = new Talk().c(get('/1')).s(chunked).c(get('/2'))
    .s('HTTP/1.1 200 OK\r\n\r\nsome').s(' more').close()
  assert.deepEqual(responses.map(brief), [['response', 1, 200, 5, 'complete'], ['response', 2, 200, 9, 'complete']])
  assert.deepEqual(responses[0]?.trailer, [['X-Sum', '1']])
  assert.deepEqual(anomalies, [])
})

test('HEAD, 204 and 304 have no body whatever their fields say', () => {
  const { pairs, responses } = new Talk()
    .c('HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n').s('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
    .c(get('/2')).s('HTTP/1.1 304 X\r\nContent-Length: 100\r\n\r\n')
    .c(get('/3')).s('HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n')
    .c(get('/4')).s(ok(200, 'x')).close()
  assert.deepEqual(pairs, [['/1', 200], ['/2', 304], ['/3', 204], ['/4', 200]])
  assert.deepEqual(responses.map((response) => response.bodyBytes), [0, 0, 0, 1])
})

test('a long body is skipped, not read', () => {
  const talk = new Talk().c(get('/')).s('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nstart')
  assert.equal(talk.connection.skipping[1], 99_995)
  const { responses, pairs } = talk.s('x'.repeat(99_995)).c(get('/2')).s(ok(200)).close()
  assert.deepEqual(brief(responses[0]!), ['response', 1, 200, 100_000, 'complete'])
  assert.equal(responses[0]!.endTime, 3)
  assert.equal(pairs.length, 2)
})

test('a large chunk is skipped, and what follows is read', () => {
  const talk = new Talk().c(get('/')).s('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n')
  assert.equal(talk.connection.skipping[1], 65_536)
  const { responses } = talk.s(`${'x'.repeat(65_536)}\r\n0\r\n\r\n`).close()
  assert.deepEqual(brief(responses[0]!), ['response', 1, 200, 65_536, 'complete'])
})

test('a message that the connection ends in is cut', () => {
  const { responses } = new Talk().c(get('/')).s('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc').close()
  assert.deepEqual(brief(responses[0]!), ['response', 1, 200, 3, 'cut'])
  assert.equal(responses[0]!.cutBy, 'fin')
  for (const cause of [END.shutdown, END.idle, END.evicted]) {
    assert.equal(new Talk().c('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc').close(cause).messages[0]?.cutBy, cause)
  }
  const { messages, anomalies } = new Talk().c('GET / HTTP/1.1\r\nHo').close()
  assert.deepEqual(messages, [])
  assert.deepEqual(anomalies, ['http1_head_cut'])
})

test('a response whose head has no end within the bound has its status; what follows is found again', () => {
  const talk = new Talk().c(get('/long')).s(`HTTP/1.1 503 Full\r\nServer: a\r\nX: ${'y'.repeat(60_000)}`)
  for (let part = 0; part < 4; part++) talk.s('z'.repeat(60_000))
  const { responses, anomalies, pairs } = talk.s('\r\n\r\n').c(get('/next')).s(ok(200)).close()
  assert.deepEqual(brief(responses[0]!), ['response', 1, 503, -1, 'over bound'])
  assert.deepEqual(responses[0]!.fields, [['Server', 'a']])
  assert.deepEqual(anomalies, ['http1_head_too_long'])
  assert.deepEqual(pairs[0], ['/long', 503])
  assert.equal(responses[1]?.status, 200)
})

test('101 and CONNECT make a tunnel of the connection', () => {
  const upgrade = get('/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')
  const talk = new Talk().c(upgrade).s('HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello')
  assert.ok(talk.connection.isIgnored)
  assert.deepEqual(talk.close().messages.map(brief), [
    ['request', 1, '/chat', 0, 'complete'], ['response', 1, 101, 0, 'tunnel'],
  ])
  const connect = new Talk().c('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n').c('\x16\x03\x01 early').s('HTTP/1.1 200 OK\r\n\r\n')
  assert.ok(connect.connection.isIgnored)
  assert.deepEqual(connect.close().anomalies, [])
})

test('a tunnel gives the bytes that follow to its handler, what was held first', () => {
  const taken: string[] = []
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({
    memory, scanner, control: connection, sink: recorder,
    tunnel: () => ({
      data: (side, pointer, length) => { taken.push(`${side}:${memory.latin1(pointer, length)}`) },
      gap: () => {},
      skipped: () => {},
      end: (side) => { taken.push(`${side}:end`) },
    }),
  }))
  const send = (side: Side, text: string): void => connection.send(side, Buffer.from(text), 1)
  send(0, 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\nearly')
  send(1, 'HTTP/1.1 200 OK\r\n\r\nserver')
  send(0, 'client')
  connection.close(2)
  assert.deepEqual(taken, ['0:early', '1:server', '0:client', '0:end', '1:end'])
  assert.equal(recorder.closed, 'fin')
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

test('a refused CONNECT or upgrade goes on as HTTP/1', () => {
  const connect = 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'
  const { pairs } = new Talk().c(connect).s(ok(407, 'no')).c(connect).s(ok(407)).c(get('/')).s(ok(200)).close()
  assert.deepEqual(pairs, [['a:443', 407], ['a:443', 407], ['/', 200]])
  const upgrade = get('/1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')
  assert.deepEqual(new Talk().c(upgrade + get('/2')).s(ok(200, 'a') + ok(201)).close().pairs, [['/1', 200], ['/2', 201]])
  assert.deepEqual(new Talk().c(upgrade).s(ok(200, 'a')).c(get('/2')).s(ok(201)).close().pairs, [['/1', 200], ['/2', 201]])
})

test('a simple request is read at the start of a connection, and its bare response is no message', () => {
  const { messages, anomalies } = new Talk().c('GET /old\r\n').s('<html>hello</html>').close()
  assert.deepEqual(messages.map((message) => [message.kind, message.target, message.version]), [['request', '/old', 9]])
  assert.deepEqual(anomalies, ['http1_simple_response'])
  assert.deepEqual(new Talk().c(get('/1')).s(ok(200)).c('GET /old\r\n').close().anomalies, ['http1_version'])
})

test('bytes that are no HTTP from the start, on either side, make it ignore the connection', () => {
  const talk = new Talk().c('\x16\x03\x01\x02\n')
  assert.equal(talk.connection.isIgnored, false)
  talk.s('\x16\x03\x03\x02\n')
  assert.ok(talk.connection.isIgnored)
  assert.deepEqual(talk.close().anomalies, ['http1_start_line', 'http1_start_line'])
})

test('a message after the last one is read and named', () => {
  const { pairs, anomalies } = new Talk().c(get('/1', 'Connection: close\r\n')).s(ok(200)).c(get('/2')).s(ok(201)).close()
  assert.deepEqual(pairs, [['/1', 200], ['/2', 201]])
  assert.deepEqual(anomalies, ['http1_data_after_close'])
})

test('the roles follow the bytes where the handshake was not seen, and where they contradict it', () => {
  const joined = new Talk({ fromStart: false, client: undefined })
  joined.s(get('/')).c(ok(200))
  assert.equal(joined.connection.client, 1)
  const { requests, responses } = joined.close()
  assert.deepEqual([requests.map(({ side }) => side), responses.map(({ side }) => side)], [[1], [0]])
  const contradicted = new Talk().s(get('/')).c(ok(200))
  assert.equal(contradicted.connection.client, 1)
  const reversed = contradicted.close()
  assert.deepEqual(reversed.pairs, [['/', 200]])
  assert.deepEqual(reversed.anomalies, ['http1_roles_reversed'])
})

test('two lengths end a message as malformed; the side goes on at the next start', () => {
  const { messages, anomalies } = new Talk().c('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd')
    .c(get('/2')).close()
  assert.deepEqual(messages.map(brief), [['request', 1, '/1', 0, 'malformed'], ['request', 2, '/2', 0, 'complete']])
  assert.deepEqual(anomalies, ['http1_length'])
})

test('a request smuggled behind a length that cannot be read is seen where it stands', () => {
  // RFC 9112 6.3: the server must answer 400 and close; one that takes the length for 0 serves the second request.
  for (const length of ['-1', '18446744073709551615', '3, 4']) {
    const { messages, pairs } = new Talk().c(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${get('/2')}`).s(ok(200)).close()
    assert.deepEqual(messages.filter(({ kind }) => kind === 'request').map(({ target }) => target), ['/1', '/2'])
    assert.deepEqual(pairs, [['/1', 200]])
  }
})

test('a request to upgrade that is answered before it is over does not hold back the next one', () => {
  const upgrade = 'POST /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n'
  const { pairs } = new Talk().c(`${upgrade}bo`).s(ok(200)).c('dy').c('GET /2 HTTP/1.1\r\nHo').c('st: a\r\n\r\n').s(ok(201)).close()
  assert.deepEqual(pairs, [['/1', 200], ['/2', 201]])
})

test('bytes that are still being skipped when framing is lost belong to nothing', () => {
  const talk = new Talk().c(get('/1')).s('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nstart')
  talk.connection.loseUnknown(1, 3)
  const { responses, anomalies } = talk.s('x'.repeat(99_995)).c(get('/2')).s(ok(201, 'abc')).close()
  assert.deepEqual(responses.map(brief), [['response', 1, 200, 5, 'lost'], ['response', responses[1]!.exchange, 201, 3, 'complete']])
  assert.deepEqual(anomalies, ['http1_framing_lost'])
})

test('a gap within a body of known length is counted and costs nothing', () => {
  const { messages, anomalies } = new Talk()
    .c('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc').lose(0, 4).c('xyz')
    .s('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc').lose(1, 7).s('\r\n0\r\n\r\n')
    .c(get('/2')).s('HTTP/1.1 200 OK\r\n\r\nabc').lose(1, 100).s('def').close()
  assert.deepEqual(messages.map(brief), [
    ['request', 1, '/1', 10, 'complete'], ['response', 1, 200, 10, 'complete'],
    ['request', 2, '/2', 0, 'complete'], ['response', 2, 200, 106, 'complete'],
  ])
  assert.deepEqual(anomalies, [])
})

test('after a lost response pairs are made once the client was seen to wait, those before included', () => {
  const talk = new Talk().c(get('/1')).lose(1, 200)
  for (let n = 2; n <= 4; n++) talk.c(get(`/${n}`)).s(ok(200 + n))
  assert.deepEqual(talk.recorder.pairs, [])
  talk.c(get('/5'))
  assert.deepEqual(talk.recorder.pairs, [['/2', 202], ['/3', 203], ['/4', 204]])
  const { pairs, unansweredExchanges } = talk.s(ok(205)).close()
  assert.deepEqual([pairs.at(-1), unansweredExchanges], [['/5', 205], [1]])
})

test('the response to HEAD is read without a body once the client is known to wait', () => {
  const talk = new Talk()
  for (let n = 1; n <= 5; n++) talk.c(get(`/${n}`)).s(ok(200))
  const head = 'HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n'
  const { pairs, responses } = talk.c(get('/6')).lose(1, 40).c('HEAD /7 HTTP/1.1\r\nHost: a\r\n\r\n').s(head).c(get('/8')).s(ok(208)).close()
  assert.deepEqual(pairs.slice(5), [['/7', 200], ['/8', 208]])
  assert.deepEqual(responses.slice(-2).map(({ bodyBytes, ended }) => [bodyBytes, ended]), [[0, 'complete'], [0, 'complete']])
})

test('a request held behind one to upgrade keeps the number that its packet acknowledged', () => {
  const upgrade = get('/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')
  const talk = new Talk()
  for (let n = 1; n <= 5; n++) talk.c(get(`/${n}`)).s(ok(200))
  talk.c(get('/6')).lose(1, 40).c(upgrade).c('GET /next HTTP/1.1\r\nHo').s(ok(201)).c('st: a\r\n\r\n').s(ok(202))
  // It was sent before the answer to the first one: this client pipelines.
  assert.deepEqual(talk.close().pairs.slice(5), [['/ws', 201]])
})

test('memory that is refused costs the head block, not the exchange', () => {
  const talk = new Talk()
  memory.allocator.setLimit(0)
  const kept: number[] = []
  for (const bytes of [64, 80, 96, 112, 128, 160, 192, 224, 256]) {
    for (let block = memory.allocator.alloc(bytes); block !== 0; block = memory.allocator.alloc(bytes)) kept.push(block, bytes)
  }
  talk.c(get('/')).s(ok(200, 'abc'))
  memory.allocator.setLimit(0xf000000)
  for (let index = 0; index < kept.length; index += 2) memory.allocator.free(kept[index]!, kept[index + 1]!)
  assert.deepEqual(talk.close().messages.map(brief), [['request', 1, 0, 0, 'complete'], ['response', 1, 0, 3, 'complete']])
})

test('a client that asked for leave and was answered without its body goes on with its next request, or sends the body all the same', () => {
  const body = get('/inside')
  const put = (framing = `Content-Length: ${body.length}`): string => `PUT /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n${framing}\r\n\r\n`
  const refused = 'HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n'
  const leave = 'HTTP/1.1 100 Continue\r\n\r\n'
  const talks: [string, (talk: Talk) => Talk, number][] = [
    ['keeps it', (talk) => talk.c(put()).s(refused), 0],
    ['keeps it, chunked', (talk) => talk.c(put('Transfer-Encoding: chunked')).s(refused), 0],
    ['keeps a long one', (talk) => talk.c(put('Content-Length: 100000')).s('HTTP/1.1 103 Hints\r\n\r\n').s(refused), 0],
    ['sends it', (talk) => talk.c(put()).s(refused).c('x'.repeat(body.length)), body.length],
    ['sends what looks like a request, with leave', (talk) => talk.c(put()).s(leave).c(body).s(refused), body.length],
    ['sends it at once', (talk) => talk.c(put() + body).s(refused), body.length],
    ['does not wait', (talk) => talk.c(put()).c(body).s(refused), body.length],
  ]
  for (const [name, begin, bytes] of talks) {
    const { requests, pairs, anomalies } = begin(new Talk()).c(get('/2')).s(ok(200)).close()
    assert.deepEqual(requests.map(({ target, bodyBytes, ended }) => [target, bodyBytes, ended]),
      [['/1', bytes, 'complete'], ['/2', 0, 'complete']], name)
    assert.deepEqual([pairs, anomalies], [[['/1', 417], ['/2', 200]], []], name)
  }
})

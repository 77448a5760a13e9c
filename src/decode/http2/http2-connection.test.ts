/** One HTTP/2 connection in every shape that is not plain: what is logged, what is counted, what is held. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { FLAG_END_HEADERS, FLAG_END_STREAM, FRAME } from './frame.ts'
import { DrivenConnection } from './testing/driven-connection.ts'
import * as T from './testing/frames.ts'
import { LITERAL, literalField, plainBlock } from './testing/hpack-encoder.ts'

const memory = new ByteMemory()
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)

class Talk extends DrivenConnection {
  constructor(fromStart = true, begin = fromStart) {
    super(memory, protocols, new TestConnection(memory, input, fromStart ? {} : { fromStart, client: undefined }), begin)
  }

  ask(path: string, ...more: [string, string][]): Buffer {
    return this.client.encode([[':method', 'POST'], [':scheme', 'http'], [':authority', 'a'], [':path', path], ...more])
  }

  answer(status: string, ...more: [string, string][]): Buffer {
    return this.server.encode([[':status', status], ...more])
  }

  /** Closes, and gives a line a message: kind, exchange, target or status, how it ended, body bytes. */
  end(cause: (typeof END)[keyof typeof END] = END.fin): string[] {
    const messages = this.close(cause)
    assert.equal(this.connection.retained, 0)
    return messages.map(({ kind, exchange, target, status, ended, bodyBytes }) =>
      `${kind} ${exchange} ${kind === 'request' ? target : status} ${ended} ${bodyBytes}`)
  }
}

const GET = (path: string): Buffer => plainBlock({ ':method': 'GET', ':scheme': 'http', ':authority': 'a', ':path': path })

test('padding and skipped DATA are not body bytes, whole frames are', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1'), { endsStream: true }))
  talk.s(T.headers(1, talk.answer('200')), T.data(1, Buffer.alloc(9000), false, 200), T.data(1, 'x', false, 0), T.data(1, '', true, 7))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1 200 complete 9001'])
})

test('a long DATA frame is skipped, its size counted, and the next frame read', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1'), { endsStream: true }))
  const long = T.data(1, Buffer.alloc(16_000), false)
  talk.s(T.headers(1, talk.answer('200')), long.subarray(0, 100))
  assert.equal(talk.connection.skipping[1], long.length - 100)
  talk.s(long.subarray(100), T.data(1, 'end', true))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1 200 complete 16003'])
})

test('an end inside what is skipped leaves the size unknown', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1'), { endsStream: true }))
  const long = T.data(1, Buffer.alloc(16_000), false)
  talk.s(T.headers(1, talk.answer('200')), long.subarray(0, 100)).s(long.subarray(100, 5000))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1 200 cut -1'])
})

test('bytes missing inside a DATA frame lose nothing', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1', ['x-a', '1']), { endsStream: true }))
  const long = T.data(1, Buffer.alloc(1500), true)
  talk.s(T.headers(1, talk.answer('200')), long.subarray(0, 100)).lose(1, 1000).s(long.subarray(1100))
  talk.c(T.headers(3, talk.ask('/2', ['x-a', '1']), { endsStream: true })).s(T.headers(3, talk.answer('204'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1 200 complete 1500', 'request 3 /2 complete 0', 'response 3 204 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('after a loss: waiting requests keep their streams, old table entries are unknown, new ones right', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1'), { endsStream: true }), T.headers(3, talk.ask('/2'), { endsStream: true }))
  talk.s(T.headers(1, talk.answer('200', ['x-old', 'v'])), T.data(1, 'part')).lose(1, 500)
  talk.s(T.headers(3, talk.answer('200', ['x-old', 'v'], ['x-new', 'w']), { endsStream: true }))
  talk.c(T.headers(5, talk.ask('/3'), { endsStream: true }))
  talk.s(T.headers(5, talk.answer('200', ['x-new', 'w'], ['x-old', 'v']), { endsStream: true }))
  assert.deepEqual(talk.end(), [
    'request 1 /1 complete 0', 'request 3 /2 complete 0', 'response 1 200 lost -1',
    'response 3 200 complete 0', 'request 5 /3 complete 0', 'response 5 200 complete 0',
  ])
  const [first, last] = talk.recorder.responses.filter(({ exchange }) => exchange > 1)
  assert.deepEqual(first?.fields, [['x-new', 'w']])
  assert.equal(first.unknown, 1)
  assert.deepEqual(last?.fields, [['x-new', 'w']])
  assert.equal(last.unknown, 1)
  assert.deepEqual(talk.recorder.anomalies, ['http2_framing_lost', 'http2_field_unknown', 'http2_field_unknown'])
})

test('resets: by either side, before and after a response', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1')), T.headers(3, talk.ask('/2'), { endsStream: true }), T.headers(5, talk.ask('/3')))
  talk.s(T.reset(1, 7), T.headers(3, talk.answer('200')), T.headers(5, talk.answer('200'), { endsStream: true }))
  talk.c(T.reset(3, 8)).s(T.reset(5, 0))
  assert.deepEqual(talk.end(), [
    'request 1 /1 reset 0', 'request 3 /2 complete 0', 'request 5 /3 reset 0', 'response 3 200 reset 0', 'response 5 200 complete 0',
  ])
  assert.deepEqual(talk.recorder.unansweredExchanges, [1])
  assert.deepEqual(talk.recorder.reasons, [7])
  assert.equal(talk.recorder.responses.find(({ exchange }) => exchange === 3)?.resetCode, 8)
})

test('rapid reset holds nothing and is counted beyond a hundred', () => {
  const talk = new Talk()
  for (let id = 1; id < 2001; id += 2) talk.c(T.headers(id, GET(`/${id}`), { endsStream: true }), T.reset(id, 8))
  assert.ok(memory.allocator.allocatedBytes() < 600_000)
  assert.equal(talk.end().length, 1000)
  assert.equal(talk.recorder.anomalies.filter((name) => name === 'http2_rapid_reset').length, 900)
})

test('GOAWAY gives up what the server did not look at', () => {
  const unread = new Talk().c(T.headers(1, GET('/1'))).s(T.goaway(0, 0))
  unread.end()
  assert.deepEqual([unread.recorder.requests[0]?.ended, unread.recorder.requests[0]?.cutBy], ['cut', 'goaway'])
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1'), { endsStream: true }), T.headers(3, talk.ask('/2'), { endsStream: true }))
  talk.s(T.goaway(1, 11), T.headers(1, talk.answer('200'), { endsStream: true }))
  talk.end()
  assert.deepEqual(talk.recorder.unansweredExchanges, [3])
  assert.deepEqual(talk.recorder.reasons, ['goaway'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_goaway_error'])
})

test('more streams than are kept: the oldest goes, counted', () => {
  const talk = new Talk()
  for (let id = 1; id < 2 * 4100; id += 2) talk.c(T.headers(id, GET(`/${id}`), { endsStream: id > 1 }))
  talk.end()
  assert.equal(talk.recorder.requests[0]?.cutBy, 'streams')
  assert.deepEqual(talk.recorder.unansweredExchanges, [1, 3, 5, 7])
  assert.deepEqual(talk.recorder.anomalies, Array(4).fill('http2_streams_over_bound'))
})

test('floods of frames that say nothing hold nothing', () => {
  const talk = new Talk()
  const flood = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.concat([T.ping(), T.settings([1, 100]), T.windowUpdate(0, 1),
    T.frame(FRAME.priority, 0, 5, Buffer.alloc(5)), T.frame(0x77, 255, 9, Buffer.alloc(3)), T.frame(FRAME.data, 0, 9)])))
  talk.c(flood).s(flood)
  assert.ok(memory.allocator.allocatedBytes() < 4096)
  talk.c(T.headers(1, talk.ask('/after'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /after complete 0'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('endless CONTINUATION: memory is bounded, the block is lost, and the table is not trusted', () => {
  const talk = new Talk()
  const known = talk.ask('/1', ['x-a', '1'])
  talk.c(T.headers(1, known, { endsStream: true }), T.frame(FRAME.headers, FLAG_END_STREAM, 3, plainBlock({ ':method': 'GET' })))
  for (let count = 0; count < 1200; count++) talk.c(T.frame(FRAME.continuation, 0, 3, plainBlock({ 'x-flood': 'v'.repeat(600) })))
  assert.ok(memory.allocator.allocatedBytes() < 600_000)
  talk.c(T.frame(FRAME.continuation, FLAG_END_HEADERS, 3))
  talk.c(T.headers(5, talk.ask('/1', ['x-a', '1']), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'request 5  complete 0'])
  assert.equal(talk.recorder.requests[1]?.unknown, 3)
  assert.deepEqual(talk.recorder.anomalies, ['http2_block_too_long', 'http2_field_unknown'])
})

test('many empty CONTINUATION frames are too many as well', () => {
  const talk = new Talk()
  talk.c(T.frame(FRAME.headers, FLAG_END_STREAM, 1, GET('/1')), ...Array.from({ length: 1001 }, () => T.frame(FRAME.continuation, 0, 1)))
  talk.c(T.frame(FRAME.continuation, FLAG_END_HEADERS, 1), T.headers(3, GET('/2'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 3 /2 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_block_too_long'])
})

test('another frame inside a block: the block is lost, the frame counts', () => {
  const talk = new Talk()
  talk.c(T.frame(FRAME.headers, FLAG_END_STREAM, 1, GET('/1')), T.headers(3, GET('/2'), { endsStream: true }))
  talk.c(T.frame(FRAME.continuation, FLAG_END_HEADERS, 3))
  assert.deepEqual(talk.end(), ['request 3 /2 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_block_cut', 'http2_frame'])
})

test('frames that break their rules are passed over and counted; the framing stands', () => {
  const bad = [
    T.frame(FRAME.settings, 0, 1, Buffer.alloc(6)), T.frame(FRAME.settings, 0, 0, Buffer.alloc(5)), T.frame(FRAME.ping, 0, 0, Buffer.alloc(7)),
    T.frame(FRAME.data, 0, 0, Buffer.alloc(3)), T.frame(FRAME.data, 8, 1, Buffer.of(200, 1, 2)), T.frame(FRAME.data, 8, 1),
    T.frame(FRAME.headers, 12, 7, Buffer.of(9, 1)), T.frame(FRAME.headers, 4, 0, Buffer.of(0x82)), T.frame(FRAME.resetStream, 0, 1, Buffer.alloc(5)),
    T.frame(FRAME.goaway, 0, 0, Buffer.alloc(7)), T.frame(FRAME.continuation, 4, 1, Buffer.of(0x82)), T.frame(FRAME.pushPromise, 4, 1, Buffer.alloc(4)),
  ]
  const talk = new Talk()
  talk.c(...bad, T.headers(1, GET('/1'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, Array(bad.length).fill('http2_frame'))
})

test('a frame over what was allowed ends the framing; SETTINGS of the other side allow more', () => {
  const talk = new Talk()
  const large = T.data(1, Buffer.alloc(20_000), true)
  talk.c(T.headers(1, talk.ask('/1'))).s(T.settings([5, 32_768])).c(large)
  talk.s(T.headers(1, talk.answer('200')), large)
  assert.deepEqual(talk.end(), ['request 1 /1 complete 20000', 'response 1 200 lost -1'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_frame_too_long', 'http2_framing_lost'])
})

test('where SETTINGS of the other side were not seen, DATA may be longer than is allowed without them', () => {
  const talk = new Talk(true, false)
  talk.s(T.settings(), T.headers(1, talk.answer('200')), T.data(1, Buffer.alloc(40_000), true))
  talk.s(T.headers(3, talk.answer('404'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['response 1 200 complete 40000', 'response 3 404 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('streams used again, of the wrong side, and blocks out of place', () => {
  const talk = new Talk()
  talk.c(T.headers(3, GET('/1'), { endsStream: true })).s(T.headers(3, talk.answer('200'), { endsStream: true }))
  talk.c(T.headers(3, GET('/again'), { endsStream: true }), T.headers(1, GET('/lower'), { endsStream: true }), T.headers(4, GET('/even')))
  talk.s(T.headers(3, talk.answer('201'), { endsStream: true }))
  talk.c(T.headers(5, plainBlock({ 'x-a': 'b' }), { endsStream: true }), T.headers(7, GET('/2')), T.headers(7, GET('/3'), { endsStream: true }))
  talk.s(T.headers(7, plainBlock({ 'x-a': 'b' })), T.headers(7, plainBlock({ ':status': '200' })), T.headers(7, plainBlock({ ':status': '201' }), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 3 /1 complete 0', 'response 3 200 complete 0', 'request 7 /2 complete 0', 'response 7 200 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, [
    ...Array(4).fill('http2_stream_identifier'), 'http2_block_misplaced', 'http2_block_misplaced', 'http2_block_misplaced', 'http2_block_misplaced',
  ])
})

test('a response that crosses the reset of its request on the way is told alone, its trailers and its like are no anomaly', () => {
  const talk = new Talk()
  talk.c(T.headers(1, GET('/1'), { endsStream: true }), T.headers(3, GET('/2'), { endsStream: true }), T.headers(5, GET('/3'), { endsStream: true }))
  talk.s(T.headers(3, talk.answer('200')))
  talk.c(T.reset(1, 8), T.reset(3, 8))
  talk.s(T.headers(1, talk.answer('404', ['x', 'y'])), T.data(1, 'no', true))
  talk.s(T.headers(3, plainBlock({ 'x-sum': '1' }), { endsStream: true }), T.headers(5, talk.answer('201'), { endsStream: true }))
  assert.deepEqual(talk.end(), [
    'request 1 /1 complete 0', 'request 3 /2 complete 0', 'request 5 /3 complete 0',
    'response 3 200 reset 0', 'response 8589934593 404 complete 2', 'response 5 201 complete 0',
  ])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('a block that cannot be decoded makes a malformed message, and distrusts its table only', () => {
  const talk = new Talk()
  talk.c(T.headers(1, Buffer.concat([GET('/1'), Buffer.from('7fffffffff7f', 'hex')])))
  talk.c(T.headers(3, GET('/2'), { endsStream: true })).s(T.headers(3, talk.answer('200', ['x', 'y']), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 malformed 0', 'request 3 /2 complete 0', 'response 3 200 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_compression'])
})

test('settings of the table are honoured: a size update within them is none, one over them is counted', () => {
  const talk = new Talk()
  talk.s(T.settings([1, 8192]))
  talk.client.resize(8192)
  talk.c(T.headers(1, talk.ask('/1', ['x', 'v'.repeat(5000)]), { endsStream: true }), T.headers(3, talk.ask('/2', ['x', 'v'.repeat(5000)]), { endsStream: true }))
  assert.deepEqual(talk.recorder.requests[1]?.fields, [['x', 'v'.repeat(5000)]])
  assert.deepEqual(talk.recorder.anomalies, [])
  talk.client.resize(9000)
  talk.c(T.headers(5, talk.ask('/3'), { endsStream: true }))
  talk.end()
  assert.deepEqual(talk.recorder.anomalies, ['http2_table_size'])
})

test('pushes: promised request, its response; a promise of the client counts as none', () => {
  const talk = new Talk()
  talk.c(T.headers(1, GET('/1'), { endsStream: true }), T.pushPromise(1, 2, GET('/no')))
  talk.s(T.pushPromise(1, 4, talk.server.encode([[':method', 'GET'], [':path', '/css']])), T.headers(4, talk.answer('200'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'request 4 /css complete 0', 'response 4 200 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_stream_identifier'])
})

test('upgrade: the request of HTTP/1 is answered on stream 1, and the connection goes on in HTTP/2', () => {
  const talk = new Talk(true, false)
  talk.c(Buffer.from('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')).s(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  talk.c(Buffer.from('GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'))
  talk.s(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'), T.settings([3, 100]),
    T.headers(1, talk.answer('200')), T.data(1, 'hello', true))
  talk.c(T.CLIENT_START, T.headers(3, talk.ask('/next'), { endsStream: true })).s(T.headers(3, talk.answer('404'), { endsStream: true }))
  const lines = talk.end()
  assert.deepEqual(talk.recorder.pairs, [['/first', 200], ['/up', 200], ['/next', 404]])
  assert.equal(lines.find((line) => line.startsWith('response 2 ')), 'response 2 200 complete 5')
  assert.equal(lines.find((line) => line.startsWith('interim 2 '))?.startsWith('interim 2 101'), true)
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('an upgrade that is refused stays HTTP/1', () => {
  const talk = new Talk(true, false)
  talk.c(Buffer.from('GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'))
  talk.s(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  talk.c(Buffer.from('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')).s(Buffer.from('HTTP/1.1 204 No\r\n\r\n'))
  talk.end()
  assert.deepEqual(talk.recorder.pairs, [['/up', 200], ['/next', 204]])
})

test('joined late: static and literal fields, table entries seen to go in; requests that were under way are said so', () => {
  const talk = new Talk(false)
  const early = T.headers(1, talk.ask('/1', ['x-early', '1']), { endsStream: true })
  talk.answer('200', ['x-early', '2'])
  assert.ok(early.length > 0)
  talk.s(T.headers(1, talk.answer('404', ['x-late', '3'], ['x-early', '2']), { endsStream: true }))
  talk.c(T.headers(3, talk.ask('/2', ['x-early', '1']), { endsStream: true }))
  talk.s(T.headers(3, talk.answer('404', ['x-late', '3']), { endsStream: true }))
  assert.deepEqual(talk.end(), ['response 1 404 complete 0', 'request 3 /2 complete 0', 'response 3 404 complete 0'])
  const [first, request, second] = talk.recorder.messages
  assert.deepEqual(first?.fields, [['x-late', '3']])
  assert.deepEqual(second?.fields, [['x-late', '3']])
  assert.equal(request?.target, '/2')
  assert.equal(request.unknown, 2)
  assert.equal(talk.connection.client, 0)
})

test('joined late: a block that may be trailers or a head is dropped, counted', () => {
  const talk = new Talk(false)
  talk.client.encode([['x-sum', '1']])
  talk.server.encode([['grpc-status', '0']])
  talk.c(T.windowUpdate(0, 5), T.windowUpdate(1, 5)).s(T.headers(3, plainBlock({ ':status': '200' }), { endsStream: true }))
  talk.s(T.headers(1, talk.server.encode([['grpc-status', '0']]), { endsStream: true }))
  talk.c(T.headers(1, talk.client.encode([['x-sum', '1']]), { endsStream: true }))
  assert.deepEqual(talk.end(), ['response 3 200 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, ['http2_field_unknown', 'http2_block_unclear', 'http2_field_unknown', 'http2_block_unclear'])
})

test('a head with unknown status that another head follows was a 1xx', () => {
  const talk = new Talk(false)
  talk.answer('103')
  talk.c(T.headers(1, GET('/1'), { endsStream: true }), T.headers(3, GET('/2'), { endsStream: true }))
  talk.s(T.windowUpdate(0, 5), T.headers(1, talk.answer('103')), T.headers(1, talk.answer('200'), { endsStream: true }))
  talk.s(T.headers(3, talk.answer('103')), T.data(3, 'x', true))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'request 3 /2 complete 0', 'response 1 200 complete 0', 'response 3 0 complete 1'])
})

test('bytes of other protocols, joined late, are not taken for frames', () => {
  const others: Buffer[] = [
    Buffer.alloc(3000), Buffer.alloc(3000, 0xff), Buffer.from('\0\0\x10\0\0\0\0\0\x01'.repeat(50), 'latin1'),
    Buffer.from('160301020001000001fc0303'.repeat(20), 'hex'), Buffer.from('0000000a0000000100000002'.repeat(60), 'hex'),
    Buffer.from('SELECT 1;\0\0\0\x04\0\0\0\0\0', 'latin1'), Buffer.from('000004080000000000', 'hex'), T.data(1, 'hello world'),
  ]
  for (const bytes of others) {
    const talk = new Talk(false)
    talk.c(bytes).s(bytes)
    assert.deepEqual(talk.end(), [], bytes.toString('hex', 0, 20))
  }
})

test('gRPC messages are counted across frames, skips and gaps inside one; a gap elsewhere ends the count', () => {
  const grpc: [string, string] = ['content-type', 'application/grpc']
  const run = (damage: (talk: Talk, body: Buffer) => void): (number | undefined)[] => {
    const talk = new Talk()
    talk.c(T.headers(1, talk.ask('/a.B/C', grpc)), T.data(1, T.grpcMessage('hello'), true))
    const body = Buffer.concat([T.grpcMessage('one'), T.grpcMessage(Buffer.alloc(9000)), T.grpcMessage('')])
    talk.s(T.headers(1, talk.answer('200', grpc)))
    damage(talk, body)
    talk.s(T.headers(1, plainBlock({ 'grpc-status': '0' }), { endsStream: true }))
    talk.end()
    assert.deepEqual(talk.recorder.responses[0]?.trailer, [['grpc-status', '0']])
    return talk.recorder.messages.map(({ messages }) => messages)
  }
  assert.deepEqual(run((talk, body) => talk.s(T.data(1, body))), [1, 3])
  assert.deepEqual(run((talk, body) => talk.s(T.data(1, body.subarray(0, 10)), T.data(1, body.subarray(10)))), [1, 3])
  assert.deepEqual(run((talk, body) => {
    const frame = T.data(1, body)
    talk.s(frame.subarray(0, 60)).s(frame.subarray(60))
  }), [1, 3])
  assert.deepEqual(run((talk, body) => {
    const frame = T.data(1, body)
    talk.s(frame.subarray(0, 9)).lose(1, 20).s(frame.subarray(29))
  }), [1, -1])
})

test('gRPC-Web: the trailer section at the end of the body is the trailer', () => {
  const web: [string, string] = ['content-type', 'application/grpc-web+proto']
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/a.B/C', web)), T.data(1, T.grpcMessage('hello'), true))
  const trailer = T.grpcMessage('grpc-status: 5\r\ngrpc-message: gone\r\n', 0x80)
  talk.s(T.headers(1, talk.answer('200', web)), T.data(1, Buffer.concat([T.grpcMessage('x'), trailer.subarray(0, 9)])), T.data(1, trailer.subarray(9), true))
  talk.end()
  assert.deepEqual(talk.recorder.responses[0]?.trailer, [['grpc-status', '5'], ['grpc-message', 'gone']])
  assert.equal(talk.recorder.responses[0].messages, 1)
})

test('an end in the middle cuts messages; an end inside a block counts it', () => {
  const talk = new Talk()
  talk.c(T.headers(1, talk.ask('/1')), T.data(1, 'abc'), T.headers(3, talk.ask('/2'), { split: 5 }).subarray(0, 20))
  assert.deepEqual(talk.end(END.reset), ['request 1 /1 cut 3'])
  assert.equal(talk.recorder.requests[0]?.cutBy, 'reset')
  assert.deepEqual(talk.recorder.anomalies, ['http2_block_cut'])
})

test('a client without preface: counted, and nothing is guessed', () => {
  const talk = new Talk(true, false)
  talk.s(T.settings()).c(T.headers(1, GET('/1'), { endsStream: true }))
  assert.deepEqual(talk.end(), [])
  assert.equal(talk.recorder.anomalies[0], 'http2_preface')
})

test('a client of HTTP/1 at a server that has begun with SETTINGS: its requests are read, however they come', () => {
  const request = Buffer.from('PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab', 'latin1')
  for (const pieces of [[request], [...request].map((byte) => Buffer.of(byte))]) {
    const talk = new Talk(true, false)
    talk.s(T.settings())
    for (const piece of pieces) talk.c(piece)
    talk.s(T.goaway(0, 1)).s(Buffer.from('HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n', 'latin1'))
    // Behind frames no response can be proven to be the request's.
    assert.deepEqual(talk.end(), ['request 1 /1 complete 2', 'response 2 400 complete 0'])
    assert.equal(talk.recorder.anomalies[0], 'http2_preface')
  }
})

test('a server of HTTP/1 that answers the preface: its answer is told, and not as one to a stream', () => {
  const answer = Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno', 'latin1')
  for (const pieces of [[answer], [...answer].map((byte) => Buffer.of(byte))]) {
    const talk = new Talk(true, false)
    talk.c(T.CLIENT_START, T.headers(1, GET('/1'), { endsStream: true }))
    for (const piece of pieces) talk.s(piece)
    talk.c(T.headers(3, GET('/2'), { endsStream: true }))
    assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1099511627777 400 complete 2', 'request 3 /2 complete 0'])
    assert.equal(talk.recorder.anomalies[0], 'http2_other_answer')
  }
})

test('a server that speaks first, and a preface in pieces', () => {
  const talk = new Talk(true, false)
  talk.s(T.settings())
  for (const byte of T.CLIENT_START) talk.c(Buffer.of(byte))
  talk.c(T.headers(1, GET('/1'), { endsStream: true })).s(T.headers(1, talk.answer('200'), { endsStream: true }))
  assert.deepEqual(talk.end(), ['request 1 /1 complete 0', 'response 1 200 complete 0'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('a connection whose client is not known: the preface tells it, on whichever side and whoever speaks first', () => {
  for (const client of [0, 1] as const) for (const isServerFirst of [true, false]) {
    const server = client === 0 ? 1 : 0
    const recorder = new MessageRecorder(memory)
    const connection = new TestConnection(memory, input, { client: undefined })
    connection.use(new Detector({ memory, protocols, sink: recorder, control: connection }))
    const starts = [(): void => { connection.send(server, T.settings([3, 100]), 1) }, (): void => { connection.send(client, T.CLIENT_START, 1) }]
    for (const start of isServerFirst ? starts : starts.reverse()) start()
    connection.send(client, T.headers(1, GET('/1'), { endsStream: true }), 2)
    connection.send(server, T.headers(1, plainBlock({ ':status': '204' }), { endsStream: true }), 3)
    connection.close(4, END.fin)
    assert.equal(connection.client, client)
    assert.deepEqual(recorder.messages.map(({ kind, side, target, status }) => [kind, side, target, status]),
      [['request', client, '/1', 0], ['response', server, '', 204]])
    assert.deepEqual(recorder.anomalies, [])
  }
})

test('never-indexed literals and cookie crumbs keep their order and bytes', () => {
  const talk = new Talk()
  talk.c(T.headers(1, Buffer.concat([GET('/1'), literalField(LITERAL.never, 'cookie', 'a=1'), literalField(LITERAL.plain, 'cookie', 'b=2')]), { endsStream: true }))
  talk.end()
  assert.deepEqual(talk.recorder.requests[0]?.fields, [['cookie', 'a=1'], ['cookie', 'b=2']])
})

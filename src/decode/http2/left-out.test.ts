/** Payload of DATA frames that the source left out, and said so: what is logged is what would be without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END, GAP } from '../../connection/mod.ts'
import { createProtocols } from '../registry.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { DrivenConnection } from './testing/driven-connection.ts'
import * as T from './testing/frames.ts'

const memory = new ByteMemory()
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)
const GRPC: [string, string] = ['content-type', 'application/grpc']

class Talk extends DrivenConnection {
  constructor() {
    super(memory, protocols, new TestConnection(memory, input, { leavesOut: true }))
  }

  leaveOut(side: 0 | 1, length: number): this {
    this.connection.lose(side, length, this.next(), GAP.leftOut)
    return this
  }

  request(stream: number, endsStream = true, ...more: [string, string][]): Buffer {
    const fields: [string, string][] = [[':method', 'POST'], [':scheme', 'http'], [':authority', 'a'], [':path', `/${stream}`], ...more]
    return T.headers(stream, this.client.encode(fields), { endsStream })
  }

  response(stream: number, ...more: [string, string][]): Buffer {
    return T.headers(stream, this.server.encode([[':status', '200'], ...more]))
  }

  /** Closes, and gives a line a message: kind, exchange, how it ended, body bytes, gRPC messages. */
  end(cause: (typeof END)[keyof typeof END] = END.fin): string[] {
    return this.close(cause).map(({ kind, exchange, ended, bodyBytes, messages }) =>
      `${kind} ${exchange} ${ended} ${bodyBytes}${messages === undefined ? '' : ` ${messages}`}`)
  }
}

test('the payload that was left out is body, padding is not, and the end of the stream holds', () => {
  const talk = new Talk()
  talk.c(talk.request(1), talk.request(3))
  const padded = T.data(3, Buffer.alloc(5000), true, 100)
  talk.s(talk.response(1), talk.response(3), T.data(1, Buffer.alloc(16_000)).subarray(0, 16))
  talk.leaveOut(1, 16_000 - 7).s(padded.subarray(0, 10)).leaveOut(1, padded.length - 10)
  assert.equal(talk.recorder.responses.find(({ exchange }) => exchange === 3)?.ended, 'complete', 'before anything more comes')
  talk.s(T.data(1, Buffer.alloc(700), true).subarray(0, 9)).leaveOut(1, 300).leaveOut(1, 400)
  assert.deepEqual(talk.end(), ['request 1 complete 0', 'request 3 complete 0', 'response 1 complete 16700', 'response 3 complete 5000'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('of an upload likewise, and a piece of it may come all the same', () => {
  const talk = new Talk()
  const upload = T.data(1, Buffer.alloc(9000), true)
  talk.c(talk.request(1, false), upload.subarray(0, 16)).leaveOut(0, 1000).c(upload.subarray(1016, 1100)).leaveOut(0, upload.length - 1100)
  talk.s(talk.response(1), T.data(1, 'ok', true))
  assert.deepEqual(talk.end(), ['request 1 complete 9000', 'response 1 complete 2'])
  assert.deepEqual(talk.recorder.anomalies, [])
})

test('it is allowed once, with the first request, and no skip is asked for then; what may stay away is the rest of the frame', () => {
  const talk = new Talk()
  assert.deepEqual(talk.connection.wishes, [])
  talk.c(talk.request(1), talk.request(3))
  assert.deepEqual(talk.connection.wishes, [true])
  const frame = T.data(1, Buffer.alloc(16_000))
  talk.s(talk.response(1), frame.subarray(0, 109))
  assert.deepEqual([talk.connection.skipping[1], talk.connection.away[1]], [0, 15_900])
  talk.s(frame.subarray(109, 209))
  assert.equal(talk.connection.away[1], 15_800)
  talk.leaveOut(1, 15_800)
  assert.equal(talk.connection.away[1], 0)
  talk.s(frame.subarray(0, 5))
  assert.equal(talk.connection.away[1], 0, 'the rest of a frame header has to come')
  talk.end()
})

test('an end within a frame: a FIN has told what went by before it, anything else leaves the size unknown', () => {
  for (const [cause, size] of [[END.fin, 5009], [END.reset, -1], [END.idle, -1]] as const) {
    const talk = new Talk()
    talk.c(talk.request(1))
    talk.s(talk.response(1), T.data(1, Buffer.alloc(16_000)).subarray(0, 18)).leaveOut(1, 5000)
    assert.deepEqual(talk.end(cause), ['request 1 complete 0', `response 1 cut ${size}`])
  }
})

test('of gRPC nothing is to be left out, also when it comes later', () => {
  const first = new Talk()
  first.c(first.request(1, false, GRPC))
  first.c(first.request(3))
  assert.equal(first.connection.wishes.includes(true), false)
  first.end()
  const later = new Talk()
  later.c(later.request(1))
  later.c(later.request(3, false, GRPC), T.data(3, T.grpcMessage(Buffer.alloc(5000))).subarray(0, 14))
  assert.deepEqual(later.connection.wishes, [true, false])
  // What was left out before the wish came through: the message whose length is known, and no more.
  later.leaveOut(0, 5000).c(T.data(3, Buffer.concat([T.grpcMessage('b'), T.grpcMessage('c')]), true))
  later.c(later.request(5, false, GRPC), T.data(5, Buffer.concat([T.grpcMessage('x'), T.grpcMessage(Buffer.alloc(3000))]), true).subarray(0, 16))
  later.leaveOut(0, 3004)
  assert.deepEqual(later.end().filter((line) => line.startsWith('request')), [
    'request 1 complete 0', 'request 3 complete 5017 3', 'request 5 complete 3011 -1',
  ])
  assert.deepEqual(later.recorder.anomalies, [])
})

test('what cannot be payload of DATA is told, believed to be lost, and never left out again', () => {
  for (const [cut, over] of [[16, 1], [4, 20], [300, 200]] as const) {
    const talk = new Talk()
    talk.c(talk.request(1), talk.request(3))
    const frame = T.data(1, Buffer.alloc(400))
    talk.s(talk.response(1), frame.subarray(0, cut)).leaveOut(1, frame.length - cut + over)
    talk.c(talk.request(5))
    assert.deepEqual(talk.connection.wishes, [true, false])
    assert.deepEqual(talk.recorder.anomalies.filter((name) => name.includes('left_out')), ['http2_left_out'])
    assert.ok(talk.end().includes('response 1 lost -1'))
  }
})

test('after a loss nothing that is left out makes the tables forget more', () => {
  const talk = new Talk()
  talk.c(talk.request(1), talk.request(3), talk.request(5))
  talk.s(talk.response(1), T.data(1, 'part')).lose(1, 500).leaveOut(1, 50)
  talk.s(talk.response(3, ['x-new', 'v']))
  talk.s(T.data(3, Buffer.alloc(800), true).subarray(0, 16)).leaveOut(1, 793).s(talk.response(5, ['x-new', 'v']), T.data(5, '', true))
  assert.deepEqual(talk.connection.wishes, [true])
  assert.deepEqual(talk.end().slice(3), ['response 1 lost -1', 'response 3 complete 800', 'response 5 complete 0'])
  assert.deepEqual(talk.recorder.responses[2]?.fields, [['x-new', 'v']])
  assert.equal(talk.recorder.anomalies.includes('http2_left_out'), false)
})

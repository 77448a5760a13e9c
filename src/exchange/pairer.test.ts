import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../../lib/record/mod.ts'
import * as L from '../../wasm/layout.ts'
import { END } from '../connection/mod.ts'
import type { Side, StreamControl } from '../connection/mod.ts'
import { MESSAGE, MESSAGE_END } from '../decode/mod.ts'
import type { CutBy, Message, MessageEnd, MessageKind, Unanswered } from '../decode/mod.ts'
import { FIELDS, MARK_REASONS } from './fields.ts'
import { Pairer } from './pairer.ts'

const memory = new ByteMemory()
const facts = new FactsTable({
  memory, writer: new RecordWriter(memory, new FieldTable(memory, FIELDS, MARK_REASONS)), protect: (raw) => raw, countMax: 16,
})

type Draft = { -readonly [Key in keyof Message]: Message[Key] }

/** What an EXCHANGE block said when it was given on. */
interface Given {
  readonly depth: number
  readonly hasRequest: boolean
  readonly status: number
  readonly interim: number[]
  readonly marks: string[]
  readonly times: number[]
}

class Scene {
  readonly given: Given[] = []
  readonly dropped: string[] = []
  readonly before = memory.allocator.allocatedBytes()
  readonly connection: StreamControl
  readonly pairer: Pairer
  retained = 0
  /** Whose messages come next. */
  on: StreamControl

  constructor(options: { seesBothDirections?: boolean; serverPackets?: number; lostBytes?: number } = {}) {
    const block = memory.allocator.alloc(L.CONNECTION_BYTES)
    memory.u8.fill(0, block, block + L.CONNECTION_BYTES)
    memory.u32[(block + L.CONNECTION_SIDE + L.CONNECTION_SIDE_BYTES + L.SIDE_PACKETS) >>> 2] = options.serverPackets ?? 1
    memory.f64[(block + L.CONNECTION_SIDE + L.CONNECTION_SIDE_BYTES + L.SIDE_LOST_BYTES) >>> 3] = options.lostBytes ?? 0
    this.connection = {
      id: 1, block, fromStart: true, client: 0 as Side,
      setClient: () => {}, hasStart: () => true, position: () => 0, acknowledgement: () => 0, skip: () => {}, ignore: () => {},
      retain: () => { this.retained++ },
      release: () => { this.retained-- },
    }
    this.on = this.connection
    this.pairer = new Pairer(memory, {
      exchange: (pointer) => { this.given.push(read(pointer)) },
      dropped: (reason) => { this.dropped.push(reason) },
      anomaly: () => {},
      webSocket: () => {},
    }, { seesBothDirections: options.seesBothDirections ?? true, facts })
  }

  head(kind: MessageKind, exchange: number, status = 0, startTime = exchange * 10, likely = 0, isLikely = false): Draft {
    const head = memory.allocator.alloc(L.HEAD_SPANS)
    memory.u8.fill(0, head, head + L.HEAD_SPANS)
    memory.u32[(head + L.HEAD_BYTES) >>> 2] = L.HEAD_SPANS
    memory.u16[(head + L.HEAD_STATUS) >>> 1] = status
    const message: Draft = {
      kind, side: kind === MESSAGE.request ? 0 : 1, exchange, head, trailer: 0, startTime, endTime: -1, bodyBytes: -1, oddities: 0, ended: undefined, likely,
      isLikely,
    }
    this.pairer.head(this.on, message)
    return message
  }

  end(message: Draft, ended: MessageEnd = MESSAGE_END.complete, cutBy: CutBy = END.fin): void {
    message.ended = ended
    if (ended === MESSAGE_END.cut) message.cutBy = cutBy
    message.endTime = message.startTime + 5
    message.bodyBytes = 0
    this.pairer.end(this.on, message)
  }

  /** Everything is given back: blocks, heads, the hold on the connection. */
  done(): void {
    memory.allocator.free(this.connection.block, L.CONNECTION_BYTES)
    assert.equal(memory.allocator.allocatedBytes(), this.before)
    assert.equal(this.retained, 0)
    assert.deepEqual(this.dropped, [])
  }
}

function read(block: number): Given {
  const { u8, u16, u32, f64 } = memory
  const response = u32[(block + L.EXCHANGE_RESPONSE) >>> 2]!
  return {
    depth: u32[(block + L.EXCHANGE_DEPTH) >>> 2]!,
    hasRequest: u32[(block + L.EXCHANGE_REQUEST) >>> 2] !== 0,
    status: response === 0 ? 0 : u16[(response + L.HEAD_STATUS) >>> 1]!,
    interim: Array.from({ length: u8[block + L.EXCHANGE_INTERIM_COUNT]! }, (_, index) => u16[((block + L.EXCHANGE_INTERIM) >>> 1) + index]!),
    marks: Array.from({ length: u8[block + L.EXCHANGE_MARK_COUNT]! },
      (_, index) => MARK_REASONS[u16[((block + L.EXCHANGE_MARKS) >>> 1) + index * 2 + 1]! - 1]!),
    times: [L.EXCHANGE_REQUEST_TIME, L.EXCHANGE_REQUEST_END_TIME, L.EXCHANGE_RESPONSE_TIME, L.EXCHANGE_RESPONSE_END_TIME]
      .map((offset) => f64[(block + offset) >>> 3]!),
  }
}

test('Pairer gives an exchange once, when both messages are over', () => {
  const scene = new Scene()
  const request = scene.head(MESSAGE.request, 1)
  scene.end(request)
  assert.equal(scene.given.length, 0)
  scene.end(scene.head(MESSAGE.response, 1, 200, 20))
  assert.deepEqual(scene.given, [{ depth: 1, hasRequest: true, status: 200, interim: [], marks: [], times: [10, 15, 20, 25] }])
  scene.pairer.close(scene.connection, END.fin, 30)
  assert.equal(scene.given.length, 1)
  scene.done()
})

test('Pairer waits for a request that is still sent when its response is over', () => {
  const scene = new Scene()
  const request = scene.head(MESSAGE.request, 1)
  scene.end(scene.head(MESSAGE.response, 1, 413))
  assert.equal(scene.given.length, 0)
  scene.end(request)
  assert.equal(scene.given[0]?.status, 413)
  scene.done()
})

test('Pairer counts what is inside TLS with the connection that carries it, until its block is given back', () => {
  const scene = new Scene()
  scene.on = { ...scene.connection, isPlaintext: true }
  for (const number of [1, 2]) {
    scene.end(scene.head(MESSAGE.request, number))
    scene.end(scene.head(MESSAGE.response, number, 200))
  }
  assert.deepEqual([scene.pairer.exchangesOf(scene.connection), scene.pairer.exchangesOf(scene.on)], [2, 2])
  scene.pairer.forget(scene.connection.block)
  assert.equal(scene.pairer.exchangesOf(scene.connection), 0)
  scene.done()
})

test('Pairer keeps pipelined exchanges apart by their numbers', () => {
  const scene = new Scene()
  for (const number of [1, 2, 3]) scene.end(scene.head(MESSAGE.request, number))
  for (const number of [1, 2, 3]) scene.end(scene.head(MESSAGE.response, number, 200 + number))
  assert.deepEqual(scene.given.map((given) => [given.depth, given.status]), [[1, 201], [2, 202], [3, 203]])
  scene.done()
})

test('Pairer notes interim responses, at most six', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  for (let index = 0; index < 8; index++) scene.end(scene.head(MESSAGE.interim, 1, 100 + index))
  scene.end(scene.head(MESSAGE.response, 1, 200))
  assert.deepEqual(scene.given[0]?.interim, [100, 101, 102, 103, 104, 105])
  scene.done()
})

test('Pairer logs a response without a request, and says so', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.response, 7, 204))
  assert.deepEqual(scene.given.map((given) => [given.hasRequest, given.status, given.marks]), [[false, 204, ['not known which request it answers']]])
  scene.done()
})

for (const [cause, reason, cut] of [
  [END.fin, 'no response before the connection closed', 'the connection closed inside the message'],
  [END.reset, 'no response before the connection was reset', 'the connection was reset inside the message'],
  [END.idle, 'connection was idle for too long', 'the connection was idle for too long inside the message'],
  [END.evicted, 'connection table full', 'the connection table was full'],
  [END.replaced, 'no response before the connection closed', 'the connection closed inside the message'],
  [END.shutdown, 'no response before the capture ended', 'the capture ended inside the message'],
] as const) {
  test(`Pairer gives requests without a response when the connection ends by ${cause}`, () => {
    const scene = new Scene()
    scene.end(scene.head(MESSAGE.request, 1))
    scene.end(scene.head(MESSAGE.request, 2), MESSAGE_END.cut, cause)
    scene.pairer.close(scene.connection, cause, 99)
    assert.deepEqual(scene.given.map((given) => given.marks),
      [[reason], [`cut short: ${cut}`, reason]])
    scene.done()
  })
}

test('Pairer says of what GOAWAY or a bound on streams cut short that it was that', () => {
  const scene = new Scene()
  for (const [index, by] of (['goaway', 'streams'] as const).entries()) {
    const request = scene.head(MESSAGE.request, index + 1)
    scene.end(request, MESSAGE_END.cut, by)
    scene.pairer.unanswered(scene.connection, index + 1, 0, by)
  }
  assert.deepEqual(scene.given.map((given) => given.marks), [
    ['cut short: the server went away (GOAWAY)', 'no response: the server went away (GOAWAY)'],
    ['cut short: too many streams open on the connection', 'too many streams open on the connection'],
  ])
  scene.done()
})

test('Pairer gives a request on when it is told that no response will come', () => {
  const scene = new Scene()
  const open = scene.head(MESSAGE.request, 1)
  scene.pairer.unanswered(scene.connection, 1)
  assert.equal(scene.given.length, 0)
  scene.end(open)
  scene.end(scene.head(MESSAGE.request, 2))
  scene.pairer.unanswered(scene.connection, 2)
  assert.deepEqual(scene.given.map((given) => given.marks), [['not known which response answers it'], ['not known which response answers it']])
  scene.done()
})

test('Pairer keeps a held pair until it is proven, and gives it on as one exchange', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  const trailing = scene.head(MESSAGE.response, 2, 200, 20, 1)
  trailing.oddities = 4
  scene.end(trailing, MESSAGE_END.cut)
  scene.end(scene.head(MESSAGE.request, 3))
  const open = scene.head(MESSAGE.response, 4, 204, 40, 3)
  assert.equal(scene.given.length, 0)
  scene.pairer.settled(scene.connection, 'proven')
  assert.deepEqual(scene.given, [{
    depth: 1, hasRequest: true, status: 200, interim: [], marks: ['cut short: the connection closed inside the message'], times: [10, 15, 20, 25],
  }])
  // The one that is still under way follows when it is over.
  scene.end(open)
  assert.deepEqual(scene.given.slice(1).map(({ depth, status, marks }) => [depth, status, marks]), [[2, 204, []]])
  scene.done()
})

test('Pairer gives a held pair on apart when the decoder says so', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.interim, 2, 103))
  scene.end(scene.head(MESSAGE.response, 2, 200, 20, 1))
  scene.pairer.settled(scene.connection, 'apart')
  assert.deepEqual(scene.given.map(({ depth, hasRequest, status, interim, marks }) => [depth, hasRequest, status, interim, marks]), [
    [1, true, 0, [], ['not known which response answers it']], [2, false, 200, [103], ['not known which request it answers']],
  ])
  scene.pairer.close(scene.connection, END.fin, 99)
  assert.equal(scene.given.length, 2)
  scene.done()
})

const LIKELY = 'likely, not proven: the client was not seen to wait for each response'

test('Pairer marks a pair that is only likely: told so while held, when the connection ends, or with the response', () => {
  const ways: Readonly<Record<string, (scene: Scene) => void>> = {
    told: ({ pairer, connection }) => { pairer.settled(connection, 'likely') },
    'at the end': ({ pairer, connection }) => { pairer.close(connection, END.fin, 99) },
    'at rest': ({ pairer }) => { pairer.tick(2e9 + 25) },
  }
  for (const [name, way] of Object.entries(ways)) {
    const scene = new Scene()
    scene.end(scene.head(MESSAGE.request, 1))
    scene.end(scene.head(MESSAGE.interim, 2, 100))
    scene.end(scene.head(MESSAGE.interim, 2, 103))
    scene.end(scene.head(MESSAGE.response, 2, 200, 20, 1))
    assert.equal(scene.given.length, 0)
    way(scene)
    assert.deepEqual(scene.given, [
      { depth: 1, hasRequest: true, status: 200, interim: [100, 103], marks: [LIKELY], times: [10, 15, 20, 25] },
    ], name)
    scene.done()
  }
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.interim, 1, 103, 15, 0, true))
  scene.end(scene.head(MESSAGE.response, 1, 200, 20, 0, true))
  assert.deepEqual(scene.given.map(({ status, interim, marks }) => [status, interim, marks]), [[200, [103], [LIKELY]]])
  scene.done()
})

test('Pairer gives on at rest what is whole, and not before; the rest waits to be told', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.response, 2, 200, 20, 1))
  scene.end(scene.head(MESSAGE.request, 3))
  const open = scene.head(MESSAGE.response, 4, 204, 40, 3)
  scene.pairer.tick(2e9 + 24)
  assert.equal(scene.given.length, 0)
  scene.pairer.tick(2e9 + 25)
  assert.deepEqual(scene.given.map(({ status }) => status), [200])
  scene.pairer.tick(9e9)
  assert.equal(scene.given.length, 1)
  scene.end(open)
  scene.pairer.tick(9e9)
  assert.deepEqual(scene.given.map(({ depth, status, marks }) => [depth, status, marks]), [[1, 200, [LIKELY]], [2, 204, [LIKELY]]])
  scene.pairer.settled(scene.connection, 'apart')
  assert.equal(scene.given.length, 2)
  scene.done()
})

test('Pairer gives on at rest by the order in which connections came to it', () => {
  const scene = new Scene()
  const other: StreamControl = { ...scene.connection, companion: undefined, id: 2 }
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.response, 2, 200, 20, 1))
  scene.on = other
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.response, 2, 201, 30, 1))
  scene.on = scene.connection
  scene.end(scene.head(MESSAGE.request, 3))
  scene.end(scene.head(MESSAGE.response, 4, 202, 40, 3))
  scene.pairer.tick(2e9 + 35)
  assert.deepEqual(scene.given.map(({ status }) => status), [201])
  scene.pairer.tick(2e9 + 45)
  assert.deepEqual(scene.given.map(({ status }) => status), [201, 200, 202])
  scene.done()
})

test('Pairer keeps no interim response that only likely belonged to a request without answer', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.interim, 1, 103, 15, 0, true))
  scene.pairer.unanswered(scene.connection, 1)
  assert.deepEqual(scene.given.map(({ interim, marks }) => [interim, marks]), [[[], ['not known which response answers it']]])
  scene.done()
})

test('Pairer keeps the interim responses of a response without a request, at most six', () => {
  const scene = new Scene()
  scene.end(scene.head(MESSAGE.interim, 5, 199))
  for (let index = 0; index < 8; index++) scene.end(scene.head(MESSAGE.interim, 7, 100 + index))
  scene.end(scene.head(MESSAGE.response, 7, 204))
  assert.deepEqual(scene.given[0]?.interim, [100, 101, 102, 103, 104, 105])
  scene.done()
})

test('Pairer blames the capture only for what it has lost', () => {
  const scene = new Scene({ lostBytes: 10 })
  scene.end(scene.head(MESSAGE.response, 7, 204))
  scene.end(scene.head(MESSAGE.request, 8))
  scene.pairer.unanswered(scene.connection, 8)
  assert.deepEqual(scene.given.map((given) => given.marks), [['lost by the capture'], ['lost by the capture']])
  scene.done()
})

test('Pairer does not miss the head of a response to HTTP/0.9, which has none', () => {
  const scene = new Scene()
  const request = scene.head(MESSAGE.request, 1)
  memory.u8[request.head + L.HEAD_VERSION] = 0x09
  scene.end(request)
  scene.pairer.close(scene.connection, END.fin, 99)
  assert.deepEqual(scene.given.map((given) => given.marks), [['an HTTP/0.9 response has no head']])
  scene.done()
})

test('Pairer does not wait for a server that the hook cannot see', () => {
  const scene = new Scene({ seesBothDirections: false, serverPackets: 0 })
  scene.end(scene.head(MESSAGE.request, 1))
  scene.end(scene.head(MESSAGE.request, 2))
  assert.deepEqual(scene.given.map((given) => [given.depth, given.marks]), [[1, ['hook sees one direction only']]])
  scene.pairer.tick(1e12)
  assert.equal(scene.given.length, 2)
  scene.done()
})

test('Pairer waits for a server of which a packet was seen, also at a one-sided hook', () => {
  const scene = new Scene({ seesBothDirections: false, serverPackets: 3 })
  scene.end(scene.head(MESSAGE.request, 1))
  scene.pairer.tick(1e12)
  assert.equal(scene.given.length, 0)
  scene.end(scene.head(MESSAGE.response, 1, 200))
  assert.deepEqual(scene.given.map((given) => given.marks), [[]])
  scene.done()
})

test('Pairer counts an exchange whose head the memory refused as dropped', () => {
  const scene = new Scene()
  const message: Draft = {
    kind: MESSAGE.request, side: 0, exchange: 1, head: 0, trailer: 0, startTime: 1, endTime: -1, bodyBytes: -1, oddities: 0, ended: undefined,
    likely: 0, isLikely: false,
  }
  scene.pairer.head(scene.connection, message)
  scene.pairer.end(scene.connection, { ...message, ended: MESSAGE_END.complete })
  assert.deepEqual(scene.dropped.splice(0), ['memory_limit'])
  scene.done()
})

test('Pairer finds each of thousands of open streams by its number, in any order', () => {
  const scene = new Scene()
  const numbers = Array.from({ length: 3000 }, (_, index) => 2 * index + 1)
  for (const number of numbers) scene.end(scene.head(MESSAGE.request, number))
  for (const number of numbers.toReversed()) scene.end(scene.head(MESSAGE.response, number, 200))
  assert.deepEqual(scene.given.map(({ depth }) => depth), Array.from({ length: 3000 }, (_, index) => 3000 - index))
  scene.end(scene.head(MESSAGE.request, 9001))
  scene.pairer.close(scene.connection, END.fin, 30)
  assert.equal(scene.given.at(-1)?.depth, 3001)
  scene.done()
})

test('Pairer says why no response came, where the decoder knows: a reset, GOAWAY, too many streams', () => {
  const scene = new Scene()
  const reasons: [Unanswered, string][] = [
    [8, 'stream reset: CANCEL'], [99, 'stream reset: another error code'], ['goaway', 'no response: the server went away (GOAWAY)'],
    ['streams', 'too many streams open on the connection'],
  ]
  reasons.forEach(([why], index) => {
    scene.end(scene.head(MESSAGE.request, index + 1))
    scene.pairer.unanswered(scene.connection, index + 1, 20, why)
  })
  assert.deepEqual(scene.given.map(({ marks }) => marks), reasons.map(([, reason]) => [reason]))
  scene.done()
})

test('Pairer tells an exchange that is open for long once as it is, and once more whole', () => {
  const scene = new Scene()
  scene.pairer.openAfterNs = 100
  const request = scene.head(MESSAGE.request, 1)
  scene.pairer.tick(109)
  assert.equal(scene.given.length, 0)
  scene.pairer.tick(110)
  scene.pairer.tick(500)
  assert.equal(scene.given.length, 1)
  scene.end(request)
  scene.end(scene.head(MESSAGE.response, 1, 200))
  scene.end(scene.head(MESSAGE.request, 2))
  scene.end(scene.head(MESSAGE.response, 2, 200))
  scene.pairer.tick(1e9)
  assert.deepEqual(scene.given.map(({ depth, status }) => [depth, status]), [[1, 0], [1, 200], [2, 200]])
  scene.done()
})

/** The frames of HTTP/2 that the kernel follows: what it leaves out is payload of DATA and nothing else, in whatever segments. */
import assert from 'node:assert/strict'

import { ByteMemory } from '../../lib/bytes/mod.ts'
import { ConnectionTable } from '../../src/connection/mod.ts'
import { Detector, createProtocols } from '../../src/decode/mod.ts'
import { randomFrom } from '../../src/decode/testing/conversation.ts'
import { MessageRecorder } from '../../src/decode/testing/message-recorder.ts'
import * as H from '../../src/decode/http2/testing/frames.ts'
import { HpackEncoder } from '../../src/decode/http2/testing/hpack-encoder.ts'
import { FIN } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { Peers, segmentsOf } from './testing/peers.ts'
import { ProgramBench, ledgerOff } from './testing/program-bench.ts'
import type { Turn } from './testing/peers.ts'
import type { PacketRecord } from './testing/records.ts'

const RUNS = 150
const STARTS = [1000, 0x7fff_f000, 0xffff_c000]
const GRPC: [string, string] = ['content-type', 'application/grpc']

const seen = (records: readonly PacketRecord[]): [number, number, string][] =>
  records.map(({ leftOut, skipped, data }) => [leftOut, skipped, data.toString('latin1')])

function begun(bench: ProgramBench, port: number): { peers: Peers; tag: number } {
  const peers = new Peers(bench, port)
  peers.next(0, H.CLIENT_START)
  peers.next(1, H.settings([3, 100]))
  const tag = bench.records().at(-1)!.tag
  return { peers, tag }
}

const text = (bytes: Buffer): string => bytes.toString('latin1')

kernelTest('without leave all bytes are delivered; with it, of DATA the first 16 bytes, and a word where its frame ends', () => {
  using bench = new ProgramBench()
  const { peers, tag } = begun(bench, 40100)
  const data = H.data(1, Buffer.alloc(2000, 'b'))
  peers.next(1, data)
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data)]])
  bench.directives.leaveOut(tag, true)
  peers.next(1, data)
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data.subarray(0, 16))], [1993, 1993, '']])
  const ping = H.ping()
  peers.next(1, data, ping, data.subarray(0, 1000))
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data.subarray(0, 16))], [1993, 1993, text(Buffer.concat([ping, data.subarray(0, 16)]))]])
  peers.next(1, data.subarray(1000, 1900))
  assert.deepEqual(seen(bench.records()), [], 'a segment within the payload')
  peers.next(1, data.subarray(1900), ping)
  assert.deepEqual(seen(bench.records()), [[1993, 109, text(ping)]])
  bench.directives.leaveOut(tag, false)
  peers.next(1, data.subarray(0, 700))
  peers.next(1, data.subarray(700))
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data.subarray(0, 700))], [0, 0, text(data.subarray(700))]])
  assert.equal(ledgerOff(bench.counters()), 0)
  assert.equal(bench.counters().notWanted.get('skipped_body'), 1)
})

kernelTest('a frame header cut anywhere is put together', () => {
  using bench = new ProgramBench()
  const { peers, tag } = begun(bench, 40200)
  bench.directives.leaveOut(tag, true)
  const data = H.data(1, Buffer.alloc(1500, 'b'), false, 20)
  for (let cut = 1; cut <= 16; cut++) {
    peers.next(1, data.subarray(0, cut))
    peers.next(1, data.subarray(cut), data.subarray(0, 2))
    peers.next(1, data.subarray(2, 3))
    peers.next(1, data.subarray(3))
    const records = seen(bench.records())
    const lead = text(data.subarray(0, 16))
    assert.equal(records.map(([, , bytes]) => bytes).join(''), lead + lead, `cut at ${cut}`)
    assert.deepEqual(records.filter(([left]) => left > 0).map(([left]) => left), [data.length - 16, data.length - 16], `cut at ${cut}`)
  }
})

kernelTest('a hole where a frame header may lie ends it until the frames are sure again', () => {
  using bench = new ProgramBench()
  const { peers, tag } = begun(bench, 40300)
  bench.directives.leaveOut(tag, true)
  const data = H.data(1, Buffer.alloc(2500, 'b'))
  const from = peers.ends[1]
  peers.send({ side: 1, from: from + 1000, bytes: data.subarray(1000, 2000), fin: false })
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data.subarray(1000, 2000))]])
  peers.send({ side: 1, from, bytes: data.subarray(0, 1000), fin: false })
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data.subarray(0, 1000))]], 'what fills the hole is delivered whole')
  peers.next(1, data.subarray(2000), data)
  assert.deepEqual(seen(bench.records()), [[509, 509, text(data.subarray(0, 16))], [2493, 2493, '']], 'all of it lay within one frame')
  // A header among what came too early: it is not looked for.
  const again = peers.ends[1]
  const two = Buffer.concat([data, data])
  peers.send({ side: 1, from: again + 2400, bytes: two.subarray(2400, 4000), fin: false })
  peers.send({ side: 1, from: again, bytes: two.subarray(0, 2400), fin: false })
  peers.next(1, two.subarray(4000))
  assert.deepEqual(seen(bench.records()).map(([left, skipped, bytes]) => [left, skipped, bytes.length]), [[0, 0, 1600], [0, 0, 2400], [0, 0, 1018]])
})

kernelTest('what is missing within the payload matters to nobody, unless it is not to be left out', () => {
  using bench = new ProgramBench()
  const { peers, tag } = begun(bench, 40400)
  const data = H.data(1, Buffer.alloc(9000, 'b'))
  for (const isAllowed of [true, false]) {
    bench.directives.leaveOut(tag, isAllowed)
    const from = peers.ends[1]
    peers.send({ side: 1, from, bytes: data.subarray(0, 2000), fin: false })
    peers.send({ side: 1, from: from + 6000, bytes: Buffer.concat([data.subarray(6000), H.ping()]), fin: false })
    peers.send({ side: 1, from: from + 2000, bytes: data.subarray(2000, 4000), fin: false })
    peers.send({ side: 1, from: from + 4000, bytes: data.subarray(4000, 6000), fin: false })
    const records = bench.records()
    if (isAllowed) assert.deepEqual(records.slice(0, 2).map(({ leftOut }) => leftOut), [0, 8993])
    else assert.deepEqual(records.map(({ leftOut, data: bytes }) => [leftOut, bytes.length]), [[0, 2000], [0, 3026], [0, 2000], [0, 2000]])
  }
})

kernelTest('the end of the stream tells what was left out before it', () => {
  using bench = new ProgramBench()
  const data = H.data(1, Buffer.alloc(2500, 'b'))
  for (const [port, isBare] of [[40500, true], [40501, false]] as const) {
    const { peers, tag } = begun(bench, port)
    bench.directives.leaveOut(tag, true)
    peers.next(1, data.subarray(0, 1000))
    peers.send({ side: 1, from: peers.ends[1], bytes: isBare ? Buffer.alloc(0) : data.subarray(1000, 1300), fin: true })
    assert.deepEqual(bench.records().map(({ leftOut, skipped, tcpFlags }) => [leftOut, skipped, tcpFlags & FIN]),
      [[0, 0, 0], isBare ? [984, 0, FIN] : [1284, 300, FIN]])
  }
})

kernelTest('other openings are not followed: HTTP/1, half a preface, a connection joined late', () => {
  using bench = new ProgramBench()
  const data = H.data(1, Buffer.alloc(2000, 'b'))
  for (const [at, opening] of ['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r'].entries()) {
    const peers = new Peers(bench, 40600 + at)
    peers.next(0, Buffer.from(opening, 'latin1'))
    const tag = bench.records().at(-1)!.tag
    bench.directives.leaveOut(tag, true)
    peers.next(0, data)
    peers.next(1, data)
    assert.deepEqual(bench.records().map(({ data: bytes }) => bytes.length), [2009, 2009], opening)
  }
})

kernelTest('with packets asked for, nothing is left out', () => {
  using bench = new ProgramBench({}, { packets: true })
  const { peers, tag } = begun(bench, 40700)
  bench.directives.leaveOut(tag, true)
  const data = H.data(1, Buffer.alloc(2000, 'b'))
  peers.next(1, data)
  assert.deepEqual(seen(bench.records()), [[0, 0, text(data)]])
})

/** What was sent of one message, by kind and stream. */
type Truth = Map<string, { bodyBytes: number; fields: [string, string][] }>

/** Frames of several streams, of which the DATA are the greater part; its bytes look like frames. */
class Conversation {
  readonly turns: Turn[] = [{ side: 0, parts: [H.CLIENT_START] }, { side: 1, parts: [H.settings([3, 100]), H.settingsAck()] }]
  readonly truth: Truth = new Map()
  readonly #random: () => number
  readonly #encoders = [new HpackEncoder(), new HpackEncoder()] as const

  constructor(random: () => number, hasGrpc: boolean) {
    this.#random = random
    let waiting: number[] = []
    const count = 2 + Math.floor(random() * 8)
    for (let stream = 1; stream < 2 * count; stream += 2) {
      const fields: [string, string][] = hasGrpc && random() < 0.5 ? [GRPC] : []
      this.#message(0, 'request', stream, [[':method', 'PUT'], [':scheme', 'http'], [':authority', 'a'], [':path', `/${stream}`]], fields)
      waiting.push(stream)
      if (random() < 0.5 && stream + 2 < 2 * count) continue
      for (const answered of waiting) this.#message(1, 'response', answered, [[':status', '200']], [])
      waiting = []
    }
  }

  #message(side: 0 | 1, kind: string, stream: number, head: [string, string][], more: [string, string][]): void {
    const random = this.#random
    const fields: [string, string][] = [[`x-${Math.floor(random() * 4)}`, `v${Math.floor(random() * 5)}`], [`own-${kind}`, `${stream}`], ...more]
    const frames = [H.headers(stream, this.#encoders[side].encode([...head, ...fields]), random() < 0.2 ? { split: 9 } : {})]
    let bodyBytes = 0
    for (let left = Math.floor(random() * 4); left >= 0; left--) {
      const length = random() < 0.3 ? Math.floor(random() * 30) : Math.floor(random() * 16_000)
      const like = random() < 0.5 ? H.data(1, Buffer.alloc(300, 7)) : H.headers(1, Buffer.from([0x82, 0x86]))
      bodyBytes += length
      frames.push(H.data(stream, Buffer.alloc(length, like), left === 0, random() < 0.2 ? Math.floor(random() * 256) : undefined))
      if (random() < 0.2) frames.push(H.windowUpdate(0, 9), H.ping())
    }
    this.truth.set(`${kind} ${stream}`, { bodyBytes, fields })
    this.turns.push({ side, parts: frames })
  }
}

for (const isRough of [false, true]) {
  kernelTest(`what is logged of ${isRough ? 'rough' : 'smooth'} conversations is what was sent, with a part of its bytes`, () => {
    using bench = new ProgramBench()
    const memory = new ByteMemory()
    const protocols = createProtocols(memory)
    const room = memory.reserve(1 << 22)
    let wire = 0
    let delivered = 0
    for (let run = 0; run < RUNS; run++) {
      const random = randomFrom(run + 1)
      const hasGrpc = run % 5 === 4
      const recorder = new MessageRecorder(memory)
      const table = new ConnectionTable(memory, {
        skip: (tag, side, until) => { bench.directives.skip(tag, side, until) },
        ignore: (tag) => { bench.directives.ignore(tag) },
        leaveOut: (tag, isAllowed) => { bench.directives.leaveOut(tag, isAllowed) },
      }, (control) => new Detector({ memory, protocols, sink: recorder, control }))
      const drain = (): void => {
        for (let length = bench.fill(memory.u8, room, 1 << 22); length > 0; length = bench.fill(memory.u8, room, 1 << 22)) table.process(room, length)
      }
      const peers = new Peers(bench, 41000 + run + (isRough ? 1000 : 0), STARTS[run % STARTS.length])
      const { truth, turns } = new Conversation(random, hasGrpc)
      const all = segmentsOf(turns, random, isRough)
      const pace = run % 2 === 0 ? 1 : 1 + Math.floor(random() * 20)
      const before = bench.counters().bytesDelivered
      for (const [at, segment] of all.entries()) {
        peers.send(segment)
        if (!hasGrpc) wire += segment.bytes.length
        // Now and then the agent is behind.
        if (at % pace === 0) drain()
      }
      for (const side of [0, 1] as const) peers.send({ side, from: peers.ends[side], bytes: Buffer.alloc(0), fin: true })
      drain()
      table.close(table.time)
      if (!hasGrpc) delivered += bench.counters().bytesDelivered - before
      const place = `run ${run}`
      assert.deepEqual(recorder.anomalies, [], place)
      assert.deepEqual([...table.anomalies()].filter(([, count]) => count > 0), [], place)
      assert.equal(recorder.messages.length, truth.size, place)
      for (const message of recorder.messages) {
        const sent = truth.get(`${message.kind} ${message.stream}`)!
        assert.deepEqual([message.ended, message.bodyBytes], ['complete', sent.bodyBytes], `${place}, ${message.kind} ${message.stream}`)
        assert.deepEqual(message.fields.filter(([name]) => !name.startsWith(':')), sent.fields, place)
      }
      assert.equal(memory.allocator.allocatedBytes(), 0, place)
    }
    const counters = bench.counters()
    assert.equal(ledgerOff(counters), 0)
    assert.equal(counters.lost.get('ring_full'), 0)
    console.log(`${wire} bytes sent, ${delivered} delivered (${(100 * delivered / wire).toFixed(1)} %)`)
    assert.ok(delivered < wire * (isRough ? 0.45 : 0.35))
  })
}

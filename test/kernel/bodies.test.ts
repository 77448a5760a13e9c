/** Long bodies of HTTP/1 that the kernel leaves out by itself: what it leaves out is what the agent would skip, and nothing else. */
import assert from 'node:assert/strict'

import { ByteMemory } from '../../lib/bytes/mod.ts'
import { ConnectionTable } from '../../src/connection/mod.ts'
import { createProtocols, Detector } from '../../src/decode/mod.ts'
import { randomFrom } from '../../src/decode/testing/conversation.ts'
import { MessageRecorder } from '../../src/decode/testing/message-recorder.ts'
import { ACK, FIN, PSH } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import type { PacketRecord } from './testing/records.ts'
import { Peers, segmentsOf } from './testing/peers.ts'
import type { Turn } from './testing/peers.ts'
import { ledgerOff, ProgramBench } from './testing/program-bench.ts'
import { Talk } from './testing/talk.ts'

const RUNS = 100
const DATA = ACK | PSH
const LENGTH = 10_000
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const response = (length: number | string): string => `HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: ${length}\r\nX: y\r\n\r\n`
const HEAD = response(LENGTH)
const bytes = (count: number, like = 'b'): string => like.repeat(Math.ceil(count / like.length)).slice(0, count)

kernelTest('of a long body of a response its first packet is delivered, and of its last the end', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  const body = Array.from({ length: 4 }, () => bytes(2000))
  for (let turn = 0; turn < 3; turn++) {
    talk.up(DATA, GET)
    talk.records()
    for (const part of [HEAD + bytes(9), ...body, bytes(LENGTH - 8009)]) talk.down(DATA, part)
    assert.deepEqual(talk.records().map(({ skipped, payloadLength, data }) => [skipped, payloadLength, data.length]),
      [[0, HEAD.length + 9, HEAD.length + 9], [LENGTH - 8009, LENGTH - 8009, 0]], `${turn}`)
  }
  talk.up(DATA, GET)
  talk.records()
  for (const part of [HEAD + bytes(9), ...body, bytes(991)]) talk.down(DATA, part)
  talk.down(DATA, `${bytes(LENGTH - 9000)}HTTP/1.1 204 No\r\n\r\n`)
  assert.deepEqual(talk.records().map(({ skipped, data }) => [skipped, data.length]), [[0, HEAD.length + 9], [LENGTH - 9000, 19]])
  assert.equal(bench.counters().notWanted.get('skipped_body'), 3 * 4 + 5)
})

kernelTest('one long response behind the other, whether the agent asked for the same, before or in it, or not', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  for (let turn = 0; turn < 6; turn++) {
    talk.up(DATA, GET)
    talk.records()
    const end = talk.server + HEAD.length + LENGTH
    const begun = turn % 3 === 2 ? 0 : 2000
    talk.down(DATA, HEAD + bytes(begun))
    const [{ tag }] = talk.records() as [PacketRecord]
    if (turn % 3 !== 1) bench.directives.skip(tag, 1, end)
    for (let left = LENGTH - begun; left > 0; left -= 2000) talk.down(DATA, bytes(2000))
    assert.deepEqual(talk.data(), [''], `${turn}`)
  }
})

kernelTest('a rest that the agent awaits is delivered', () => {
  using bench = new ProgramBench()
  for (const [at, rest] of [1000, 1308, 2047, 2048, 3000].entries()) {
    const talk = new Talk(bench, 40100 + at).handshake()
    talk.up(DATA, GET)
    talk.records()
    const head = response(3300 + rest)
    for (const part of [head + bytes(3300), bytes(rest)]) talk.down(DATA, part)
    assert.deepEqual(talk.data().map(({ length }) => length), [head.length + 3300, ...(rest < 2048 ? [rest] : [0])], `${rest}`)
  }
})

kernelTest('only where a message begins beyond doubt a head counts', () => {
  using bench = new ProgramBench()
  const fake = response(1_000_000)
  const starts: Record<string, (talk: Talk) => void> = {
    'within a chunked body, at a new turn': (talk) => { talk.down(DATA, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7000\r\n') },
    'behind a short response': (talk) => { talk.down(DATA, `${response(3)}abc`) },
    'behind 101': (talk) => { talk.down(DATA, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n') },
    'behind 200 without a length': (talk) => { talk.down(DATA, 'HTTP/1.1 200 OK\r\n\r\n') },
    'behind an answer to HEAD': (talk) => { talk.down(DATA, HEAD) },
    'before what comes first': (talk) => { talk.down(DATA, bytes(3), { sequence: talk.server + 10 }) },
  }
  for (const [at, [name, start]] of Object.entries(starts).entries()) {
    const talk = new Talk(bench, 40200 + at).handshake()
    talk.up(DATA, GET)
    start(talk)
    talk.up(DATA, GET)
    talk.records()
    for (const part of [fake, HEAD, HEAD]) talk.down(DATA, part)
    assert.deepEqual(talk.data(), [fake, HEAD, HEAD], name)
  }
})

kernelTest('heads that do not say plainly how long their body is', () => {
  const heads = [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', response('10000\r\nContent-Length: 10000'),
    response('10000\r\nTransfer-Encoding: gzip'), response('+10000'), response('10000 '), response('10_000'), response('1e4'),
    response(1_000_000_000),
    response('10000\r\n folded: 1'), response('10000').replaceAll('\r\n', '\n'), response('10000').replace('LENGTH:', 'LENGTH :'),
    response(4000), response('10000').replace('200', '304'), response('10000').replace('200', '204'), response('10000').replace('200', '103'),
    `${response('10000').slice(0, -4)}\r\nPadding: ${bytes(2100)}\r\n\r\n`, response('10000').replace('HTTP/1.1', 'HTTP/2.0'),
  ]
  using bench = new ProgramBench()
  heads.forEach((head, at) => {
    const talk = new Talk(bench, 41000 + at).handshake()
    talk.up(DATA, GET)
    talk.records()
    const sent = [head, bytes(1000), bytes(1000), bytes(1000)]
    for (const part of sent) talk.down(DATA, part)
    assert.deepEqual(talk.data().map(({ length }) => length), sent.map(({ length }) => length), JSON.stringify(head.slice(0, 100)))
  })
  assert.equal(bench.counters().notWanted.get('skipped_body'), 0)
})

kernelTest('answers to HEAD, one after the other or pipelined, hide nothing; nor does a body that holds heads', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  for (let turn = 0; turn < 3; turn++) {
    talk.up(DATA, GET.replace('GET', 'HEAD').repeat(3))
    talk.records()
    for (let at = 0; at < 3; at++) talk.down(DATA, HEAD)
    assert.deepEqual(talk.data(), [HEAD, HEAD, HEAD])
  }
  talk.up(DATA, GET)
  talk.records()
  talk.down(DATA, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7000\r\n')
  for (let at = 0; at < 3; at++) talk.down(DATA, HEAD)
  assert.deepEqual(talk.data().slice(1), [HEAD, HEAD, HEAD])
})

kernelTest('nothing that a client sends is left out', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.records()
  const sent = [`POST / HTTP/1.1\r\nContent-Length: ${LENGTH}\r\n\r\n`, ...Array.from({ length: LENGTH / 2000 }, () => bytes(2000)), GET]
  for (const part of sent) talk.up(DATA, part)
  assert.deepEqual(talk.data(), sent)
})

kernelTest('a body of which the head or the first bytes found no room in the ring is not left out', () => {
  for (const lost of [0, 1]) {
    using bench = new ProgramBench({ ringBytes: 1 << 16 })
    const talk = new Talk(bench).handshake()
    talk.up(DATA, GET)
    if (lost === 1) talk.down(DATA, HEAD)
    talk.records()
    const filler = new Talk(bench, 43000).handshake()
    while ((bench.counters().lost.get('ring_full') ?? 0) === 0) filler.up(DATA, GET + bytes(200))
    while ((bench.counters().lost.get('ring_full') ?? 0) < 300) filler.up(DATA, GET)
    talk.down(DATA, lost === 0 ? HEAD : bytes(1000))
    bench.records()
    if (lost === 0) talk.down(DATA, bytes(1000))
    talk.down(DATA, bytes(1000))
    assert.deepEqual(talk.data().map(({ length }) => length), lost === 0 ? [1000, 1000] : [1000])
  }
})

kernelTest('bodies are delivered where they are asked for, with packets, on the ports of a decoder, and joined late', () => {
  for (const filters of [{ bodies: true }, { packets: true }, {}, 'late'] as const) {
    using bench = new ProgramBench({}, filters === 'late' ? {} : filters)
    if (filters !== 'late' && Object.keys(filters).length === 0) bench.setDecoderPorts([80])
    const talk = new Talk(bench)
    if (filters !== 'late') talk.handshake()
    talk.up(DATA, GET)
    bench.records()
    for (const part of [HEAD, bytes(1000), bytes(1000)]) talk.down(DATA, part)
    assert.deepEqual(talk.data().map(({ length }) => length), [HEAD.length, 1000, 1000])
  }
})

kernelTest('a FIN within a body passes, and so does what is sent again', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, GET)
  talk.records()
  const at = talk.server
  for (const part of [HEAD, bytes(1000), bytes(1000)]) talk.down(DATA, part)
  talk.down(DATA, HEAD, { sequence: at })
  talk.down(DATA | FIN, bytes(100))
  assert.deepEqual(talk.records().map(({ tcpFlags, skipped, data }) => [tcpFlags & FIN, skipped, data.length]),
    [[0, 0, HEAD.length], [0, 0, 1000], [0, 0, HEAD.length], [FIN, 100, 0]])
})

/** Requests and responses of all forms, in turns, whose bodies look like heads. */
function conversation(random: () => number): Turn[] {
  const pick = <T>(...each: readonly T[]): T => each[Math.floor(random() * each.length)]!
  const fake = ['HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n', 'POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n'] as const
  const message = (first: string, isBodiless: boolean): Buffer[] => {
    const length = Math.floor(random() * pick(10, 3000, 20_000, 40_000))
    const form = pick('plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'chunked', 'twice', 'bare')
    const text = bytes(length, pick('b', 'b', 'b', ...fake))
    const plain = `Content-Length: ${length}`
    const framing = form === 'chunked' ? 'Transfer-Encoding: chunked' : form === 'twice' ? `${plain}\r\n${plain}` : plain
    const head = `${first}\r\nHost: a\r\nX-${Math.floor(random() * 3)}: ${bytes(Math.floor(random() * 40))}\r\n${framing}\r\n\r\n`
    const chunked = length === 0 ? '0\r\n\r\n' : `${length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
    const body = isBodiless ? '' : form === 'chunked' ? chunked : text
    return [form === 'bare' ? head.replaceAll('\r\n', '\n') : head, body].map((part) => Buffer.from(part, 'latin1'))
  }
  const turns: Turn[] = []
  for (let left = 1 + Math.floor(random() * 20); left > 0; left--) {
    const methods = Array.from({ length: pick(1, 1, 1, 1, 2, 3) }, () => pick('GET', 'GET', 'HEAD', 'POST', 'PUT'))
    turns.push({ side: 0, parts: methods.flatMap((method) => method === 'GET' || method === 'HEAD'
      ? [Buffer.from(`${method} /${left} HTTP/1.1\r\nHost: a\r\n\r\n`)] : message(`${method} /${left} HTTP/1.1`, false)) })
    turns.push({ side: 1, parts: methods.flatMap((method) => {
      const status = pick(200, 200, 200, 206, 404, 204, 304)
      return message(`HTTP/1.1 ${status} Reason`, method === 'HEAD' || status === 204 || status === 304)
    }) })
  }
  return turns
}

/** The agent's connection stage and decoders, behind a bench. */
class Reader {
  readonly recorder: MessageRecorder
  readonly table: ConnectionTable
  readonly #bench: ProgramBench
  readonly #memory: ByteMemory
  readonly #room: number

  constructor(bench: ProgramBench, memory: ByteMemory, room: number, protocols: ReturnType<typeof createProtocols>) {
    this.#bench = bench
    this.#memory = memory
    this.#room = room
    const recorder = new MessageRecorder(memory)
    this.recorder = recorder
    this.table = new ConnectionTable(memory, {
      skip: (tag, side, until) => { bench.directives.skip(tag, side, until) },
      ignore: (tag) => { bench.directives.ignore(tag) },
    }, (control) => new Detector({ memory, protocols, sink: recorder, control }))
  }

  drain(): void {
    const fill = (): number => this.#bench.fill(this.#memory.u8, this.#room, 1 << 22)
    for (let length = fill(); length > 0; length = fill()) this.table.process(this.#room, length)
  }
}

for (const isRough of [false, true]) {
  kernelTest(`of ${isRough ? 'rough' : 'smooth'} conversations the agent reads what it reads when it is given every byte`, () => {
    using lean = new ProgramBench()
    using whole = new ProgramBench({}, { bodies: true })
    const memory = new ByteMemory()
    const protocols = createProtocols(memory)
    const room = memory.reserve(1 << 22)
    for (let run = 0; run < RUNS; run++) {
      const random = randomFrom((run + 1) * 7919 * 104_729)
      const sent = segmentsOf(conversation(random), random, isRough)
      const pace = run % 2 === 0 ? 1 : 1 + Math.floor(random() * 60)
      const [seen, expected] = [lean, whole].map((bench) => {
        const reader = new Reader(bench, memory, room, protocols)
        const peers = new Peers(bench, 44000 + run, run % 2 === 0 ? 1000 : 0xffff_c000)
        for (const [at, segment] of sent.entries()) {
          peers.send(segment)
          if (at % pace === 0) reader.drain()
        }
        for (const side of [0, 1] as const) peers.send({ side, from: peers.ends[side], bytes: Buffer.alloc(0), fin: true })
        reader.drain()
        reader.table.close(reader.table.time)
        assert.equal(memory.allocator.allocatedBytes(), 0)
        const { messages, anomalies } = reader.recorder
        return { anomalies, messages: messages.map(({ startTime: _, endTime: __, ...message }) => message) }
      })
      assert.deepEqual(expected!.anomalies, [])
      assert.deepEqual(seen, expected, `run ${run}`)
    }
    for (const bench of [lean, whole]) assert.equal(ledgerOff(bench.counters()), 0)
    const [part, all] = [lean, whole].map((bench) => bench.counters().bytesDelivered) as [number, number]
    console.log(`${part} bytes delivered in place of ${all}`)
    assert.ok(part < all - 50_000)
  })
}

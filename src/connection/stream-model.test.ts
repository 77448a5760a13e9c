import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConnectionTable } from './connection-table.ts'
import type { Gap, Side, StreamControl } from './stream.ts'
import { CLIENT, SERVER, sharedMemory } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'

const memory = sharedMemory()
const builder = new SegmentBuilder(memory, 1 << 17)
/** 0.1 ms between packets: the times of a run stay under every limit, unless a bound is meant to be met. */
const STEP = 1e5
/** A busy machine runs fewer cases rather than longer. */
const TIME_MS = 15_000
const ISNS = [0, 1000, 0x7ffffff0, 0x7fffff80, 0xffffff00, 0xfffffff0, 0xffffffff]

/** Byte `index` of the stream of `side`: any shift of position or side shows. */
function byteOf(side: Side, index: number): number {
  return (Math.imul(index + 1, 0x9e3779b1) >>> 24) ^ (side * 0x55)
}

function bytesOf(side: Side, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from)
  for (let index = 0; index < bytes.length; index++) bytes[index] = byteOf(side, from + index)
  return bytes
}

interface Piece {
  /** Bytes after the end of the one before: 0 or more. */
  length: number
  /** Bytes of the stream before and after that are sent once more with it. */
  before: number
  after: number
  isDropped: boolean
  isDoubled: boolean
  jitter: number
}

interface Plan {
  pieces: Piece[]
  isn: number
  hasFin: boolean
}

interface Packet {
  side: Side
  from: number
  to: number
  isFin: boolean
  record: number
  order: number
  isDropped: boolean
}

const piece: fc.Arbitrary<Piece> = fc.record({
  length: fc.integer({ min: 1, max: 40 }),
  before: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  after: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  isDropped: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  isDoubled: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  jitter: fc.oneof(fc.constant(0), fc.nat(12)),
})
const plan: fc.Arbitrary<Plan> = fc.record({
  pieces: fc.array(piece, { maxLength: 25 }), isn: fc.constantFrom(...ISNS), hasFin: fc.boolean(),
})

/** The packets of a side in the order in which they pass the capture, and how long its stream is. */
function packetsOf(side: Side, { pieces, hasFin }: Plan): { packets: Packet[]; length: number } {
  const length = pieces.reduce((sum, each) => sum + each.length, 0)
  const packets: Packet[] = []
  let at = 0
  let record = 1 // 0 is the SYN
  for (const [index, each] of pieces.entries()) {
    const from = Math.max(0, at - each.before)
    const to = Math.min(length, at + each.length + each.after)
    at += each.length
    packets.push({ side, from, to, isFin: false, record: record++, order: index * 2 + each.jitter, isDropped: each.isDropped })
    if (each.isDoubled) {
      packets.push({ side, from, to, isFin: false, record: record++, order: index * 2 + each.jitter + 3, isDropped: false })
    }
  }
  if (hasFin) packets.push({ side, from: length, to: length, isFin: true, record, order: pieces.length * 2 + 14, isDropped: false })
  return { packets, length }
}

interface Seen {
  /** Position after the last call. */
  at: number
  lost: { from: number; to: number; cause: Gap }[]
  given: number
  ends: number
  skippedTo: number
}

/** What a handler was called with, checked byte by byte against the stream as it was sent. */
class Witness {
  readonly sides: [Seen, Seen] = [
    { at: 0, lost: [], given: 0, ends: 0, skippedTo: -1 }, { at: 0, lost: [], given: 0, ends: 0, skippedTo: -1 },
  ]
  onData: (side: Side, control: StreamControl) => void = () => {}

  open(control: StreamControl) {
    return {
      data: (side: Side, pointer: number, length: number, time: number) => {
        const seen = this.#alive(side, time)
        assert.ok(length > 0)
        const sent = bytesOf(side, seen.at, seen.at + length)
        assert.equal(Buffer.compare(memory.u8.subarray(pointer, pointer + length), sent), 0, `bytes at ${seen.at} of side ${side}`)
        seen.at += length
        seen.given += length
        this.onData(side, control)
      },
      gap: (side: Side, length: number, cause: Gap, time: number) => {
        const seen = this.#alive(side, time)
        assert.ok(length > 0)
        seen.lost.push({ from: seen.at, to: seen.at + length, cause })
        seen.at += length
      },
      skipped: (side: Side, time: number) => {
        const seen = this.#alive(side, time, true)
        assert.ok(seen.skippedTo >= seen.at, 'a skip was pending')
        seen.at = seen.skippedTo
        seen.skippedTo = -1
      },
      end: (side: Side) => { this.sides[side].ends++ },
    }
  }

  #alive(side: Side, _time: number, isSkip = false): Seen {
    const seen = this.sides[side]
    assert.equal(seen.ends, 0, 'nothing comes after the end')
    assert.ok(isSkip || seen.skippedTo < 0, 'nothing comes inside of a skip')
    return seen
  }
}

interface Run {
  table: ConnectionTable
  witness: Witness
  now: number
  isNumbered: boolean
  isns: readonly [number, number]
  send(packet: Packet, acknowledgement: number): void
}

function start(isns: readonly [number, number], isNumbered: boolean, onSkip: (side: Side, until: number) => void = () => {}): Run {
  const witness = new Witness()
  const table = new ConnectionTable(memory, {
    skip: (_tag, side, until) => { onSkip(side, until) },
    ignore: () => {},
  }, (control) => witness.open(control))
  const ends = [CLIENT, SERVER] as const
  const run: Run = {
    table, witness, now: 0, isNumbered, isns,
    send: ({ side, from, to, isFin, record }, acknowledgement) => {
      run.now += STEP
      builder.clear().add({
        from: ends[side], to: ends[side === 0 ? 1 : 0], flags: isFin ? 'FA' : 'PA', sequence: isns[side] + 1 + from,
        acknowledgement: isns[side === 0 ? 1 : 0] + 1 + acknowledgement, payload: bytesOf(side, from, to), time: run.now,
        ...(isNumbered ? { record, tag: 5 } : {}),
      })
      table.process(builder.pointer, builder.length)
    },
  }
  const numbers = isNumbered ? { record: 0, tag: 5 } : {}
  builder.clear().add({ from: CLIENT, to: SERVER, flags: 'S', sequence: isns[0], ...numbers })
    .add({ from: SERVER, to: CLIENT, flags: 'SA', sequence: isns[1], acknowledgement: isns[0] + 1, ...numbers })
  table.process(builder.pointer, builder.length)
  return run
}

/** True at every byte that at least one packet brought. */
function coverage(packets: readonly Packet[], side: Side, length: number): boolean[] {
  const covered = new Array<boolean>(length).fill(false)
  for (const packet of packets) {
    if (packet.side === side && !packet.isDropped) covered.fill(true, packet.from, packet.to)
  }
  return covered
}

function checkLosses(seen: Seen, covered: readonly boolean[], end: number): void {
  let lost = 0
  for (const { from, to } of seen.lost) {
    lost += to - from
    for (let at = from; at < to; at++) assert.equal(covered[at], false, `byte ${at} was captured, and said to be lost`)
  }
  assert.equal(seen.given + lost, end)
}

function endOf(covered: readonly boolean[], hasFin: boolean): number {
  return hasFin ? covered.length : covered.lastIndexOf(true) + 1
}

test('any cut, order, repetition, overlap and loss: exactly the captured bytes, in order, and every hole', () => {
  fc.assert(fc.property(plan, plan, fc.boolean(), (client, server, isNumbered) => {
    const before = memory.allocator.allocatedBytes()
    const both = [packetsOf(0, client), packetsOf(1, server)] as const
    const run = start([client.isn, server.isn], isNumbered)
    const packets = [...both[0].packets, ...both[1].packets].sort((a, b) => a.order - b.order)
    for (const packet of packets) if (!packet.isDropped) run.send(packet, 0)
    run.table.tick(run.now + STEP)
    run.table.close(run.now + STEP)
    for (const side of [0, 1] as const) {
      const seen = run.witness.sides[side]
      const covered = coverage(packets, side, both[side].length)
      const end = endOf(covered, side === 0 ? client.hasFin : server.hasFin)
      assert.equal(seen.at, end)
      checkLosses(seen, covered, end)
      for (const { cause } of seen.lost) assert.equal(cause, isNumbered ? 'lost' : 'bound')
      const isOpen = run.witness.sides[0].at + run.witness.sides[1].at > 0
      assert.equal(seen.ends, isOpen ? 1 : 0)
    }
    assert.equal(run.table.counters.get('overlap_differs'), 0)
    assert.equal(memory.allocator.allocatedBytes(), before)
    assert.equal(run.table.space.heldBytes, 0)
  }), { numRuns: 2000, interruptAfterTimeLimit: TIME_MS })
})

test('holes that the peer acknowledges are unseen, and nothing that was captured is among them', () => {
  // Nothing comes later than the grace of eight packets: bytes that do are rightly given up.
  const mild = piece.map((each) => ({ ...each, before: 0, after: 0, isDoubled: false, jitter: Math.min(each.jitter, 2) }))
  const served = fc.record({ pieces: fc.array(mild, { minLength: 1, maxLength: 25 }), isn: fc.constantFrom(...ISNS), hasFin: fc.constant(true) })
  fc.assert(fc.property(served, (server) => {
    const { packets, length } = packetsOf(1, server)
    const run = start([7, server.isn], false)
    const acknowledge = (at: number): void => {
      run.send({ side: 0, from: 0, to: 0, isFin: false, record: 0, order: 0, isDropped: false }, at)
    }
    let sent = 0
    for (const packet of [...packets].sort((a, b) => a.order - b.order)) {
      if (!packet.isDropped) run.send(packet, 0)
      sent = Math.max(sent, packet.to)
      acknowledge(sent)
    }
    // Eight packets of grace for the holes known so far, eight more for those of the last acknowledgement.
    for (let i = 0; i < 18; i++) acknowledge(length + 1)
    const seen = run.witness.sides[1]
    const covered = coverage(packets, 1, length)
    assert.equal(seen.at, length)
    checkLosses(seen, covered, length)
    for (const { cause } of seen.lost) assert.equal(cause, 'unseen')
    run.table.close(run.now)
  }), { numRuns: 600, interruptAfterTimeLimit: TIME_MS })
})

test('skips: what is not wanted is neither given nor a gap, whether the source leaves it out or not', () => {
  const skips = fc.array(fc.record({ after: fc.nat(200), length: fc.oneof(fc.nat(80), fc.integer({ min: 4097, max: 20_000 })) }), { maxLength: 6 })
  const large = piece.map((each) => ({ ...each, length: each.length * 200, before: each.before, after: each.after, jitter: Math.min(each.jitter, 4) }))
  const streams = fc.record({ pieces: fc.array(large, { minLength: 1, maxLength: 12 }), isn: fc.constantFrom(...ISNS), hasFin: fc.constant(true) })
  fc.assert(fc.property(streams, skips, fc.boolean(), (server, wishes, isObeyed) => {
    const before = memory.allocator.allocatedBytes()
    const { packets, length } = packetsOf(1, server)
    let until = -1
    const run = start([7, server.isn], true, (_side, sequence) => { until = ((sequence - server.isn - 1) % 2 ** 32 + 2 ** 32) % 2 ** 32 })
    const left = [...wishes]
    const skipped: [number, number][] = []
    run.witness.onData = (side, control) => {
      const seen = run.witness.sides[side]
      const wish = left[0]
      if (wish === undefined || seen.given < wish.after) return
      left.shift()
      seen.skippedTo = seen.at + wish.length
      skipped.push([seen.at, seen.skippedTo])
      control.skip(side, wish.length)
    }
    let record = 1
    for (const packet of [...packets].sort((a, b) => a.order - b.order)) {
      // The source takes away what the directive covers; its numbers count what it delivers or loses.
      if (isObeyed && packet.to <= until && !packet.isFin) continue
      const number = record++
      if (!packet.isDropped) run.send({ ...packet, record: number }, 0)
    }
    run.table.close(run.now)
    const seen = run.witness.sides[1]
    const covered = coverage(packets, 1, length)
    for (const { from, to } of seen.lost) {
      for (let at = from; at < to; at++) {
        assert.equal(covered[at], false)
        assert.ok(!skipped.some(([first, end]) => at >= first && at < end), `byte ${at} was not wanted, and said to be lost`)
      }
    }
    assert.ok(seen.skippedTo >= 0 ? seen.skippedTo > length : seen.at === length, `stream of ${length} left at ${seen.at}`)
    assert.equal(memory.allocator.allocatedBytes(), before)
  }), { numRuns: 600, interruptAfterTimeLimit: TIME_MS })
})

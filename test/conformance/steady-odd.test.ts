/**
 * Whatever happens between two turns, to several connections at once, in tables that are full or forget soon: both paths of
 * src/connection/steady-path.ts give the same, byte for byte, after every batch, and so does the steady one when its connections
 * sleep whenever they may. LINTEL_FUZZ_ROUNDS multiplies the number of runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FRAME_BYTES, PACKET_EVENT } from '../../src/capture/mod.ts'
import { SegmentBuilder } from '../../src/connection/testing/segment-builder.ts'
import * as L from '../../wasm/layout.ts'
import { Random } from './testing/damage.ts'
import { chance } from './testing/harm.ts'
import { OddConnection } from './testing/odd-turns.ts'
import type { OddPacket } from './testing/odd-turns.ts'
import { PathLog, PathParts } from './testing/path-log.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)
const RUNS = 60
const MS = 1e6
const CONNECTIONS = 5
const NEVER_MS = 1e12
const LIMITS = [
  { idleMsMax: NEVER_MS }, { idleMsMax: NEVER_MS, connectionCountMax: 3 }, { idleMsMax: 60, homeSilentMsMax: 20 },
]

const memory = new ByteMemory()
const parts = new PathParts(memory)
const sleepyParts = new PathParts(memory)
const builder = new SegmentBuilder(memory, 1 << 20)

/** The packets of several connections at once. */
function conversation(random: Random, oneIn: number, pause: number): OddPacket[] {
  const packets: OddPacket[] = []
  let now = 1e12
  const time = (): number => now += random.below(pause)
  const connections = Array.from({ length: CONNECTIONS }, (_, number) => new OddConnection(random, number, oneIn, packets, time))
  for (const connection of connections) if (!chance(random, 6)) connection.open()
  for (let turn = 0; turn < 150; turn++) {
    // Some are busy, some seldom are.
    const connection = connections[Math.min(random.below(CONNECTIONS), random.below(CONNECTIONS))]!
    connection.turn()
  }
  return packets
}

/**
 * Without a clock that goes back: who is idle is told by the connection that was looked at longest ago, and where times and order
 * disagree, that is not the same one on both paths.
 */
function inOrder(packets: readonly OddPacket[]): OddPacket[] {
  let last = 0
  return packets.map(({ fields, spoil }) => ({
    fields: { ...fields, time: last = Math.max(last, fields.time!) },
    ...(spoil === undefined || spoil.at < FRAME_BYTES + PACKET_EVENT.time_ns + 8 ? {} : { spoil }),
  }))
}

function write({ fields, spoil }: OddPacket): void {
  const at = builder.pointer + builder.length
  builder.add(fields)
  if (spoil !== undefined) memory.u8[at + spoil.at] = spoil.byte
}

test('odd packets between the turns of several connections', (context) => {
  const before = memory.allocator.allocatedBytes()
  let [turns, exchanges, slept] = [0, 0, 0]
  for (let run = 0; run < RUNS * ROUNDS; run++) {
    const random = new Random(1000 + run)
    const oneIn = [8, 30, 100][random.below(3)]!
    const limits = LIMITS[random.below(LIMITS.length)]!
    const all = conversation(random, oneIn, 2 * MS)
    const packets = limits.idleMsMax < NEVER_MS ? inOrder(all) : all
    const [plain, steady] = [false, true].map((isSteady) => new PathLog(parts, { isSteady, limits })) as [PathLog, PathLog]
    const sleepy = new PathLog(sleepyParts, { isSteady: chance(random, 2), sleepsOneIn: 2, limits: { ...limits, awakeCountMax: 1 } })
    for (let first = 0; first < packets.length;) {
      const batch = packets.slice(first, first += 1 + random.below(12))
      builder.clear()
      for (const packet of batch) write(packet)
      const leaves = chance(random, 40)
      for (const path of [plain, steady, sleepy]) {
        path.process(builder.pointer, builder.length)
        if (leaves) path.table.leaveSteady()
      }
      const expected = plain.take()
      for (const path of [steady, sleepy]) assert.deepEqual(path.take(), expected, `run ${run}, before packet ${first}`)
    }
    for (const path of [plain, steady, sleepy]) path.table.close(path.table.time)
    const expected = plain.take()
    for (const path of [steady, sleepy]) assert.deepEqual(path.take(), expected, `run ${run}, at the end`)
    turns += steady.turns
    slept += sleepy.table.restQueue.slept
    exchanges += 150
  }
  context.diagnostic(`${turns} of ${exchanges} exchanges went by on the steady path`)
  assert.ok(turns > exchanges / 5, `only ${turns} of ${exchanges}`)
  assert.ok(slept > exchanges / 5, `only ${slept} slept`)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('with hardly any memory exchanges are dropped, and none is wrong, none is kept', (context) => {
  const small = new ByteMemory()
  const smallParts = new PathParts(small)
  const room = new SegmentBuilder(small, 1 << 18)
  const before = small.allocator.allocatedBytes()
  let [turns, whole, dropped] = [0, 0, 0]
  const text = (head: number): string => head === 0 ? '' : small.latin1(head, small.u32[(head + L.HEAD_BYTES) >>> 2]!)
  for (let run = 0; run < 40; run++) {
    const random = new Random(run)
    const packets = conversation(random, 1000, 2 * MS)
    const path = new PathLog(smallParts, {
      isSteady: true,
      exchange: (block) => {
        const request = / \/(\d+) HTTP/.exec(text(small.u32[(block + L.EXCHANGE_REQUEST) >>> 2]!))?.[1]
        const response = /X-Id: (\d+)\r/.exec(text(small.u32[(block + L.EXCHANGE_RESPONSE) >>> 2]!))?.[1]
        if (request === undefined || response === undefined) return
        assert.equal(request, response, `run ${run}`)
        whole++
      },
    })
    const limit = small.allocator.allocatedBytes() + 2048 + random.below(16_384)
    for (const { fields } of packets) {
      room.clear().add(fields)
      // The limit comes and goes, as others use the memory.
      small.allocator.setLimit(chance(random, 30) ? 0 : chance(random, 8) ? 0xf000000 : limit)
      path.process(room.pointer, room.length)
    }
    small.allocator.setLimit(0xf000000)
    path.table.close(path.table.time)
    turns += path.turns
    dropped += path.dropped
  }
  context.diagnostic(`${whole} whole exchanges, ${turns} on the steady path, ${dropped} dropped`)
  assert.ok(turns > 100 && dropped > 10 && whole > turns)
  assert.equal(small.allocator.allocatedBytes(), before)
})

/**
 * The steady path (wasm/steady.ts) is a short cut: what comes out is, byte for byte, what comes out of the plain path.
 *
 * Conversations of every kind of client, whole and harmed, and every capture of the corpora go both ways. LINTEL_FUZZ_ROUNDS
 * multiplies the number of conversations.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { SegmentBuilder } from '../../src/connection/testing/segment-builder.ts'
import { CORPORA, hasCorpora, truthRows } from './testing/corpora.ts'
import { Random } from './testing/damage.ts'
import { chance, delay, double, join, joinEarly, lose, loseRun, none, swap } from './testing/harm.ts'
import type { Harm, Seen } from './testing/harm.ts'
import { HttpTalk } from './testing/http-talk.ts'
import type { TalkOptions } from './testing/http-talk.ts'
import { PathLog, PathParts } from './testing/path-log.ts'
import { Replayer } from './testing/replay.ts'
import { CLIENTS } from './testing/talk-clients.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)
const CONVERSATIONS = 40
const HARMS: Readonly<Record<string, readonly Harm[]>> = {
  'nothing': [none], 'neighbours swapped': [swap], 'doubles': [double], 'packets late': [delay], 'one in 30 lost': [lose(30)],
  'one in 6 lost': [lose(6)], 'a run lost': [loseRun], 'joined': [join], 'joined early, one in 30 lost': [joinEarly, lose(30)],
  'joined, a run lost, late, swapped': [join, loseRun, delay, swap],
}

const memory = new ByteMemory()
const parts = new PathParts(memory)
const builder = new SegmentBuilder(memory, 1 << 20)

/** Plays one conversation, several packets a call. */
function play(path: PathLog, port: number, packets: readonly Seen[], isNumbered: boolean, batch: number): void {
  const from = { client: { address: '10.0.0.1', port }, server: { address: '10.0.0.2', port: 80 } }
  let last = 0
  for (let first = 0; first < packets.length; first += batch) {
    builder.clear()
    for (const packet of packets.slice(first, first + batch)) {
      last = Math.max(last, packet.time)
      builder.add({
        ...packet, from: from[packet.from], to: from[packet.from === 'client' ? 'server' : 'client'],
        ...(isNumbered ? { record: packet.record, tag: port } : { record: undefined }),
      } as Parameters<SegmentBuilder['add']>[0])
    }
    path.process(builder.pointer, builder.length)
  }
  path.table.close(last + 1)
}

/** Most servers beside clients that wait: a segment a message, as offloading makes them. */
const roomy = (random: Random): TalkOptions => ({ ...CLIENTS.busy(random), mss: 65_000 })

for (const [client, options] of Object.entries({ ...CLIENTS, roomy })) {
  test(`${client} client: whatever is done to its packets, both paths give the same`, (context) => {
    const before = memory.allocator.allocatedBytes()
    const random = new Random(77)
    let [turns, exchanges] = [0, 0]
    for (const [harm, harms] of Object.entries(HARMS)) {
      const [plain, steady] = [false, true].map((isSteady) => new PathLog(parts, { isSteady, limits: { connectionCountMax: 64 } })) as [PathLog, PathLog]
      for (let index = 0; index < CONVERSATIONS * ROUNDS; index++) {
        const talk = options(random)
        const numbers = { client: 0, server: 0 }
        let seen: Seen[] = new HttpTalk(talk, random).run().map((packet) => ({ ...packet, record: numbers[packet.from]++ }))
        for (const each of harms) seen = each(seen, random)
        const isNumbered = chance(random, 2)
        const batch = 1 + random.below(8)
        for (const path of [plain, steady]) play(path, 1024 + index, seen, isNumbered, batch)
        assert.deepEqual(steady.take(), plain.take(), `${harm}, ${index}: ${JSON.stringify(talk)}`)
        exchanges += talk.exchanges
      }
      turns += steady.turns
    }
    context.diagnostic(`${turns} of ${exchanges} exchanges went by on the steady path`)
    if (client === 'roomy') assert.ok(turns > exchanges / 10, `only ${turns} of ${exchanges}`)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
}

test('every capture with a second request gives the same lines on both paths', (context) => {
  if (!hasCorpora(context)) return
  const kinds = ['exchange', 'connection', 'anomaly', 'handshake'] as const
  const options = { kinds, fields: ['*'], withText: true }
  const [steady, plain] = [new Replayer(options), new Replayer({ ...options, isPlain: true })]
  const faults: string[] = []
  let lines = 0
  let files = 0
  // Elsewhere no connection ever rests between two exchanges: both paths are one.
  for (const { file } of truthRows().filter((row) => row.http_requests > 1 || row.http_responses > 1)) {
    files++
    const [got, expected] = [steady, plain].map((replayer) => replayer.run(`${CORPORA}/${file}`))
    lines += got!.recordCount
    if (got!.text !== expected!.text) faults.push(file)
    if (got!.heldBytes !== 0) faults.push(`${file}: ${got!.heldBytes} bytes held`)
  }
  context.diagnostic(`${lines} records of ${files} captures`)
  assert.deepEqual(faults, [])
  assert.ok(files > 70 && lines > 4000)
})

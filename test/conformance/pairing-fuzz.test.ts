/**
 * Whatever a capture does to the presence and the order of packets, no response is given on with a request that it does not
 * answer, except marked as likely where the client pipelines; and where a client waits for each response, pairs are made again
 * soon.
 *
 * Conversations of a model of TCP and HTTP/1.1 (testing/http-talk.ts), in which every pair can be judged, go through the
 * connection stage, the HTTP/1 decoder and the exchange stage. LINTEL_FUZZ_ROUNDS multiplies their number.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../../lib/record/mod.ts'
import { ConnectionTable } from '../../src/connection/mod.ts'
import { SegmentBuilder } from '../../src/connection/testing/segment-builder.ts'
import { headText } from '../../src/decode/testing/head-text.ts'
import { Http1Protocol } from '../../src/decode/http1/mod.ts'
import { FIELDS, MARK_REASONS, Pairer } from '../../src/exchange/mod.ts'
import * as L from '../../wasm/layout.ts'
import { Random } from './testing/damage.ts'
import { chance, delay, double, join, joinEarly, lose, loseRun, none, swap } from './testing/harm.ts'
import type { Harm, Seen } from './testing/harm.ts'
import { HttpTalk } from './testing/http-talk.ts'
import type { TalkOptions } from './testing/http-talk.ts'
import { CLIENTS } from './testing/talk-clients.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)

const memory = new ByteMemory()
const protocol = new Http1Protocol(memory)
const builder = new SegmentBuilder(memory, 1 << 20)
const facts = new FactsTable({
  memory, writer: new RecordWriter(memory, new FieldTable(memory, FIELDS, MARK_REASONS)), protect: (raw) => raw, countMax: 16,
})

/** In hundredths, what is made of the pairs that are due of a client that waits: with pauses of its own, and without. */
interface Harmed { readonly harms: readonly Harm[]; readonly waiting: number; readonly busy: number }

const HARMS: Readonly<Record<string, Harmed>> = {
  'nothing': { harms: [none], waiting: 100, busy: 100 },
  'neighbours swapped': { harms: [swap], waiting: 100, busy: 100 },
  'doubles': { harms: [double], waiting: 100, busy: 100 },
  'packets late': { harms: [delay], waiting: 86, busy: 90 },
  'one packet in 100 lost': { harms: [lose(100)], waiting: 97, busy: 97 },
  'one in 20 lost': { harms: [lose(20)], waiting: 91, busy: 92 },
  'one in 4 lost': { harms: [lose(4)], waiting: 68, busy: 75 },
  'requests lost': { harms: [lose(12, 'client')], waiting: 90, busy: 92 },
  'responses lost': { harms: [lose(12, 'server')], waiting: 95, busy: 94 },
  'a run lost': { harms: [loseRun], waiting: 98, busy: 97 },
  'joined': { harms: [join], waiting: 99, busy: 99 },
  'joined early': { harms: [joinEarly], waiting: 99, busy: 99 },
  'joined early, one in 30 lost': { harms: [joinEarly, lose(30)], waiting: 94, busy: 95 },
  'joined early, one in 6 lost': { harms: [joinEarly, lose(6)], waiting: 78, busy: 82 },
  'joined early, swapped': { harms: [joinEarly, swap], waiting: 98, busy: 98 },
  'joined early, late, doubles': { harms: [joinEarly, delay, double], waiting: 87, busy: 90 },
  'a run and one in 50 lost, swapped': { harms: [loseRun, lose(50), swap], waiting: 94, busy: 94 },
  'one in 10 lost, late, swapped, doubles': { harms: [lose(10), delay, swap, double], waiting: 72, busy: 80 },
  'joined, a run lost, late, swapped': { harms: [join, loseRun, delay, swap], waiting: 84, busy: 90 },
}

/** `right` and `wrong` hold those that are marked as likely, too. `made` of those that are `due`. */
interface Judged {
  right: number; rightLikely: number; wrong: string[]; wrongLikely: string[]; due: number; made: number; exchanges: number
}

/** In hundredths of the right pairs of a client that waits and pauses: those that are proven. */
const PROVEN = 45

const CLIENT = { address: '10.0.0.1', port: 0 }
const SERVER = { address: '10.0.0.2', port: 80 }

/** Plays conversations, harmed each in the same way, and judges every pair. */
function judge(seed: number, count: number, options: (random: Random) => TalkOptions, harms: readonly Harm[]): Judged {
  const random = new Random(seed)
  const judged: Judged = { right: 0, rightLikely: 0, wrong: [], wrongLikely: [], due: 0, made: 0, exchanges: 0 }
  let due = new Set<number>()
  let made = new Set<number>()
  let name = ''
  const output = {
    exchange: (block: number): void => {
      const [request, response] = [L.EXCHANGE_REQUEST, L.EXCHANGE_RESPONSE].map((word) => memory.u32[(block + word) >>> 2]!)
      if (request === 0 || response === 0) return
      const { target } = headText(memory, request!)
      const id = headText(memory, response!).fields.find(([field]) => field === 'X-Id')?.[1]
      const isRight = target === `/${id}`
      if (isRight) made.add(Number(id))
      else judged.wrong.push(`${name}: ${target} with ${id}`)
      if (!isLikely(block)) return
      if (isRight) judged.rightLikely++
      else judged.wrongLikely.push(judged.wrong.at(-1)!)
    },
    dropped: (reason: string): never => { throw new Error(`Exchange dropped: ${reason}`) },
    anomaly: () => {},
    webSocket: () => {},
  }
  const pairer = new Pairer(memory, output, { seesBothDirections: true, facts })
  const source = { skip: () => {}, ignore: () => {} }
  const table = new ConnectionTable(memory, source, (connection) => protocol.open(connection, pairer), { connectionCountMax: 64 },
    { turn: output.exchange })
  for (let index = 0; index < count; index++) {
    const talk = options(random)
    name = `seed ${seed}, ${index}, ${JSON.stringify(talk)}`
    const numbers = { client: 0, server: 0 }
    const sent = new HttpTalk(talk, random).run().map((packet) => ({ ...packet, record: numbers[packet.from]++ }))
    let seen = sent
    for (const harm of harms) seen = harm(seen, random)
    due = dueOf(talk.exchanges, sent, seen)
    made = new Set()
    play(table, pairer, index, seen, chance(random, 2))
    for (const exchange of due) if (made.has(exchange)) judged.made++
    judged.due += due.size
    judged.right += made.size
    judged.exchanges += talk.exchanges
  }
  return judged
}

/** Whether the block says that its pair is not proven. */
function isLikely(block: number): boolean {
  return Array.from({ length: memory.u8[block + L.EXCHANGE_MARK_COUNT]! },
    (_, index) => MARK_REASONS[memory.u16[((block + L.EXCHANGE_MARKS) >>> 1) + index * 2 + 1]! - 1]!)
    .some((reason) => reason.startsWith('likely'))
}

function play(table: ConnectionTable, pairer: Pairer, index: number, packets: readonly Seen[], isNumbered: boolean): void {
  const from = { client: { ...CLIENT, port: 1024 + index % 60_000 }, server: SERVER }
  let last = 0
  for (const packet of packets) {
    last = Math.max(last, packet.time)
    builder.clear().add({
      ...packet, from: from[packet.from], to: from[packet.from === 'client' ? 'server' : 'client'],
      ...(isNumbered ? { record: packet.record, tag: index + 1 } : { record: undefined }),
    } as Parameters<SegmentBuilder['add']>[0])
    table.process(builder.pointer, builder.length)
    table.tick(packet.time)
    pairer.tick(last)
  }
  table.close(last + 1)
}

/** Exchanges of which every packet was seen, and of the two before them too: two turns after the last loss. */
function dueOf(exchanges: number, sent: readonly Seen[], seen: readonly Seen[]): Set<number> {
  const harmed = new Set<number>()
  const kept = new Set(seen)
  const where = new Map<string, boolean>()
  for (const packet of sent) {
    const key = `${packet.from} ${packet.sequence}`
    where.set(key, (where.get(key) ?? false) || kept.has(packet))
  }
  for (const packet of sent) {
    if (where.get(`${packet.from} ${packet.sequence}`) === true) continue
    for (const exchange of packet.exchanges) harmed.add(exchange)
  }
  const due = new Set<number>()
  for (let exchange = 1; exchange <= exchanges; exchange++) {
    if ([0, 1, 2].every((back) => !harmed.has(exchange - back))) due.add(exchange)
  }
  return due
}

for (const [client, options] of Object.entries(CLIENTS)) {
  for (const [harm, { harms, ...floors }] of Object.entries(HARMS)) {
    test(`${client} client, ${harm}: no pair is wrong`, (context) => {
      const before = memory.allocator.allocatedBytes()
      const judged = judge(1 + client.length, 60 * ROUNDS, options, harms)
      const { right, rightLikely, wrong, wrongLikely, due, made, exchanges } = judged
      context.diagnostic(`${right} of ${exchanges} paired (${rightLikely} marked), ${made} of ${due} that were due; `
        + `${wrong.length} wrong (${wrongLikely.length} marked)`)
      const doesWait = client === 'waiting' || client === 'busy'
      const excused = doesWait ? [] : wrongLikely
      const faults = wrong.filter((pair) => !excused.includes(pair))
      assert.deepEqual(faults.slice(0, 3), [], `${faults.length} wrong`)
      if (harms[0] === none) assert.deepEqual([right, rightLikely], [exchanges, 0])
      const floor = doesWait ? floors[client] : 0
      assert.ok(made * 100 >= floor * due, `${made} of ${due}`)
      if (client === 'waiting') assert.ok((right - rightLikely) * 100 >= PROVEN * right, `${rightLikely} of ${right} only likely`)
      assert.equal(memory.allocator.allocatedBytes(), before)
    })
  }
}

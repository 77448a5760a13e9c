/**
 * The steady path (wasm/steady.ts) is a short cut: what comes out is, byte for byte, what comes out of the plain path.
 *
 * Conversations of every kind of client, whole and harmed, and every capture of the corpora go both ways. LINTEL_FUZZ_ROUNDS
 * multiplies the number of conversations.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../../lib/record/mod.ts'
import { ConnectionTable } from '../../src/connection/mod.ts'
import { SegmentBuilder } from '../../src/connection/testing/segment-builder.ts'
import { Http1Protocol } from '../../src/decode/http1/mod.ts'
import { FIELDS, MARK_REASONS, Pairer } from '../../src/exchange/mod.ts'
import { CORPORA, hasCorpora, truthRows } from './testing/corpora.ts'
import { Random } from './testing/damage.ts'
import { describeExchange } from './testing/describe-exchange.ts'
import { chance, delay, double, join, joinEarly, lose, loseRun, none, swap } from './testing/harm.ts'
import type { Harm, Seen } from './testing/harm.ts'
import { HttpTalk } from './testing/http-talk.ts'
import type { TalkOptions } from './testing/http-talk.ts'
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
const protocol = new Http1Protocol(memory)
const builder = new SegmentBuilder(memory, 1 << 20)
const facts = new FactsTable({
  memory, writer: new RecordWriter(memory, new FieldTable(memory, FIELDS, MARK_REASONS)), protect: (raw) => raw, countMax: 16,
})

/** A table whose exchanges are written down whole: their block, their heads, and the block of their connection. */
class Path {
  readonly log: string[] = []
  turns = 0
  readonly #pairer: Pairer
  readonly #table: ConnectionTable

  constructor(isSteady: boolean) {
    const exchange = (block: number): void => { this.log.push(describeExchange(memory, block)) }
    this.#pairer = new Pairer(memory, {
      exchange,
      dropped: (reason) => { throw new Error(`Exchange dropped: ${reason}`) },
      anomaly: (_connection, side, name, time) => { this.log.push(`${name} ${side} ${time}`) },
      webSocket: () => {},
    }, { seesBothDirections: true, facts })
    const turn = (block: number): void => {
      this.turns++
      exchange(block)
    }
    this.#table = new ConnectionTable(memory, { skip: () => {}, ignore: () => {} },
      (connection) => protocol.open(connection, this.#pairer), { connectionCountMax: 64 }, isSteady ? { turn } : {})
  }

  /** Plays one conversation, several packets a call. */
  play(port: number, packets: readonly Seen[], isNumbered: boolean, batch: number): void {
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
      this.#table.process(builder.pointer, builder.length)
      this.#table.tick(last)
      this.#pairer.tick(last)
    }
    this.#table.close(last + 1)
    this.log.push(JSON.stringify([...this.#table.counters.toMap()]), `time ${this.#table.time}`)
  }
}

/** Most servers beside clients that wait: a segment a message, as offloading makes them. */
const roomy = (random: Random): TalkOptions => ({ ...CLIENTS.busy(random), mss: 65_000 })

for (const [client, options] of Object.entries({ ...CLIENTS, roomy })) {
  test(`${client} client: whatever is done to its packets, both paths give the same`, (context) => {
    const before = memory.allocator.allocatedBytes()
    const random = new Random(77)
    let [turns, exchanges] = [0, 0]
    for (const [harm, harms] of Object.entries(HARMS)) {
      const [plain, steady] = [new Path(false), new Path(true)]
      for (let index = 0; index < CONVERSATIONS * ROUNDS; index++) {
        const talk = options(random)
        const numbers = { client: 0, server: 0 }
        let seen: Seen[] = new HttpTalk(talk, random).run().map((packet) => ({ ...packet, record: numbers[packet.from]++ }))
        for (const each of harms) seen = each(seen, random)
        const isNumbered = chance(random, 2)
        const batch = 1 + random.below(8)
        for (const path of [plain, steady]) path.play(1024 + index, seen, isNumbered, batch)
        assert.deepEqual(steady.log.splice(0), plain.log.splice(0), `${harm}, ${index}: ${JSON.stringify(talk)}`)
        exchanges += talk.exchanges
      }
      turns += steady.turns
    }
    context.diagnostic(`${turns} of ${exchanges} exchanges went by on the steady path`)
    if (client === 'roomy') assert.ok(turns > exchanges / 10, `only ${turns} of ${exchanges}`)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
}

test('every capture gives the same lines on both paths', (context) => {
  if (!hasCorpora(context)) return
  const kinds = ['exchange', 'connection', 'anomaly', 'handshake'] as const
  const options = { kinds, fields: ['*'], withText: true }
  const [steady, plain] = [new Replayer(options), new Replayer({ ...options, isPlain: true })]
  const faults: string[] = []
  let lines = 0
  for (const { file } of truthRows()) {
    const [got, expected] = [steady, plain].map((replayer) => replayer.run(`${CORPORA}/${file}`))
    lines += got!.recordCount
    if (got!.text !== expected!.text) faults.push(file)
    if (got!.heldBytes !== 0) faults.push(`${file}: ${got!.heldBytes} bytes held`)
  }
  context.diagnostic(`${lines} records`)
  assert.deepEqual(faults, [])
  assert.ok(lines > 10_000)
})

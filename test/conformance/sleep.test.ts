/**
 * A connection at rest sleeps as a row, and its parts serve others (src/connection/rest-queue.ts): what comes out is, byte for byte,
 * what comes out when none ever does.
 *
 * Conversations of every kind of client, whole and harmed, several at a time, and every capture of the corpora, with sleep at
 * every point at which there can be any. LINTEL_FUZZ_ROUNDS multiplies the number of conversations.
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
import { PathLog, PathParts } from './testing/path-log.ts'
import { Replayer } from './testing/replay.ts'
import { CLIENTS } from './testing/talk-clients.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)
const MEETINGS = 12
const TOGETHER = 3
const HARMS: Readonly<Record<string, readonly Harm[]>> = {
  'nothing': [none], 'neighbours swapped': [swap], 'doubles': [double], 'packets late': [delay], 'one in 30 lost': [lose(30)],
  'one in 6 lost': [lose(6)], 'a run lost': [loseRun], 'joined': [join], 'joined early, one in 30 lost': [joinEarly, lose(30)],
}
const LIMITS = { connectionCountMax: 64, awakeCountMax: 1 }

const memory = new ByteMemory()
const parts = new PathParts(memory)
/** Of those that do not sleep: no part of theirs was ever another's. */
const awakeParts = new PathParts(memory)
const builder = new SegmentBuilder(memory, 1 << 20)

interface Sent extends Seen { readonly port: number; readonly record: number; readonly isNumbered: boolean }

function send(path: PathLog, packets: readonly Sent[]): void {
  builder.clear()
  for (const { port, isNumbered, record, ...packet } of packets) {
    const ends = { client: { address: '10.0.0.1', port }, server: { address: '10.0.0.2', port: 80 } }
    builder.add({
      ...packet, from: ends[packet.from], to: ends[packet.from === 'client' ? 'server' : 'client'], ...(isNumbered ? { record, tag: port } : {}),
    } as Parameters<SegmentBuilder['add']>[0])
  }
  path.process(builder.pointer, builder.length)
}

for (const [client, options] of Object.entries(CLIENTS)) {
  test(`${client} client: connections that sleep give the same as those that do not`, (context) => {
    const before = memory.allocator.allocatedBytes()
    const random = new Random(99)
    let slept = 0
    let port = 1024
    for (const [harm, harms] of Object.entries(HARMS)) {
      for (const isSteady of [false, true]) {
        const awake = new PathLog(awakeParts, { isSteady, limits: { ...LIMITS, awakeCountMax: 64 } })
        const sleepy = [1, 3].map((sleepsOneIn) => new PathLog(parts, { isSteady, sleepsOneIn, limits: LIMITS }))
        for (let meeting = 0; meeting < MEETINGS * ROUNDS; meeting++) {
          const packets: Sent[] = []
          for (let talk = 0; talk < TOGETHER; talk++) {
            const numbers = { client: 0, server: 0 }
            const isNumbered = chance(random, 2)
            const number = ++port
            let seen: Seen[] = new HttpTalk(options(random), random).run().map((packet) => ({ ...packet, record: numbers[packet.from]++ }))
            for (const each of harms) seen = each(seen, random)
            packets.push(...seen.map((packet) => ({ ...packet, port: number, isNumbered }) as Sent))
          }
          packets.sort((a, b) => a.time - b.time)
          for (let first = 0; first < packets.length;) {
            const batch = packets.slice(first, first += 1 + random.below(4))
            for (const path of [awake, ...sleepy]) send(path, batch)
          }
          for (const path of [awake, ...sleepy]) path.table.close(path.table.time + 1)
          const expected = awake.take()
          for (const path of sleepy) assert.deepEqual(path.take(), expected, `${harm}, meeting ${meeting}, steady: ${isSteady}`)
        }
        slept += sleepy[0]!.table.restQueue.slept + sleepy[1]!.table.restQueue.slept
        for (const path of sleepy) assert.equal(path.table.dormitory.size, 0)
      }
    }
    assert.equal(parts.protocol.sleeping, 0)
    context.diagnostic(`${slept} times a connection went to sleep`)
    assert.ok(slept > 1000, `only ${slept}`)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
}

test('more connections at once wake than there are parts in store', () => {
  const count = 1500
  const before = memory.allocator.allocatedBytes()
  const path = new PathLog(parts, { isSteady: false, limits: { connectionCountMax: count, awakeCountMax: count } })
  const awake = new PathLog(awakeParts, { isSteady: false, limits: { connectionCountMax: count, awakeCountMax: count } })
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  let time = 1e9
  const say = (isClient: boolean, flags: string, sequence: number, acknowledgement: number, payload: string): void => {
    builder.clear()
    for (let port = 1; port <= count; port++) {
      const client = { address: '10.0.0.1', port }
      const server = { address: '10.0.0.2', port: 80 }
      const [from, to] = isClient ? [client, server] : [server, client]
      builder.add({ from, to, flags, sequence, acknowledgement, payload, time: ++time })
    }
    for (const each of [path, awake]) each.process(builder.pointer, builder.length)
  }
  say(true, 'S', 0, 0, '')
  say(false, 'SA', 0, 1, '')
  for (let turn = 0; turn < 4; turn++) {
    say(true, 'PA', 1 + turn * request.length, 1 + turn * response.length, request)
    say(false, 'PA', 1 + turn * response.length, 1 + (turn + 1) * request.length, response)
    path.table.restQueue.sleepAll()
    assert.equal(path.table.dormitory.size, count)
  }
  for (const each of [path, awake]) each.table.close(time)
  assert.deepEqual(path.take(), awake.take())
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('every capture gives the same lines when its connections sleep', (context) => {
  if (!hasCorpora(context)) return
  const kinds = ['exchange', 'connection', 'anomaly', 'handshake', 'websocket'] as const
  for (const isPlain of [false, true]) {
    const options = { kinds, fields: ['*'], withText: true, isSlow: true, isPlain }
    const [awake, sleepy] = [new Replayer(options), new Replayer({ ...options, sleeps: true })]
    const faults: string[] = []
    let lines = 0
    for (const { file } of truthRows()) {
      const [expected, got] = [awake, sleepy].map((replayer) => replayer.run(`${CORPORA}/${file}`))
      lines += got!.recordCount
      if (got!.text !== expected!.text) faults.push(file)
      if (got!.heldBytes !== 0) faults.push(`${file}: ${got!.heldBytes} bytes held`)
    }
    context.diagnostic(`${lines} records`)
    assert.deepEqual(faults, [])
    assert.ok(lines > 4000)
  }
})

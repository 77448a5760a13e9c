import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionTable } from './connection-table.ts'
import type { StreamControl, StreamHandler } from './stream.ts'
import { sharedMemory } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'
import type { SegmentFields } from './testing/segment-builder.ts'

const MS = 1e6
const CLIENTS = 3
const memory = sharedMemory()
const builder = new SegmentBuilder(memory)

/** A table whose handlers write down what they are called with, skip now and then, and sleep whenever they are asked. */
class Sleepy {
  readonly log: string[] = []
  readonly table: ConnectionTable

  constructor() {
    const source = { skip: (...words: number[]) => { this.log.push(`skip ${words.join(' ')}`) }, ignore: () => {} }
    this.table = new ConnectionTable(memory, source, (control) => this.#handler(control), { awakeCountMax: CLIENTS })
  }

  #handler(control: StreamControl): StreamHandler {
    const note = (...words: (string | number)[]): void => {
      this.log.push([control.id, ...words, control.position(0), control.position(1), control.acknowledgement(0), control.acknowledgement(1)].join(' '))
    }
    const handler: StreamHandler = {
      data: (side, pointer, length, time) => {
        const text = memory.latin1(pointer, length)
        note('data', side, text, time)
        if (text.endsWith('s')) control.skip(side, 40)
        if (text.endsWith('S')) control.skip(side, 9000)
        if (text === 'no more') control.ignore()
        control.rested!()
      },
      gap: (side, length, cause, time) => { note('gap', side, length, cause, time) },
      skipped: (side, time) => {
        note('skipped', side, time)
        control.rested!()
      },
      end: (side, cause, time) => { note('end', side, cause, time) },
      sleep: () => handler,
    }
    return handler
  }
}

let state = 11
const random = (below: number): number => (state = Number((BigInt(state) * 48271n) % 0x7fffffffn)) % below
const pick = <Item>(...items: readonly Item[]): Item => items[random(items.length)]!

/** Where both ends of a connection are, and what one of them sends next: plain for the most part, and everything that is odd. */
class Ends {
  readonly #port: number
  readonly #tag: number
  readonly #isNumbered: boolean
  #next: [number, number] = [0, 0]
  #initial: [number, number] = [0, 0]
  #records: [number, number] = [0, 0]

  constructor(index: number) {
    this.#port = 40_000 + index
    this.#isNumbered = random(2) === 0
    this.#tag = this.#isNumbered ? index + 1 : 0
  }

  * open(): Generator<SegmentFields> {
    this.#initial = [random(2 ** 31), random(2 ** 31)]
    this.#next = [this.#initial[0] + 1, this.#initial[1] + 1]
    this.#records = [0, 0]
    yield this.#packet(0, { flags: 'S', sequence: this.#initial[0], acknowledgement: 0, windowScale: pick(0, 7, 255) })
    if (random(8) > 0) yield this.#packet(1, { flags: 'SA', sequence: this.#initial[1], windowScale: pick(0, 7, 255) })
    if (random(2) > 0) yield this.#packet(0, {})
  }

  * step(): Generator<SegmentFields> {
    const side = random(2) as 0 | 1
    const kind = random(40)
    if (kind === 0 && random(4) === 0) yield this.#data(side, 'no more')
    else if (kind < 22) yield this.#data(side, pick('a', 'bb', 'ccs', 'dS', 'e'.repeat(random(60))))
    else if (kind < 24) yield this.#packet(side, {})
    else if (kind < 26) {
      const first = this.#data(side, 'other')
      yield { ...first, interfaceIndex: 2 }
      if (random(2) === 0) yield this.#packet(side === 0 ? 1 : 0, {})
      if (random(4) > 0) yield first
    }
    else if (kind < 27) yield { ...this.#packet(side, { payload: 'old', sequence: this.#next[side] - 3 }), interfaceIndex: pick(1, 2) }
    else if (kind < 28) yield this.#packet(side, { payload: 'x', sequence: this.#next[side] - 1 })
    else if (kind < 30) yield this.#packet(side, { flags: 'S', sequence: pick(this.#initial[side], this.#initial[side], random(2 ** 31)) })
    else if (kind < 31) yield this.#packet(side, { flags: 'R', sequence: this.#next[side] + pick(0, 1, 70_000, 2 ** 24, -1) })
    else if (kind < 32) yield this.#packet(side, { payload: 'far', sequence: this.#next[side] + pick(70_000, 2 ** 22, 2 ** 29) })
    else if (kind < 34) this.#lose(side)
    else if (kind < 36) {
      const first = this.#data(side, 'first')
      yield this.#data(side, 'second')
      if (random(4) > 0) yield first
    } else if (kind < 37) yield { ...this.#data(side, 'tagged'), ...(this.#isNumbered ? { tag: this.#tag + 1000 * random(2) } : {}) }
    else if (kind < 38) yield this.#packet(side, { flags: 'FA' })
    else if (kind < 39) {
      yield this.#data(side, 'ccs')
      // Of the 40 bytes that nobody wants one turns out to be the FIN.
      yield this.#packet(side === 0 ? 1 : 0, { acknowledgement: this.#next[side] + 40 })
      if (random(2) === 0) yield this.#packet(side, { flags: 'FA', sequence: this.#next[side] + 39 })
    }
    else yield * this.open()
  }

  #lose(side: 0 | 1): void {
    this.#data(side, 'lost')
  }

  #data(side: 0 | 1, payload: string): SegmentFields {
    const packet = this.#packet(side, { flags: 'PA', payload })
    this.#next[side] += payload.length
    return packet
  }

  #packet(side: 0 | 1, more: Partial<SegmentFields>): SegmentFields {
    const ends = [{ address: '10.0.0.1', port: this.#port }, { address: '10.0.0.2', port: 80 }] as const
    const record = this.#isNumbered ? { record: this.#records[side]++, tag: this.#tag } : {}
    return {
      from: ends[side], to: ends[1 - side as 0 | 1], flags: 'A', sequence: this.#next[side], acknowledgement: this.#next[1 - side as 0 | 1],
      ...record, ...more,
    }
  }
}

test('both sides of a connection that slept are what they were, whatever comes then', (context) => {
  const before = memory.allocator.allocatedBytes()
  let slept = 0
  for (let run = 0; run < 400; run++) {
    const [awake, sleepy] = [new Sleepy(), new Sleepy()]
    const ends = Array.from({ length: CLIENTS }, (_, index) => new Ends(index))
    let time = 1e9
    const send = (fields: SegmentFields): void => {
      time += pick(MS, MS, 40 * MS, 1500 * MS)
      builder.clear().add({ ...fields, time })
      for (const { table } of [awake, sleepy]) {
        table.process(builder.pointer, builder.length)
        table.tick(time)
      }
      // Not always, so that several sleep at once: their parts are mixed.
      if (random(2) === 0) sleepy.table.restQueue.sleepAll()
    }
    for (const each of ends) for (const packet of each.open()) send(packet)
    for (let step = 0; step < 120; step++) for (const packet of pick(...ends).step()) send(packet)
    for (const { table } of [awake, sleepy]) table.close(time)
    assert.deepEqual(sleepy.log, awake.log)
    assert.deepEqual([...sleepy.table.counters.toMap()], [...awake.table.counters.toMap()])
    assert.equal(sleepy.table.dormitory.size, 0)
    slept += sleepy.table.restQueue.slept
  }
  context.diagnostic(`${slept} times a connection went to sleep`)
  assert.ok(slept > 10_000)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

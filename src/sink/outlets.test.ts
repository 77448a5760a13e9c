import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SafeBatch } from './batch.ts'
import { Outlets, OUTPUTS_MAX } from './outlets.ts'
import { makeBatch } from './sink.suite.ts'
import { Tally } from './tally.ts'
import type { Sink, SinkHost } from './sink.ts'

/** A sink whose batches settle when the test says so. */
class HandSink implements Sink {
  readonly name: string
  readonly host: SinkHost
  readonly taken: SafeBatch[] = []
  readonly #tally: Tally

  constructor(name: string, host: SinkHost) {
    this.name = name
    this.host = host
    this.#tally = new Tally(host)
  }

  write(batch: SafeBatch): void {
    this.#tally.take()
    this.taken.push(batch)
  }

  settle(batch: SafeBatch, written: number, reason?: string): void {
    this.#tally.settle(batch, written, reason)
  }

  flush(): Promise<void> {
    return this.#tally.flushed()
  }

  async close(): Promise<void> {}

  health() {
    return this.#tally.health(this.name, 0, 0, undefined)
  }
}

function twoOutputs() {
  const released: SafeBatch[] = []
  const logs: string[] = []
  const endings: (string | undefined)[] = []
  const outlets = new Outlets({ log: (_level, message) => logs.push(message), ended: (_name, error) => endings.push(error), released: batch => released.push(batch) })
  const sinks: HandSink[] = []
  for (const name of ['a', 'b']) {
    outlets.add(host => {
      const sink = new HandSink(name, host)
      sinks.push(sink)
      return sink
    })
  }
  return { outlets, a: sinks[0] as HandSink, b: sinks[1] as HandSink, released, logs, endings }
}

test('a record is logged once when several outputs have it, and the buffer is released after the last', () => {
  const { outlets, a, b, released } = twoOutputs()
  const batch = { ...makeBatch(0, 10), outputs: 3 }
  outlets.write(batch)
  a.settle(batch, 10)
  assert.deepEqual(released, [])
  assert.deepEqual(outlets.counts(), { taken: 10, takenKinds: [10, 0, 0, 0, 0, 0], logged: 0, dropped: new Map(), unkept: 0, queued: 10 })
  b.settle(batch, 0, 'disk full')
  assert.deepEqual(released, [batch])
  assert.deepEqual(outlets.counts(), { taken: 10, takenKinds: [10, 0, 0, 0, 0, 0], logged: 10, dropped: new Map(), unkept: 0, queued: 0 })
})

test('a record that no output has is dropped under the reason of the output that got furthest', () => {
  const { outlets, a, b } = twoOutputs()
  const batch = { ...makeBatch(0, 10), outputs: 3 }
  outlets.write(batch)
  a.settle(batch, 4, 'disk full')
  b.settle(batch, 1, 'reader gone')
  assert.deepEqual(outlets.counts(), { taken: 10, takenKinds: [10, 0, 0, 0, 0, 0], logged: 4, dropped: new Map([['disk full', 6]]), unkept: 0, queued: 0 })
})

test('a batch goes to the outputs of its bits only; one for none is counted', () => {
  const { outlets, a, b } = twoOutputs()
  const forB = { ...makeBatch(0, 2), outputs: 2 }
  outlets.write(forB)
  assert.equal(a.taken.length, 0)
  b.settle(forB, 2)
  outlets.write({ ...makeBatch(2, 3), outputs: 0 })
  assert.deepEqual(outlets.counts(), { taken: 5, takenKinds: [5, 0, 0, 0, 0, 0], logged: 2, dropped: new Map([['no output', 3]]), unkept: 0, queued: 0 })
})

test('a record that only outputs have that keep nothing is neither logged nor dropped', () => {
  const { outlets, a, b } = twoOutputs()
  const both = { ...makeBatch(0, 10), outputs: 3 }
  outlets.write(both)
  a.host.settled(both, 0)
  b.settle(both, 10)
  const one = { ...makeBatch(10, 4), outputs: 1 }
  outlets.write(one)
  assert.equal(outlets.counts().queued, 4)
  a.host.settled(one, 0)
  assert.deepEqual(outlets.counts(), { taken: 14, takenKinds: [14, 0, 0, 0, 0, 0], logged: 10, dropped: new Map(), unkept: 4, queued: 0 })
})

test('a batch that is settled twice is told, and the counts stay', () => {
  const { outlets, a, logs } = twoOutputs()
  const batch = { ...makeBatch(0, 2), outputs: 1 }
  outlets.write(batch)
  a.settle(batch, 2)
  a.settle(batch, 2)
  assert.match(logs.join(), /settled a batch of 2 records twice/)
  assert.equal(outlets.counts().logged, 2)
})

test('flush() waits for what was taken until then, not for what comes later', async () => {
  const { outlets, a } = twoOutputs()
  const [first, second] = [{ ...makeBatch(0, 1), outputs: 1 }, { ...makeBatch(1, 1), outputs: 1 }]
  outlets.write(first)
  const flushed = outlets.flush()
  outlets.write(second)
  a.settle(first, 1)
  await flushed
  assert.equal(outlets.counts().queued, 1)
})

test('no more outputs than bits', () => {
  const outlets = new Outlets({ log: () => {}, ended: () => {} })
  for (let index = 0; index < OUTPUTS_MAX; index++) outlets.add(host => new HandSink('x', host))
  assert.throws(() => outlets.add(host => new HandSink('x', host)), /Cannot open more than 30 outputs/)
})

test('an output that is gone does not end the run while there is another', () => {
  const { a, b, logs, endings } = twoOutputs()
  a.host.ended('a')
  assert.deepEqual(endings, [])
  assert.match(logs.join(), /the reader of a is gone; the other outputs go on/)
  b.host.ended('b', 'Cannot write')
  assert.deepEqual(endings, ['Cannot write'])
})

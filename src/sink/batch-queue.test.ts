import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchQueue } from './batch-queue.ts'
import { countLines, endOfLastLine, type SafeBatch } from './batch.ts'
import { makeBatch } from './sink.suite.ts'

test('push() refuses what does not fit, but takes an oversized batch into an empty queue', () => {
  const queue = new BatchQueue(100)
  const large = makeBatch(0, 10)
  assert.ok(large.bytes.length > 100)
  assert.equal(queue.push(large), true)
  assert.equal(queue.push(makeBatch(10, 1)), false)
  assert.equal(queue.bytes, large.bytes.length)
})

test('advance() goes on inside a batch and gives it out when it is through as a whole', () => {
  const queue = new BatchQueue(10_000)
  const [a, b] = [makeBatch(0, 3), makeBatch(3, 2)]
  queue.push(a)
  queue.push(b)
  const done: SafeBatch[] = []
  const line = a.bytes.length / 3
  queue.advance(line * 2, batch => done.push(batch))
  assert.equal(done.length, 0)
  assert.equal(queue.records, 3)
  assert.equal(Buffer.concat(queue.front(10, 10_000)).toString(), '{"kind":"exchange","n":2}\n{"kind":"exchange","n":3}\n{"kind":"exchange","n":4}\n')
  queue.advance(line * 3, batch => done.push(batch))
  assert.deepEqual(done, [a, b])
  assert.equal(queue.bytes, 0)
  assert.equal(queue.empty, true)
})

test('clear() says how many records of each batch were through', () => {
  const queue = new BatchQueue(10_000)
  const batch = makeBatch(0, 4)
  queue.push(batch)
  queue.advance(batch.bytes.length / 2, () => assert.fail('not through yet'))
  const given: number[] = []
  queue.clear((_batch, written) => given.push(written))
  assert.deepEqual(given, [2])
  assert.equal(queue.bytes, 0)
})

test('front() keeps to the number of parts and bytes, one part at least', () => {
  const queue = new BatchQueue(10_000)
  for (let index = 0; index < 5; index++) queue.push(makeBatch(index, 1))
  assert.equal(queue.front(3, 10_000).length, 3)
  assert.equal(queue.front(3, 1).length, 1)
})

test('endOfLastLine() and countLines() agree with the text', () => {
  const bytes = Buffer.from('a\nbc\nd')
  assert.equal(endOfLastLine(bytes, bytes.length), 5)
  assert.equal(endOfLastLine(bytes, 4), 2)
  assert.equal(endOfLastLine(bytes, 1), 0)
  assert.equal(endOfLastLine(bytes, 0), 0)
  assert.equal(countLines(bytes, 0, bytes.length), 2)
  assert.equal(countLines(bytes, 2, 4), 0)
})

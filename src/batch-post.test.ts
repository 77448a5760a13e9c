import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { BatchPoster, BatchReceiver } from './batch-post.ts'
import type { PostedBatch, ReturnedBatch } from './batch-post.ts'
import type { SafeBatch } from './sink/mod.ts'

function batchIn(buffer: SharedArrayBuffer, text: string): SafeBatch {
  const bytes = new Uint8Array(buffer, 0, text.length)
  bytes.set(Buffer.from(text))
  return { bytes, count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 3 }
}

/** Both sides, and a real port between them: what is sent is what structured clone makes of it. */
function twoSides(): { send(batch: SafeBatch): SafeBatch, giveBack(batch: SafeBatch): SharedArrayBuffer | undefined, poster: BatchPoster } {
  const poster = new BatchPoster()
  const receiver = new BatchReceiver()
  const { port1, port2 } = new MessageChannel()
  const over = (value: unknown): unknown => {
    port1.postMessage(value)
    return (receiveMessageOnPort(port2) as { message: unknown }).message
  }
  return {
    poster,
    send: (batch) => receiver.receive(over(poster.post(batch)) as PostedBatch),
    giveBack: (batch) => poster.take(over(receiver.give(batch)) as ReturnedBatch),
  }
}

test('a buffer that comes again is spoken of by number, and holds what was written last', () => {
  const { send, giveBack } = twoSides()
  const buffer = new SharedArrayBuffer(64)
  const first = send(batchIn(buffer, 'first line\n'))
  assert.deepEqual({ ...first, bytes: Buffer.from(first.bytes).toString() }, {
    bytes: 'first line\n', count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 3,
  })
  assert.equal(giveBack(first), buffer, 'the very object that was filled')
  const second = send(batchIn(buffer, 'two\n'))
  assert.equal(Buffer.from(second.bytes).toString(), 'two\n')
  assert.equal(second.bytes.buffer, first.bytes.buffer, 'no new object on the other side')
})

test('the buffer itself is in the first message only', () => {
  const poster = new BatchPoster()
  const batch = batchIn(new SharedArrayBuffer(64), 'x\n')
  assert.ok('buffer' in poster.post(batch))
  assert.ok(!('buffer' in poster.post(batch)))
})

test('what a burst needed is let go on both sides, whatever the order it comes back in', () => {
  const { send, giveBack, poster } = twoSides()
  const burst = Array.from({ length: 100 }, (_, index) => send(batchIn(new SharedArrayBuffer(64), `${index}\n`)))
  assert.equal(poster.size, 100)
  const kept = burst.toReversed().map(giveBack).filter((buffer) => buffer !== undefined)
  assert.equal(kept.length, 4)
  assert.equal(poster.size, 4)
  for (const buffer of kept) assert.equal(Buffer.from(send(batchIn(buffer, 'again\n')).bytes).toString(), 'again\n')
  assert.equal(poster.size, 4)
})

test('a slot that is not known is refused by name', () => {
  const receiver = new BatchReceiver()
  const unknown = { slot: 7, length: 1, count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 1 } as const
  assert.throws(() => receiver.receive(unknown), /Cannot read batch buffer 7/)
  assert.throws(() => receiver.give(batchIn(new SharedArrayBuffer(8), 'x\n')), /not received here/)
})

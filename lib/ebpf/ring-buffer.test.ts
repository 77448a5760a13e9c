import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { BpfObject, RingBuffer } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

const BUSY_BIT = 0x8000_0000
const DISCARD_BIT = 0x4000_0000
const SIZE_MIN = 8
const SIZE_SPAN = 256
const HUGE_BYTES = 1 << 20

/** The size ring_buffer.bpf.c gives the record of a sequence number. */
function sizeOf(sequence: number): number {
  const hash = (BigInt(sequence) * 2654435761n) >> 8n
  return SIZE_MIN + Number(hash & BigInt(SIZE_SPAN - 1))
}

function open(sizeBytes: number): BpfObject {
  const object = BpfObject.open(compile('ring_buffer'))
  object.map('events').setMaxEntries(sizeBytes)
  object.load()
  return object
}

function run(object: BpfObject, program: string, first = 0, count = 0): void {
  const request = new DataView(new ArrayBuffer(16))
  request.setBigUint64(0, BigInt(first), true)
  request.setUint32(8, count, true)
  object.program(program).testRun(new Uint8Array(), { context: new Uint8Array(request.buffer) })
}

/** Checks header, length, first and last byte of every record; returns the sequence that comes next. */
function check(bytes: Uint8Array, length: number, first: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let sequence = first
  let at = 0
  while (at < length) {
    const size = view.getUint32(at, true)
    if (size !== sizeOf(sequence)) assert.fail(`record ${sequence} has ${size} bytes`)
    const actual = view.getUint32(at + 8, true)
    if (actual !== sequence) assert.fail(`record ${actual} instead of ${sequence}`)
    for (let byte = SIZE_MIN; byte < size; byte += 1) {
      if (bytes[at + 8 + byte] !== (byte & 0xff)) assert.fail(`record ${sequence} has a wrong byte ${byte}`)
    }
    at += (size + 8 + 7) & ~7
    sequence += 1
  }
  assert.equal(at, length)
  return sequence
}

live('RingBuffer read delivers 1,000,000 records of varied sizes in order over many wraps', () => {
  using object = open(1 << 18)
  using ring = new RingBuffer(object.map('events'))
  // Smaller than the ring and no power of two, so that reads end within the data as well.
  const target = new Uint8Array(100_003)
  const records = 1_000_000
  let expected = 0
  let written = 0
  while (expected < records) {
    const count = Math.min(700, records - written)
    if (count > 0) run(object, 'write_records', written, count)
    written += count
    for (let copied = ring.read(target, 3, 100_000); copied > 0; copied = ring.read(target, 3, 100_000)) {
      expected = check(target.subarray(3), copied, expected)
    }
  }
  assert.equal(expected, records)
  assert.equal(object.globals('.bss').get('written'), BigInt(records))
  assert.equal(object.globals('.bss').get('dropped'), 0n)
  assert.equal(ring.availableBytes, 0)
})

live('RingBuffer of a reader that stops is full, its program counts drops, the rest is intact', () => {
  using object = open(1 << 13)
  using ring = new RingBuffer(object.map('events'))
  run(object, 'write_records', 0, 1000)
  const written = Number(object.globals('.bss').get('written'))
  const dropped = Number(object.globals('.bss').get('dropped'))
  assert.equal(written + dropped, 1000)
  assert.ok(dropped > 0 && written > 0)
  assert.ok(ring.availableBytes <= ring.sizeBytes)
  const target = new Uint8Array(1 << 14)
  const copied = ring.read(target, 0, target.length)
  // Small records may fit where a bigger one did not, so the sequence has gaps; count them.
  let records = 0
  for (let at = 0; at < copied; records += 1) {
    const size = new DataView(target.buffer).getUint32(at, true)
    assert.equal(size, sizeOf(new DataView(target.buffer).getUint32(at + 8, true)))
    at += (size + 8 + 7) & ~7
  }
  assert.equal(records, written)
})

live('RingBuffer read includes discarded records with their bit set', () => {
  using object = open(1 << 12)
  using ring = new RingBuffer(object.map('events'))
  run(object, 'write_and_discard')
  const target = new Uint8Array(30 * 16)
  assert.equal(ring.read(target, 0, target.length), target.length)
  const view = new DataView(target.buffer)
  for (let record = 0; record < 30; record += 1) {
    const header = view.getUint32(record * 16, true)
    assert.equal(header, record % 3 === 2 ? (8 | DISCARD_BIT) >>> 0 : 8)
    assert.equal(view.getUint32(record * 16 + 8, true), record)
  }
})

live('RingBuffer read stops before a record that is still being written, and goes on after it', async () => {
  using object = open(1 << 12)
  using ring = new RingBuffer(object.map('events'))
  const variables = object.globals('.bss')
  const worker = new Worker(new URL('./testdata/hold-one.ts', import.meta.url), {
    workerData: { fd: object.program('hold_one').fd },
  })
  const target = new Uint8Array(4096)
  const view = new DataView(target.buffer)
  const deadlineMs = Date.now() + 10_000
  while (variables.get('held') !== 1 && Date.now() < deadlineMs) await new Promise(setImmediate)
  assert.equal(variables.get('held'), 1)
  assert.equal(ring.availableBytes, 32)
  assert.equal(ring.read(target, 0, target.length), 0)
  // Too short for any record: a busy one is no programmer's error.
  assert.equal(ring.read(target, 0, 8), 0)
  variables.set('release', 1)
  await once(worker, 'message')
  assert.equal(ring.read(target, 0, target.length), 32)
  assert.deepEqual([0, 8, 16, 24].map((at) => view.getUint32(at, true)), [8, 1, 8, 2])
  assert.equal(view.getUint32(0, true) & BUSY_BIT, 0)
  await worker.terminate()
})

live('RingBuffer read of a record longer than the room throws and takes nothing', () => {
  using object = open(1 << 12)
  using ring = new RingBuffer(object.map('events'))
  run(object, 'write_and_discard')
  const target = new Uint8Array(64)
  assert.throws(() => ring.read(target, 0, 15), { name: 'RangeError', message: /into 15 bytes: it has 16/ })
  assert.throws(() => ring.read(target, 60, 16), { name: 'RangeError', message: /the target has 64 bytes/ })
  assert.equal(ring.read(target, 0, 47), 32)
  assert.equal(ring.availableBytes, 28 * 16)
})

live('RingBuffer positions go beyond 4 GiB', () => {
  using object = open(1 << 24)
  using ring = new RingBuffer(object.map('events'))
  const target = new Uint8Array(1 << 24)
  const view = new DataView(target.buffer)
  const rounds = 300
  let sequence = 0
  for (let round = 0; round < rounds; round += 1) {
    run(object, 'write_huge_records', sequence, 15)
    const copied = ring.read(target, 0, target.length)
    for (let at = 0; at < copied; at += HUGE_BYTES + 8) {
      assert.equal(view.getUint32(at, true), HUGE_BYTES)
      assert.equal(view.getUint32(at + 8, true), sequence)
      sequence += 1
    }
  }
  assert.equal(sequence, rounds * 15)
  assert.ok(sequence * HUGE_BYTES > 2 ** 32)
  assert.equal(object.globals('.bss').get('dropped'), 0n)
})

live('RingBuffer of another consumer goes on where the one before left off', () => {
  using object = open(1 << 12)
  run(object, 'write_and_discard')
  const target = new Uint8Array(1 << 12)
  {
    using ring = new RingBuffer(object.map('events'))
    assert.equal(ring.read(target, 0, 10 * 16), 10 * 16)
  }
  using ring = new RingBuffer(object.map('events'))
  assert.equal(ring.read(target, 0, target.length), 20 * 16)
  assert.equal(new DataView(target.buffer).getUint32(8, true), 10)
})

live('RingBuffer wait blocks a worker thread until a program writes', async () => {
  using object = open(1 << 12)
  const worker = new Worker(new URL('./testdata/wait-for-record.ts', import.meta.url), {
    workerData: object.map('events').handle,
  })
  await once(worker, 'message')
  run(object, 'write_and_discard')
  const [answer] = await once(worker, 'message') as [{ isReady: boolean; copied: number }]
  assert.deepEqual(answer.isReady, true)
  assert.ok(answer.copied >= 16)
})

live('RingBuffer waitForWakeUp is ended by a wake-up, once, not by what is in the ring', () => {
  using object = open(1 << 12)
  using ring = new RingBuffer(object.map('events'))
  assert.equal(ring.waitForWakeUp(1), false)
  run(object, 'write_and_discard') // the ring was empty, so the first record wakes
  assert.equal(ring.waitForWakeUp(1000), true)
  assert.ok(ring.availableBytes > 0)
  assert.equal(ring.waitForWakeUp(1), false)
  assert.equal(ring.wait(1), true)
})

live('RingBuffer wait times out when nothing comes; close is idempotent and ends use', () => {
  using object = open(1 << 12)
  const ring = new RingBuffer(object.map('events'))
  assert.equal(ring.wait(1), false)
  run(object, 'write_and_discard')
  assert.equal(ring.wait(1), true)
  ring.close()
  ring.close()
  assert.equal(ring.wait(1), false)
  assert.equal(ring.availableBytes, 0)
  assert.throws(() => ring.read(new Uint8Array(8), 0, 8), { code: 'EBADF' })
  assert.throws(() => new RingBuffer(object.map('scratch')),
    { code: 'EINVAL', message: /it is a percpu_array/ })
})

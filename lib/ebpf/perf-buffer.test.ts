import assert from 'node:assert/strict'

import { BpfObject, PerfBuffer, onlineCpus } from './mod.ts'
import type { PerfBufferOptions } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

const SIZE_MIN = 16
const SIZE_SPAN = 256

/** The size perf_buffer.bpf.c gives the record of a sequence number, as perf pads it: 8n + 4. */
function paddedSizeOf(sequence: number): number {
  const hash = (BigInt(sequence) * 2654435761n) >> 8n
  const size = SIZE_MIN + Number(hash & BigInt(SIZE_SPAN - 1))
  return ((size + 4 + 7) & ~7) - 4
}

function open(options: PerfBufferOptions): { object: BpfObject; buffer: PerfBuffer } {
  const object = BpfObject.open(compile('perf_buffer'))
  object.load()
  return { object, buffer: new PerfBuffer(object.map('events'), options) }
}

function run(object: BpfObject, first: number, count: number, cpu: number): void {
  const context = new Uint8Array(BigUint64Array.of(BigInt(first), BigInt(count)).buffer)
  object.program('write_records').testRun(new Uint8Array(), { context, cpu })
}

/** Checks every record's length, CPU and bytes; returns the sequence that comes next. */
function check(
  bytes: Uint8Array, length: number, first: number, cpuOf: (sequence: number) => number,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let sequence = first
  let at = 0
  while (at < length) {
    const size = view.getUint32(at, true)
    const actual = view.getUint32(at + 16, true)
    if (actual !== sequence) assert.fail(`record ${actual} instead of ${sequence}`)
    if (size !== paddedSizeOf(sequence)) assert.fail(`record ${sequence} has ${size} bytes`)
    if (view.getUint32(at + 4, true) !== cpuOf(sequence)) assert.fail(`record ${sequence} is of another CPU`)
    for (let byte = SIZE_MIN; byte < size - 7; byte += 1) {
      if (bytes[at + 8 + byte] !== (byte & 0xff)) assert.fail(`record ${sequence} has a wrong byte ${byte}`)
    }
    at += (size + 8 + 7) & ~7
    sequence += 1
  }
  assert.equal(at, length)
  return sequence
}

live('PerfBuffer read delivers 1,000,000 records of all CPUs in order of time over many wraps', () => {
  const { object, buffer } = open({ pagesPerCpu: 16, timeOffset: 0 })
  const cpus = onlineCpus()
  const perRun = 50
  const records = 1_000_000
  const target = new Uint8Array(70_001)
  const cpuOf = (sequence: number): number => cpus[Math.floor(sequence / perRun) % cpus.length] ?? 0
  let expected = 0
  let written = 0
  while (expected < records) {
    for (let each = 0; each < 2 * cpus.length && written < records; each += 1) {
      run(object, written, perRun, cpuOf(written))
      written += perRun
    }
    for (let copied = buffer.read(target, 1, 70_000); copied > 0; copied = buffer.read(target, 1, 70_000)) {
      expected = check(target.subarray(1), copied, expected, cpuOf)
    }
  }
  assert.equal(expected, records)
  assert.equal(buffer.lost, 0)
  assert.equal(object.globals('.bss').get('dropped'), 0n)
  buffer.close()
  object.close()
})

live('PerfBuffer of a reader that stops loses records and counts each of them', () => {
  const { object, buffer } = open({ pagesPerCpu: 1 })
  const cpu = onlineCpus()[0] ?? 0
  run(object, 0, 500, cpu)
  const dropped = Number(object.globals('.bss').get('dropped'))
  assert.ok(dropped > 0)
  const target = new Uint8Array(1 << 16)
  assert.ok(buffer.read(target, 0, target.length) > 0)
  // The kernel reports a loss in front of the next record that fits.
  run(object, 500, 1, cpu)
  assert.ok(buffer.read(target, 0, target.length) > 0)
  assert.equal(buffer.lost, dropped)
  buffer.close()
  object.close()
})

live('PerfBuffer read of a record longer than the room throws and takes nothing', () => {
  const { object, buffer } = open({ pagesPerCpu: 1 })
  run(object, 0, 1, onlineCpus()[0] ?? 0)
  const target = new Uint8Array(1024)
  assert.throws(() => buffer.read(target, 0, 16), { name: 'RangeError', message: /into 16 bytes: it has \d+/ })
  assert.throws(() => buffer.read(target, 1020, 16), { name: 'RangeError', message: /the target has 1024 bytes/ })
  assert.equal(check(target, buffer.read(target, 0, 1024), 0, () => onlineCpus()[0] ?? 0), 1)
  assert.equal(buffer.read(target, 0, 1024), 0)
  buffer.close()
  object.close()
})

live('PerfBuffer wait is true once a program wrote, after as many events as asked for', () => {
  const { object, buffer } = open({ pagesPerCpu: 8, wakeupEvents: 2 })
  const cpu = onlineCpus()[0] ?? 0
  assert.equal(buffer.wait(1), false)
  run(object, 0, 1, cpu)
  assert.equal(buffer.wait(1), false)
  assert.ok(buffer.availableBytes > 0)
  run(object, 1, 1, cpu)
  assert.equal(buffer.wait(1000), true)
  buffer.close()
  buffer.close()
  assert.equal(buffer.wait(1), false)
  assert.throws(() => buffer.read(new Uint8Array(8), 0, 8), { code: 'EBADF' })
  object.close()
})

live('PerfBuffer refuses other maps and rings that are no power of two', () => {
  using object = BpfObject.open(compile('perf_buffer'))
  object.load()
  assert.throws(() => new PerfBuffer(object.map('scratch')),
    { code: 'EINVAL', message: /it is a percpu_array/ })
  assert.throws(() => new PerfBuffer(object.map('events'), { pagesPerCpu: 3 }), RangeError)
  assert.throws(() => new PerfBuffer(object.map('events'), { timeOffset: 2 }), RangeError)
})

live('BpfMap setType turns a ring buffer into a perf buffer before load', () => {
  using object = BpfObject.open(compile('ring_buffer'))
  for (const program of object.programs.values()) program.setAutoload(false)
  object.map('events').setType('perf_event_array')
  object.map('events').setMaxEntries(0)
  object.load()
  assert.equal(object.map('events').type, 'perf_event_array')
  using buffer = new PerfBuffer(object.map('events'))
  assert.equal(buffer.read(new Uint8Array(64), 0, 64), 0)
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { FileSource, FRAME_BYTES, PACKET_EVENT } from '../capture/mod.ts'
import { capturePath, captures, corporaMissing } from '../capture/file/testing/corpora.ts'
import { ConnectionTable } from './connection-table.ts'
import { sharedMemory } from './testing/recorded-table.ts'

const memory = sharedMemory()
const BATCH_BYTES = 1 << 20
/** Room for each record twice. */
const batch = memory.reserve(3 * BATCH_BYTES)
const FILE_BYTES_MAX = 8 << 20

/** Changes the records of a batch in place, or adds to them. @returns its new length */
type Change = (pointer: number, length: number) => number

const unchanged: Change = (_pointer, length) => length

function* records(pointer: number, length: number): Generator<number> {
  for (let at = pointer; at < pointer + length; at += FRAME_BYTES + ((memory.u32[at >> 2]! + 7) & ~7)) yield at
}

/** Sequence numbers are relative: the same conversation near 2^32 is the same conversation. */
const shifted: Change = (pointer, length) => {
  for (const record of records(pointer, length)) {
    for (const word of [PACKET_EVENT.tcp_sequence, PACKET_EVENT.tcp_acknowledgement]) {
      memory.u32[(record + FRAME_BYTES + word) >> 2]! += 0xfffff000
    }
  }
  return length
}

/** Every packet is seen at a second interface too. */
const doubled: Change = (pointer, length) => {
  const copy = memory.u8.slice(pointer, pointer + length)
  let to = pointer
  let from = 0
  while (from < length) {
    const bytes = FRAME_BYTES + ((copy[from]! | (copy[from + 1]! << 8) | (copy[from + 2]! << 16)) + 7 & ~7)
    for (const each of [0, 1]) {
      memory.u8.set(copy.subarray(from, from + bytes), to)
      memory.u32[(to + FRAME_BYTES + PACKET_EVENT.interface_index) >> 2]! += each * 1000
      to += bytes
    }
    from += bytes
  }
  return to - pointer
}

/** What the handlers of a capture get, as one hash a side; and what is wrong with how they got it. */
function follow(file: string, change: Change): { streams: string[]; faults: string[]; bytes: number; doubles: number } {
  const before = memory.allocator.allocatedBytes()
  const source = new FileSource(memory, capturePath(file))
  const sides: { hash: ReturnType<typeof createHash>; ends: number }[][] = []
  const faults: string[] = []
  let bytes = 0
  const table = new ConnectionTable(memory, source, (control) => {
    const both = [0, 1].map(() => ({ hash: createHash('sha1'), ends: 0 }))
    sides.push(both)
    const side = (index: number): (typeof both)[number] => {
      if (both[index]!.ends > 0) faults.push(`connection ${control.id} goes on after its end`)
      return both[index]!
    }
    return {
      data: (index, pointer, length) => {
        bytes += length
        side(index).hash.update(memory.u8.subarray(pointer, pointer + length))
      },
      gap: (index, length) => { side(index).hash.update(`gap ${length}`) },
      skipped: () => { faults.push('a skip that nobody asked for') },
      end: (index, cause) => {
        const own = side(index)
        own.hash.update(cause)
        own.ends++
      },
    }
  })
  while (!source.ended) {
    const length = source.fill(batch, BATCH_BYTES)
    table.process(batch, change(batch, length))
    table.tick(table.time)
  }
  table.close(table.time)
  source.close()
  if (sides.flat().some(({ ends }) => ends !== 1)) faults.push('a side did not end, or ended twice')
  if (table.space.heldBytes !== 0) faults.push(`${table.space.heldBytes} bytes are still held`)
  if (memory.allocator.allocatedBytes() !== before) faults.push('memory was not given back')
  return { streams: sides.map((both) => both.map(({ hash }) => hash.digest('hex')).join(' ')), faults, bytes, doubles: table.counters.get('duplicates_other_path') }
}

const files = captures().filter((each) => each.opens && each.tcp_streams > 0 && each.bytes <= FILE_BYTES_MAX).map(({ file }) => file)

test('every capture: each side ends once, memory comes back, and neither sequence numbers nor doubles change a byte', { skip: corporaMissing }, () => {
  let bytes = 0
  let doubles = 0
  for (const file of files) {
    const plain = follow(file, unchanged)
    assert.deepEqual(plain.faults, [], file)
    bytes += plain.bytes
    const near = follow(file, shifted)
    assert.deepEqual(near.streams, plain.streams, `${file}, sequence numbers shifted`)
    const twice = follow(file, doubled)
    assert.deepEqual([twice.faults, twice.streams], [[], plain.streams], `${file}, every packet twice`)
    doubles += twice.doubles
  }
  assert.ok(files.length > 300 && bytes > 1e6 && doubles > 10_000, `${files.length} files, ${bytes} bytes, ${doubles} doubles`)
})

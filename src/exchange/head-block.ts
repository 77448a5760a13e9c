import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'

/** Gives back one HEAD block; 0 is none. */
export function freeHead(memory: ByteMemory, head: number): void {
  if (head !== 0) memory.allocator.free(head, memory.u32[(head + L.HEAD_BYTES) >>> 2]!)
}

/**
 * One HEAD block with the fields of `first` and then those of `second`, and the rest of `first`; both are given back.
 *
 * @returns `first` alone, the fields of `second` counted as dropped, when the memory limit refused it
 */
export function joinHeads(memory: ByteMemory, first: number, second: number): number {
  const [one, two] = [sizesOf(memory, first), sizesOf(memory, second)]
  const bytes = L.HEAD_SPANS + one.spans + two.spans + one.raw + two.raw
  const joined = memory.allocator.alloc(bytes)
  const { u8, u16, u32 } = memory
  if (joined === 0) {
    dropFields(memory, first, second)
    freeHead(memory, second)
    return first
  }
  const raw = joined + L.HEAD_SPANS + one.spans + two.spans
  u8.copyWithin(joined, first, first + L.HEAD_SPANS + one.spans)
  u8.copyWithin(joined + L.HEAD_SPANS + one.spans, second + L.HEAD_SPANS, second + L.HEAD_SPANS + two.spans)
  u8.copyWithin(raw, first + L.HEAD_SPANS + one.spans, first + L.HEAD_SPANS + one.spans + one.raw)
  u8.copyWithin(raw + one.raw, second + L.HEAD_SPANS + two.spans, second + L.HEAD_SPANS + two.spans + two.raw)
  for (let span = joined + L.HEAD_SPANS + one.spans; span < raw; span += L.SPAN_BYTES) {
    u32[(span + L.SPAN_NAME) >>> 2]! += one.raw
    u32[(span + L.SPAN_VALUE) >>> 2]! += one.raw
  }
  u32[(joined + L.HEAD_BYTES) >>> 2] = bytes
  u32[(joined + L.HEAD_COUNT) >>> 2]! += two.spans / L.SPAN_BYTES
  for (const word of [L.HEAD_DROPPED, L.HEAD_UNKNOWN]) addUpTo(u16, (joined + word) >>> 1, u16[(second + word) >>> 1]!)
  freeHead(memory, first)
  freeHead(memory, second)
  return joined
}

/** Counts the fields of `head` as dropped in `kept`. */
export function dropFields(memory: ByteMemory, kept: number, head: number): void {
  addUpTo(memory.u16, (kept + L.HEAD_DROPPED) >>> 1, memory.u32[(head + L.HEAD_COUNT) >>> 2]!)
}

function sizesOf({ u32 }: ByteMemory, head: number): { spans: number, raw: number } {
  const spans = u32[(head + L.HEAD_COUNT) >>> 2]! * L.SPAN_BYTES
  return { spans, raw: u32[(head + L.HEAD_BYTES) >>> 2]! - L.HEAD_SPANS - spans }
}

/** HEAD_CUT means more than a count. */
function addUpTo(u16: Uint16Array, at: number, more: number): void {
  u16[at] = Math.min(u16[at]! + more, L.HEAD_CUT - 1)
}

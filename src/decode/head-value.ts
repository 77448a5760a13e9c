import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'

/** Bytes of a value that are read at most. */
const VALUE_BYTES_MAX = 4096

/** Where the bytes stand that the spans of the HEAD block `head` name places of; behind its last span. */
export function rawOf({ u32 }: ByteMemory, head: number): number {
  return head + L.HEAD_SPANS + u32[(head + L.HEAD_COUNT) >>> 2]! * L.SPAN_BYTES
}

/**
 * Values of the header `id` (HEADER_* of wasm/header-ids.ts) in the HEAD block `head`, as Latin-1; repeated fields are one list
 * (RFC 9110 5.3). Undefined when there is none, or no head. For what a decoder must know of a head, never for a record.
 */
export function headValue(memory: ByteMemory, head: number, id: number): string | undefined {
  if (head === 0) return undefined
  const { u16, u32 } = memory
  const raw = rawOf(memory, head)
  let found: string | undefined
  for (let span = head + L.HEAD_SPANS; span < raw; span += L.SPAN_BYTES) {
    if ((u16[(span + L.SPAN_NAME_ID) >>> 1]! & L.SPAN_ID_MASK) !== id) continue
    const length = Math.min(u32[(span + L.SPAN_VALUE_LENGTH) >>> 2]!, VALUE_BYTES_MAX)
    const value = memory.latin1(raw + u32[(span + L.SPAN_VALUE) >>> 2]!, length)
    found = found === undefined ? value : `${found}, ${value}`.slice(0, VALUE_BYTES_MAX)
  }
  return found
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as L from '../../../wasm/layout.ts'

/** A head block as text, for comparison in tests. */
export interface HeadText {
  /** Request method, or reason phrase. */
  readonly method: string
  readonly target: string
  readonly version: number
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Reads the head block at `block`. */
export function headText(memory: ByteMemory, block: number): HeadText {
  const at = block >>> 2
  const count = memory.u32[at + (L.HEAD_COUNT >>> 2)]!
  const raw = block + L.HEAD_SPANS + count * L.SPAN_BYTES
  const text = (offset: number): string => memory.latin1(raw + memory.u32[at + (offset >>> 2)]!, memory.u32[at + (offset >>> 2) + 1]!)
  const fields: [string, string][] = []
  for (let index = 0; index < count; index++) {
    const span = block + L.HEAD_SPANS + index * L.SPAN_BYTES
    const name = memory.latin1(raw + memory.u32[span >>> 2]!, memory.u16[(span + L.SPAN_NAME_LENGTH) >>> 1]!)
    const value = memory.latin1(raw + memory.u32[(span + L.SPAN_VALUE) >>> 2]!, memory.u32[(span + L.SPAN_VALUE_LENGTH) >>> 2]!)
    fields.push([name, value])
  }
  return {
    method: text(L.HEAD_METHOD),
    target: text(L.HEAD_TARGET),
    version: memory.u8[block + L.HEAD_VERSION]!,
    status: memory.u16[(block + L.HEAD_STATUS) >>> 1]!,
    fields,
  }
}

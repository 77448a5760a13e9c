import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { dropFields, freeHead, joinHeads } from './head-block.ts'

/** Interim responses that one exchange keeps. */
export const INTERIM_MAX = 6

/** Forgets what `addInterim` noted. */
export function dropInterim(memory: ByteMemory, block: number): void {
  memory.u8[block + L.EXCHANGE_INTERIM_COUNT] = 0
  freeHead(memory, memory.u32[(block + L.EXCHANGE_INTERIM_HEAD) >>> 2]!)
  memory.u32[(block + L.EXCHANGE_INTERIM_HEAD) >>> 2] = 0
}

/** Notes a 1xx response and takes its head, which may be 0; over the sixth none is kept, and their fields count as dropped. */
export function addInterim(memory: ByteMemory, block: number, status: number, head: number): void {
  const { u8, u16, u32 } = memory
  const place = (block + L.EXCHANGE_INTERIM_HEAD) >>> 2
  const before = u32[place]!
  const count = u8[block + L.EXCHANGE_INTERIM_COUNT]!
  if (count >= INTERIM_MAX) {
    if (before !== 0 && head !== 0) dropFields(memory, before, head)
    return freeHead(memory, head)
  }
  u16[(block + L.EXCHANGE_INTERIM + count * 2) >>> 1] = status
  u8[block + L.EXCHANGE_INTERIM_COUNT] = count + 1
  if (head === 0 || isBare(memory, head)) freeHead(memory, head)
  else u32[place] = before === 0 ? head : joinHeads(memory, before, head)
}

/** No fields came with it, as with most. */
function isBare({ u16, u32 }: ByteMemory, head: number): boolean {
  return u32[(head + L.HEAD_COUNT) >>> 2] === 0 && u16[(head + L.HEAD_DROPPED) >>> 1] === 0 && u16[(head + L.HEAD_UNKNOWN) >>> 1] === 0
}

/** Moves the interim responses of `from` to `block`, behind its own. */
export function absorbInterim(memory: ByteMemory, block: number, from: number): void {
  const { u8, u16, u32 } = memory
  const place = (from + L.EXCHANGE_INTERIM_HEAD) >>> 2
  let head = u32[place]!
  u32[place] = 0
  for (let index = 0; index < u8[from + L.EXCHANGE_INTERIM_COUNT]!; index++) {
    addInterim(memory, block, u16[((from + L.EXCHANGE_INTERIM) >>> 1) + index]!, head)
    head = 0
  }
}

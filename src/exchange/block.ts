import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { fieldId, MARK_REASONS } from './fields.ts'
import type { MarkReason } from './fields.ts'
import { freeHead } from './head-block.ts'
import { absorbInterim } from './interim.ts'

const MARKS_MAX = 16

/** Field that a mark hangs on, by what is missing or cut. */
export const MARK_FIELD = {
  client: fieldId('client.address'),
  request: fieldId('http.request.method'),
  requestHeader: fieldId('http.request.header'),
  requestBody: fieldId('http.request.body.size'),
  response: fieldId('http.response.status_code'),
  responseHeader: fieldId('http.response.header'),
  responseBody: fieldId('http.response.body.size'),
  duration: fieldId('duration'),
} as const

/** The same in an exchange of the user's own protocol. */
const OWN_MARK_FIELD: ReadonlyMap<number, number> = new Map([
  [MARK_FIELD.request, fieldId('message.request.method')],
  [MARK_FIELD.requestHeader, fieldId('message.request.header')],
  [MARK_FIELD.requestBody, fieldId('message.request.body.size')],
  [MARK_FIELD.response, fieldId('message.response.status')],
  [MARK_FIELD.responseHeader, fieldId('message.response.header')],
  [MARK_FIELD.responseBody, fieldId('message.response.body.size')],
])

const REASON_ID: ReadonlyMap<MarkReason, number> = new Map(MARK_REASONS.map((reason, index) => [reason, index + 1]))

/**
 * A fresh EXCHANGE block (wasm/layout.ts).
 *
 * @returns its address; 0 when the memory limit refused it
 */
export function openBlock(memory: ByteMemory, connectionBlock: number, depth: number): number {
  const block = memory.allocator.alloc(L.EXCHANGE_BYTES)
  if (block === 0) return 0
  const { i32 } = memory
  for (let word = block >>> 2, end = (block + L.EXCHANGE_BYTES) >>> 2; word < end; word++) i32[word] = 0
  memory.u32[(block + L.EXCHANGE_CONNECTION) >>> 2] = connectionBlock
  memory.u32[(block + L.EXCHANGE_DEPTH) >>> 2] = depth
  memory.i32[(block + L.EXCHANGE_REQUEST_MESSAGES) >>> 2] = -1
  memory.i32[(block + L.EXCHANGE_RESPONSE_MESSAGES) >>> 2] = -1
  const f64 = memory.f64
  const base = block >>> 3
  f64[base + (L.EXCHANGE_REQUEST_TIME >>> 3)] = -1
  f64[base + (L.EXCHANGE_REQUEST_END_TIME >>> 3)] = -1
  f64[base + (L.EXCHANGE_RESPONSE_TIME >>> 3)] = -1
  f64[base + (L.EXCHANGE_RESPONSE_END_TIME >>> 3)] = -1
  f64[base + (L.EXCHANGE_REQUEST_BODY >>> 3)] = -1
  f64[base + (L.EXCHANGE_RESPONSE_BODY >>> 3)] = -1
  return block
}

/** Gives back the block and the blocks of heads and trailers it points to. */
export function closeBlock(memory: ByteMemory, block: number): void {
  freeHead(memory, memory.u32[(block + L.EXCHANGE_REQUEST) >>> 2]!)
  freeHead(memory, memory.u32[(block + L.EXCHANGE_RESPONSE) >>> 2]!)
  freeHead(memory, memory.u32[(block + L.EXCHANGE_REQUEST_TRAILER) >>> 2]!)
  freeHead(memory, memory.u32[(block + L.EXCHANGE_RESPONSE_TRAILER) >>> 2]!)
  freeHead(memory, memory.u32[(block + L.EXCHANGE_INTERIM_HEAD) >>> 2]!)
  memory.allocator.free(block, L.EXCHANGE_BYTES)
}

/** Moves the responses of `from`, interim ones too, to `block`, which has no final one, and gives `from` back. */
export function absorbResponse(memory: ByteMemory, block: number, from: number): void {
  const { u8, u16, u32, f64 } = memory
  for (const word of [L.EXCHANGE_RESPONSE, L.EXCHANGE_RESPONSE_TRAILER]) {
    u32[(block + word) >>> 2] = u32[(from + word) >>> 2]!
    u32[(from + word) >>> 2] = 0
  }
  for (const word of [L.EXCHANGE_RESPONSE_TIME, L.EXCHANGE_RESPONSE_END_TIME, L.EXCHANGE_RESPONSE_BODY]) {
    f64[(block + word) >>> 3] = f64[(from + word) >>> 3]!
  }
  const odd = L.EXCHANGE_ODDITIES >>> 2
  u32[(block >>> 2) + odd] = u32[(block >>> 2) + odd]! | u32[(from >>> 2) + odd]!
  absorbInterim(memory, block, from)
  const marks = (from + L.EXCHANGE_MARKS) >>> 1
  for (let index = 0; index < u8[from + L.EXCHANGE_MARK_COUNT]!; index++) {
    mark(memory, block, u16[marks + index * 2]!, MARK_REASONS[u16[marks + index * 2 + 1]! - 1]!)
  }
  closeBlock(memory, from)
}

/** Says why a field is missing, cut or unknown; marks over the 16th are left out, the first reason of a field stands. */
export function mark(memory: ByteMemory, block: number, httpField: number, reason: MarkReason): void {
  const isOwn = memory.u8[block + L.EXCHANGE_PROTOCOL]! >= L.PROTOCOL_OWN
  const field = isOwn ? OWN_MARK_FIELD.get(httpField) ?? httpField : httpField
  const count = memory.u8[block + L.EXCHANGE_MARK_COUNT]!
  if (count >= MARKS_MAX) return
  const marks = (block + L.EXCHANGE_MARKS) >>> 1
  for (let index = 0; index < count; index++) if (memory.u16[marks + index * 2] === field) return
  memory.u16[marks + count * 2] = field
  memory.u16[marks + count * 2 + 1] = REASON_ID.get(reason)!
  memory.u8[block + L.EXCHANGE_MARK_COUNT] = count + 1
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as L from '../../../wasm/layout.ts'

const HEADS = [
  L.EXCHANGE_REQUEST, L.EXCHANGE_RESPONSE, L.EXCHANGE_REQUEST_TRAILER, L.EXCHANGE_RESPONSE_TRAILER, L.EXCHANGE_INTERIM_HEAD,
]

/** An EXCHANGE block, its heads and the block of its connection as one text, without addresses of memory. */
export function describeExchange(memory: ByteMemory, block: number): string {
  const hex = (pointer: number, bytes: number): string => Buffer.from(memory.read(pointer, bytes)).toString('hex')
  const word = (at: number): number => memory.u32[(block + at) >>> 2]!
  const heads = HEADS.map((at) => {
    const head = word(at)
    return head === 0 ? '-' : hex(head, memory.u32[(head + L.HEAD_BYTES) >>> 2]!)
  })
  return [hex(block + L.EXCHANGE_DEPTH, L.EXCHANGE_INTERIM_HEAD - L.EXCHANGE_DEPTH), hex(word(L.EXCHANGE_CONNECTION), L.CONNECTION_BYTES), ...heads].join(' ')
}

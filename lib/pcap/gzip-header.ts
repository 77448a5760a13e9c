import { readU16 } from './byte-order.ts'

/** Check sum and size. */
export const GZIP_TRAILER_BYTES = 8
const FIXED_BYTES = 10
const FLAG = { HEADER_SUM: 2, EXTRA: 4, NAME: 8, COMMENT: 16 } as const

/** Bytes of the header of a gzip member (RFC 1952 2.3) that begins `bytes`; undefined = it goes on behind them, -1 = there is none. */
export function gzipHeaderBytes(bytes: Uint8Array): number | undefined {
  const start = [0x1f, 0x8b, 8]
  if (start.some((byte, index) => index < bytes.length && bytes[index] !== byte)) return -1
  if (bytes.length < FIXED_BYTES + 2) return undefined
  const flags = bytes[3]!
  let at = FIXED_BYTES
  if ((flags & FLAG.EXTRA) !== 0) at += 2 + readU16(bytes, at, false)
  for (const text of [FLAG.NAME, FLAG.COMMENT]) {
    if ((flags & text) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end === -1) return undefined
    at = end + 1
  }
  if ((flags & FLAG.HEADER_SUM) !== 0) at += 2
  return at <= bytes.length ? at : undefined
}

import { readU32 } from './byte-order.ts'
import { COMPRESSION } from './inflate-channel.ts'

/** Bytes at a file's beginning that tell. */
export const COMPRESSION_MAGIC_BYTES = 4
const GZIP_MAGIC = 0x1f8b
const ZSTD_MAGIC = 0xfd2fb528

/** What a file that begins so is compressed by (RFC 1952 2.3.1, RFC 8878 3.1.1); undefined = by neither, or it is shorter. */
export function compressionOf(prefix: Uint8Array): COMPRESSION | undefined {
  if (prefix.length < COMPRESSION_MAGIC_BYTES) return undefined
  if (readU32(prefix, 0, true) >>> 16 === GZIP_MAGIC) return COMPRESSION.GZIP
  return readU32(prefix, 0, false) === ZSTD_MAGIC ? COMPRESSION.ZSTD : undefined
}

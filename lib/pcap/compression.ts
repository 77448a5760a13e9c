import { readU32 } from './byte-order.ts'
import { COMPRESSION } from './inflate-channel.ts'

/** Bytes at a file's beginning that tell. */
export const COMPRESSION_MAGIC_BYTES = 4
const GZIP_MAGIC = 0x1f8b
const ZSTD_MAGIC = 0xfd2fb528

/** Packed forms that are not read, by how they begin, and what unpacks them. */
const OTHERS: readonly (readonly [start: string, name: string, tool: string])[] = [
  ['fd377a585a00', 'xz', 'xz -d'], ['425a68', 'bzip2', 'bzip2 -d'], ['04224d18', 'lz4', 'lz4 -d'], ['504b0304', 'zip', 'unzip'],
  ['377abcaf271c', '7z', '7z x'], ['1f9d', 'compress', 'uncompress'],
]

/** A packed form that is not read, and the tool that unpacks it; undefined = none that is known. */
export function otherCompression(first: Uint8Array): { readonly name: string, readonly tool: string } | undefined {
  const hexadecimal = Buffer.from(first).toString('hex')
  const [, name, tool] = OTHERS.find(([start]) => hexadecimal.startsWith(start)) ?? []
  return name === undefined || tool === undefined ? undefined : { name, tool }
}

/** What a file that begins so is compressed by (RFC 1952 2.3.1, RFC 8878 3.1.1); undefined = by neither, or it is shorter. */
export function compressionOf(prefix: Uint8Array): COMPRESSION | undefined {
  if (prefix.length < COMPRESSION_MAGIC_BYTES) return undefined
  if (readU32(prefix, 0, true) >>> 16 === GZIP_MAGIC) return COMPRESSION.GZIP
  return readU32(prefix, 0, false) === ZSTD_MAGIC ? COMPRESSION.ZSTD : undefined
}

/**
 * What callers of wasm/hpack.ts share with it. Plain numbers, read by AssemblyScript and TypeScript alike.
 */

/** Bytes of a table's own block; the entries lie in another that it owns. */
export const HPACK_TABLE_BYTES = 64
/** Entries are kept up to so many bytes as RFC 7541 4.1 counts them; of a larger table the newest are. */
export const HPACK_KEPT_BYTES_MAX = 65536
/** A header block of more bytes on the wire is not read. */
export const HPACK_BLOCK_BYTES_MAX = 262144
/** A block that unfolds to more is given up there: it is not kept anyway, and copying it would be the attack. */
export const HPACK_DECODED_BYTES_MAX = 16777216
/** The size of a table, or its bound, is not known. */
export const HPACK_UNKNOWN = 0xffffffff

// The table's block, as far as TypeScript reads it.
export const HPACK_SIZE_MAX = 0 // u32: bytes the encoder may use now, HPACK_UNKNOWN
export const HPACK_SIZE = 4 // u32: bytes of the entries kept
export const HPACK_COUNT = 8 // u32: entries kept, the newest ones
export const HPACK_BOUND = 36 // u32: largest size that the peer's SETTINGS allow, HPACK_UNKNOWN

// Results of decodeBlock.
export const HPACK_OK = 0
export const HPACK_ERROR_INTEGER = -1 // an integer without end, or over 2^28
export const HPACK_ERROR_TRUNCATED = -2 // the block ends inside a field
export const HPACK_ERROR_HUFFMAN = -3
export const HPACK_ERROR_UPDATE = -4 // a size update behind a field
export const HPACK_ERROR_INDEX = -5 // index 0 (RFC 7541 6.1)
export const HPACK_ERROR_BOUND = -6 // more than HPACK_DECODED_BYTES_MAX

// Area at hpackInfo(): the first HEAD_SPANS bytes are those of the block (wasm/layout.ts), then:
export const HPACK_INFO_BLOCK = 64 // u32: the head block, 0 = the memory limit refused it
export const HPACK_INFO_FLAGS = 68 // u32: HPACK_INFO_* bits
/** An index named an entry that cannot exist: the table is distrusted from here on. */
export const HPACK_INFO_INDEX = 1
/** A size update over the bound that SETTINGS set. */
export const HPACK_INFO_UPDATE = 2
export const HPACK_INFO_BYTES = 80

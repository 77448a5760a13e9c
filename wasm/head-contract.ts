/**
 * What callers of wasm/head.ts share with it: bounds, errors, and the area where the last scan is told. Plain numbers, read
 * by AssemblyScript and TypeScript alike.
 */

/** A head (or trailer section) longer than this is refused. */
export const HEAD_BYTES_MAX = 262144
/** Header fields kept of one head; further ones are scanned for framing and counted. */
export const HEADER_COUNT_MAX = 8192

/** Flag beside HEAD_KIND_REQUEST: a request line without a version is a whole HTTP/0.9 request. */
export const SCAN_SIMPLE = 16

// Results of scanHead below 0.
export const HEAD_ERROR_START_LINE = -1 // not a request line or status line of HTTP
export const HEAD_ERROR_VERSION = -2 // the protocol is not HTTP/digit.digit
export const HEAD_ERROR_STATUS = -3 // the status code is not three digits
export const HEAD_ERROR_TOO_LONG = -4 // no end within HEAD_BYTES_MAX
export const HEAD_ERROR_CUT = -5 // the same of a response: INFO_BLOCK has what is whole of it, HEAD_DROPPED says HEAD_CUT

// Area at headInfo(): the first HEAD_SPANS bytes are those of the block (wasm/layout.ts), then:
export const INFO_BLOCK = 64 // u32: the head block, 0 = the memory limit refused it
export const INFO_METHOD = 68 // u8: METHOD_*
export const INFO_BYTES = 80
export const METHOD_OTHER = 0
export const METHOD_HEAD = 1
export const METHOD_CONNECT = 2

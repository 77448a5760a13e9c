/** Frames of HTTP/2 (RFC 9113 4 and 6): their numbers, and what each type allows. */

export const FRAME = {
  data: 0, headers: 1, priority: 2, resetStream: 3, settings: 4, pushPromise: 5, ping: 6, goaway: 7, windowUpdate: 8,
  continuation: 9,
} as const
export const FLAG_END_STREAM = 1
export const FLAG_ACK = 1
export const FLAG_END_HEADERS = 4
export const FLAG_PADDED = 8
export const FLAG_PRIORITY = 32

export const FRAME_HEADER_BYTES = 9
/** SETTINGS_MAX_FRAME_SIZE before anything is announced, and what it may be at most (RFC 9113 6.5.2). */
export const FRAME_BYTES_MAX = 16_384
export const FRAME_BYTES_LIMIT = 16_777_215

export const SETTING_HEADER_TABLE_SIZE = 1
export const SETTING_MAX_FRAME_SIZE = 5
export const SETTING_BYTES = 6

/** RFC 9113 7, as far as frames themselves break the rules; 0 = they do not. */
export const FAULT = { none: 0, protocol: 1, frameSize: 6 } as const

/** Bytes that a client sends before its first frame (RFC 9113 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Flags that a type defines, by its number. */
const FLAGS = [0x09, 0x2d, 0x00, 0x00, 0x01, 0x0c, 0x01, 0x00, 0x00, 0x04] as const

/** Whether the type defines all of `flags`; for a type that is not known, whether there are none. */
export function definesFlags(type: number, flags: number): boolean {
  return (flags & ~(FLAGS[type] ?? 0)) === 0
}

/** What is wrong with a frame by its header alone: a value of FAULT. */
export function headerFault(type: number, flags: number, length: number, stream: number): number {
  switch (type) {
    case FRAME.data:
      if (stream === 0) return FAULT.protocol
      return (flags & FLAG_PADDED) !== 0 && length === 0 ? FAULT.frameSize : FAULT.none
    case FRAME.headers:
      if (stream === 0) return FAULT.protocol
      return length < blockOffset(type, flags) ? FAULT.frameSize : FAULT.none
    case FRAME.pushPromise:
      if (stream === 0) return FAULT.protocol
      return length < blockOffset(type, flags) ? FAULT.frameSize : FAULT.none
    case FRAME.continuation: return stream === 0 ? FAULT.protocol : FAULT.none
    case FRAME.priority:
      if (stream === 0) return FAULT.protocol
      return length === 5 ? FAULT.none : FAULT.frameSize
    case FRAME.resetStream:
      if (stream === 0) return FAULT.protocol
      return length === 4 ? FAULT.none : FAULT.frameSize
    case FRAME.settings:
      if (stream !== 0) return FAULT.protocol
      return length % SETTING_BYTES !== 0 || ((flags & FLAG_ACK) !== 0 && length > 0) ? FAULT.frameSize : FAULT.none
    case FRAME.ping:
      if (stream !== 0) return FAULT.protocol
      return length === 8 ? FAULT.none : FAULT.frameSize
    case FRAME.goaway:
      if (stream !== 0) return FAULT.protocol
      return length >= 8 ? FAULT.none : FAULT.frameSize
    case FRAME.windowUpdate: return length === 4 ? FAULT.none : FAULT.frameSize
    default: return FAULT.none
  }
}

/** Bytes in front of the header block of a HEADERS or PUSH_PROMISE frame: pad length, priority, promised stream. */
export function blockOffset(type: number, flags: number): number {
  const pad = (flags & FLAG_PADDED) !== 0 ? 1 : 0
  if (type === FRAME.pushPromise) return pad + 4
  return pad + (type === FRAME.headers && (flags & FLAG_PRIORITY) !== 0 ? 5 : 0)
}

/** Bytes of the payload that are padding, its length byte not counted; -1 = more than there is room for (RFC 9113 6.1). */
export function paddingOf(u8: Uint8Array, payload: number, length: number, type: number, flags: number): number {
  if ((flags & FLAG_PADDED) === 0 || type === FRAME.continuation) return 0
  const padding = u8[payload]!
  const front = type === FRAME.data ? 1 : blockOffset(type, flags)
  return front + padding > length ? -1 : padding
}

/** What is wrong with the whole payload of a frame whose header is right: a value of FAULT. */
export function payloadFault(u8: Uint8Array, payload: number, length: number, type: number, flags: number): number {
  const isPadded = type === FRAME.data || type === FRAME.headers || type === FRAME.pushPromise
  if (isPadded && paddingOf(u8, payload, length, type, flags) < 0) return FAULT.protocol
  if (type === FRAME.windowUpdate && (uint32(u8, payload) & 0x7fff_ffff) === 0) return FAULT.protocol
  if (type === FRAME.pushPromise) {
    const promised = promisedStream(u8, payload, flags)
    if (promised === 0 || promised % 2 === 1) return FAULT.protocol
  }
  return FAULT.none
}

/** Stream that a PUSH_PROMISE frame promises. */
export function promisedStream(u8: Uint8Array, payload: number, flags: number): number {
  return uint32(u8, payload + ((flags & FLAG_PADDED) !== 0 ? 1 : 0)) & 0x7fff_ffff
}

export function uint16(u8: Uint8Array, at: number): number {
  return (u8[at]! << 8) | u8[at + 1]!
}

export function uint24(u8: Uint8Array, at: number): number {
  return (u8[at]! << 16) | (u8[at + 1]! << 8) | u8[at + 2]!
}

export function uint32(u8: Uint8Array, at: number): number {
  return ((u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!) >>> 0
}

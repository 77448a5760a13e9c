/** Frames of HTTP/2 as tests send them. */
import { FLAG_END_HEADERS, FLAG_END_STREAM, FLAG_PADDED, FLAG_PRIORITY, FRAME, PREFACE } from '../frame.ts'

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

export interface HeadersOptions {
  readonly endsStream?: boolean
  readonly padding?: number
  readonly priority?: boolean
  /** Bytes of the block in the first frame and in each CONTINUATION. */
  readonly split?: number
}

/** A header block as HEADERS, and CONTINUATION where it is split. */
export function headers(stream: number, block: Buffer, options: HeadersOptions = {}): Buffer {
  const { endsStream = false, padding, priority = false, split = block.length } = options
  const flags = (endsStream ? FLAG_END_STREAM : 0) | (padding === undefined ? 0 : FLAG_PADDED) | (priority ? FLAG_PRIORITY : 0)
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < block.length; at += Math.max(split, 1)) {
    const fragment = block.subarray(at, at + Math.max(split, 1))
    const isLast = at + Math.max(split, 1) >= block.length
    const end = isLast ? FLAG_END_HEADERS : 0
    const front = [...(padding === undefined ? [] : [padding]), ...(priority ? [0, 0, 0, 0, 16] : [])]
    parts.push(at > 0 ? frame(FRAME.continuation, end, stream, fragment)
      : frame(FRAME.headers, flags | end, stream, Buffer.concat([Buffer.from(front), fragment, Buffer.alloc(padding ?? 0)])))
  }
  return Buffer.concat(parts)
}

export function data(stream: number, content: Uint8Array | string, endsStream = false, padding?: number): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  const flags = (endsStream ? FLAG_END_STREAM : 0) | (padding === undefined ? 0 : FLAG_PADDED)
  if (padding === undefined) return frame(FRAME.data, flags, stream, bytes)
  return frame(FRAME.data, flags, stream, Buffer.concat([Buffer.of(padding), bytes, Buffer.alloc(padding)]))
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index))
  return bytes
}

export function reset(stream: number, code: number): Buffer {
  return frame(FRAME.resetStream, 0, stream, uint32(code))
}

export function goaway(lastStream: number, code: number): Buffer {
  return frame(FRAME.goaway, 0, 0, uint32(lastStream, code))
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(FRAME.windowUpdate, 0, stream, uint32(increment))
}

export function ping(): Buffer {
  return frame(FRAME.ping, 0, 0, Buffer.alloc(8, 7))
}

export function settings(...pairs: readonly (readonly [identifier: number, value: number])[]): Buffer {
  return frame(FRAME.settings, 0, 0, Buffer.concat(pairs.map(([identifier, value]) => {
    const bytes = Buffer.alloc(6)
    bytes.writeUInt16BE(identifier, 0)
    bytes.writeUInt32BE(value, 2)
    return bytes
  })))
}

export function settingsAck(): Buffer {
  return frame(FRAME.settings, 1, 0)
}

export function pushPromise(stream: number, promised: number, block: Buffer): Buffer {
  return frame(FRAME.pushPromise, FLAG_END_HEADERS, stream, Buffer.concat([uint32(promised), block]))
}

/** What a client begins a connection with. */
export const CLIENT_START = Buffer.concat([PREFACE, settings([3, 100]), windowUpdate(0, 65_535)])

/** A length-prefixed message of gRPC. */
export function grpcMessage(content: Uint8Array | string, flag = 0): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([Buffer.of(flag), uint32(bytes.length), bytes])
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameOptions {
  readonly opcode?: number
  readonly payload?: string | Uint8Array
  /** Masked with this key, as a client does; none = as a server. */
  readonly mask?: number
  readonly isFinal?: boolean
  /** RSV1 to RSV3 as three bits. */
  readonly reserved?: number
  /** Bytes of the extended length: 0, 2 or 8; none = as few as it takes. */
  readonly lengthBytes?: 0 | 2 | 8
}

/** One frame (RFC 6455 5.2). */
export function frame(options: FrameOptions = {}): Buffer {
  const { opcode = OPCODE.text, payload = '', mask, isFinal = true, reserved = 0 } = options
  const data = Buffer.from(payload as string)
  const lengthBytes = options.lengthBytes ?? (data.length < 126 ? 0 : data.length < 65_536 ? 2 : 8)
  const header = Buffer.alloc(2 + lengthBytes + (mask === undefined ? 0 : 4))
  header[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  header[1] = (mask === undefined ? 0 : 0x80) | (lengthBytes === 0 ? data.length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) header.writeUInt16BE(data.length, 2)
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(data.length), 2)
  if (mask !== undefined) {
    header.writeUInt32BE(mask, 2 + lengthBytes)
    for (let index = 0; index < data.length; index++) data[index]! ^= header[2 + lengthBytes + (index & 3)]!
  }
  return Buffer.concat([header, data])
}

/** A close frame with a code and a reason. */
export function closeFrame(code: number, reason = '', mask?: number): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])
  return frame({ opcode: OPCODE.close, payload, ...(mask === undefined ? {} : { mask }) })
}

/** The protocol of this example: frames of a fixed header, a head of text, and a body. Shared by its client and its server. */

/** "LP", then: u8 type, u8 0, u32 correlation id, u16 bytes of the head, u32 bytes of the body; big-endian. */
export const HEADER_BYTES = 14
export const REQUEST = 1
export const RESPONSE = 2

export interface Frame {
  readonly type: typeof REQUEST | typeof RESPONSE
  /** A response carries that of its request; responses may come in any order. */
  readonly id: number
  /** Of a request `METHOD path`, of a response its status. */
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export function encodeFrame({ type, id, line, headers, body }: Frame): Buffer {
  const head = Buffer.from([line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n'))
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('LP', 0, 'latin1')
  header[2] = type
  header.writeUInt32BE(id, 4)
  header.writeUInt16BE(head.length, 8)
  header.writeUInt32BE(body.length, 10)
  return Buffer.concat([header, head, body])
}

/** The whole frames at the front of `bytes`, and how many bytes they take. */
export function decodeFrames(bytes: Buffer): { frames: Frame[], used: number } {
  const frames: Frame[] = []
  let used = 0
  while (bytes.length - used >= HEADER_BYTES) {
    const headEnd = used + HEADER_BYTES + bytes.readUInt16BE(used + 8)
    const end = headEnd + bytes.readUInt32BE(used + 10)
    if (end > bytes.length) break
    const [line = '', ...fields] = bytes.toString('utf8', used + HEADER_BYTES, headEnd).split('\n')
    const headers = Object.fromEntries(fields.map((field) => field.split(': ', 2) as [string, string]))
    frames.push({ type: bytes[used + 2] as Frame['type'], id: bytes.readUInt32BE(used + 4), line, headers, body: bytes.subarray(headEnd, end) })
    used = end
  }
  return { frames, used }
}

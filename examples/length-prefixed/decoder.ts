/** How Lintel reads the example's protocol: `lintel run --decoder examples/length-prefixed/decoder.ts`. */
import type { Decoder, DecoderConnection, DecoderHandler } from '../../src/decode/own/contract.ts'

const HEADER_BYTES = 14
const REQUEST = 1
const RESPONSE = 2
const text = new TextDecoder()

export default {
  name: 'length-prefixed',
  ports: [9400],
  detectBytes: 4,

  detect(bytes) {
    const expected = [0x4c, 0x50] // "LP"
    if (bytes.some((byte, index) => index < 2 && byte !== expected[index])) return 'no'
    if (bytes.length < 4) return 'more'
    return (bytes[2] === REQUEST || bytes[2] === RESPONSE) && bytes[3] === 0 ? 'yes' : 'no'
  },

  open(connection): DecoderHandler {
    return { data: (_side, bytes) => readFrames(connection, bytes) }
  },
} satisfies Decoder

/** Gives every message whose head is there. @returns bytes done with: beyond the last of `bytes` where a body is still to come */
function readFrames(connection: DecoderConnection, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const headEnd = at + HEADER_BYTES + view.getUint16(at + 8)
    if (headEnd > bytes.length) break
    const bodyBytes = view.getUint32(at + 10)
    const [line = '', ...fields] = text.decode(bytes.subarray(at + HEADER_BYTES, headEnd)).split('\n')
    const headers = fields.map((field): [string, string] => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon), field.slice(colon + 1).trim()]
    })
    const correlation = view.getUint32(at + 4)
    if (bytes[at + 2] === REQUEST) {
      const [method = '', path = ''] = line.split(' ')
      connection.message({ kind: 'request', correlation, method, path, headers, bodyBytes })
    } else if (bytes[at + 2] === RESPONSE) {
      connection.message({ kind: 'response', correlation, status: line, headers, bodyBytes })
    } else {
      throw new TypeError('unknown type of frame')
    }
    at = headEnd + bodyBytes
  }
  return at
}

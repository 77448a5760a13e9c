import { readVariable } from './packet-header.ts'

const FRAME = { padding: 0, ping: 1, ack: 2, ackWithEcn: 3, crypto: 6, cryptoGoogle: 8, close: 0x1c, closeByApplication: 0x1d } as const
/** RFC 9000 20.1: 0x0100 and the TLS alert. */
const CRYPTO_ERROR = 0x100

/** T050 and T051 keep the ACK frame of Google's QUIC: 01nullmm. In the others a type of two bytes begins so, and none may (12.4). */
const GOOGLE_ACK = 0x40
const GOOGLE_BLOCKS = 0x20
const GOOGLE_LENGTHS = [1, 2, 4, 6] as const

/** @param at place behind the type. @returns place behind the frame */
function skipGoogleAck(payload: Uint8Array, type: number, at: number): number {
  const blockBytes = GOOGLE_LENGTHS[(type & 3) as 0 | 1 | 2 | 3]
  // The largest number, and the time since it came.
  at += GOOGLE_LENGTHS[(type >> 2 & 3) as 0 | 1 | 2 | 3] + 2
  const more = (type & GOOGLE_BLOCKS) === 0 ? 0 : payload[at++] ?? 0
  at += blockBytes + more * (1 + blockBytes)
  // The first timestamp has five bytes, each of the others three.
  const timestamps = payload[at++] ?? 0
  return timestamps === 0 ? at : at + 5 + (timestamps - 1) * 3
}

/** What the frames of an Initial packet say (RFC 9000 12.4, 19). */
export interface InitialFrames {
  readonly crypto: readonly { readonly offset: number; readonly data: Uint8Array }[]
  /** Why the sender closes: a TLS alert's number, or `undefined` for another error. */
  readonly close: { readonly alert: number | undefined } | undefined
  /** Something stands there that may not. */
  readonly isMalformed: boolean
}

export function readInitialFrames(payload: Uint8Array): InitialFrames {
  const crypto: { offset: number; data: Uint8Array }[] = []
  let at = 0
  /** The next variable-length number; NaN when it is not there. */
  const next = (): number => {
    const [value, size] = readVariable(payload, at)
    at += size
    return size === 0 ? NaN : value
  }
  while (at < payload.length) {
    const type = payload[at++]!
    switch (type) {
      case FRAME.padding:
      case FRAME.ping:
        break
      case FRAME.ack:
      case FRAME.ackWithEcn: {
        next()
        next()
        const ranges = next()
        next()
        for (let left = ranges; left > 0 && at < payload.length; left--) {
          next()
          next()
        }
        for (let left = type === FRAME.ackWithEcn ? 3 : 0; left > 0; left--) next()
        break
      }
      // Google's versions T050 and T051 number it so; in the others an Initial packet has no frame 8 (RFC 9000 12.4).
      case FRAME.cryptoGoogle:
      case FRAME.crypto: {
        const offset = next()
        const length = next()
        if (!(at + length <= payload.length)) return { crypto, close: undefined, isMalformed: true }
        crypto.push({ offset, data: payload.subarray(at, at + length) })
        at += length
        break
      }
      case FRAME.close:
      case FRAME.closeByApplication: {
        const error = next()
        const isAlert = type === FRAME.close && error >= CRYPTO_ERROR && error <= CRYPTO_ERROR + 0xff
        return { crypto, close: { alert: isAlert ? error - CRYPTO_ERROR : undefined }, isMalformed: false }
      }
      default:
        if ((type & 0xc0) !== GOOGLE_ACK) return { crypto, close: undefined, isMalformed: true }
        at = skipGoogleAck(payload, type, at)
    }
  }
  return { crypto, close: undefined, isMalformed: false }
}

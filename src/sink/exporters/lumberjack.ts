/** Frames of Lumberjack v2, as Beats and Logstash speak it: https://github.com/elastic/go-lumber/blob/main/protocol/v2. */
import { OddAnswer, type Reading } from './stream-socket.ts'

const VERSION = 0x32
const [WINDOW, JSON_FRAME, COMPRESSED, ACK] = [0x57, 0x4a, 0x43, 0x41]
const ACK_BYTES = 6

/** So many events follow, and are acknowledged in this window. */
export function windowFrame(count: number): Buffer {
  return head(WINDOW, count)
}

/** Head of an event's frame. @param sequence from 1 in each window @param length bytes of JSON that follow */
export function jsonHead(sequence: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(10)
  bytes[0] = VERSION
  bytes[1] = JSON_FRAME
  bytes.writeUInt32BE(sequence, 2)
  bytes.writeUInt32BE(length, 6)
  return bytes
}

/** Head of frames that are compressed as one. @param length bytes of zlib (RFC 1950) that follow */
export function compressedHead(length: number): Buffer {
  return head(COMPRESSED, length)
}

/** Reads acknowledgements of one window: each says that all events up to a number are taken; 0, or the same again, that the server is at work. */
export class WindowReader {
  readonly #count: number
  #acknowledged = 0

  /** @param count events of the window */
  constructor(count: number) {
    this.#count = count
  }

  /** Events, from the first, that the server has. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** @throws {OddAnswer} when it is no acknowledgement, or of what was not sent */
  read(heard: Buffer): Reading<true> {
    let used = 0
    for (; heard.length - used >= ACK_BYTES; used += ACK_BYTES) {
      if (heard[used] !== VERSION || heard[used + 1] !== ACK) {
        throw new OddAnswer('answers no acknowledgement; is it a beats input of Logstash, and tcp or tls right?')
      }
      const sequence = heard.readUInt32BE(used + 2)
      if (sequence > this.#count) throw new OddAnswer(`acknowledges event ${sequence} of a window of ${this.#count}`)
      this.#acknowledged = Math.max(this.#acknowledged, sequence)
    }
    return this.#acknowledged === this.#count ? { used, value: true } : { used }
  }
}

function head(kind: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6)
  bytes[0] = VERSION
  bytes[1] = kind
  bytes.writeUInt32BE(value, 2)
  return bytes
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { MessageStream } from './message-stream.ts'
import type { MessageStreamOwner } from './message-stream.ts'
import { RECORD } from './parameters.ts'

const HEADER_BYTES = 5
/** RFC 5246 6.2.3: 2^14 bytes and what protection adds. */
export const RECORD_BYTES_MAX = 0x4000 + 2048

/** What one direction of the record layer tells, besides its handshake messages. */
export interface RecordLayerOwner extends MessageStreamOwner {
  /** Its ChangeCipherSpec has gone by: handshake messages and alerts are encrypted. */
  readonly hasChanged: boolean
  /** Its ChangeCipherSpec: everything later is encrypted (before TLS 1.3). */
  changeCipherSpec(time: number): void
  alert(level: number, description: number, time: number): void
  /** A record of encrypted bytes begins. */
  encrypted(length: number, time: number): void
  /** What should be a record's header is none. */
  malformed(time: number): void
}

/** Records (RFC 8446 5.1, RFC 5246 6.2) of one direction → handshake messages, alerts, and where encryption begins. */
export class RecordLayer {
  readonly #owner: RecordLayerOwner
  readonly #memory: ByteMemory
  readonly #messages: MessageStream
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerLength = 0
  #type = 0
  #left = 0
  readonly #alert = new Uint8Array(2)
  #alertLength = 0

  constructor(owner: RecordLayerOwner, memory: ByteMemory) {
    this.#owner = owner
    this.#memory = memory
    this.#messages = new MessageStream(owner, memory)
  }

  /** A handshake message, or a record's header, has begun and is not over. */
  get isInside(): boolean {
    return this.#messages.isInside || this.#headerLength > 0 || (this.#left > 0 && this.#type === RECORD.handshake)
  }

  data(pointer: number, length: number, time: number): void {
    const end = pointer + length
    let at = pointer
    while (at < end && !this.#owner.isDone) {
      if (this.#left === 0) {
        at = this.#readHeader(at, end, time)
        continue
      }
      const size = Math.min(this.#left, end - at)
      this.#left -= size
      if (this.#owner.hasChanged) this.#messages.clear()
      else if (this.#type === RECORD.handshake) this.#messages.take(at, size, time)
      else if (this.#type === RECORD.alert) this.#readAlert(at, size, time)
      at += size
    }
  }

  /** Gives back what is held. */
  clear(): void {
    this.#messages.clear()
  }

  #readHeader(at: number, end: number, time: number): number {
    const { u8 } = this.#memory
    while (at < end && this.#headerLength < HEADER_BYTES) this.#header[this.#headerLength++] = u8[at++]!
    if (this.#headerLength < HEADER_BYTES) return at
    this.#headerLength = 0
    const [type = 0, major = 0, , high = 0, low = 0] = this.#header
    const length = high * 0x100 + low
    if (type < RECORD.changeCipherSpec || type > RECORD.heartbeat || major !== 3 || length > RECORD_BYTES_MAX) {
      this.#owner.malformed(time)
      return end
    }
    this.#type = type
    this.#left = length
    this.#alertLength = 0
    if (type === RECORD.changeCipherSpec) this.#owner.changeCipherSpec(time)
    else if (type === RECORD.applicationData) this.#owner.encrypted(length, time)
    return at
  }

  #readAlert(at: number, length: number, time: number): void {
    for (let index = 0; index < length && this.#alertLength < 2; index++) this.#alert[this.#alertLength++] = this.#memory.u8[at + index]!
    if (this.#alertLength !== 2) return
    this.#alertLength = 3
    this.#owner.alert(this.#alert[0]!, this.#alert[1]!, time)
  }
}

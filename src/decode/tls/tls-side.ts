import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { RecordLayer } from './record-layer.ts'
import type { RecordLayerOwner } from './record-layer.ts'

/** What a side tells its connection. */
export interface TlsSideOwner {
  readonly isDone: boolean
  message(side: TlsSide, type: number, body: Uint8Array, time: number): void
  changed(side: TlsSide, time: number): void
  alert(side: TlsSide, level: number, description: number, time: number): void
  encrypted(side: TlsSide, time: number): void
  malformed(side: TlsSide, time: number): void
  tooLong(side: TlsSide, type: number, time: number): void
  refused(side: TlsSide, time: number): void
}

/** One direction of a TLS connection. */
export class TlsSide implements RecordLayerOwner {
  readonly side: Side
  readonly #owner: TlsSideOwner
  readonly #records: RecordLayer
  /** First byte, nanoseconds in the source's clock; -1 = none yet. */
  startTime = -1
  /** Its ChangeCipherSpec has gone by. */
  hasChanged = false
  /** Bytes of encrypted records. */
  encryptedBytes = 0
  /** Bytes are missing where records were to be read: it is read no further. */
  isBroken = false

  constructor(owner: TlsSideOwner, memory: ByteMemory, side: Side) {
    this.#owner = owner
    this.side = side
    this.#records = new RecordLayer(this, memory)
  }

  get isDone(): boolean {
    return this.#owner.isDone || this.isBroken
  }

  /** Part of a handshake message is there. */
  get isInside(): boolean {
    return this.#records.isInside
  }

  data(pointer: number, length: number, time: number): void {
    if (this.startTime < 0) this.startTime = time
    if (!this.isBroken) this.#records.data(pointer, length, time)
  }

  /** Reads no more; what is held is given back. */
  stop(): void {
    this.isBroken = true
    this.#records.clear()
  }

  message(type: number, body: Uint8Array, time: number): void {
    this.#owner.message(this, type, body, time)
  }

  changeCipherSpec(time: number): void {
    if (!this.hasChanged) this.#owner.changed(this, time)
  }

  alert(level: number, description: number, time: number): void {
    this.#owner.alert(this, level, description, time)
  }

  encrypted(length: number, time: number): void {
    this.encryptedBytes += length
    this.#owner.encrypted(this, time)
  }

  malformed(time: number): void {
    this.#owner.malformed(this, time)
  }

  tooLong(type: number, time: number): void {
    this.#owner.tooLong(this, type, time)
  }

  refused(time: number): void {
    this.#owner.refused(this, time)
  }
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import type { Counts } from './counts.ts'
import { FragmentBuffers } from './fragment-buffer.ts'
import { FragmentKeys, KEY_NONE } from './fragment-key.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import type { Walk } from './walk.ts'

/** Datagrams that wait for fragments at a time. */
export const DATAGRAMS_MAX = 1024
/** Bytes held for them. */
export const FRAGMENT_BYTES_MAX = 8 << 20
/** RFC 791 leaves the time to the host; Linux (net.ipv4.ipfrag_time) has 30 s. */
const TIMEOUT_NANOSECONDS = 30e9

export const FRAGMENT_RESULT = {
  /** Kept; others are missing. */
  WAITING: 0,
  /** `dataAt`, `dataLength` and `protocol` describe the datagram, until `release`. */
  COMPLETE: 1,
  MALFORMED: 2,
  /** Belongs to a datagram that has been dropped, or there is no memory for it. */
  GIVEN_UP: 3,
} as const
export type FRAGMENT_RESULT = (typeof FRAGMENT_RESULT)[keyof typeof FRAGMENT_RESULT]

const PROTOCOL_UNKNOWN = -1
const LENGTH_UNKNOWN = -1

/**
 * Joins IP fragments, inside tunnels too (RFC 791 section 3.2, RFC 8200 section 4.5). Where fragments
 * disagree, IPv4 keeps what came first; IPv6 gives the datagram up (RFC 5722). What a datagram was given up
 * for is an anomaly.
 *
 * Limits: DATAGRAMS_MAX, FRAGMENT_BYTES_MAX, and 30 s of packet time; the oldest datagram goes first.
 */
export class FragmentTable {
  dataAt = 0
  dataLength = 0
  protocol = 0
  /** Frames that were kept, and whose datagram was given up. */
  framesGivenUp = 0

  readonly #anomalies: Counts<keyof typeof DISSECT_ANOMALY>
  readonly #keys = new FragmentKeys(DATAGRAMS_MAX)
  readonly #buffers: FragmentBuffers
  readonly #started = new Float64Array(DATAGRAMS_MAX)
  readonly #frames = new Uint32Array(DATAGRAMS_MAX)
  readonly #length = new Int32Array(DATAGRAMS_MAX)
  readonly #highest = new Int32Array(DATAGRAMS_MAX)
  readonly #protocol = new Int16Array(DATAGRAMS_MAX)
  /** 1: given up, and kept to swallow what still comes (RFC 5722 section 4). */
  readonly #dead = new Uint8Array(DATAGRAMS_MAX)

  constructor(memory: ByteMemory, anomalies: Counts<keyof typeof DISSECT_ANOMALY>) {
    this.#anomalies = anomalies
    this.#buffers = new FragmentBuffers(memory, DATAGRAMS_MAX)
  }

  get waiting(): number {
    return this.#keys.size
  }

  get heldBytes(): number {
    return this.#buffers.heldBytes
  }

  /**
   * Takes the payload from `walk.at` to `walk.end` as `offset` bytes into the datagram that the walk's IP
   * header names.
   */
  add(walk: Walk, identification: number, offset: number, more: boolean): FRAGMENT_RESULT {
    const now = walk.meta.timeHigh * 4294967296 + walk.meta.timeLow
    this.#expire(now)
    const isV6 = walk.ipVersion === 6
    let length = walk.end - walk.at
    if (more && (length & 7) !== 0) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_LENGTH)
      if (isV6) return FRAGMENT_RESULT.MALFORMED
      length &= ~7
    }
    if (length === 0) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_EMPTY)
      return FRAGMENT_RESULT.MALFORMED
    }
    const isTiny = offset === 0 && more && length < minimumOf(walk.protocol)
    if (isTiny) this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_TINY)
    const slot = this.#slotOf(walk, identification, now)
    if (this.#dead[slot] === 1) return FRAGMENT_RESULT.GIVEN_UP
    if (!this.#acceptEnd(slot, offset + length, more)) {
      if (isV6) this.#kill(slot)
      return FRAGMENT_RESULT.MALFORMED
    }
    if (!this.#reserve(slot, offset + length)) return FRAGMENT_RESULT.GIVEN_UP
    return this.#place(walk, slot, offset, length)
  }

  /** Gives back the memory of the datagrams that COMPLETE described. */
  release(): void {
    this.#buffers.release()
  }

  /** Gives every datagram up: at the end of the packets, and before the memory goes away. */
  clear(): void {
    while (this.#keys.oldest !== KEY_NONE) this.#remove(this.#keys.oldest)
    this.release()
  }

  #expire(now: number): void {
    for (;;) {
      const slot = this.#keys.oldest
      if (slot === KEY_NONE || now - this.#started[slot]! < TIMEOUT_NANOSECONDS) return
      if (this.#dead[slot] === 0) this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_TIMEOUT)
      this.#remove(slot)
    }
  }

  #slotOf(walk: Walk, identification: number, now: number): number {
    const keys = this.#keys
    keys.set(walk, identification)
    const known = keys.find()
    if (known !== KEY_NONE) return known
    if (keys.isFull) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_TABLE_FULL)
      this.#remove(keys.oldest)
    }
    const slot = keys.add()
    this.#started[slot] = now
    this.#frames[slot] = 0
    this.#length[slot] = LENGTH_UNKNOWN
    this.#highest[slot] = 0
    this.#protocol[slot] = PROTOCOL_UNKNOWN
    this.#dead[slot] = 0
    return slot
  }

  /** Checks a fragment's end against the datagram's, as far as either is known. */
  #acceptEnd(slot: number, end: number, more: boolean): boolean {
    const known = this.#length[slot]!
    const moved = more
      ? known !== LENGTH_UNKNOWN && end > known
      : (known !== LENGTH_UNKNOWN && end !== known) || end < this.#highest[slot]!
    if (moved) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_END_MOVED)
      return false
    }
    if (!more) this.#length[slot] = end
    if (end > this.#highest[slot]!) this.#highest[slot] = end
    return true
  }

  /** Room for `bytes` in the slot's buffer; older datagrams make way. */
  #reserve(slot: number, bytes: number): boolean {
    const buffers = this.#buffers
    const fits = (): boolean => buffers.heldBytes + buffers.growth(slot, bytes) <= FRAGMENT_BYTES_MAX
    while (!fits() && this.#keys.oldest !== slot) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_MEMORY_FULL)
      this.#remove(this.#keys.oldest)
    }
    if (fits() && buffers.ensure(slot, bytes)) return true
    this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_MEMORY_FULL)
    this.#remove(slot)
    return false
  }

  #place(walk: Walk, slot: number, offset: number, length: number): FRAGMENT_RESULT {
    const buffers = this.#buffers
    buffers.copy(slot, offset, walk.at, length)
    if (buffers.conflicts > 0 || (buffers.repeated > 0 && buffers.added > 0)) {
      if (buffers.conflicts > 0 || walk.ipVersion === 6) this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_OVERLAP)
      if (walk.ipVersion === 6) {
        this.#kill(slot)
        return FRAGMENT_RESULT.GIVEN_UP
      }
    } else if (buffers.repeated > 0) {
      this.#anomalies.add(DISSECT_ANOMALY.FRAGMENT_DUPLICATE)
    }
    // The first fragment's protocol counts, the others' may differ (RFC 8200 section 4.5).
    if (offset === 0 && this.#protocol[slot] === PROTOCOL_UNKNOWN) this.#protocol[slot] = walk.protocol
    const total = this.#length[slot]!
    if (total === LENGTH_UNKNOWN || buffers.blocks(slot) !== (total + 7) >> 3) {
      this.#frames[slot]! += 1
      return FRAGMENT_RESULT.WAITING
    }
    this.dataLength = total
    this.protocol = this.#protocol[slot]!
    this.dataAt = buffers.take(slot)
    this.#keys.remove(slot)
    return FRAGMENT_RESULT.COMPLETE
  }

  #kill(slot: number): void {
    this.framesGivenUp += this.#frames[slot]!
    this.#frames[slot] = 0
    this.#buffers.drop(slot)
    this.#dead[slot] = 1
  }

  #remove(slot: number): void {
    this.framesGivenUp += this.#frames[slot]!
    this.#buffers.drop(slot)
    this.#keys.remove(slot)
  }
}

/** Bytes that a first fragment needs for the upper header. */
function minimumOf(protocol: number): number {
  if (protocol === IP_PROTOCOL.TCP) return 20
  return protocol === IP_PROTOCOL.UDP ? 8 : 0
}

import { TUNNEL_GENEVE, TUNNEL_GRE, TUNNEL_GTPU, TUNNEL_VXLAN } from '../events.gen.ts'
import type { Walk } from './walk.ts'

export const KEY_NONE = -1

const KEY_BYTES = 44
const BUCKETS = 2048
const ADDRESSES = 12

/**
 * Which slot belongs to which datagram, and in which order they came: a hash table with chains and a list by
 * age, all in typed arrays. The hash starts from a random number, so a sender cannot aim at one chain.
 */
export class FragmentKeys {
  readonly #capacity: number
  readonly #keys: Uint8Array
  readonly #bucketOf: Int16Array
  readonly #buckets = new Int16Array(BUCKETS).fill(KEY_NONE)
  /** Next slot in the bucket's chain, or in the list of free slots. */
  readonly #next: Int16Array
  readonly #older: Int16Array
  readonly #newer: Int16Array
  readonly #wanted = new Uint8Array(KEY_BYTES)
  readonly #seed = Math.floor(Math.random() * 0x7fffffff)
  #free = 0
  #oldest = KEY_NONE
  #newest = KEY_NONE
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#keys = new Uint8Array(capacity * KEY_BYTES)
    this.#bucketOf = new Int16Array(capacity)
    this.#next = new Int16Array(capacity)
    this.#older = new Int16Array(capacity)
    this.#newer = new Int16Array(capacity)
    for (let slot = 0; slot < capacity; slot++) this.#next[slot] = slot + 1 < capacity ? slot + 1 : KEY_NONE
  }

  get oldest(): number {
    return this.#oldest
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size === this.#capacity
  }

  /**
   * The datagram that `find` and `add` mean: version, protocol (IPv4), identification, addresses, and the
   * virtual network, since tenants may use the same addresses.
   */
  set(walk: Walk, identification: number): void {
    const { u8, ipAt } = walk
    const key = this.#wanted.fill(0)
    const isV4 = walk.ipVersion === 4
    key[0] = walk.ipVersion
    key[1] = isV4 ? walk.protocol : 0
    putU32(key, 4, identification)
    putU32(key, 8, isVirtualNetwork(walk.tunnel) ? walk.tunnelId : 0)
    const from = isV4 ? ipAt + 12 : ipAt + 8
    const length = isV4 ? 8 : 32
    for (let i = 0; i < length; i++) key[ADDRESSES + i] = u8[from + i]!
  }

  find(): number {
    let slot = this.#buckets[this.#bucket()]!
    while (slot !== KEY_NONE && !this.#matches(slot)) slot = this.#next[slot]!
    return slot
  }

  /** A slot for the datagram, which must not be there yet; the table must not be full. */
  add(): number {
    const slot = this.#free
    this.#free = this.#next[slot]!
    this.#keys.set(this.#wanted, slot * KEY_BYTES)
    const bucket = this.#bucket()
    this.#bucketOf[slot] = bucket
    this.#next[slot] = this.#buckets[bucket]!
    this.#buckets[bucket] = slot
    this.#older[slot] = this.#newest
    this.#newer[slot] = KEY_NONE
    if (this.#newest !== KEY_NONE) this.#newer[this.#newest] = slot
    else this.#oldest = slot
    this.#newest = slot
    this.#size++
    return slot
  }

  remove(slot: number): void {
    this.#unchain(slot)
    const older = this.#older[slot]!
    const newer = this.#newer[slot]!
    if (older !== KEY_NONE) this.#newer[older] = newer
    else this.#oldest = newer
    if (newer !== KEY_NONE) this.#older[newer] = older
    else this.#newest = older
    this.#next[slot] = this.#free
    this.#free = slot
    this.#size--
  }

  #unchain(slot: number): void {
    const bucket = this.#bucketOf[slot]!
    const next = this.#next[slot]!
    let before = this.#buckets[bucket]!
    if (before === slot) {
      this.#buckets[bucket] = next
      return
    }
    while (this.#next[before] !== slot) before = this.#next[before]!
    this.#next[before] = next
  }

  #matches(slot: number): boolean {
    const at = slot * KEY_BYTES
    for (let i = 0; i < KEY_BYTES; i++) if (this.#keys[at + i] !== this.#wanted[i]) return false
    return true
  }

  #bucket(): number {
    let hash = this.#seed
    for (let i = 0; i < KEY_BYTES; i++) hash = Math.imul(hash ^ this.#wanted[i]!, 0x01000193)
    hash ^= hash >>> 15
    return (Math.imul(hash, 0x2c1b3c6d) >>> 16) & (BUCKETS - 1)
  }
}

function isVirtualNetwork(tunnel: number): boolean {
  const isOverlay = tunnel === TUNNEL_VXLAN || tunnel === TUNNEL_GENEVE
  return isOverlay || tunnel === TUNNEL_GRE || tunnel === TUNNEL_GTPU
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

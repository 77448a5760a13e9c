import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { PACKET_EVENT } from '../capture/mod.ts'
import type { Side } from './stream.ts'

const WORDS = 10
/** Where the second address stands in a key. */
const SECOND = 4
const PORTS = 8
const VERSION = 9

/**
 * From addresses and ports to a slot: open addressing over 32-bit words, no string and no object per lookup.
 *
 * The hash is HalfSipHash-1-3 with a random key (Aumasson, Bernstein: SipHash): who chooses addresses and
 * ports cannot choose the bucket. At most half of the buckets are used, so a probe is short; a removal shifts
 * its followers back, so there are no tombstones that would slow later ones.
 */
export class FlowIndex {
  readonly #memory: ByteMemory
  readonly #slots: Int32Array
  readonly #hashes: Int32Array
  readonly #keys: Int32Array
  readonly #mask: number
  readonly #seed0: number
  readonly #seed1: number
  readonly #key = new Int32Array(WORDS)
  #hash = 0
  /** Side of the source of the packet that `find` saw last. */
  side: Side = 0

  /** @param slotCount slots there are; @param seeds two 32-bit numbers that nobody can guess */
  constructor(memory: ByteMemory, slotCount: number, seeds: Uint32Array) {
    this.#memory = memory
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(slotCount, 2) * 2))
    this.#slots = new Int32Array(buckets)
    this.#mask = buckets - 1
    this.#hashes = new Int32Array(slotCount)
    this.#keys = new Int32Array(slotCount * WORDS)
    this.#seed0 = (seeds[0] ?? 0) | 0
    this.#seed1 = (seeds[1] ?? 0) | 0
  }

  /** Slot of the packet event's connection, -1 = none. Sets `side`. */
  find(event: number): number {
    const words = this.#memory.i32
    const version = this.#memory.u8[event + PACKET_EVENT.ip_version]!
    // One word an address, by far the most of all packets: nothing is read that cannot differ.
    if (version === 4) {
      const from = words[(event + PACKET_EVENT.source_address) >> 2]!
      const to = words[(event + PACKET_EVENT.destination_address) >> 2]!
      return this.#findShort(from, to, words[(event + PACKET_EVENT.source_port) >> 2]!)
    }
    this.#readKey(event, version)
    const hash = (this.#hash = this.#hashLong())
    let bucket = hash & this.#mask
    for (let slot = this.#slots[bucket]!; slot !== 0; slot = this.#slots[bucket]!) {
      if (this.#hashes[slot - 1] === hash && this.#isKey(slot - 1)) return slot - 1
      bucket = (bucket + 1) & this.#mask
    }
    return -1
  }

  #findShort(from: number, to: number, sourceFirst: number): number {
    const isLater = from === to ? (sourceFirst & 0xffff) > (sourceFirst >>> 16) : bigEndian(from) > bigEndian(to)
    this.side = isLater ? 1 : 0
    const first = isLater ? to : from
    const second = isLater ? from : to
    const ports = isLater ? (sourceFirst >>> 16) | (sourceFirst << 16) : sourceFirst
    const hash = this.#hashShort(first, second, ports)
    let bucket = hash & this.#mask
    const keys = this.#keys
    for (let slot = this.#slots[bucket]!; slot !== 0; slot = this.#slots[bucket]!) {
      const base = (slot - 1) * WORDS
      if (this.#hashes[slot - 1] === hash && keys[base] === first && keys[base + SECOND] === second &&
        keys[base + PORTS] === ports && keys[base + VERSION] === 4) return slot - 1
      bucket = (bucket + 1) & this.#mask
    }
    const key = this.#key.fill(0)
    key[0] = first
    key[SECOND] = second
    key[PORTS] = ports
    key[VERSION] = 4
    this.#hash = hash
    return -1
  }

  /** Gives the key of the last `find` (which found nothing) to a free slot. */
  insert(slot: number): void {
    this.#hashes[slot] = this.#hash
    this.#keys.set(this.#key, slot * WORDS)
    let bucket = this.#hash & this.#mask
    while (this.#slots[bucket] !== 0) bucket = (bucket + 1) & this.#mask
    this.#slots[bucket] = slot + 1
  }

  remove(slot: number): void {
    let hole = this.#hashes[slot]! & this.#mask
    while (this.#slots[hole] !== slot + 1) hole = (hole + 1) & this.#mask
    let bucket = (hole + 1) & this.#mask
    for (let other = this.#slots[bucket]!; other !== 0; other = this.#slots[bucket]!) {
      const home = this.#hashes[other - 1]! & this.#mask
      // The entry may move back unless its home lies after the hole.
      if (((bucket - home) & this.#mask) >= ((bucket - hole) & this.#mask)) {
        this.#slots[hole] = other
        hole = bucket
      }
      bucket = (bucket + 1) & this.#mask
    }
    this.#slots[hole] = 0
  }

  #readKey(event: number, version: number): void {
    const words = this.#memory.i32
    const key = this.#key
    const source = (event + PACKET_EVENT.source_address) >> 2
    const destination = (event + PACKET_EVENT.destination_address) >> 2
    const ports = words[(event + PACKET_EVENT.source_port) >> 2]!
    let word = 0
    while (word < SECOND && words[source + word] === words[destination + word]) word++
    const isLater = word === SECOND
      ? (ports & 0xffff) > (ports >>> 16)
      : bigEndian(words[source + word]!) > bigEndian(words[destination + word]!)
    this.side = isLater ? 1 : 0
    const first = isLater ? destination : source
    const second = isLater ? source : destination
    for (let i = 0; i < SECOND; i++) {
      key[i] = words[first + i]!
      key[SECOND + i] = words[second + i]!
    }
    key[PORTS] = isLater ? (ports >>> 16) | (ports << 16) : ports
    key[VERSION] = version
  }

  #isKey(slot: number): boolean {
    const base = slot * WORDS
    for (let i = 0; i < WORDS; i++) if (this.#keys[base + i] !== this.#key[i]) return false
    return true
  }

  #hashLong(): number {
    const key = this.#key
    let v0 = this.#seed0
    let v1 = this.#seed1
    let v2 = this.#seed0 ^ 0x6c796765
    let v3 = this.#seed1 ^ 0x74656462
    // One compression round a word, three at the end; the loop runs both, for the round exists once.
    for (let round = 0; round < WORDS + 3; round++) {
      const word = round >= WORDS ? 0 : key[round]!
      if (round === WORDS) v2 ^= 0xff
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    return v1 ^ v3
  }

  /** The same over three words. */
  #hashShort(first: number, second: number, ports: number): number {
    let v0 = this.#seed0
    let v1 = this.#seed1
    let v2 = this.#seed0 ^ 0x6c796765
    let v3 = this.#seed1 ^ 0x74656462
    for (let round = 0; round < 6; round++) {
      const word = round === 0 ? first : round === 1 ? second : round === 2 ? ports : 0
      if (round === 3) v2 ^= 0xff
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    return v1 ^ v3
  }
}

/** A little-endian word as the unsigned number that its bytes are in network order. */
function bigEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

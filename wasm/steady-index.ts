/**
 * Steady blocks by the addresses and ports of a packet event: open addressing, at most half of the buckets in use, no
 * tombstones. Bound: 32,768 blocks.
 *
 * The hash is HalfSipHash-1-3 with a random key (Aumasson, Bernstein: SipHash): who chooses addresses and ports cannot choose
 * the bucket.
 */
import {
  PACKET_DESTINATION_ADDRESS, PACKET_IP_VERSION, PACKET_SOURCE_ADDRESS, PACKET_SOURCE_PORT,
} from './events.gen'
import * as L from './layout'
import { reserve } from './allocator'

const BUCKETS: u32 = 65536
const MASK: u32 = BUCKETS - 1
const KEY_WORDS: u32 = 10

const buckets = reserve(BUCKETS * 4)
/** Key of the event looked at: the first bytes of a steady block. */
const key = reserve(64)
let kept: u32 = 0
let seed0: u32 = 0
let seed1: u32 = 0
/** Side of the source of the event looked at last. */
let eventSide: u32 = 0

/** Two numbers that nobody can guess; before the first block is kept. */
export function setSteadySeed(first: u32, second: u32): void {
  if (kept != 0) return
  seed0 = first
  seed1 = second
}

// @ts-ignore: decorator
@inline
export function sideOfEvent(): u32 {
  return eventSide
}

// @ts-ignore: decorator
@inline
function round(word: u32): void {
  v3 ^= word
  v0 += v1
  v1 = rotl<u32>(v1, 5) ^ v0
  v0 = rotl<u32>(v0, 16)
  v2 += v3
  v3 = rotl<u32>(v3, 8) ^ v2
  v0 += v3
  v3 = rotl<u32>(v3, 7) ^ v0
  v2 += v1
  v1 = rotl<u32>(v1, 13) ^ v2
  v2 = rotl<u32>(v2, 16)
  v0 ^= word
}

let v0: u32 = 0
let v1: u32 = 0
let v2: u32 = 0
let v3: u32 = 0

/** Of a key; the addresses of IPv4 are one word each, and a session is one. */
function hashOf(at: usize): u32 {
  v0 = seed0
  v1 = seed1
  v2 = seed0 ^ 0x6c796765
  v3 = seed1 ^ 0x74656462
  if (load<u32>(at, L.STEADY_VERSION) != 6) {
    round(load<u32>(at, L.STEADY_ADDRESS))
    round(load<u32>(at, L.STEADY_ADDRESS + 16))
    round(load<u32>(at, L.STEADY_PORTS))
  } else {
    for (let word: u32 = 0; word < KEY_WORDS; word++) round(load<u32>(at + (word << 2)))
  }
  v2 ^= 0xff
  round(0)
  round(0)
  round(0)
  return v1 ^ v3
}

/** Address words compare as in network order: side 0 is the endpoint that sorts first, by address, then port. */
function isLater(source: usize, destination: usize, words: u32, ports: u32): bool {
  for (let word: u32 = 0; word < words; word++) {
    const from = load<u32>(source + (word << 2))
    const to = load<u32>(destination + (word << 2))
    if (from != to) return bswap<u32>(from) > bswap<u32>(to)
  }
  return (ports & 0xffff) > (ports >> 16)
}

/** Makes `key` of the event, and sets its side. */
function readKey(event: usize, version: u32): void {
  const words: u32 = version == 4 ? 1 : 4
  const ports = load<u32>(event, PACKET_SOURCE_PORT)
  const swaps = isLater(event + PACKET_SOURCE_ADDRESS, event + PACKET_DESTINATION_ADDRESS, words, ports)
  eventSide = swaps ? 1 : 0
  const first = event + (swaps ? PACKET_DESTINATION_ADDRESS : PACKET_SOURCE_ADDRESS)
  const second = event + (swaps ? PACKET_SOURCE_ADDRESS : PACKET_DESTINATION_ADDRESS)
  if (version == 4) {
    v128.store(key, i32x4.replace_lane(i32x4.splat(0), 0, load<i32>(first)))
    v128.store(key, i32x4.replace_lane(i32x4.splat(0), 0, load<i32>(second)), 16)
  } else {
    v128.store(key, v128.load(first))
    v128.store(key, v128.load(second), 16)
  }
  store<u32>(key, swaps ? rotl<u32>(ports, 16) : ports, L.STEADY_PORTS)
  store<u32>(key, version, L.STEADY_VERSION)
}

// @ts-ignore: decorator
@inline
function isKey(block: usize): bool {
  return load<u64>(block, L.STEADY_PORTS) == load<u64>(key, L.STEADY_PORTS) &&
    i8x16.all_true(i8x16.eq(v128.load(block), v128.load(key))) &&
    i8x16.all_true(i8x16.eq(v128.load(block, 16), v128.load(key, 16)))
}

/** The block of `owner` for the connection of a packet event, 0 = none. Sets the side of its source. */
export function findSteady(owner: u32, event: usize): usize {
  if (kept == 0) return 0
  readKey(event, load<u8>(event, PACKET_IP_VERSION))
  return find(owner)
}

/** The block of `owner` for a TLS session, 0 = none. */
export function findSteadySession(owner: u32, session: u32): usize {
  if (kept == 0) return 0
  v128.store(key, i32x4.replace_lane(i32x4.splat(0), 0, session))
  v128.store(key, i32x4.splat(0), 16)
  store<u32>(key, 0, L.STEADY_PORTS)
  store<u32>(key, L.STEADY_SESSION, L.STEADY_VERSION)
  return find(owner)
}

/** The block with the key that was made last. */
function find(owner: u32): usize {
  const hash = hashOf(key)
  let bucket = hash & MASK
  let block: usize = load<u32>(buckets + (bucket << 2))
  while (block != 0) {
    if (load<u32>(block, L.STEADY_HASH) == hash && load<u32>(block, L.STEADY_OWNER) == owner && isKey(block)) return block
    bucket = (bucket + 1) & MASK
    block = load<u32>(buckets + (bucket << 2))
  }
  return 0
}

/** Puts a block, whose key and owner are set and not there yet, into the index. Returns false when that is full. */
export function keepSteady(block: usize): bool {
  if (kept >= BUCKETS / 2) return false
  const hash = hashOf(block)
  store<u32>(block, hash, L.STEADY_HASH)
  let bucket = hash & MASK
  while (load<u32>(buckets + (bucket << 2)) != 0) bucket = (bucket + 1) & MASK
  store<u32>(buckets + (bucket << 2), block as u32)
  kept++
  return true
}

/** Takes a block that is there out of the index; those behind it move up. */
export function dropSteady(block: usize): void {
  let hole = load<u32>(block, L.STEADY_HASH) & MASK
  while (load<u32>(buckets + (hole << 2)) != (block as u32)) hole = (hole + 1) & MASK
  let bucket = (hole + 1) & MASK
  let other: usize = load<u32>(buckets + (bucket << 2))
  while (other != 0) {
    const home = load<u32>(other, L.STEADY_HASH) & MASK
    // It may move up unless its home lies after the hole.
    if (((bucket - home) & MASK) >= ((bucket - hole) & MASK)) {
      store<u32>(buckets + (hole << 2), other as u32)
      hole = bucket
    }
    bucket = (bucket + 1) & MASK
    other = load<u32>(buckets + (bucket << 2))
  }
  store<u32>(buckets + (hole << 2), 0)
  kept--
}

/**
 * JSON object of a TYPE_HEADERS payload: equal names become one array, names in order of first arrival, values in order of
 * arrival. Time is linear in the number of fields: names are found through a hash table in scratch memory, with a keyed
 * hash where there are enough of them for an attack on the table to pay.
 *
 * Bound: HEADERS_MAX fields in one payload; more are refused like a record that does not fit.
 */
import { reserve } from './allocator'
import { equalBytes, loadShort } from './copy'
import { copyPlain, writeJsonString } from './json-string'

export const HEADERS_MAX: u32 = 32768
const KEYED_FROM: u32 = 65
const NOT_FIRST: u32 = 0xffffffff
/** What stands around a name and a value, and what copies write too much. */
const PLAIN_ROOM: u32 = 48

// Scratch: per field a chain entry, then the slots (field index + 1; a power of two, at least twice the fields).
const CHAIN_FIELD: u32 = 0 // u32: address of the field in the payload
const CHAIN_NEXT: u32 = 4 // u32: index + 1 of the next field of the name, 0 = none
const CHAIN_LAST: u32 = 8 // u32: in the first field of a name: index of its last; else NOT_FIRST
const CHAIN_HASH: u32 = 12 // u32
const CHAIN_BYTES: u32 = 16

let chains: usize = 0
let slots: usize = 0
let seed0: u64 = 0
let seed1: u64 = 0

/** Key of the hash, from a random source: so that nobody can send names that all fall into one slot. */
export function setHeaderSeed(first: u64, second: u64): void {
  seed0 = first
  seed1 = second
}

// @ts-ignore: decorator
@inline
function quickHash(name: usize, length: u32): u32 {
  const head = loadShort(name, length)
  const tail = length > 8 ? load<u64>(name + length - 8) : 0
  const mixed = ((head ^ seed0) * 0x9e3779b97f4a7c15 ^ tail ^ <u64>length) * 0xc2b2ae3d27d4eb4f
  return <u32>(mixed >> 32)
}

/** SipHash-1-3 of the name, 32 bits of it. */
function keyedHash(name: usize, length: u32): u32 {
  let v0 = seed0 ^ 0x736f6d6570736575
  let v1 = seed1 ^ 0x646f72616e646f6d
  let v2 = seed0 ^ 0x6c7967656e657261
  let v3 = seed1 ^ 0x7465646279746573
  const words = (length >> 3) + 1
  for (let word: u32 = 0; word < words + 3; word++) {
    let block: u64 = 0
    if (word < words) {
      block = loadShort(name + word * 8, length - word * 8 < 8 ? length - word * 8 : 8)
      if (word == words - 1) block |= <u64>length << 56
    } else if (word == words) {
      v2 ^= 0xff
    }
    v3 ^= block
    v0 += v1
    v1 = rotl<u64>(v1, 13) ^ v0
    v0 = rotl<u64>(v0, 32)
    v2 += v3
    v3 = rotl<u64>(v3, 16) ^ v2
    v0 += v3
    v3 = rotl<u64>(v3, 21) ^ v0
    v2 += v1
    v1 = rotl<u64>(v1, 17) ^ v2
    v2 = rotl<u64>(v2, 32)
    v0 ^= block
  }
  return <u32>(v0 ^ v1 ^ v2 ^ v3)
}

// @ts-ignore: decorator
@inline
function nameLength(field: usize): u32 {
  return load<u16>(field)
}

// @ts-ignore: decorator
@inline
function valueOf(field: usize): usize {
  return field + 8 + ((nameLength(field) + 3) & ~3)
}

/** Zeroes a multiple of 16 bytes: a call into the engine costs more than these few stores. */
// @ts-ignore: decorator
@inline
function clear(at: usize, bytes: u32): void {
  for (let done: u32 = 0; done < bytes; done += 16) v128.store(at + done, i8x16.splat(0))
}

/** Gives every field its place in its name's chain. */
function chainNames(payload: usize, count: u32): void {
  let slotCount: u32 = 32
  while (slotCount < count * 2) slotCount <<= 1
  clear(slots, slotCount << 2)
  let field = payload + 4
  for (let index: u32 = 0; index < count; index++) {
    const chain = chains + index * CHAIN_BYTES
    const length = nameLength(field)
    const hash = count < KEYED_FROM ? quickHash(field + 8, length) : keyedHash(field + 8, length)
    store<u32>(chain, <u32>field, CHAIN_FIELD)
    store<u32>(chain, 0, CHAIN_NEXT)
    store<u32>(chain, index, CHAIN_LAST)
    store<u32>(chain, hash, CHAIN_HASH)
    let slot = hash & (slotCount - 1)
    while (true) {
      const first = load<u32>(slots + (slot << 2))
      if (first == 0) {
        store<u32>(slots + (slot << 2), index + 1)
        break
      }
      const group = chains + (first - 1) * CHAIN_BYTES
      const known = <usize>load<u32>(group, CHAIN_FIELD)
      if (load<u32>(group, CHAIN_HASH) == hash && nameLength(known) == length
        && equalBytes(known + 8, field + 8, length)) {
        store<u32>(chains + load<u32>(group, CHAIN_LAST) * CHAIN_BYTES, index + 1, CHAIN_NEXT)
        store<u32>(group, index, CHAIN_LAST)
        store<u32>(chain, NOT_FIRST, CHAIN_LAST)
        break
      }
      slot = (slot + 1) & (slotCount - 1)
    }
    field = valueOf(field) + ((load<u32>(field, 4) + 3) & ~3)
  }
}

/** `["value",...]` of one name. */
function writeValues(first: u32, to: usize, limit: usize): usize {
  let out = to
  let index = first
  store<u8>(out++, 0x5b)
  while (true) {
    const chain = chains + index * CHAIN_BYTES
    const field = <usize>load<u32>(chain, CHAIN_FIELD)
    out = writeJsonString(valueOf(field), load<u32>(field, 4), out, limit, false)
    if (out == 0) return 0
    const next = load<u32>(chain, CHAIN_NEXT)
    if (next == 0) break
    store<u8>(out++, 0x2c)
    index = next - 1
  }
  store<u8>(out, 0x5d)
  return out + 1
}

/** Names of the quick way: u32 hash, 0 = free, open addressing. */
const QUICK_MAX: u32 = 32
const QUICK_SLOTS: u32 = 64
const quickSlots: usize = memory.data(64 * 4, 16)

/** False when a name with this hash was there before: most likely the same one. */
// @ts-ignore: decorator
@inline
function isNewName(hash: u32): bool {
  const tag = hash | 1
  let slot = hash >> 26
  while (true) {
    const known = load<u32>(quickSlots + (slot << 2))
    if (known == 0) break
    if (known == tag) return false
    slot = (slot + 1) & (QUICK_SLOTS - 1)
  }
  store<u32>(quickSlots + (slot << 2), tag)
  return true
}

/**
 * The object where every name stands once, as in most heads, and nothing needs an escape: one pass. 0 = not such ones, or room
 * is short.
 */
function writePlainHeaders(payload: usize, count: u32, to: usize, limit: usize): usize {
  clear(quickSlots, QUICK_SLOTS << 2)
  let out = to
  let field = payload + 4
  for (let index: u32 = 0; index < count; index++) {
    const length = nameLength(field)
    const valueLength = load<u32>(field, 4)
    if (<u64>out + length + valueLength + PLAIN_ROOM > limit || !isNewName(quickHash(field + 8, length))) return 0
    store<u16>(out, index == 0 ? 0x227b : 0x222c) // {" or ,"
    if (!copyPlain(out + 2, field + 8, length)) return 0
    out += 2 + length
    store<u32>(out, 0x225b3a22) // ":["
    const value = valueOf(field)
    if (!copyPlain(out + 4, value, valueLength)) return 0
    out += 4 + valueLength
    store<u16>(out, 0x5d22) // "]
    out += 2
    field = value + ((valueLength + 3) & ~3)
  }
  store<u8>(out, 0x7d)
  return out + 1
}

/**
 * Writes the object and returns the address behind it; 0 = it does not fit before `limit`. A name with bytes from 0x80 on
 * is taken as ISO-8859-1 always: so two different names never become one key.
 */
export function writeJsonHeaders(payload: usize, to: usize, limit: usize): usize {
  const count = load<u32>(payload)
  if (count - 1 < QUICK_MAX) {
    const end = writePlainHeaders(payload, count, to, limit)
    if (end != 0) return end
  }
  let out = to
  if (count > HEADERS_MAX || out + 16 > limit) return 0
  if (chains == 0) {
    const scratch = reserve(HEADERS_MAX * (CHAIN_BYTES + 8))
    if (scratch == 0) return 0
    chains = scratch
    slots = scratch + HEADERS_MAX * CHAIN_BYTES
  }
  chainNames(payload, count)
  store<u8>(out++, 0x7b)
  for (let index: u32 = 0; index < count; index++) {
    const chain = chains + index * CHAIN_BYTES
    if (load<u32>(chain, CHAIN_LAST) == NOT_FIRST) continue
    const field = <usize>load<u32>(chain, CHAIN_FIELD)
    if (index != 0) store<u8>(out++, 0x2c)
    out = writeJsonString(field + 8, nameLength(field), out, limit, true)
    if (out == 0) return 0
    store<u8>(out++, 0x3a)
    out = writeValues(index, out, limit)
    if (out == 0) return 0
  }
  if (out + 16 > limit) return 0
  store<u8>(out, 0x7d)
  return out + 1
}

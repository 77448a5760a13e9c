/**
 * Addresses behind the wall: as they are, cut to a prefix, or replaced so that two addresses with a common
 * prefix of n bits get results with a common prefix of exactly n bits (the property of Crypto-PAn, Xu et al.
 * 2002). Each bit is flipped by one bit of SipHash-2-4, a pseudo-random function, over the bits in front of
 * it and the family.
 *
 * Results are kept in a table of ADDRESSES entries, one place for each hash: what is pushed out is computed
 * again.
 */
import { isMapped } from './address-text'
import { forgetClean } from './clean-cache'
import { forgetHeaders } from './header-memo'
import { ADDRESS_KEEP, ADDRESS_TRUNCATE } from './wall-numbers'

const ADDRESSES: u32 = 2048
const ENTRY: usize = 40 // u32 family (0 = free), 4 free, 16 address, 16 result
const table: usize = memory.data(2048 * 40)
const PREFIX: usize = memory.data(16)

let mode: u32 = ADDRESS_KEEP
let keepBits4: u32 = 32
let keepBits6: u32 = 128
let key0: u64 = 0
let key1: u64 = 0

/** `mode` ADDRESS_*; the bit counts are those that truncation keeps. */
export function setAddressMode(to: u32, bits4: u32, bits6: u32): void {
  if (mode != to) forgetClean()
  forgetHeaders()
  mode = to
  keepBits4 = min(bits4, <u32>32)
  keepBits6 = min(bits6, <u32>128)
  memory.fill(table, 0, <usize>ADDRESSES * ENTRY)
}

/** 16 bytes of key for anonymisation; the caller wipes its copy. */
export function setAddressKey(key: usize): void {
  key0 = load<u64>(key)
  key1 = load<u64>(key, 8)
  forgetHeaders()
  memory.fill(table, 0, <usize>ADDRESSES * ENTRY)
}

export function addressMode(): u32 {
  return mode
}

/** SipHash-2-4 of the 16 bytes at PREFIX and a last word. */
function sipHash(last: u64): u64 {
  let v0 = key0 ^ 0x736f6d6570736575
  let v1 = key1 ^ 0x646f72616e646f6d
  let v2 = key0 ^ 0x6c7967656e657261
  let v3 = key1 ^ 0x7465646279746573
  for (let block = 0; block < 4; block++) {
    // Three words of 8 bytes, then the one that holds the length (24).
    const m: u64 = block == 0 ? load<u64>(PREFIX) : block == 1 ? load<u64>(PREFIX, 8) : block == 2 ?
      last : (<u64>24) << 56
    v3 ^= m
    for (let round = 0; round < 2; round++) {
      v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32)
      v2 += v3; v3 = rotl(v3, 16); v3 ^= v2
      v0 += v3; v3 = rotl(v3, 21); v3 ^= v0
      v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32)
    }
    v0 ^= m
  }
  v2 ^= 0xff
  for (let round = 0; round < 4; round++) {
    v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32)
    v2 += v3; v3 = rotl(v3, 16); v3 ^= v2
    v0 += v3; v3 = rotl(v3, 21); v3 ^= v0
    v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32)
  }
  return v0 ^ v1 ^ v2 ^ v3
}

/** `bytes` of `address` to `out`, bit by bit; `family` keeps IPv4, IPv6 and MAC apart. */
function anonymise(address: usize, bytes: u32, family: u32, out: usize): void {
  store<u64>(PREFIX, 0)
  store<u64>(PREFIX, 0, 8)
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(address + i)
    let result: u32 = 0
    for (let bit: u32 = 0; bit < 8; bit++) {
      const flip = (sipHash((<u64>(i * 8 + bit) << 8) | family) & 1) as u32
      const mask: u32 = 0x80 >> bit
      result |= byte & mask
      if (flip != 0) result ^= mask
      store<u8>(PREFIX + i, (byte & ~(mask - 1)) as u8)
    }
    store<u8>(out + i, result as u8)
  }
}

function truncate(address: usize, bytes: u32, bits: u32, out: usize): void {
  for (let i: u32 = 0; i < bytes; i++) {
    const kept = bits > i * 8 ? min(bits - i * 8, <u32>8) : 0
    store<u8>(out + i, (<u32>load<u8>(address + i) & (0xff00 >> kept)) as u8)
  }
}

function slotOf(address: usize, family: u32): usize {
  let h = key0 ^ load<u64>(address) ^ family
  h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15
  h ^= load<u64>(address, 8) + key1
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9
  return table + <usize>((h >> 40) & (ADDRESSES - 1)) * ENTRY
}

/**
 * An address of `version` 4 (first 4 bytes used) or 6 as it may be shown: 16 bytes to `out`, which may be
 * `address`. An IPv4-mapped one (RFC 4291 2.5.5.2) is treated as the IPv4 address in it.
 */
export function writeAddress(version: u32, address: usize, out: usize): void {
  if (mode == ADDRESS_KEEP) {
    memory.copy(out, address, 16)
    return
  }
  if (version == 6 && isMapped(address)) {
    const inner: usize = memory.data(32)
    writeAddress(4, address + 12, inner)
    memory.copy(out, address, 12)
    memory.copy(out + 12, inner, 4)
    return
  }
  const bytes: u32 = version == 4 ? 4 : 16
  if (mode == ADDRESS_TRUNCATE) {
    truncate(address, bytes, version == 4 ? keepBits4 : keepBits6, out)
    memory.fill(out + bytes, 0, 16 - bytes)
    return
  }
  const padded: usize = memory.data(16)
  store<u64>(padded, 0)
  store<u64>(padded, 0, 8)
  memory.copy(padded, address, bytes)
  const slot = slotOf(padded, version)
  if (load<u32>(slot) != version || load<u64>(slot, 8) != load<u64>(padded) ||
    load<u64>(slot, 16) != load<u64>(padded, 8)) {
    store<u32>(slot, version)
    memory.copy(slot + 8, padded, 16)
    store<u64>(slot, 0, 24)
    store<u64>(slot, 0, 32)
    anonymise(padded, bytes, version, slot + 24)
  }
  memory.copy(out, slot + 24, 16)
}

/** A MAC address as it may be shown: 6 bytes. Truncation keeps the vendor's half. */
export function writeMac(mac: usize, out: usize): void {
  if (mode == ADDRESS_KEEP) {
    memory.copy(out, mac, 6)
  } else if (mode == ADDRESS_TRUNCATE) {
    memory.copy(out, mac, 3)
    memory.fill(out + 3, 0, 3)
  } else {
    const input: usize = memory.data(8)
    memory.copy(input, mac, 6)
    anonymise(input, 6, 48, out)
  }
}

/** Parquet's hybrid of run lengths and bit packing (RLE): numbers of one width, runs of them where they repeat. */

/** Groups of 8 in one packed piece: its head is one byte then. */
const GROUPS_MAX: u32 = 63
const GROUP: u32 = 8

let out: usize = 0
let width: u32 = 0
/** Where the head of the packed piece stands that still grows; 0 = none. */
let head: usize = 0
let groups: u32 = 0
/** Numbers of the group that still grows. */
let pending: u32 = 0
let bits: u64 = 0
let bitCount: u32 = 0
/** A run that still grows. */
let lastValue: u32 = 0
let lastCount: u32 = 0

export function openHybrid(to: usize, bitWidth: u32): void {
  out = to
  width = bitWidth
  head = 0
  groups = pending = bitCount = lastCount = 0
  bits = 0
}

function closePacked(): void {
  if (head != 0) store<u8>(head, <u8>(groups << 1 | 1))
  head = 0
  groups = 0
}

function pack(value: u32): void {
  if (head == 0) {
    head = out++
    groups = 0
  }
  bits |= <u64>value << bitCount
  bitCount += width
  if (bitCount >= 32) {
    store<u32>(out, <u32>bits)
    out += 4
    bits >>= 32
    bitCount -= 32
  }
  if (++pending < GROUP) return
  pending = 0
  for (; bitCount != 0; bitCount -= 8, bits >>= 8) store<u8>(out++, <u8>bits)
  if (++groups == GROUPS_MAX) closePacked()
}

function flushRun(): void {
  let count = lastCount
  while (count != 0 && (pending != 0 || count < GROUP)) {
    pack(lastValue)
    count--
  }
  lastCount = 0
  if (count == 0) return
  closePacked()
  let rest = count << 1
  for (; rest >= 0x80; rest >>= 7) store<u8>(out++, <u8>(rest | 0x80))
  store<u8>(out++, <u8>rest)
  for (let shift: u32 = 0; shift < width; shift += 8) store<u8>(out++, <u8>(lastValue >> shift))
}

/** The same number so many times. */
// @ts-ignore: decorator
@inline
export function addRun(value: u32, count: u32): void {
  if (value == lastValue) {
    lastCount += count
    return
  }
  if (lastCount != 0) flushRun()
  lastValue = value
  lastCount = count
}

/** The place behind all. */
export function closeHybrid(): usize {
  flushRun()
  while (pending != 0) pack(0)
  closePacked()
  lastValue = 0
  return out
}

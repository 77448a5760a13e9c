/**
 * A value of JSON as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): names in their order, doubled ones too. Integers
 * beyond 64 bits and all fractions become doubles; half a surrogate pair becomes U+FFFD.
 */
import { copyOver } from './copy'
import { readDouble } from './json-double'
import { readString, textEnd, textStart } from './json-scan'
import { ROOM_OUT, ROOM_TEXT } from './fields-contract'
import { PACK_DEPTH_MAX, PACK_ODD } from './pack-contract'

const CALL_FROM: u32 = 512
const NULL: u32 = 0x6c6c756e
const TRUE: u32 = 0x65757274
const FALS: u32 = 0x736c6166
/** Digits that always fit 64 bits without a sign. */
const DIGITS_MAX: u32 = 19

let end: usize = 0
let out: usize = 0
/** Where a text without its escapes is put together. */
let text: usize = 0
let depth: i32 = 0
/** Members of the object that was packed last. */
let members: u32 = 0

/** A code and a big-endian number of 1, 2, 4 or 8 bytes; it may write seven bytes more. */
function writeHead(code: u32, value: u64, bytes: u32): void {
  store<u8>(out++, <u8>code)
  store<u64>(out, bswap<u64>(value << (64 - (bytes << 3))))
  out += bytes
}

function packString(at: usize): usize {
  const behind = readString(at, end, text)
  if (behind == 0) return 0
  const from = textStart
  const bytes = <u32>(textEnd - from)
  if (bytes < 32) store<u8>(out++, <u8>(0xa0 | bytes))
  else if (bytes < 0x100) writeHead(0xd9, bytes, 1)
  else writeHead(bytes < 0x10000 ? 0xda : 0xdb, bytes, bytes < 0x10000 ? 2 : 4)
  if (bytes < CALL_FROM) copyOver(out, from, bytes)
  else memory.copy(out, from, bytes)
  out += bytes
  return behind
}

function writeInteger(size: u64, isNegative: bool): void {
  const value = isNegative ? 0 - size : size
  if (!isNegative || size == 0) {
    if (size < 0x80) store<u8>(out++, <u8>size)
    else if (size < 0x100) writeHead(0xcc, size, 1)
    else if (size < 0x10000) writeHead(0xcd, size, 2)
    else if (size < 0x100000000) writeHead(0xce, size, 4)
    else writeHead(0xcf, size, 8)
  } else if (size <= 32) store<u8>(out++, <u8>value)
  else if (size <= 0x80) writeHead(0xd0, value & 0xff, 1)
  else if (size <= 0x8000) writeHead(0xd1, value & 0xffff, 2)
  else if (size <= 0x80000000) writeHead(0xd2, value & 0xffffffff, 4)
  else writeHead(0xd3, value, 8)
}

/** A number or a word: the place behind; 0 = it is none. */
function packBare(start: usize): usize {
  let at = start
  let size: u64 = 0
  let digits: u32 = 0
  let isInteger = true
  for (; at < end; at++) {
    const code = <u32>load<u8>(at)
    if (code == 0x2c || (code | 0x20) == 0x7d) break
    if (code - 0x30 < 10) {
      size = size * 10 + (code - 0x30)
      digits++
    } else if (code != 0x2d || at != start) isInteger = false
  }
  const length = <u32>(at - start)
  const isNegative = load<u8>(start) == 0x2d
  if (isInteger && digits != 0 && (digits < DIGITS_MAX || digits == DIGITS_MAX && (!isNegative || size <= 0x8000000000000000))) {
    writeInteger(size, isNegative)
    return at
  }
  const word = load<u32>(start)
  const isTrue = length == 4 && word == TRUE
  if (isTrue || length == 5 && word == FALS && load<u8>(start, 4) == 0x65) {
    store<u8>(out++, isTrue ? 0xc3 : 0xc2)
    return at
  }
  if (length == 4 && word == NULL) {
    store<u8>(out++, 0xc0)
    return at
  }
  if (isInteger && digits == 20 && load<u8>(start) == 0x31 && size >= 10000000000000000000) { // it has not gone over 64 bits
    writeHead(0xcf, size, 8)
    return at
  }
  const value = length == 0 ? NaN : readDouble(start, length)
  if (isNaN(value)) return 0
  writeHead(0xcb, reinterpret<u64>(value), 8)
  return at
}

/** Writes the head of a container whose count is known only now; three bytes were left for it. */
function closeContainer(start: usize, count: u32, few: u32, many: u32): void {
  const behind = out
  const size: usize = count < 16 ? 1 : count < 0x10000 ? 3 : 5
  if (size != 3) memory.copy(start + size, start + 3, behind - start - 3)
  store<u8>(start, <u8>(count < 16 ? few | count : count < 0x10000 ? many : many + 1))
  if (size == 3) store<u16>(start, bswap<u16>(<u16>count), 1)
  else if (size == 5) store<u32>(start, bswap<u32>(count), 1)
  out = behind + size - 3
}

/** The members behind the brace at `from - 1`: the place behind the object; 0 = there is none. */
function packMembers(from: usize): usize {
  let at = from
  let count: u32 = 0
  if (load<u8>(at) != 0x7d) {
    while (true) {
      if (at >= end || load<u8>(at) != 0x22) return 0
      at = packString(at)
      if (at == 0 || load<u8>(at) != 0x3a) return 0
      at = packValue(at + 1)
      if (at == 0) return 0
      count++
      if (load<u8>(at) == 0x7d) break
      if (load<u8>(at++) != 0x2c) return 0
    }
  }
  members = count
  return at + 1
}

function packItems(from: usize, start: usize): usize {
  let at = from
  let count: u32 = 0
  if (load<u8>(at) != 0x5d) {
    while (true) {
      at = packValue(at)
      if (at == 0) return 0
      count++
      if (load<u8>(at) == 0x5d) break
      if (load<u8>(at++) != 0x2c) return 0
    }
  }
  closeContainer(start, count, 0x90, 0xdc)
  return at + 1
}

function packValue(at: usize): usize {
  if (at >= end) return 0
  const first = load<u8>(at)
  if (first == 0x22) return packString(at)
  if ((first | 0x20) != 0x7b) return packBare(at)
  if (++depth > PACK_DEPTH_MAX) return 0
  const start = out
  out += 3
  let behind: usize
  if (first == 0x5b) {
    behind = packItems(at + 1, start)
  } else {
    behind = packMembers(at + 1)
    if (behind != 0) closeContainer(start, members, 0x80, 0xde)
  }
  depth--
  return behind
}

function open(room: usize, from: usize, length: u32): void {
  text = load<u32>(room, ROOM_TEXT)
  out = load<u32>(room, ROOM_OUT)
  end = from + length
  depth = 0
}

/** Packs the value of `length` bytes. Returns the bytes of what was made, which stands at the room's `out`; PACK_ODD. */
export function packJson(room: usize, from: usize, length: u32): i32 {
  open(room, from, length)
  if (length == 0 || packValue(from) != end) return PACK_ODD
  return <i32>(out - load<u32>(room, ROOM_OUT))
}

/** The same of the members of an object, without its head: `packedMembers` says how many there are. */
export function packObject(room: usize, from: usize, length: u32): i32 {
  open(room, from, length)
  if (length < 2 || load<u8>(from) != 0x7b || packMembers(from + 1) != end) return PACK_ODD
  return <i32>(out - load<u32>(room, ROOM_OUT))
}

export function packedMembers(): u32 {
  return members
}

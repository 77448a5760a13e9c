/** Where fields are copied to: bytes one behind the other, and room for what is put together before. */
import { copyOver } from './copy'
import { ROOM_LIMIT, ROOM_LIST, ROOM_OUT, ROOM_TAGS, ROOM_TEXT } from './fields-contract'

const CALL_FROM: u32 = 512
/** Free bytes that a field wants beside its name and value: tags and lengths, and what copies write behind their end. */
const AROUND: usize = 96

export let out: usize = 0
let begin: usize = 0
let limit: usize = 0
/** Room for a text without its escapes. */
export let text: usize = 0
/** Room for the values of a list. */
export let list: usize = 0
/** Where the places of fields are noted. */
let tags: usize = 0
let count: u32 = 0

/** Fields that were noted. */
export function fieldCount(): u32 {
  return count
}

export function openOutput(room: usize): void {
  out = load<u32>(room, ROOM_OUT)
  begin = out
  limit = load<u32>(room, ROOM_LIMIT)
  text = load<u32>(room, ROOM_TEXT)
  list = load<u32>(room, ROOM_LIST)
  tags = load<u32>(room, ROOM_TAGS)
  count = 0
}

// @ts-ignore: decorator
@inline
export function hasRoom(bytes: usize): bool {
  return bytes + AROUND <= limit - out
}

/** Notes that a field begins here. */
// @ts-ignore: decorator
@inline
export function noteField(): void {
  store<u32>(tags + count++ * 4, <u32>(out - begin))
}

// @ts-ignore: decorator
@inline
export function setOut(to: usize): void {
  out = to
}

// @ts-ignore: decorator
@inline
export function writeByte(byte: u32): void {
  store<u8>(out++, <u8>byte)
}

// @ts-ignore: decorator
@inline
export function writeBytes(from: usize, length: u32): void {
  if (length < CALL_FROM) copyOver(out, from, length)
  else memory.copy(out, from, length)
  out += length
}

/** Bytes that `value` takes as a varint; it is a length. */
// @ts-ignore: decorator
@inline
export function varintBytes(value: u32): u32 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}

// @ts-ignore: decorator
@inline
export function writeVarint(value: u64): void {
  let left = value
  while (left > 0x7f) {
    store<u8>(out++, <u8>(left & 0x7f | 0x80))
    left >>= 7
  }
  store<u8>(out++, <u8>left)
}

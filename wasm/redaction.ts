/**
 * The writer of everything the wall lets through. It holds the bound that callers reserve room by: never more
 * than 4 * length + 160 bytes for a text of `length`; a text that would need more ends in one REDACTED for
 * its whole rest.
 *
 * A hidden span becomes `REDACTED` (OpenTelemetry's word) or, with a key, `hmac-sha256:` and the first 32 hex
 * digits of HMAC-SHA-256(key, span).
 */
import { copyClean } from './copy'
import { hmacSha256 } from './sha256'
import { ENTRY_FLAG_HASHED, ENTRY_FLAG_REDACTED } from './layout'

const REDACTED: u64 = 0x4445544341444552 // "REDACTED", little endian
const HASH_LENGTH: u32 = 44
const SLACK: u32 = 140
const DIGEST: usize = memory.data(32)
const PREFIX: usize = memory.data<u8>([104, 109, 97, 99, 45, 115, 104, 97, 50, 53, 54, 58]) // "hmac-sha256:"

let start: usize = 0
let cursor: usize = 0
let consumed: u32 = 0
let over: bool = false
let flags: u32 = 0
let hashing: bool = false
let hiddenCount: f64 = 0
let hashedCount: f64 = 0
let cutCount: f64 = 0

/** Whether hidden spans are hashed (needs `setHmacKey`) or only said to be there. */
export function setHashing(on: u32): void {
  hashing = on != 0
}

export function hashingOn(): bool {
  return hashing
}

export function beginText(out: usize): void {
  start = out
  cursor = out
  consumed = 0
  over = false
  flags = 0
}

/** Bytes written since `beginText`. */
export function endText(): u32 {
  return (cursor - start) as u32
}

/** ENTRY_FLAG_* of the last text. */
export function textFlags(): u32 {
  return flags
}

// @ts-ignore: decorator
@inline
function room(bytes: u32): bool {
  return <u32>(cursor - start) + bytes <= (consumed << 2) + SLACK
}

/** Lets `length` bytes of the text through. */
export function pass(from: usize, length: u32): void {
  if (over) return
  copyClean(cursor, from, length)
  cursor += length
  consumed += length
}

/**
 * Whether `bytes` in place of `length` bytes of the text keep the bound; when not, the rest of the text is
 * hidden.
 */
export function roomFor(bytes: u32, length: u32): bool {
  if (over) return false
  consumed += length
  const fits = room(bytes)
  consumed -= length
  if (!fits) {
    hideAs(length, 0, 0, false)
    over = true
  }
  return fits
}

/** Puts `bytes` at `from` in place of `length` bytes of the text. */
export function passFrom(from: usize, bytes: u32, length: u32): void {
  copyClean(cursor, from, bytes)
  cursor += bytes
  consumed += length
}

function writeRedacted(): void {
  store<u64>(cursor, REDACTED)
  cursor += 8
  flags |= ENTRY_FLAG_REDACTED
}

function hexDigit(value: u32): u32 {
  return value < 10 ? 48 + value : 87 + value
}

function writeHash(from: usize, length: u32): void {
  hmacSha256(from, length, DIGEST)
  memory.copy(cursor, PREFIX, 12)
  for (let i: usize = 0; i < 16; i++) {
    const byte = <u32>load<u8>(DIGEST + i)
    store<u8>(cursor + 12 + 2 * i, hexDigit(byte >> 4) as u8)
    store<u8>(cursor + 13 + 2 * i, hexDigit(byte & 15) as u8)
  }
  cursor += HASH_LENGTH
  flags |= ENTRY_FLAG_HASHED
  hashedCount += 1
}

/** Hides `length` bytes of the text; the hash, when there is one, is over `hashed` bytes at `hashedFrom`. */
export function hideAs(length: u32, hashedFrom: usize, hashed: u32, hash: bool): void {
  if (over) return
  consumed += length
  hiddenCount += 1
  if (hash && room(HASH_LENGTH)) {
    writeHash(hashedFrom, hashed)
  } else {
    writeRedacted()
    if (!room(0)) {
      over = true
      cutCount += 1
    }
  }
}

/** Hides `length` bytes at `from`, as configured. */
export function hide(from: usize, length: u32): void {
  hideAs(length, from, length, hashing)
}

/** Hides the user and password in front of a host (OpenTelemetry's form). */
export function hideUserInfo(from: usize, length: u32): void {
  if (over) return
  if (hashing && room(HASH_LENGTH)) {
    hideAs(length, from, length, true)
    return
  }
  hideAs(length, from, length, false)
  if (over || !room(9)) return
  store<u8>(cursor++, 58)
  writeRedacted()
}

/** Values hidden since the start: all, hashed among them, texts cut short by the bound. */
export function hiddenValues(): f64 {
  return hiddenCount
}

export function hashedValues(): f64 {
  return hashedCount
}

export function cutTexts(): f64 {
  return cutCount
}

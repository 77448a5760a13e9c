/**
 * Cookie and Set-Cookie with names and attributes kept and values hidden (RFC 6265 4.1, 4.2). What is not
 * plainly a name is hidden: in a malformed cookie a piece of the value can stand where a name would.
 */
import { passAddresses } from './address-search'
import { holdsCredential } from './credential'
import { isRandom } from './credential-rule'
import { hide, pass } from './redaction'

const NAME_MAX: u32 = 128
const ATTRIBUTE_MAX: u32 = 64

// @ts-ignore: decorator
@inline
function isTokenChar(c: u32): bool {
  const lower = c | 32
  if (lower >= 97 && lower <= 122) return true
  if (c >= 48 && c <= 57) return true
  // ! # $ % & ' * + - . ^ _ ` | ~ (RFC 9110 5.6.2), and what frameworks put into names: [ ] :
  return c == 33 || (c >= 35 && c <= 39) || c == 42 || c == 43 || c == 45 || c == 46 || c == 94 || c == 95 ||
    c == 96 ||
    c == 124 || c == 126 || c == 91 || c == 93 || c == 58
}

function plausibleName(from: usize, length: u32): bool {
  if (length == 0 || length > NAME_MAX) return false
  for (let i: usize = 0; i < length; i++) if (!isTokenChar(load<u8>(from + i))) return false
  return !holdsCredential(from, length)
}

function indexOf(from: usize, end: usize, c: u32): usize {
  let p = from
  while (p < end && <u32>load<u8>(p) != c) p++
  return p
}

function isSpace(c: u32): bool {
  return c == 32 || c == 9
}

/** A value without a name whose own padding looks like the equals sign of a pair: `c2VjcmV0...==`. */
function isPaddedValue(from: usize, equals: usize, end: usize): bool {
  for (let p = equals; p < end; p++) if (load<u8>(p) != 61) return false
  if (equals - from < 6) return false
  for (let p = from; p < equals; p++) if (<u32>load<u8>(p) - 48 < 10) return true
  return isRandom(from, equals)
}

/** `name=value` from `from` to `end`, no leading space: the name kept when it is one. */
function writePair(from: usize, end: usize): void {
  if (from == end) return
  const equals = indexOf(from, end, 61)
  if (equals == end || !plausibleName(from, (equals - from) as u32) || isPaddedValue(from, equals, end)) {
    hide(from, (end - from) as u32)
    return
  }
  passAddresses(from, (equals + 1 - from) as u32)
  let valueEnd = end
  while (valueEnd > equals + 1 && isSpace(load<u8>(valueEnd - 1))) valueEnd--
  if (valueEnd > equals + 1) hide(equals + 1, (valueEnd - equals - 1) as u32)
  pass(valueEnd, (end - valueEnd) as u32)
}

export function writeCookie(value: usize, length: u32): void {
  const end = value + length
  let p = value
  while (p < end) {
    let from = p
    while (from < end && isSpace(load<u8>(from))) from++
    pass(p, (from - p) as u32)
    const stop = indexOf(from, end, 59)
    writePair(from, stop)
    if (stop < end) pass(stop, 1)
    p = stop + 1
  }
}

// Attributes whose value tells nothing of the client: lower-case names, each with its length in front.
const ATTRIBUTES: StaticArray<string> = [
  'path', 'domain', 'expires', 'max-age', 'samesite', 'secure', 'httponly', 'partitioned', 'priority',
  'version',
]

function isAttribute(from: usize, length: u32): bool {
  for (let i = 0; i < ATTRIBUTES.length; i++) {
    const name = unchecked(ATTRIBUTES[i])
    if (<u32>name.length != length) continue
    let same = true
    for (let k = 0; k < name.length; k++) {
      if (name.charCodeAt(k) != (<i32>load<u8>(from + k) | 32)) {
        same = false
        break
      }
    }
    if (same) return true
  }
  return false
}

/** The value of a known attribute: short, printable, no quotes, nothing that looks like a credential. */
function plausibleAttribute(from: usize, length: u32): bool {
  if (length > ATTRIBUTE_MAX) return false
  for (let i: usize = 0; i < length; i++) {
    const c = <u32>load<u8>(from + i)
    if (c < 32 || c > 126 || c == 34) return false
  }
  return !holdsCredential(from, length)
}

function writeAttribute(from: usize, end: usize): void {
  if (from == end) return
  const equals = indexOf(from, end, 61)
  const length = (end - from) as u32
  const nameLength = (equals - from) as u32
  if (isAttribute(from, nameLength)) {
    if (equals == end || plausibleAttribute(equals + 1, (end - equals - 1) as u32)) passAddresses(from, length)
    else {
      pass(from, nameLength + 1)
      hide(equals + 1, (end - equals - 1) as u32)
    }
  } else {
    writePair(from, end)
  }
}

export function writeSetCookie(value: usize, length: u32): void {
  const end = value + length
  let first = true
  let p = value
  while (p < end) {
    let from = p
    while (from < end && isSpace(load<u8>(from))) from++
    pass(p, (from - p) as u32)
    const stop = indexOf(from, end, 59)
    if (first) writePair(from, stop)
    else writeAttribute(from, stop)
    first = false
    if (stop < end) pass(stop, 1)
    p = stop + 1
  }
}

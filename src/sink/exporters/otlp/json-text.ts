import type { Output } from '../../../../lib/protobuf/mod.ts'

const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** Byte behind the backslash to what it means; 0 = no such escape. RFC 8259 7. */
const MEANING = new Uint8Array(256)
for (const [letter, meaning] of Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  MEANING[letter.charCodeAt(0)] = meaning
}

/** Text that is no JSON. */
export class Malformed extends Error {}

/**
 * Writes what stands between the quotes of a JSON string, as UTF-8, its escapes taken off. A lone surrogate, which UTF-8 has no bytes for,
 * becomes U+FFFD. Room for `end - start` bytes must be there: no escape is shorter than what it means.
 *
 * @throws {Malformed} at an escape that JSON does not have
 */
export function copyUnescaped(from: Buffer, start: number, end: number, out: Output): void {
  let at = start
  while (at < end) {
    const byte = from[at] as number
    if (byte !== BACKSLASH) {
      out.byte(byte)
      at++
      continue
    }
    const letter = from[at + 1] as number
    if (letter !== LETTER_U) {
      const meaning = MEANING[letter] as number
      if (meaning === 0) throw new Malformed('an escape that JSON does not have')
      out.byte(meaning)
      at += 2
      continue
    }
    const unit = hexUnit(from, at + 2, end)
    at += 6
    const isHigh = unit >= 0xd800 && unit < 0xdc00
    const low = isHigh && at + 6 <= end && from[at] === BACKSLASH && from[at + 1] === LETTER_U ? hexUnit(from, at + 2, end) : 0
    if (low >= 0xdc00 && low < 0xe000) {
      at += 6
      writeCodePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out)
    } else {
      writeCodePoint(unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit, out)
    }
  }
}

function hexUnit(from: Buffer, at: number, end: number): number {
  const digits = at + 4 > end ? '' : from.toString('latin1', at, at + 4)
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Malformed('an escape that JSON does not have')
  return Number.parseInt(digits, 16)
}

function writeCodePoint(code: number, out: Output): void {
  if (code < 0x80) return out.byte(code)
  if (code < 0x800) {
    out.byte(0xc0 | code >> 6)
  } else {
    if (code < 0x10000) {
      out.byte(0xe0 | code >> 12)
    } else {
      out.byte(0xf0 | code >> 18)
      out.byte(0x80 | code >> 12 & 0x3f)
    }
    out.byte(0x80 | code >> 6 & 0x3f)
  }
  out.byte(0x80 | code & 0x3f)
}

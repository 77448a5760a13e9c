/**
 * A field in InfluxDB's line protocol, `,name=value`: texts with their quotes and backslashes escaped, whole numbers with an `i`; what is
 * an object or a list is the text of its JSON; null is left out.
 */
import { TRAIT_DOUBLE } from './fields-contract'
import { hasRoom, out, setOut, text, writeByte, writeBytes } from './fields-output'
import { escapeMark, isEscaped, skipString, skipValue, unescape } from './json-scan'

const NULL: u32 = 0x6c6c756e
const QUOTE: u32 = 0x22

function writeName(path: usize, length: u32): void {
  writeByte(0x2c)
  writeBytes(path, length)
  writeByte(0x3d)
}

function writeQuoted(from: usize, end: usize): void {
  writeByte(QUOTE)
  setOut(escapeMark(from, end, out, QUOTE))
  writeByte(QUOTE)
}

/** A number or a word of JSON: the place behind; 0 = it is neither. Notes whether it is a whole number. */
let isWhole: bool = false
function scanBare(start: usize, end: usize): usize {
  const first = <u32>load<u8>(start)
  isWhole = first <= 0x39
  let at = start
  for (; at < end; at++) {
    const code = <u32>load<u8>(at)
    if (code - 0x30 < 10 || code == 0x2d || code == 0x2b) continue
    if (code == 0x2c || code == 0x7d) break
    if (code != 0x2e && (code | 0x20) - 0x61 > 25) return 0
    if (code == 0x2e || (code | 0x20) == 0x65) isWhole = false
  }
  return at == start ? 0 : at
}

/** The place behind the value at `start`; 0 = it is none, or there is no room. */
export function lineField(path: usize, length: u32, traits: u32, start: usize, end: usize): usize {
  const first = <u32>load<u8>(start)
  if (first != QUOTE && (first | 0x20) != 0x7b) {
    const behind = scanBare(start, end)
    if (behind == 0 || !hasRoom(<usize>length + (behind - start))) return 0
    if (behind - start == 4 && load<u32>(start) == NULL) return behind
    writeName(path, length)
    writeBytes(start, <u32>(behind - start))
    if (isWhole && (traits & TRAIT_DOUBLE) == 0) writeByte(0x69)
    return behind
  }
  const behind = first == QUOTE ? skipString(start, end) : skipValue(start, end)
  if (behind == 0 || !hasRoom(<usize>length + 2 * (behind - start))) return 0
  writeName(path, length)
  if (first != QUOTE) {
    writeQuoted(start, behind)
  } else if (!isEscaped) {
    writeBytes(start, <u32>(behind - start))
  } else {
    const plain = unescape(start + 1, behind - 1, text)
    if (plain == 0) return 0
    writeQuoted(text, plain)
  }
  return behind
}

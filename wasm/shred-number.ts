/** Texts of JSON as the numbers that columns hold: 8 bytes each. */
import { decimal, EXACT_DIGITS, readDouble } from './json-double'
import { TYPE_DOUBLE, TYPE_INT } from './shred-contract'

/** Digits that an i64 holds, whichever they are. */
const DIGITS_MAX: u32 = 18
/** An i64 of nanoseconds holds every time of these years. */
const YEAR_MIN: u32 = 1678
const YEAR_MAX: u32 = 2261
const DAY_SECONDS: i64 = 86_400

/** A text was no such number: set until `clearOdd`. */
export let wasOdd: bool = false

export function clearOdd(): void {
  wasOdd = false
}

function readInt(text: usize, length: u32): i64 {
  const isNegative = load<u8>(text) == 0x2d
  const first: u32 = isNegative ? 1 : 0
  let whole: i64 = 0
  for (let index = first; index < length; index++) {
    const digit = <u32>load<u8>(text + index) - 0x30
    if (digit > 9) wasOdd = true
    whole = whole * 10 + digit
  }
  if (length == first || length - first > DIGITS_MAX) wasOdd = true
  return isNegative ? -whole : whole
}

function readFraction(text: usize, length: u32): f64 {
  const isNegative = load<u8>(text) == 0x2d
  let whole: u64 = 0
  let digits: u32 = 0
  let point: u32 = length
  for (let index: u32 = isNegative ? 1 : 0; index < length; index++) {
    const code = <u32>load<u8>(text + index)
    if (code - 0x30 < 10) {
      whole = whole * 10 + (code - 0x30)
      digits++
    } else if (code == 0x2e && point == length) {
      point = index
    } else {
      digits = EXACT_DIGITS + 1 // it has an exponent, or is none
      break
    }
  }
  if (digits == 0 || digits > EXACT_DIGITS) {
    const value = readDouble(text, length)
    if (isNaN(value)) wasOdd = true
    return value
  }
  const size = decimal(whole, point == length ? 0 : length - point - 1)
  return isNegative ? -size : size
}

/** So many digits at a place of a time's text. */
function digitsAt(text: usize, count: u32): u32 {
  let value: u32 = 0
  for (let index: u32 = 0; index < count; index++) {
    const digit = <u32>load<u8>(text + index) - 0x30
    if (digit > 9) wasOdd = true
    value = value * 10 + digit
  }
  return value
}

/** Days since 1970-01-01; after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`. */
function daysOf(year: u32, month: u32, day: u32): i64 {
  const shifted = month <= 2 ? year - 1 : year
  const era = shifted / 400
  const yearOfEra = shifted - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return <i64>era * 146097 + (yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear) - 719468
}

/** `2026-01-31T12:00:00.000000000Z`. A day that its month does not have, or a leap second, is left to who reads more leniently. */
function readTime(text: usize): i64 {
  const year = digitsAt(text, 4)
  const month = digitsAt(text + 5, 2)
  const day = digitsAt(text + 8, 2)
  const hour = digitsAt(text + 11, 2)
  const minute = digitsAt(text + 14, 2)
  const second = digitsAt(text + 17, 2)
  const marks = load<u8>(text, 4) == 0x2d && load<u8>(text, 7) == 0x2d && load<u8>(text, 10) == 0x54 && load<u8>(text, 13) == 0x3a
    && load<u8>(text, 16) == 0x3a && load<u8>(text, 19) == 0x2e
  if (!marks || year < YEAR_MIN || year > YEAR_MAX || month - 1 > 11 || day - 1 > 27 && !hasDay(year, month, day) || hour > 23 || minute > 59
    || second > 59) wasOdd = true
  const seconds = daysOf(year, month, day) * DAY_SECONDS + <i64>(hour * 3600 + minute * 60 + second)
  return seconds * 1_000_000_000 + <i64>digitsAt(text + 20, 9)
}

function hasDay(year: u32, month: u32, day: u32): bool {
  const next = month == 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1)
  return daysOf(year, month, 1) + <i64>(day - 1) < next
}

/** The 8 bytes of a number, of a leaf's type. */
export function numberOf(type: u32, text: usize, length: u32): i64 {
  if (type == TYPE_INT) return readInt(text, length)
  return type == TYPE_DOUBLE ? reinterpret<i64>(readFraction(text, length)) : readTime(text)
}

/** True when the one is less than the other. */
export function isLess(type: u32, left: i64, right: i64): bool {
  return type == TYPE_DOUBLE ? reinterpret<f64>(left) < reinterpret<f64>(right) : left < right
}

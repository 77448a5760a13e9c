/** RFC 3339 text of a time: `2026-11-22T14:13:03.123456789Z`. */
import { writeNine, writePair } from './digits'

export const TIME_TEXT_BYTES = 30

const cachedText: usize = memory.data(32)
let cachedSecond: i64 = i64.MIN_VALUE

/**
 * Days since 1970-01-01 to year, month, day in the proleptic Gregorian calendar; after Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", `civil_from_days`. An i64 of nanoseconds ends in 2262, so four digits hold every year.
 */
function writeDate(days: i64, out: usize): void {
  const shifted = days + 719468
  const era = (shifted >= 0 ? shifted : shifted - 146096) / 146097
  const dayOfEra = <u32>(shifted - era * 146097)
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const monthFromMarch = (5 * dayOfYear + 2) / 153
  const day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = <u32>(<i64>yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
  writePair(year / 100, out)
  writePair(year % 100, out + 2)
  store<u8>(out + 4, 0x2d)
  writePair(month, out + 5)
  store<u8>(out + 7, 0x2d)
  writePair(day, out + 8)
}

function cacheSecond(second: i64): void {
  let days = second / 86400
  if (days * 86400 > second) days--
  const ofDay = <u32>(second - days * 86400)
  writeDate(days, cachedText)
  store<u8>(cachedText + 10, 0x54)
  writePair(ofDay / 3600, cachedText + 11)
  store<u8>(cachedText + 13, 0x3a)
  writePair(ofDay / 60 % 60, cachedText + 14)
  store<u8>(cachedText + 16, 0x3a)
  writePair(ofDay % 60, cachedText + 17)
  store<u8>(cachedText + 19, 0x2e)
  cachedSecond = second
}

/** Writes TIME_TEXT_BYTES bytes (may touch two more) and returns the address behind them. */
export function writeTime(nanoseconds: i64, out: usize): usize {
  let second = nanoseconds / 1000000000
  if (second * 1000000000 > nanoseconds) second--
  if (second != cachedSecond) cacheSecond(second)
  v128.store(out, v128.load(cachedText))
  v128.store(out + 16, v128.load(cachedText + 16))
  writeNine(<u32>(nanoseconds - second * 1000000000), out + 20)
  store<u8>(out + 29, 0x5a)
  return out + 30
}

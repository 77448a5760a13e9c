/**
 * Host, X-Forwarded-Host and the like: no user info stands there (RFC 9110 7.2), so what looks like it is
 * hidden.
 */
import { writeSearched } from './credential'
import { hideUserInfo } from './redaction'

/** Everything in front of the last at sign, as no other border can be trusted in such a value. */
function writeBehindUserInfo(value: usize, length: u32): void {
  let rest = length
  while (rest != 0 && load<u8>(value + rest - 1) != 64) rest--
  if (rest > 1) {
    hideUserInfo(value, rest - 1)
    writeSearched(value + rest - 1, length - rest + 1, false)
  } else {
    writeSearched(value, length, false)
  }
}

/** Reads up to 15 bytes past the end: an at sign there costs the closer look. */
export function writeHost(value: usize, length: u32): void {
  for (let at: u32 = 0; at < length; at += 16) {
    if (!v128.any_true(i8x16.eq(v128.load(value + at), i8x16.splat(64)))) continue
    writeBehindUserInfo(value, length)
    return
  }
  writeSearched(value, length, false)
}

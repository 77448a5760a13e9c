/** Host, X-Forwarded-Host and the like: a host has no user info (RFC 9110 7.2), so what looks like it is hidden. */
import { writeSearched } from './credential'
import { hideUserInfo } from './redaction'

/** Everything in front of the last at sign is hidden: in a value that is none, no other border can be trusted. */
export function writeHost(value: usize, length: u32): void {
  let rest = length
  while (rest != 0 && load<u8>(value + rest - 1) != 64) rest--
  if (rest > 1) {
    hideUserInfo(value, rest - 1)
    writeSearched(value + rest - 1, length - rest + 1, false)
  } else {
    writeSearched(value, length, false)
  }
}

/**
 * User and password in front of a host: `//user:password@host` (RFC 3986 3.2.1). A slash in an unescaped
 * password ends the authority by the letter; when what stands before it cannot be host and port, the at sign
 * counts all the same.
 */
import { charClass } from './char-class'
import { markUserInfo } from './hidden-mask'
import { CHAR_DIGIT, CHAR_SPACE } from './wall-numbers'

/** Whether `from` up to `to` holds a colon followed by something other than a port. */
function holdsPassword(from: usize, to: usize): bool {
  let p = from
  if (p < to && load<u8>(p) == 91) while (p < to && load<u8>(p) != 93) p++ // [IPv6]
  while (p < to && load<u8>(p) != 58) p++
  if (p == to) return false
  const digits = p + 1
  p = digits
  while (p < to && (charClass(p) & CHAR_DIGIT) != 0) p++
  return p < to || p == digits || p - digits > 5
}

/** Hides user info in the URLs between `start` and `end`. */
export function searchUserInfo(start: usize, end: usize): void {
  let authority: usize = 0
  let path: usize = 0 // where the authority ended by the letter
  for (let p = start; p < end; p++) {
    const c = <u32>load<u8>(p)
    if (c == 64) {
      if (authority == 0) continue
      if (path == 0 || holdsPassword(authority, path)) markUserInfo(authority, p)
    } else if (c == 47 || c == 92) {
      if (p + 1 < end && load<u8>(p + 1) == c && (p == start || path == 0 || load<u8>(p - 1) == 58)) {
        authority = p + 2
        path = 0
        p++
      } else if (authority != 0 && path == 0) {
        path = p
      }
    } else if (c == 63 || c == 35) {
      if (authority != 0 && path == 0) path = p
    } else if (c == 34 || c == 60 || c == 62 || (charClass(p) & CHAR_SPACE) != 0) {
      authority = 0
      path = 0
    }
  }
}

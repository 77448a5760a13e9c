/**
 * User and password in front of a host: `//user:password@host` (RFC 3986 3.2.1). A slash in an unescaped
 * password ends the authority by the letter; when what stands before it cannot be host and port, the at sign
 * counts all the same.
 */
import { charClass } from './char-class'
import { insideDecoded, markUserInfo } from './hidden-mask'
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

/** Schemes of addresses that have an at sign and no password: mailto, sip, sips, acct, xmpp (RFC 6068, 3261, 7565, 5122). */
function isAddressScheme(from: usize, to: usize): bool {
  const length = to - from
  if (length == 3) return (load<u16>(from) | 0x2020) == 0x6973 && (load<u8>(from + 2) | 32) == 112
  const four = length >= 4 ? load<u32>(from) | 0x20202020 : 0
  if (length == 4) return four == 0x73706973 || four == 0x74636361 || four == 0x706d6d78
  return length == 6 && four == 0x6c69616d && (load<u16>(from + 4) | 0x2020) == 0x6f74
}

/** Whether a word may begin behind this byte; a password may hold an equals sign or a comma. */
function endsWord(p: usize, inPassword: bool): bool {
  const c = <u32>load<u8>(p)
  if (c == 34 || (charClass(p) & CHAR_SPACE) != 0) return true
  return !inPassword && (c == 44 || c == 61)
}

/** Bytes behind which no host is named bare: paths, queries, comments, parameters (`;` `<` `>` `(` `)`). */
function isElsewhere(c: u32): bool {
  return c == 47 || c == 92 || c == 63 || c == 35 || c == 59 || c == 60 || c == 62 || c == 40 || c == 41
}

/**
 * Hides `user:password` in front of an at sign where no `//` introduces it, as in a Host header: no user info may stand
 * there (RFC 9110 7.2), and some clients write it all the same. A password that holds one of `isElsewhere` is not found.
 */
function searchBareUserInfo(start: usize, end: usize): void {
  let word = start // 0 = behind a slash, until the next word
  let colon: usize = 0
  let isMarked = false
  for (let p = start; p < end; p++) {
    const c = <u32>load<u8>(p)
    if (endsWord(p, colon != 0 || isMarked)) {
      word = p + 1
      colon = 0
      isMarked = false
    } else if (isElsewhere(c)) {
      word = 0
      colon = 0
    } else if (c == 58) {
      if (word != 0 && colon == 0) colon = p
    } else if (c == 64 && word != 0) {
      const isFirst = colon > word && p > colon + 1 && p + 1 < end && !isAddressScheme(word, colon)
      if (!isFirst && !isMarked) continue
      markUserInfo(word, p)
      word = p + 1 // a password may hold at signs: the next one ends it
      colon = 0
      isMarked = true
    }
  }
}

/** Hides user info in the URLs between `start` and `end`. */
export function searchUserInfo(start: usize, end: usize): void {
  // Decoded bytes that are no text hold these signs by chance.
  if (!insideDecoded()) searchBareUserInfo(start, end)
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

/**
 * What makes a literal found in a text a credential: the characters around it, by the numbers of its rule.
 * Every count is bounded, so that a text made of literals costs no more than its length times a constant.
 */
import {
  RULE_FLAGS, RULE_KIND, RULE_LEFT, RULE_LEFT_MIN, RULE_LENGTH, RULE_RIGHT, RULE_RIGHT_MAX, RULE_RIGHT_MIN,
} from './automaton'
import { charClass } from './char-class'
import { markSecret } from './hidden-mask'
import {
  CHAR_ALNUM, CHAR_DASH, CHAR_DIGIT, CHAR_DOT, CHAR_EQUALS, CHAR_LETTER, CHAR_LOWER, CHAR_PLUS, CHAR_QUOTE,
  CHAR_SLASH, CHAR_SPACE, CHAR_TILDE, CHAR_UNDERSCORE, CHAR_UPPER, CHAR_WORD, RULE_CONTEXT, RULE_CURL,
  RULE_FLAG_BEHIND, RULE_FLAG_BOUNDARY, RULE_FLAG_CAPITALS, RULE_FLAG_DIGIT, RULE_GENERIC, RULE_JWT, RULE_KUBERNETES,
  RULE_LITERAL, RULE_PEM, RULE_FLAG_QUOTED, RULE_SCHEME, RULE_TO_BRACKET,
} from './wall-numbers'

const LEFT_CAP: u32 = 128
/** Bytes in which a digit is looked for: a literal may stand in the run behind itself, so that the whole run would cost its square. */
const DIGIT_CAP: u32 = 128
const LONG: u32 = 40
const NEAR: usize = 400
const TOKEN68: u32 = CHAR_ALNUM | CHAR_DASH | CHAR_DOT | CHAR_UNDERSCORE | CHAR_TILDE | CHAR_PLUS | CHAR_SLASH
const BASE64_URL: u32 = CHAR_WORD | CHAR_DASH
const JWT_REST: u32 = BASE64_URL | CHAR_DOT | CHAR_EQUALS | CHAR_PLUS | CHAR_SLASH

let jwtChecked: usize = 0
let listed: bool = false // the operator found last was a comma

/** Before the rules see another text. */
export function beginRules(): void {
  jwtChecked = 0
}

/** First byte at or after `p` that is not of the class. */
// @ts-ignore: decorator
@inline
function skipClass(p: usize, end: usize, mask: u32): usize {
  while (p < end && (charClass(p) & mask) != 0) p++
  return p
}

// @ts-ignore: decorator
@inline
function capped(p: usize, end: usize, count: u32): usize {
  return p + min(<usize>count, end - p)
}

/** A letter or digit in front, the letter of an escape (`\n`, `\t`) not counted. */
export function insideWord(at: usize, start: usize): bool {
  if (at == start || (charClass(at - 1) & CHAR_ALNUM) == 0) return false
  if (at - start < 2 || load<u8>(at - 2) != 92) return true
  const c = <u32>load<u8>(at - 1)
  return c != 110 && c != 114 && c != 116
}

function equalsFolded(p: usize, end: usize, word: string): bool {
  if (<usize>word.length > end - p) return false
  for (let i = 0; i < word.length; i++) {
    let c = <i32>load<u8>(p + i)
    if (c >= 65 && c <= 90) c |= 32
    if (c != word.charCodeAt(i)) return false
  }
  return true
}

function findFolded(p: usize, end: usize, word: string): usize {
  for (; p + <usize>word.length <= end; p++) if (equalsFolded(p, end, word)) return p
  return 0
}

/** Letters and digits mixed and many of them different: not a word, a version or a number. */
function looksRandom(from: usize, to: usize): bool {
  let classes: u32 = 0
  let seenLow: u64 = 0
  let seenHigh: u64 = 0
  let changes: u32 = 0
  let before: u32 = 0
  for (let p = from; p < to; p++) {
    const bits = charClass(p)
    const c = <u64>load<u8>(p)
    if (c < 64) seenLow |= <u64>1 << c
    else if (c < 128) seenHigh |= <u64>1 << (c & 63)
    classes |= bits
    const kind = bits & (CHAR_DIGIT | CHAR_LOWER | CHAR_UPPER)
    if (kind != 0 && before != 0 && kind != before) changes++
    if (kind != 0) before = kind
  }
  const distinct = <u32>(popcnt(seenLow) + popcnt(seenHigh))
  return distinct >= 9 && (classes & CHAR_LETTER) != 0 && (changes >= 3 || (changes >= 1 && distinct >= 11))
}

/** Whether the bytes `from` up to `to` look random; used where the name alone is no proof. */
export function isRandom(from: usize, to: usize): bool {
  return to - from >= 10 && looksRandom(from, to)
}

function hasDigit(from: usize, to: usize): bool {
  for (let p = from; p < to; p++) if ((charClass(p) & CHAR_DIGIT) != 0) return true
  return false
}

function literal(rule: usize, at: usize, after: usize, start: usize, end: usize): usize {
  const flags = <u32>load<u8>(rule + RULE_FLAGS)
  if ((flags & RULE_FLAG_BOUNDARY) != 0 && insideWord(at, start)) return 0
  if ((flags & RULE_FLAG_CAPITALS) != 0) {
    for (let p = at; p < after; p++) if ((charClass(p) & CHAR_LOWER) != 0) return 0
  }
  const least = <u32>load<u16>(rule + RULE_RIGHT_MIN)
  const most = <u32>load<u16>(rule + RULE_RIGHT_MAX)
  const mask = <u32>load<u16>(rule + RULE_RIGHT)
  if (end - after < least) return 0
  let stop = skipClass(after, capped(after, end, most != 0 ? most + 1 : least), mask)
  const count = (stop - after) as u32
  if (count < least || (most != 0 && count > most)) return 0
  const leftMin = <u32>load<u16>(rule + RULE_LEFT_MIN)
  let from = at
  if (leftMin != 0) {
    const leftMask = <u32>load<u16>(rule + RULE_LEFT)
    const first = at - start > LEFT_CAP ? at - LEFT_CAP : start
    while (from > first && (charClass(from - 1) & leftMask) != 0) from--
    if (<u32>(at - from) < leftMin) return 0
  }
  if ((flags & RULE_FLAG_DIGIT) != 0 && !hasDigit(after, skipClass(stop, capped(after, end, DIGIT_CAP), mask))) return 0
  if (most == 0 && least != 0) {
    stop = skipClass(stop, end, mask)
    // Another one glued to it, as in ghp_...ghp_...: its beginning was taken for the end of the first.
    while (stop < end && (charClass(stop) & (CHAR_UNDERSCORE | CHAR_DASH)) != 0 &&
      <u32>(skipClass(stop + 1, capped(stop + 1, end, least), mask) - stop - 1) == least) {
      stop = skipClass(stop + 1, end, mask)
    }
  }
  stop = skipClass(stop, end, CHAR_EQUALS)
  markSecret((flags & RULE_FLAG_BEHIND) != 0 ? after : from, stop)
  return stop
}

/**
 * Behind a word: where the value begins after `=`, `:`, `=>`, `,` ..., or 0. gitleaks' "identifier, operator,
 * value".
 */
function afterOperator(p: usize, end: usize): usize {
  // A backslash too: JSON writes the tab between the two as \t.
  let stop = capped(p, end, 24)
  while (p < stop && ((charClass(p) & (CHAR_WORD | CHAR_DOT | CHAR_DASH | CHAR_SPACE | CHAR_PLUS)) != 0 ||
    load<u8>(p) == 92)) p++
  stop = capped(p, end, 6)
  while (p < stop && ((charClass(p) & (CHAR_QUOTE | CHAR_SPACE | CHAR_PLUS)) != 0 || load<u8>(p) == 92)) p++
  const from = p
  stop = capped(p, end, 4)
  while (p < stop) {
    const c = <u32>load<u8>(p)
    if (c != 61 && c != 62 && c != 58 && c != 124 && c != 63 && c != 44) break
    p++
  }
  if (p == from) return 0
  const first = <u32>load<u8>(from)
  if ((first == 124 || first == 63) && p - from < 2) return 0
  if (first == 58 && p + 1 < end && load<u8>(p) == 47 && load<u8>(p + 1) == 47) return 0 // the colon of a URL
  listed = first == 44
  stop = capped(p, end, 8)
  while (p < stop && ((charClass(p) & (CHAR_QUOTE | CHAR_SPACE | CHAR_PLUS | CHAR_EQUALS)) != 0 ||
    load<u8>(p) == 92)) p++
  return p
}

function context(rule: usize, at: usize, after: usize, start: usize, end: usize, generic: bool): usize {
  const flags = <u32>load<u8>(rule + RULE_FLAGS)
  if ((flags & RULE_FLAG_BOUNDARY) != 0 && insideWord(at, start)) return 0
  const from = afterOperator(after, end)
  if (from == 0) return 0
  const least = <u32>load<u16>(rule + RULE_RIGHT_MIN)
  const most = <u32>load<u16>(rule + RULE_RIGHT_MAX)
  const mask = <u32>load<u16>(rule + RULE_RIGHT)
  let stop = skipClass(from, capped(from, end, most + 1), mask)
  let count = (stop - from) as u32
  if (count > most) {
    // Longer than the secret, as where a path goes on behind it: only what is long anyway is one all the
    // same.
    if (least < LONG) return 0
    stop = skipClass(stop, end, mask)
  }
  // What was taken for the operator or a blank may be the first of the secret.
  for (let p = from; count < least && p > after && (charClass(p - 1) & mask & (CHAR_EQUALS | CHAR_PLUS)) != 0;
    p--) count++
  if (count < least) return 0
  if (stop < end && (charClass(stop) & CHAR_ALNUM) != 0) return 0
  const quoted = (flags & RULE_FLAG_QUOTED) != 0 && (charClass(from - 1) & CHAR_QUOTE) != 0
  if (generic && !quoted && (!looksRandom(from, stop) || (listed && !hasDigit(from, stop)))) return 0
  markSecret(from, stop)
  return stop
}

/** `Bearer x` inside a text; a challenge (`Basic realm="..."`) and prose (`Bearer token is missing`) stay. */
function scheme(at: usize, after: usize, start: usize, end: usize): usize {
  if (insideWord(at, start)) return 0
  const stop = skipClass(after, end, TOKEN68)
  const count = stop - after
  const padded = skipClass(stop, end, CHAR_EQUALS)
  if (count < 6) return 0
  if (padded < end) {
    const bits = charClass(padded)
    const c = <u32>load<u8>(padded)
    const delimiter = (bits & (CHAR_SPACE | CHAR_QUOTE)) != 0 || c == 44 || c == 59 || c == 38 || c == 60 ||
      c == 62 ||
      c == 41 || c == 93 || c == 125 || c == 92
    if (padded > stop ? (!delimiter || (bits & CHAR_QUOTE) != 0) : !delimiter) return 0
  }
  const alone = at == start && padded == end
  let digits: u32 = 0
  for (let p = after; p < stop; p++) if ((charClass(p) & CHAR_DIGIT) != 0) digits++
  if (!alone && digits == 0 && padded == stop && !looksRandom(after, stop)) return 0
  markSecret(after, padded)
  return padded
}

function pem(at: usize, after: usize, end: usize): usize {
  const near = capped(after, end, 128)
  if (findFolded(after, near, 'private') == 0) return 0
  let p = after
  while (p < end && load<u8>(p) != 34) p++
  markSecret(at, p)
  return p
}

/** header.payload and what follows: JWS and JWE in compact form (RFC 7515 7.1, RFC 7516 7.1). */
function jwt(at: usize, after: usize, start: usize, end: usize): usize {
  if (at < jwtChecked || insideWord(at, start)) return 0
  const header = skipClass(after, end, BASE64_URL)
  if (header - after < 10) return 0
  // What begins later in the same run has the same end, so it is none either: without this, eyJ-eyJ-... costs
  // its square.
  jwtChecked = header
  if (header == end || load<u8>(header) != 46) return 0
  let payload = header + 1
  while (payload < end && ((charClass(payload) & (BASE64_URL | CHAR_SLASH)) != 0 ||
    load<u8>(payload) == 92)) payload++
  // A JWE with a direct key has an empty second part.
  if (payload - header < 8 && !(payload == header + 1 && payload < end && load<u8>(payload) == 46)) return 0
  // `{"` begins as eyJ, `{ "` as eyA; anything else ("eyewitness...") must have a second part that begins so.
  const first = <u32>load<u8>(after) | 32
  if (first != 106 && first != 97 && !equalsFolded(header + 1, end, 'ey')) return 0
  const stop = skipClass(payload, end, JWT_REST)
  markSecret(at, stop)
  return stop
}

function kubernetes(after: usize, start: usize, end: usize): usize {
  if (findFolded(after, capped(after, end, 24), 'secret') == 0) return 0
  const first = after - start > NEAR ? after - NEAR : start
  if (findFolded(first, capped(after, end, NEAR as u32), 'data:') == 0) return 0
  markSecret(start, end)
  return end
}

/** White space, also as the escape that JSON writes for it, right in front of `at`. */
function afterSpace(at: usize, start: usize): bool {
  if (at == start) return false
  if ((charClass(at - 1) & CHAR_SPACE) != 0) return true
  const c = <u32>load<u8>(at - 1)
  return at - start > 1 && load<u8>(at - 2) == 92 && (c == 116 || c == 110 || c == 114)
}

/** `curl ... -u user:password`: the argument, quotes and all. */
function curl(at: usize, after: usize, start: usize, end: usize): usize {
  if (insideWord(at, start) || (after < end && (charClass(after) & CHAR_WORD) != 0)) return 0
  const near = capped(after, end, NEAR as u32)
  let p = after
  let option: usize = 0
  for (; p + 2 < near; p++) {
    if (load<u8>(p) != 45 || !afterSpace(p, start)) continue
    option = load<u8>(p + 1) == 117 ? 2 : equalsFolded(p, end, '--user') &&
      !equalsFolded(p, end, '--user-agent') ? 6 : 0
    if (option != 0) break
  }
  if (option == 0) return 0
  p += option
  while (p < end && ((charClass(p) & (CHAR_SPACE | CHAR_EQUALS)) != 0 ||
    (p + 1 < end && load<u8>(p) == 92 && load<u8>(p + 1) == 116))) {
    p += load<u8>(p) == 92 ? 2 : 1
  }
  let stop = p
  let quote: u32 = 0
  for (; stop < end; stop++) {
    const bits = charClass(stop)
    const c = <u32>load<u8>(stop)
    if (quote != 0) {
      if (c == quote) quote = 0
    } else if ((bits & CHAR_SPACE) != 0) {
      break
    } else if ((bits & CHAR_QUOTE) != 0) {
      quote = c
    }
  }
  markSecret(p, stop)
  return stop
}

/**
 * Marks the credential of `rule` whose literal stands at `at` up to `after`, in the text `start` up to `end`.
 * Returns where the search goes on, 0 when there is none.
 */
export function checkRule(rule: usize, after: usize, start: usize, end: usize): usize {
  const at = after - <usize>load<u8>(rule + RULE_LENGTH)
  const kind = <u32>load<u8>(rule + RULE_KIND)
  if (kind == RULE_LITERAL) return literal(rule, at, after, start, end)
  if (kind == RULE_CONTEXT) return context(rule, at, after, start, end, false)
  if (kind == RULE_GENERIC) return context(rule, at, after, start, end, true)
  if (kind == RULE_SCHEME) return scheme(at, after, start, end)
  if (kind == RULE_PEM) return pem(at, after, end)
  if (kind == RULE_JWT) return jwt(at, after, start, end)
  if (kind == RULE_KUBERNETES) return kubernetes(after, start, end)
  if (kind == RULE_CURL) return curl(at, after, start, end)
  if (kind == RULE_TO_BRACKET) {
    let p = after
    while (p < end && load<u8>(p) != 62) p++
    markSecret(at, p)
    return p
  }
  return 0
}

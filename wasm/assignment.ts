/**
 * `name=value` and `name: value` inside a text, `"name":"value"` too: when the name is a secret one, the
 * value is hidden whatever it looks like.
 */
import { charClass } from './char-class'
import { isRandom } from './credential-rule'
import { markSecret } from './hidden-mask'
import { hexValue } from './hex'
import { NAME_PLAIN, NAME_SECRET, secretName } from './secret-name'
import {
  CHAR_ALNUM, CHAR_DASH, CHAR_DIGIT, CHAR_DOT, CHAR_PLUS, CHAR_QUOTE, CHAR_SPACE, CHAR_UNDERSCORE, CHAR_WORD,
} from './wall-numbers'

const NAME_MAX: usize = 64
const WEAK_LOOK: usize = 64
const NAME_CHARS: u32 = CHAR_WORD | CHAR_DASH

// @ts-ignore: decorator
@inline
function isGap(at: usize): bool {
  const c = <u32>load<u8>(at)
  return (charClass(at) & (CHAR_QUOTE | CHAR_SPACE)) != 0 || c == 92 || c == 91 || c == 93
}

/** What can stand in front of an equals sign and be one operator with it: `>=`, `?=`, `:=`, `|=`. */
// @ts-ignore: decorator
@inline
function isOperator(c: u32): bool {
  return c == 62 || c == 63 || c == 58 || c == 124 || c == 61
}

/** A scheme word in front of the secret itself, as in `Authorization: Bearer x`. */
function isScheme(from: usize, to: usize): bool {
  if (to - from < 3 || to - from > 16) return false
  for (let p = from; p < to; p++) if ((charClass(p) & (CHAR_ALNUM | CHAR_DASH)) == 0) return false
  return true
}

/** `,` and `;` end a value when something like a new item follows: a space, the end or another `name=`. */
function endsItem(at: usize, end: usize): bool {
  let p = at + 1
  if (p >= end || (charClass(p) & CHAR_SPACE) != 0) return true
  const stop = min(end, p + NAME_MAX)
  const from = p
  while (p < stop && (charClass(p) & (NAME_CHARS | CHAR_DOT | CHAR_QUOTE)) != 0) p++
  return p > from && p < end && (load<u8>(p) == 61 || load<u8>(p) == 58)
}

// Where a value stands: it decides what can end it.
const IN_TEXT: u32 = 0
const IN_QUERY: u32 = 1 // the text is a query
const IN_URL: u32 = 2 // a query inside a text

function valueEnd(from: usize, end: usize, quote: u32, place: u32): usize {
  let p = from
  for (; p < end; p++) {
    const c = <u32>load<u8>(p)
    if (quote != 0) {
      if (c == quote) break
      // An escaped quote ends the value of JSON inside JSON, where the opening quote was escaped too.
      if (c == 92 && p + 1 < end && <u32>load<u8>(p + 1) == quote) break
      continue
    }
    if (c == 38 || (charClass(p) & (CHAR_SPACE | CHAR_QUOTE)) != 0) break
    if (place == IN_QUERY) {
      if (c == 35) break
      continue
    }
    if (place == IN_URL) {
      if (c == 35 || c == 60 || c == 62) break
      continue
    }
    if (c == 60 || c == 62 || c == 125 || c == 92) break
    if ((c == 44 || c == 59) && endsItem(p, end)) break
  }
  return p
}

/** What follows a value that is empty. */
// @ts-ignore: decorator
@inline
function isEmptyEnd(c: u32): bool {
  return c == 44 || c == 59 || c == 38 || c == 125 || c == 93 || c == 41
}

// @ts-ignore: decorator
@inline
function isEscapedSpace(c: u32): bool {
  return c == 116 || c == 110 || c == 114
}

/** Hides what stands behind the operator at `at`; returns where the search goes on. */
function hideValue(at: usize, end: usize, place: u32, weak: bool): usize {
  let p = at + 1
  let quote: u32 = 0
  const stop = min(end, p + 12)
  for (; p < stop; p++) {
    const c = <u32>load<u8>(p)
    if ((charClass(p) & CHAR_QUOTE) != 0) {
      quote = c
    } else if (c == 92 && p + 1 < stop && isEscapedSpace(load<u8>(p + 1))) {
      p++
    } else if (isOperator(c) || c == 92 || c == 91 || c == 123 || c == 40 ||
      (charClass(p) & CHAR_SPACE) != 0) {
      continue
    } else {
      break
    }
  }
  if (p < end && isEmptyEnd(load<u8>(p))) return p
  // A weak name asks for a value that looks random: its beginning tells, and "key:key:key:..." stays linear.
  const near = weak ? min(end, p + WEAK_LOOK) : end
  let to = valueEnd(p, near, quote, place)
  if (quote == 0 && to < end && isScheme(p, to)) {
    const blank: usize = load<u8>(to) == 92 && to + 1 < end && isEscapedSpace(load<u8>(to + 1)) ?
      2 : (charClass(to) & CHAR_SPACE) != 0 ? 1 : 0
    const next = blank != 0 ? valueEnd(to + blank, end, 0, place) : to
    if (next - to > 8 || next == end) to = next
  }
  if (to == p) return p
  if (weak) {
    if (!isRandom(p, to)) return at + 1
    if (to == near) to = valueEnd(to, end, quote, place)
  }
  if (load<u8>(at) == 58 && quote == 0 && to - p <= 5) {
    let digits = p
    while (digits < to && (charClass(digits) & CHAR_DIGIT) != 0) digits++
    if (digits == to) return at + 1 // a port: "token-service:8080"
  }
  markSecret(p, to)
  return to
}

/** Where `?`, `&` or `#` stands right in front of a name, the name is one of a query. */
function inQuery(name: usize, start: usize): bool {
  if (name == start) return false
  const c = <u32>load<u8>(name - 1)
  return c == 63 || c == 38 || c == 35
}

/** `value` as the second half of `name="Password" value="..."`, as forms and .NET configurations write it. */
function afterPasswordName(name: usize, start: usize): bool {
  if ((load<u32>(name) | 0x20202020) != 0x756c6176) return false // "valu"
  for (let p = name - start > 24 ? name - 24 : start; p + 5 <= name; p++) {
    if ((load<u32>(p) | 0x20202020) == 0x73736170 && (load<u8>(p + 4) | 32) == 119) return true // "pass" "w"
  }
  return false
}

const UNESCAPED: usize = memory.data(64)

/** Verdict on a name of JSON that holds a \u escape: it ends at `last` and begins at `first` at the earliest. */
function escapedName(first: usize, last: usize): u32 {
  let from = last
  while (from > first &&
    ((charClass(from - 1) & (NAME_CHARS | CHAR_DOT)) != 0 || load<u8>(from - 1) == 92)) from--
  let length: u32 = 0
  for (let p = from; p < last; p++) {
    let c = <u32>load<u8>(p)
    if (c == 92 && last - p > 5 && load<u8>(p + 1) == 117) {
      c = 0
      for (let i: usize = 2; i < 6; i++) c = c << 4 | hexValue(load<u8>(p + i))
      p += 5
    }
    store<u8>(UNESCAPED + length++, (c < 128 ? c : 0) as u8)
  }
  return secretName(UNESCAPED, length)
}

/** Verdict on the name from `name` to `last`, or on the longer one that it is the end of. */
function nameVerdict(name: usize, first: usize, last: usize, query: bool): u32 {
  const verdict = secretName(name, (last - name) as u32)
  if (verdict != NAME_PLAIN || name == first) return verdict
  const c = <u32>load<u8>(name - 1)
  if (c == 92 && load<u8>(name) == 117) return escapedName(first, last)
  if (!query || c != 43) return verdict
  let from = name
  while (from > first && (charClass(from - 1) & (NAME_CHARS | CHAR_DOT | CHAR_PLUS)) != 0) from--
  return secretName(from, (last - from) as u32)
}

function checkAt(at: usize, start: usize, end: usize, query: bool): usize {
  const colon = load<u8>(at) == 58
  if (colon && at + 2 < end && load<u8>(at + 1) == 47 && load<u8>(at + 2) == 47) return at + 1
  let last = at
  const nearest = at - start > 6 ? at - 6 : start
  while (last > nearest && (isGap(last - 1) || (!colon && isOperator(load<u8>(last - 1))))) last--
  let name = last
  const first = last - start > NAME_MAX ? last - NAME_MAX : start
  const mask = colon && last == at ? NAME_CHARS : NAME_CHARS | CHAR_DOT
  while (name > first && (charClass(name - 1) & mask) != 0) name--
  if (last - name < 3) return at + 1
  if (last - name == 5 && afterPasswordName(name, start)) return hideValue(at, end, query ?
    IN_QUERY : IN_TEXT, false)
  const verdict = nameVerdict(name, first, last, query)
  if (verdict == NAME_PLAIN) return at + 1
  const inUrl = inQuery(name, start)
  return hideValue(at, end, query ? IN_QUERY : inUrl && !colon ? IN_URL : IN_TEXT, verdict != NAME_SECRET &&
    !query && !inUrl)
}

/** Hides the values of secret names between `start` and `end`. `query`: the text is a query. */
export function searchAssignments(start: usize, end: usize, query: bool): void {
  let p = start
  const equals = i8x16.splat(61)
  const colon = i8x16.splat(58)
  while (p < end) {
    const block = v128.load(p)
    let bits = <u32>i8x16.bitmask(v128.or(i8x16.eq(block, equals), i8x16.eq(block, colon)))
    if (end - p < 16) bits &= ((<u32>1) << <u32>(end - p)) - 1
    let next = p + 16
    while (bits != 0) {
      const at = p + <usize>ctz(bits)
      bits &= bits - 1
      const on = checkAt(at, start, end, query)
      if (on > at + 1) {
        // A value was hidden: what stands in it is not looked at again.
        if (on >= next) {
          next = on
          break
        }
        bits &= ~(((<u32>1) << <u32>(on - p)) - 1)
      }
    }
    p = next
  }
}

/**
 * Credentials anywhere in a text: literals of known keys (src/privacy/credential-patterns.ts), values of
 * secret names, user info in URLs, and all of these behind one layer of percent-encoding and one of base64.
 *
 * Fails closed: without its tables, and for a text over TEXT_MAX, everything is hidden.
 */
import { passAddresses } from './address-search'
import { NO_OUTPUT, outputsOf, RULE_COUNTER, rowsOf, ruleAt, step } from './automaton'
import { searchAssignments } from './assignment'
import { searchCards } from './card-number'
import { prepareClasses } from './char-class'
import { forgetClean, isKnownClean, noteClean } from './clean-cache'
import { beginRules, checkRule } from './credential-rule'
import { searchBase64, searchPercentEncoded, setDecodeMemory } from './encoded'
import {
  anyMarked, beginMask, foundDecoded, enterDecoded, insideDecoded, isUserInfoMark, leaveDecoded, markSecret,
  maskAt, maskRunEnd, setMaskMemory, TEXT_MAX,
} from './hidden-mask'
import { hide, hideUserInfo, pass } from './redaction'
import { SHAPE_ASSIGNMENT, SHAPE_AT, SHAPE_OPTION, SHAPE_PERCENT, SHAPE_RUN, textShape } from './text-shape'
import { searchUserInfo } from './user-info'

// @ts-ignore: decorator
@external("env", "findCredential")
declare function findCredential(pointer: usize, length: u32): u32

const SPANS_MAX: u32 = 64

let table: usize = 0
let counters: usize = 0
let spans: usize = 0
let customOn: bool = false
let cardsOn: bool = false

/**
 * Regions for the search: mask and two scratch regions of TEXT_MAX + 16 bytes each, spans of the callback
 * (`credentialSpans`: 64 pairs of u32 start and end), f64 counters by rule.
 */
export function setSearchMemory(mask: usize, percent: usize, base64: usize, spanList: usize,
  ruleCounters: usize): void {
  prepareClasses()
  setMaskMemory(mask)
  setDecodeMemory(percent, base64)
  spans = spanList
  counters = ruleCounters
}

/**
 * The compiled patterns; `custom`: TypeScript has patterns of its own to ask; `cards`: payment cards are
 * searched.
 */
export function setCredentialTable(pointer: usize, custom: u32, cards: u32): void {
  table = pointer
  customOn = custom != 0
  cardsOn = cards != 0
  forgetClean()
}

export function textMax(): u32 {
  return TEXT_MAX
}

function searchLiterals(start: usize, end: usize): void {
  const tables = table
  const rows = rowsOf(tables)
  let state: u32 = 0
  beginRules()
  for (let p = start; p < end; p++) {
    state = step(tables, rows, state, load<u8>(p))
    if ((state & 1) == 0) continue
    let on: usize = 0
    for (let list = outputsOf(tables, rows, state); ; list += 2) {
      const number = <u32>load<u16>(list)
      if (number == NO_OUTPUT) break
      const rule = ruleAt(tables, number)
      const next = checkRule(rule, p + 1, start, end)
      if (next != 0) {
        const counter = counters + 8 * <usize>load<u16>(rule + RULE_COUNTER)
        store<f64>(counter, load<f64>(counter) + 1)
        on = max(on, next)
      }
    }
    if (on == 0) continue
    if (insideDecoded() && foundDecoded()) return
    if (on > p + 1) {
      p = on - 1
      state = 0
    }
  }
}

/** Patterns of the configuration: TypeScript writes start and end of what it found. */
function searchCustom(start: usize, length: u32): void {
  const count = findCredential(start, length)
  if (count > SPANS_MAX) {
    markSecret(start, start + length)
    return
  }
  for (let i: u32 = 0; i < count; i++) {
    const from = load<u32>(spans + 8 * i)
    const to = load<u32>(spans + 8 * i, 4)
    if (from < to && to <= length) markSecret(start + from, start + to)
  }
}

/** One search of one text; `base64`: pieces of base64 are decoded and searched too. */
export function searchDecoded(text: usize, length: u32, query: bool, base64: bool): void {
  searchShape(text, length, textShape(text, length), query, base64)
}

function searchShape(text: usize, length: u32, shape: u32, query: bool, base64: bool): void {
  const end = text + length
  if ((shape & (SHAPE_RUN | SHAPE_OPTION)) != 0) searchLiterals(text, end)
  if ((shape & SHAPE_ASSIGNMENT) != 0) searchAssignments(text, end, query)
  if ((shape & SHAPE_AT) != 0) searchUserInfo(text, end)
  if (cardsOn && length >= 13) searchCards(text, end)
  if (customOn && length != 0) searchCustom(text, length)
  if (insideDecoded() && foundDecoded()) return
  if (base64 && (shape & SHAPE_RUN) != 0) searchBase64(text, end)
}

/** `Bearer x` and the like as a whole value, however short x is. */
function beginsWithScheme(text: usize, length: u32): u32 {
  if (length < 8) return 0
  const first = load<u32>(text) | 0x20202020
  if (first == 0x72616562) return (load<u32>(text + 3) | 0x00202020) == 0x20726572 ? 7 : 0 // "bear" "rer "
  if (first == 0x69736162) return (load<u16>(text + 4) | 0x0020) == 0x2063 ? 6 : 0 // "basi" "c "
  return 0
}

function hideAfterScheme(text: usize, length: u32, from: u32): void {
  for (let i = from; i < length; i++) {
    const c = <u32>load<u8>(text + i)
    // A space or a quote: a challenge with parameters, or prose; the other searches judge it.
    if (c == 32 || c == 34 || c == 44) return
  }
  markSecret(text + from, text + length)
}

function searchText(text: usize, length: u32, query: bool): void {
  beginMask(text, length)
  const shape = textShape(text, length)
  const schemeLength = beginsWithScheme(text, length)
  if (shape == 0 && schemeLength == 0 && !customOn && !cardsOn) return
  if (schemeLength != 0) hideAfterScheme(text, length, schemeLength)
  searchShape(text, length, shape, query, true)
  if ((shape & SHAPE_PERCENT) != 0) searchPercentEncoded(text, text + length, query)
}

/** Lets a text through with its credentials hidden. `query`: it is the query of a URL. */
export function writeSearched(text: usize, length: u32, query: bool): void {
  if (length == 0) return
  if (table == 0 || length > TEXT_MAX) {
    hide(text, length)
    return
  }
  if (isKnownClean(text, length, query)) {
    pass(text, length)
    return
  }
  searchText(text, length, query)
  if (!anyMarked()) {
    // What holds an address is not known again: it is not written as it stands.
    if (!passAddresses(text, length)) noteClean(text, length, query)
    return
  }
  writeMasked(text, length)
}

/** As `writeSearched`, and hides `count` spans besides: pairs of u32 addresses in the text. */
export function writeSearchedWith(text: usize, length: u32, hidden: usize, count: u32): void {
  if (length == 0) return
  if (table == 0 || length > TEXT_MAX) {
    hide(text, length)
    return
  }
  searchText(text, length, false)
  for (let i: u32 = 0; i < count; i++) markSecret(load<u32>(hidden + i * 8), load<u32>(hidden + i * 8, 4))
  if (anyMarked()) writeMasked(text, length)
  else passAddresses(text, length)
}

function writeMasked(text: usize, length: u32): void {
  const end = text + length
  for (let p = text; p < end; ) {
    const stop = maskRunEnd(p, end)
    const kind = maskAt(p)
    if (kind == 0) passAddresses(p, (stop - p) as u32)
    else if (isUserInfoMark(kind)) hideUserInfo(p, (stop - p) as u32)
    else hide(p, (stop - p) as u32)
    p = stop
  }
}

/**
 * Whether a short text (a name) holds a credential. Uses the mask: not while another text is being searched.
 */
export function holdsCredential(text: usize, length: u32): bool {
  if (table == 0 || length > TEXT_MAX) return true
  const shape = textShape(text, length)
  if (shape == 0 && !customOn) return false
  beginMask(text, length)
  enterDecoded()
  searchShape(text, length, shape, false, true)
  if ((shape & SHAPE_PERCENT) != 0 && !foundDecoded()) searchPercentEncoded(text, text + length, false)
  return leaveDecoded()
}

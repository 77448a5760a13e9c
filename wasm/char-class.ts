/** One u16 of class bits for each byte: what the rules for credentials count in. */
import {
  CHAR_AT, CHAR_COLON, CHAR_DASH, CHAR_DIGIT, CHAR_DOT, CHAR_EQUALS, CHAR_HEX, CHAR_LOWER, CHAR_PERCENT,
  CHAR_PLUS, CHAR_QUOTE, CHAR_SLASH, CHAR_SPACE, CHAR_TILDE, CHAR_UNDERSCORE, CHAR_UPPER,
} from './wall-numbers'

const CLASSES: usize = memory.data(512)
let ready: bool = false

function set(c: u32, bits: u32): void {
  const at = CLASSES + 2 * c
  store<u16>(at, (<u32>load<u16>(at) | bits) as u16)
}

function setRange(from: u32, to: u32, bits: u32): void {
  for (let c = from; c <= to; c++) set(c, bits)
}

/** Fills the table; called once before any search. */
export function prepareClasses(): void {
  if (ready) return
  ready = true
  setRange(48, 57, CHAR_DIGIT)
  setRange(97, 122, CHAR_LOWER)
  setRange(65, 90, CHAR_UPPER)
  setRange(97, 102, CHAR_HEX)
  setRange(65, 70, CHAR_HEX)
  set(95, CHAR_UNDERSCORE)
  set(45, CHAR_DASH)
  set(46, CHAR_DOT)
  set(61, CHAR_EQUALS)
  set(43, CHAR_PLUS)
  set(47, CHAR_SLASH)
  set(126, CHAR_TILDE)
  set(37, CHAR_PERCENT)
  set(58, CHAR_COLON)
  set(64, CHAR_AT)
  set(32, CHAR_SPACE)
  set(9, CHAR_SPACE)
  set(10, CHAR_SPACE)
  set(13, CHAR_SPACE)
  set(34, CHAR_QUOTE)
  set(39, CHAR_QUOTE)
  set(96, CHAR_QUOTE)
}

// @ts-ignore: decorator
@inline
export function charClass(at: usize): u32 {
  return <u32>load<u16>(CLASSES + 2 * <usize>load<u8>(at))
}

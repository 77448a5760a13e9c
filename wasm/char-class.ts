/** One u16 of class bits for each byte: what the rules for credentials count in. */
export const CHAR_DIGIT: u32 = 1
export const CHAR_HEX: u32 = 2 // a-f, A-F
export const CHAR_LOWER: u32 = 4
export const CHAR_UPPER: u32 = 8
export const CHAR_UNDERSCORE: u32 = 16
export const CHAR_DASH: u32 = 32
export const CHAR_DOT: u32 = 64
export const CHAR_EQUALS: u32 = 128
export const CHAR_PLUS: u32 = 256
export const CHAR_SLASH: u32 = 512
export const CHAR_TILDE: u32 = 1024
export const CHAR_PERCENT: u32 = 2048
export const CHAR_COLON: u32 = 4096
export const CHAR_AT: u32 = 8192
export const CHAR_SPACE: u32 = 16384 // space, tab, CR, LF
export const CHAR_QUOTE: u32 = 32768 // " ' `
export const CHAR_LETTER: u32 = CHAR_LOWER | CHAR_UPPER
export const CHAR_ALNUM: u32 = CHAR_LETTER | CHAR_DIGIT
export const CHAR_WORD: u32 = CHAR_ALNUM | CHAR_UNDERSCORE

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

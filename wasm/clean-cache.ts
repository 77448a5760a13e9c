/**
 * Texts that were searched and held nothing, byte for byte: headers repeat themselves, and comparing a text costs a tenth
 * of searching it. A text is known only when every byte is equal, so no collision can let a secret through.
 *
 * Bound: 2,048 texts of 8 to 256 bytes and 256 texts of up to 4 KiB, one a slot; the newer one stays. Whoever changes what
 * is searched for must call `forgetClean`.
 */
import { forgetHeaders } from './header-memo'

const TEXT_MIN: u32 = 8
const SHORT_MAX: u32 = 256
const LONG_MAX: u32 = 4096
const SHORT_SLOTS: u32 = 2048
const LONG_SLOTS: u32 = 256
/** A slot: u32 length (bit 31: searched as a query), 12 bytes free, the text. */
const SHORT_BYTES: usize = 16 + 256
const LONG_BYTES: usize = 16 + 4096
const shortSlots: usize = memory.data(2048 * 272, 16)
const longSlots: usize = memory.data(256 * 4112, 16)

// @ts-ignore: decorator
@inline
function slotOf(text: usize, length: u32): usize {
  const middle = load<u64>(text + ((length >> 1) - 4))
  const ends = load<u64>(text) ^ rotl<u64>(load<u64>(text + (length - 8)), 21)
  const hash = ((ends ^ rotl<u64>(middle, 42)) + length) * 0x9e3779b97f4a7c15
  const place = <u32>(hash >> 48)
  return length <= SHORT_MAX ? shortSlots + <usize>(place & (SHORT_SLOTS - 1)) * SHORT_BYTES
    : longSlots + <usize>(place & (LONG_SLOTS - 1)) * LONG_BYTES
}

/** Equal bytes; at least 8 of them. Nothing outside of either is read. */
// @ts-ignore: decorator
@inline
function same(left: usize, right: usize, length: u32): bool {
  if (length < 16) {
    return load<u64>(left) == load<u64>(right) && load<u64>(left + (length - 8)) == load<u64>(right + (length - 8))
  }
  for (let at: u32 = 0; at + 16 < length; at += 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(left + at), v128.load(right + at)))) return false
  }
  return i8x16.all_true(i8x16.eq(v128.load(left + (length - 16)), v128.load(right + (length - 16))))
}

/** True when this very text was searched before, in the same way, and held nothing. */
export function isKnownClean(text: usize, length: u32, query: bool): bool {
  if (length < TEXT_MIN || length > LONG_MAX) return false
  const slot = slotOf(text, length)
  return load<u32>(slot) == (length | (<u32>query << 31)) && same(slot + 16, text, length)
}

/** Keeps a text that was searched and held nothing. */
export function noteClean(text: usize, length: u32, query: bool): void {
  if (length < TEXT_MIN || length > LONG_MAX) return
  const slot = slotOf(text, length)
  store<u32>(slot, length | (<u32>query << 31))
  memory.copy(slot + 16, text, length)
}

/** Something else is searched for from now on: whole headers are not known any longer either. */
export function forgetClean(): void {
  forgetHeaders()
  for (let slot: usize = 0; slot < SHORT_SLOTS; slot++) store<u32>(shortSlots + slot * SHORT_BYTES, 0)
  for (let slot: usize = 0; slot < LONG_SLOTS; slot++) store<u32>(longSlots + slot * LONG_BYTES, 0)
}

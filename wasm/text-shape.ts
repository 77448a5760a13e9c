/**
 * One quick look at a text, 16 bytes at a time: does it hold anything that a credential needs? Most header
 * values do not, and are let through after this.
 */
export const SHAPE_RUN: u32 = 1 // 12 or more of [A-Za-z0-9_+~=-] in a row, or 24 with slashes among them
export const SHAPE_ASSIGNMENT: u32 = 2 // '=' or ':'
export const SHAPE_AT: u32 = 4
export const SHAPE_PERCENT: u32 = 8
export const SHAPE_OPTION: u32 = 16 // "-u" as in curl -u user:password, "d:" as in kind: secret

// The set [A-Za-z0-9_+~=-] by halves: a byte is in it when LOW[byte & 15] & HIGH[byte >> 4] is not 0; the bit
// is 1 << (byte >> 4). Rows: 2 "+" "-"; 3 digits "="; 4 A-O; 5 P-Z "_"; 6 a-o; 7 p-z "~".
// @ts-ignore: decorator
@inline
function low(): v128 {
  return i8x16(
    <i8>0xa8, <i8>0xf8, <i8>0xf8, <i8>0xf8, <i8>0xf8, <i8>0xf8, <i8>0xf8, <i8>0xf8,
    <i8>0xf8, <i8>0xf8, <i8>0xf0, <i8>0x54, <i8>0x50, <i8>0x5c, <i8>0xd0, <i8>0x70,
  )
}

// @ts-ignore: decorator
@inline
function high(): v128 {
  return i8x16(1, 2, 4, 8, 16, 32, 64, <i8>128, 0, 0, 0, 0, 0, 0, 0, 0)
}

// @ts-ignore: decorator
@inline
function lanes(): v128 {
  return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
}

/** SHAPE_* bits of `length` bytes. Reads up to 15 bytes past the end, never counts them. */
export function textShape(text: usize, length: u32): u32 {
  const lowHalves = low()
  const highHalves = high()
  const nibble = i8x16.splat(15)
  let assignment = i8x16.splat(0)
  let at = i8x16.splat(0)
  let percent = i8x16.splat(0)
  let shape: u32 = 0
  let carry: u32 = 0
  let slashed: u32 = 0
  let dash: u32 = 0
  let letter: u32 = 0
  for (let i: u32 = 0; i < length; i += 16) {
    let block = v128.load(text + i)
    const rest = length - i
    if (rest < 16) block = v128.and(block, i8x16.lt_u(lanes(), i8x16.splat(rest as i8)))
    assignment = v128.or(assignment, v128.or(i8x16.eq(block, i8x16.splat(61)),
      i8x16.eq(block, i8x16.splat(58))))
    at = v128.or(at, i8x16.eq(block, i8x16.splat(64)))
    percent = v128.or(percent, i8x16.eq(block, i8x16.splat(37)))
    const dashes = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(45))) << 1 | dash
    dash = dashes >> 16
    const letters = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(100))) << 1 | letter
    letter = letters >> 16
    const second = (dashes & <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(117)))) |
      (letters & <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(58))))
    if (second != 0) shape |= SHAPE_OPTION
    const rows = v128.and(i8x16.swizzle(lowHalves, v128.and(block, nibble)),
      i8x16.swizzle(highHalves, i8x16.shr_u(block, 4)))
    const bits = <u32>i8x16.bitmask(i8x16.ne(rows, i8x16.splat(0)))
    const wide = bits | <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(47)))
    if (slashed + <u32>ctz(~wide) >= 24) shape |= SHAPE_RUN
    slashed = wide == 0xffff ? slashed + 16 : <u32>clz(~(wide << 16))
    // carry: length of the run that ends at this block's first byte, at most 12.
    if (carry + <u32>ctz(~bits) >= 12) shape |= SHAPE_RUN
    let runs = bits & (bits >> 1)
    runs &= runs >> 2
    runs &= runs >> 4
    runs &= runs >> 4
    if (runs != 0) shape |= SHAPE_RUN
    carry = bits == 0xffff ? min(carry + 16, <u32>12) : <u32>clz(~(bits << 16))
  }
  if (v128.any_true(assignment)) shape |= SHAPE_ASSIGNMENT
  if (v128.any_true(at)) shape |= SHAPE_AT
  if (v128.any_true(percent)) shape |= SHAPE_PERCENT
  return shape
}

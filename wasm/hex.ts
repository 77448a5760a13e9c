/** Ids in hexadecimal and decimal, as correlation headers carry them. */

/** Value of a hexadecimal digit, upper case allowed; 16 and more = no digit. */
// @ts-ignore: decorator
@inline
export function hexValue(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 16
}

/** Bit k = byte k of the 16 is no hexadecimal digit in lower case. */
// @ts-ignore: decorator
@inline
function notLowerHex(chunk: v128): u32 {
  const digits = i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x30)), i8x16.splat(10))
  const letters = i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x61)), i8x16.splat(6))
  return <u32>i8x16.bitmask(v128.not(v128.or(digits, letters)))
}

/** True when `length` bytes are hexadecimal digits in lower case; reads up to 15 bytes more. */
export function isLowerHex(at: usize, length: u32): bool {
  for (let done: u32 = 0; done < length; done += 16) {
    const left = length - done
    const wanted: u32 = left < 16 ? (1 << left) - 1 : 0xffff
    if ((notLowerHex(v128.load(at + done)) & wanted) != 0) return false
  }
  return true
}

/** True when `length` bytes are hexadecimal digits of either case. */
export function isHex(at: usize, length: u32): bool {
  for (let index: u32 = 0; index < length; index++) if (hexValue(load<u8>(at + index)) > 15) return false
  return true
}

/** True when every digit is 0. */
export function isZero(at: usize, length: u32): bool {
  if ((length & 15) == 0) {
    for (let done: u32 = 0; done < length; done += 16) {
      if (v128.any_true(v128.xor(v128.load(at + done), i8x16.splat(0x30)))) return false
    }
    return true
  }
  for (let index: u32 = 0; index < length; index++) if (load<u8>(at + index) != 0x30) return false
  return true
}

/** Copies `length` digits in lower case, right-aligned in `width` places, zeros in front. */
export function alignHex(at: usize, length: u32, out: usize, width: u32): void {
  const lead = width - length
  if (lead == 0 && (width & 15) == 0) {
    for (let done: u32 = 0; done < width; done += 16) {
      v128.store(out + done, v128.or(v128.load(at + done), i8x16.splat(0x20)))
    }
    return
  }
  for (let index: u32 = 0; index < lead; index++) store<u8>(out + index, 0x30)
  for (let index: u32 = 0; index < length; index++) store<u8>(out + lead + index, load<u8>(at + index) | 0x20)
}

/** 16 hexadecimal digits. */
export function writeHex64(value: u64, out: usize): void {
  for (let index: u32 = 0; index < 16; index++) {
    const digit = <u32>(value >> (60 - index * 4)) & 15
    store<u8>(out + index, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit))
  }
}

/** A decimal u64 without sign or leading zeros; 0 = it is none (0 is no id anywhere). */
export function parseDecimal(at: usize, length: u32): u64 {
  if (length == 0 || length > 20 || load<u8>(at) == 0x30) return 0
  let value: u64 = 0
  for (let index: u32 = 0; index < length; index++) {
    const digit = <u32>load<u8>(at + index) - 0x30
    if (digit > 9) return 0
    if (value > 1844674407370955161 || value == 1844674407370955161 && digit > 5) return 0
    value = value * 10 + digit
  }
  return value
}

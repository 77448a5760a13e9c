/** Ids in hexadecimal and decimal, as correlation headers carry them. */

/** Value of a hexadecimal digit, upper case allowed; 16 and more = no digit. */
// @ts-ignore: decorator
@inline
export function hexValue(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 16
}

/** True when `length` bytes are hexadecimal digits in lower case. */
export function isLowerHex(at: usize, length: u32): bool {
  for (let index: u32 = 0; index < length; index++) {
    const byte = <u32>load<u8>(at + index)
    if (byte - 0x30 >= 10 && byte - 0x61 >= 6) return false
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
  for (let index: u32 = 0; index < length; index++) if (load<u8>(at + index) != 0x30) return false
  return true
}

/** Copies `length` digits in lower case, right-aligned in `width` places, zeros in front. */
export function alignHex(at: usize, length: u32, out: usize, width: u32): void {
  const lead = width - length
  memory.fill(out, 0x30, lead)
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

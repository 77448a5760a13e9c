/** Copies and comparisons of short byte strings, inlined where they are used. */

/** Copies `length` bytes 16 at a time: reads and writes up to 15 bytes past both ends. */
// @ts-ignore: decorator
@inline
export function copyOver(out: usize, from: usize, length: u32): void {
  for (let done: u32 = 0; done < length; done += 16) v128.store(out + done, v128.load(from + done))
}

/** True when `length` bytes at both places are equal. */
export function equalBytes(left: usize, right: usize, length: u32): bool {
  if (length < 8) {
    for (let index: u32 = 0; index < length; index++) {
      if (load<u8>(left + index) != load<u8>(right + index)) return false
    }
    return true
  }
  for (let index: u32 = 0; index + 8 < length; index += 8) {
    if (load<u64>(left + index) != load<u64>(right + index)) return false
  }
  return load<u64>(left + length - 8) == load<u64>(right + length - 8)
}

/** First 8 bytes of `length` bytes as a number, the missing ones 0: reads up to 7 bytes past the end. */
// @ts-ignore: decorator
@inline
export function loadShort(from: usize, length: u32): u64 {
  if (length >= 8) return load<u64>(from)
  if (length == 0) return 0
  return load<u64>(from) & (<u64>-1 >> (64 - (length << 3)))
}

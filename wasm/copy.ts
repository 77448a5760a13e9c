/** Copies and comparisons of short byte strings, inlined where they are used. */

/** Copies `length` bytes 16 at a time: reads and writes up to 15 bytes past both ends. */
// @ts-ignore: decorator
@inline
export function copyOver(out: usize, from: usize, length: u32): void {
  for (let done: u32 = 0; done < length; done += 16) v128.store(out + done, v128.load(from + done))
}

/** From here on a call into the engine is worth its price. */
const CALL_FROM: u32 = 512

/** 16 bytes of ones, then 16 of zeros: a load at 16 - n keeps the first n bytes. */
const keepMask = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
], 16)

/** As `copyOver`, for short texts without a call into the engine; what it writes behind the copy is 0. */
// @ts-ignore: decorator
@inline
export function copyClean(out: usize, from: usize, length: u32): void {
  if (length >= CALL_FROM) {
    memory.copy(out, from, length)
    return
  }
  let done: u32 = 0
  for (; done + 16 <= length; done += 16) v128.store(out + done, v128.load(from + done))
  if (done < length) v128.store(out + done, v128.and(v128.load(from + done), v128.load(keepMask + 16 - (length - done))))
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

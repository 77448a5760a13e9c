/**
 * Which bytes of a text are to be hidden: one byte of mask for each byte of text, cleared only when the first
 * span is found. Inside decoded copies of a piece of text it only remembers that something was found: the
 * caller then hides the piece as it stands in the text.
 */
export const TEXT_MAX: u32 = 131072 // longer texts are hidden whole
const MASK_SECRET: u8 = 1
const MASK_USER_INFO: u8 = 2

let mask: usize = 0
let textStart: usize = 0
let textLength: u32 = 0
let dirty: bool = false
let depth: u32 = 0
let found: u32 = 0 // bit n: a credential was seen at depth n

export function setMaskMemory(pointer: usize): void {
  mask = pointer
}

export function beginMask(text: usize, length: u32): void {
  textStart = text
  textLength = length
  dirty = false
  depth = 0
  found = 0
}

/** Enters a decoded copy: spans are not kept, only seen. */
export function enterDecoded(): void {
  depth++
  found &= ~(1 << depth)
}

/** Leaves it; true when a credential was seen inside. */
export function leaveDecoded(): bool {
  const seen = foundDecoded()
  depth--
  return seen
}

export function insideDecoded(): bool {
  return depth != 0
}

export function foundDecoded(): bool {
  return ((found >> depth) & 1) != 0
}

function mark(from: usize, to: usize, kind: u8): void {
  if (depth != 0) {
    found |= 1 << depth
    return
  }
  if (!dirty) {
    dirty = true
    memory.fill(mask, 0, textLength)
  }
  memory.fill(mask + (from - textStart), kind, to - from)
}

/** Hides the bytes `from` up to `to` of the text. */
export function markSecret(from: usize, to: usize): void {
  if (from < to) mark(from, to, MASK_SECRET)
}

/** Hides user and password in front of an at sign. */
export function markUserInfo(from: usize, to: usize): void {
  if (from < to) mark(from, to, MASK_USER_INFO)
}

export function anyMarked(): bool {
  return dirty
}

/** Whether all of `from` up to `to` is hidden already (never inside a decoded copy). */
export function isHidden(from: usize, to: usize): bool {
  if (depth != 0 || !dirty) return false
  for (let p = from; p < to; p++) if (maskAt(p) == 0) return false
  return true
}

/** Kind of the byte at `at`: 0 = shown. */
// @ts-ignore: decorator
@inline
export function maskAt(at: usize): u32 {
  return load<u8>(mask + (at - textStart))
}

/** First byte at or after `at`, before `end`, whose kind differs from the one at `at`. */
export function maskRunEnd(at: usize, end: usize): usize {
  const kind = maskAt(at)
  let p = at + 1
  while (p < end && maskAt(p) == kind) p++
  return p
}

export function isUserInfoMark(kind: u32): bool {
  return kind == MASK_USER_INFO
}

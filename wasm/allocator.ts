/**
 * Blocks of shared memory in size classes: 64 bytes to 1 MiB, four classes an octave, one free list a class.
 * Nothing is ever given back to the engine, so a view on the memory stays valid for the life of the module; pages that
 * were never touched cost nothing.
 *
 * Bound: `setLimit`; a request over it gets 0 and is counted, the caller names the loss.
 */
const CLASS_COUNT: u32 = 64
const freeLists: usize = memory.data(64 * 4)

let next: usize = (__heap_base + 63) & ~63
let limit: usize = 0xf000000
let usedBytes: usize = 0
let peakBytes: usize = 0
let refusals: u32 = 0

/** Size class of a request: four steps an octave keep the waste under 25 %. */
// @ts-ignore: decorator
@inline
function classOf(bytes: u32): u32 {
  if (bytes <= 64) return 0
  const n = bytes - 1
  const octave = 31 - clz(n)
  return ((octave - 6) << 2) + ((n >> (octave - 2)) & 3) + 1
}

// @ts-ignore: decorator
@inline
function bytesOfClass(index: u32): u32 {
  if (index == 0) return 64
  const octave = ((index - 1) >> 2) + 6
  const step = (index - 1) & 3
  return ((5 + step) << (octave - 2))
}

/** Sets the address over which nothing is handed out: `bytes` of memory in all, rounded down to 64. */
export function setLimit(bytes: u32): void {
  limit = (bytes as usize) & ~63
}

/** A block of at least `bytes`, 64-byte aligned, contents undefined; 0 when the limit is reached or bytes > 1 MiB. */
export function alloc(bytes: u32): usize {
  const index = classOf(bytes)
  if (index >= CLASS_COUNT) {
    refusals++
    return 0
  }
  const size = bytesOfClass(index)
  const list = freeLists + index * 4
  let block: usize = load<u32>(list)
  if (block != 0) {
    store<u32>(list, load<u32>(block))
  } else {
    const rounded = (size + 63) & ~63
    if (next + rounded > limit || next + rounded > (memory.size() as usize) << 16) {
      refusals++
      return 0
    }
    block = next
    next += rounded
  }
  usedBytes += size
  if (usedBytes > peakBytes) peakBytes = usedBytes
  return block
}

/** Gives back a block of `alloc(bytes)`: the same `bytes` (or any of the same class), once. */
export function free(block: usize, bytes: u32): void {
  const index = classOf(bytes)
  const list = freeLists + index * 4
  store<u32>(block, load<u32>(list))
  store<u32>(list, block as u32)
  usedBytes -= bytesOfClass(index)
}

/** A region for the life of the module, of any size; 0 when the memory has no room. */
export function reserve(bytes: u32): usize {
  const rounded = ((bytes as usize) + 63) & ~63
  if (next + rounded > (memory.size() as usize) << 16) return 0
  const block = next
  next += rounded
  return block
}

export function allocatedBytes(): u32 {
  return usedBytes as u32
}

export function allocatedBytesPeak(): u32 {
  return peakBytes as u32
}

export function allocationRefusals(): u32 {
  return refusals
}

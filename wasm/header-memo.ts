/**
 * Header lines that the wall let through as they are, byte for byte: most lines of a connection come again with every message,
 * and comparing one costs a third of judging its name and searching its value. A line is known only when every byte of name
 * and value, the name's id and the direction are equal, so no collision can let a secret through; a line of which anything
 * was hidden, hashed, replaced or shown in another encoding is never kept.
 *
 * Bound: 1,024 lines of 8 to 304 bytes, two places for each hash. A line is kept when it comes the second time without another
 * of its places between, so that values that come once (ids, times) push nothing out. Whoever changes what the wall does with
 * names or values must call `forgetHeaders`.
 */
const LINE_MIN: u32 = 8
const LINE_MAX: u32 = 304
const SETS: u32 = 512
const SLOT_META: usize = 0 // u64: see `metaOf`; 0 = free
const SLOT_LINE: usize = 16
const SLOT_BYTES: usize = 320
/** Two slots a set, the second ones behind all the first. An odd number of cache lines each: they spread over the whole cache. */
const SECOND: usize = 512 * 320
const slots: usize = memory.data(2 * 512 * 320, 64)
/** Per set the hash of the line that came last and was not known. */
const candidates: usize = memory.data(512 * 4, 16)

let meta: u64 = 0
let hash: u32 = 0

/** Where name and value stand in the line, whose they are: equal for two lines with equal bytes = the same header. */
// @ts-ignore: decorator
@inline
function metaOf(length: u32, nameLength: u32, gap: u32, id: u32, response: u32): u64 {
  return <u64>(length | nameLength << 16) | <u64>(id | gap << 16 | response << 24) << 32
}

// @ts-ignore: decorator
@inline
function hashOf(line: usize, length: u32): u32 {
  const ends = load<u64>(line) ^ rotl<u64>(load<u64>(line + length - 8), 21) ^ rotl<u64>(load<u64>(line + (length >> 1) - 4), 42)
  return <u32>((ends + length) * 0x9e3779b97f4a7c15 >> 32)
}

/** Equal bytes; at least 8 of them. Nothing outside of either is read. */
// @ts-ignore: decorator
@inline
function isSame(left: usize, right: usize, length: u32): bool {
  if (length < 16) {
    return load<u64>(left) == load<u64>(right) && load<u64>(left + (length - 8)) == load<u64>(right + (length - 8))
  }
  let differs = v128.xor(v128.load(left + (length - 16)), v128.load(right + (length - 16)))
  for (let at: u32 = 0; at + 16 < length; at += 16) {
    differs = v128.or(differs, v128.xor(v128.load(left + at), v128.load(right + at)))
  }
  return !v128.any_true(differs)
}

// @ts-ignore: decorator
@inline
function slotOf(hash: u32): usize {
  return slots + <usize>(hash & (SETS - 1)) * SLOT_BYTES
}

/**
 * True when this very header was let through as it is before. `line`: its name, what stands between, and the value, which ends
 * `length` bytes behind; `id`: SPAN_NAME_ID of its span; `response`: 0 or 1.
 */
// @ts-ignore: decorator
@inline
export function isKnownHeader(line: usize, length: usize, nameLength: u32, gap: u32, id: u32, response: u32): bool {
  meta = 0
  if (length - LINE_MIN > LINE_MAX - LINE_MIN || gap > 255) return false
  const bytes = <u32>length
  const own = metaOf(bytes, nameLength, gap, id, response)
  const ownHash = hashOf(line, bytes)
  const slot = slotOf(ownHash)
  if (load<u64>(slot, SLOT_META) == own && isSame(line, slot + SLOT_LINE, bytes)) return true
  if (load<u64>(slot, SECOND + SLOT_META) == own && isSame(line, slot + SECOND + SLOT_LINE, bytes)) return true
  meta = own
  hash = ownHash
  return false
}

/** Notes that the header that was asked for last and was not known was let through as it is. */
export function noteHeader(line: usize): void {
  if (meta == 0) return
  const candidate = candidates + <usize>(hash & (SETS - 1)) * 4
  if (load<u32>(candidate) != hash) {
    store<u32>(candidate, hash)
    return
  }
  const first = slotOf(hash)
  const slot = load<u64>(first, SLOT_META) != 0 && (hash & SETS) != 0 ? first + SECOND : first
  store<u64>(slot, meta, SLOT_META)
  memory.copy(slot + SLOT_LINE, line, <u32>meta & 0xffff)
}

/** The wall does something else with names or values from now on. */
export function forgetHeaders(): void {
  meta = 0
  for (let slot: usize = 0; slot < 2 * SETS; slot++) store<u64>(slots + slot * SLOT_BYTES, 0, SLOT_META)
  memory.fill(candidates, 0, <usize>SETS * 4)
}

/**
 * What a row group holds of one column of Parquet, while its lines are read: levels as runs, values as places of their texts, and each
 * text once as long as texts repeat. All of it stands in an arena that begins anew with each row group.
 */
import { equalBytes, loadShort } from './copy'
import { ENTRY_BYTES, ENTRY_HASH, ENTRY_ID, ENTRY_LENGTH, ENTRY_START, KEYS_KEPT, LEAF_COUNT, LEAF_DEFINITION, LEAF_DEFINITIONS, LEAF_ENTRIES, LEAF_ENTRY_COUNT,
  LEAF_ENTRY_TEXT, LEAF_IS_PLAIN, LEAF_MASK, LEAF_REPETITION, LEAF_REPETITIONS, LEAF_REPETITION_MAX, LEAF_ROWS, LEAF_SLOTS, LEAF_TABLE, LEAF_TEXT,
  LEAF_VALUES, RUN_SHIFT, VEC_AT, VEC_END, VEC_HEAD,
} from './shred-contract'

/** Of a piece: u32 the next one, u32 where its elements end. Elements of up to 16 bytes fill it without a rest. */
const PIECE_HEAD: u32 = 16
const PIECE_MIN: u32 = 64
const PIECE_MAX: u32 = 65_536
const SLOTS_MIN: u32 = 16
/** Places of a hash table that are looked at, so that texts made to fall together cost no more; what is not found there stands twice. */
const PROBES_MAX: u32 = 48
/** After so many different values it is seen whether they repeat at all. */
const SEEN_MIN: u32 = 4096

/** A piece for what no longer fits: it is nothing any more. */
const spare: usize = memory.data(128, 16)

let arenaAt: usize = 0
let arenaEnd: usize = 0
/** The arena was too small: what was put into it since is nothing. */
export let isFull: bool = false

export function openArena(from: usize, end: usize): void {
  arenaAt = from
  arenaEnd = end
  isFull = false
}

/** Bytes that are left. */
export function arenaLeft(): usize {
  return arenaEnd - arenaAt
}

/** Room in the arena; 0 = there is none. */
export function arenaRoom(bytes: usize): usize {
  const room = arenaAt
  if (bytes > arenaEnd - room) {
    isFull = true
    return 0
  }
  arenaAt += (bytes + 15) & ~15
  return room
}

/** The first place of a new piece, which is twice as large as the one before. */
function grow(vec: usize): usize {
  const end = <usize>load<u32>(vec, VEC_END)
  const head = <usize>load<u32>(vec, VEC_HEAD)
  const before = end == 0 ? 0 : <u32>load<u32>(end) // behind a piece stands how large it is
  const size = before == 0 ? PIECE_MIN : min<u32>(before * 2, PIECE_MAX)
  const piece = arenaRoom(PIECE_HEAD + size + 16)
  if (piece == 0) {
    if (end != 0) return end - before // over what is there
    store<u32>(spare + PIECE_HEAD + PIECE_MIN, PIECE_MIN)
    store<u32>(vec, <u32>(spare + PIECE_HEAD + PIECE_MIN), VEC_END)
    return spare + PIECE_HEAD
  }
  const first = piece + PIECE_HEAD
  store<u32>(piece, 0)
  store<u32>(piece, <u32>(first + size), 4)
  store<u32>(first + size, size)
  if (head == 0) store<u32>(vec, <u32>piece, VEC_HEAD)
  else store<u32>(end - before - PIECE_HEAD, <u32>piece)
  store<u32>(vec, <u32>(first + size), VEC_END)
  return first
}

/** Where the next element of `bytes` is to be put. */
// @ts-ignore: decorator
@inline
export function place(vec: usize, bytes: u32): usize {
  let at = <usize>load<u32>(vec, VEC_AT)
  if (at == <usize>load<u32>(vec, VEC_END)) at = grow(vec)
  store<u32>(vec, <u32>(at + bytes), VEC_AT)
  return at
}

/** The elements of a piece end here. */
// @ts-ignore: decorator
@inline
export function pieceEnd(vec: usize, piece: usize): usize {
  return load<u32>(piece) == 0 ? <usize>load<u32>(vec, VEC_AT) : <usize>load<u32>(piece, 4)
}

// @ts-ignore: decorator
@inline
export function firstOf(piece: usize): usize {
  return piece + PIECE_HEAD
}

// @ts-ignore: decorator
@inline
function addLevels(leaf: usize, vec: usize, open: usize, level: u32, count: u32): void {
  const run = load<u32>(leaf + open)
  if (run != 0 && (run & ((1 << RUN_SHIFT) - 1)) == level) {
    store<u32>(leaf + open, run + (count << RUN_SHIFT))
    return
  }
  if (run != 0) store<u32>(place(leaf + vec, 4), run)
  store<u32>(leaf + open, count << RUN_SHIFT | level)
}

/** Levels of so many places. */
export function addSlots(leaf: usize, repetition: u32, definition: u32, count: u32): void {
  addLevels(leaf, LEAF_DEFINITIONS, LEAF_DEFINITION, definition, count)
  if (load<u8>(leaf, LEAF_REPETITION_MAX) != 0) addLevels(leaf, LEAF_REPETITIONS, LEAF_REPETITION, repetition, count)
  store<u32>(leaf, load<u32>(leaf, LEAF_SLOTS) + count, LEAF_SLOTS)
}

/** Says of the rows before `row` that they have none. False = the row has one already. */
export function beginRow(leaf: usize, row: u32): bool {
  const rows = load<u32>(leaf, LEAF_ROWS)
  if (rows > row) return false
  if (rows < row) addSlots(leaf, 0, 0, row - rows)
  store<u32>(leaf, row + 1, LEAF_ROWS)
  return true
}

/** No more comes. */
export function closeLevels(leaf: usize, rows: u32): void {
  if (load<u32>(leaf, LEAF_ROWS) < rows) addSlots(leaf, 0, 0, rows - load<u32>(leaf, LEAF_ROWS))
  store<u32>(leaf, rows, LEAF_ROWS)
  for (let each: usize = 0; each < 2; each++) {
    const run = load<u32>(leaf + each * 4, LEAF_DEFINITION)
    if (run != 0) store<u32>(place(leaf + LEAF_DEFINITIONS + each * (LEAF_REPETITIONS - LEAF_DEFINITIONS), 4), run)
    store<u32>(leaf + each * 4, 0, LEAF_DEFINITION)
  }
}

// @ts-ignore: decorator
@inline
function hashOf(text: usize, length: u32): u32 {
  let hash = <u64>length * 0x9e3779b97f4a7c15
  let at = text
  let left = length
  for (; left > 8; left -= 8, at += 8) hash = rotl<u64>((hash ^ load<u64>(at)) * 0x9fb21c651e98df25, 29)
  hash = (hash ^ loadShort(at, left)) * 0x9fb21c651e98df25
  return <u32>(hash >> 32) ^ <u32>hash
}

function addEntry(leaf: usize, start: usize, length: u32, hash: u32): usize {
  const entry = place(leaf + LEAF_ENTRIES, ENTRY_BYTES)
  const id = load<u32>(leaf, LEAF_ENTRY_COUNT)
  store<u32>(entry, <u32>start, ENTRY_START)
  store<u32>(entry, length, ENTRY_LENGTH)
  store<u32>(entry, hash, ENTRY_HASH)
  store<u32>(entry, id, ENTRY_ID)
  store<u32>(leaf, id + 1, LEAF_ENTRY_COUNT)
  store<u32>(leaf, load<u32>(leaf, LEAF_ENTRY_TEXT) + length, LEAF_ENTRY_TEXT)
  return entry
}

/** Twice as many slots. False = no room. */
function widen(leaf: usize): bool {
  const old = <usize>load<u32>(leaf, LEAF_TABLE)
  const mask = load<u32>(leaf, LEAF_MASK)
  const slots = old == 0 ? SLOTS_MIN : (mask + 1) * 2
  const table = arenaRoom(slots * 4)
  if (table == 0) return false
  memory.fill(table, 0, slots * 4)
  for (let slot: u32 = 0; old != 0 && slot <= mask; slot++) {
    const entry = load<u32>(old + slot * 4)
    if (entry == 0) continue
    let to = load<u32>(entry, ENTRY_HASH) & (slots - 1)
    while (load<u32>(table + to * 4) != 0) to = (to + 1) & (slots - 1)
    store<u32>(table + to * 4, entry)
  }
  store<u32>(leaf, <u32>table, LEAF_TABLE)
  store<u32>(leaf, slots - 1, LEAF_MASK)
  return true
}

function entryOf(leaf: usize, start: usize, length: u32): usize {
  const hash = hashOf(start, length)
  const count = load<u32>(leaf, LEAF_ENTRY_COUNT)
  if ((load<u32>(leaf, LEAF_TABLE) == 0 || count * 2 > load<u32>(leaf, LEAF_MASK)) && !widen(leaf)) return addEntry(leaf, start, length, hash)
  const table = <usize>load<u32>(leaf, LEAF_TABLE)
  const mask = load<u32>(leaf, LEAF_MASK)
  let slot = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const entry = <usize>load<u32>(table + slot * 4)
    if (entry == 0) {
      const added = addEntry(leaf, start, length, hash)
      store<u32>(table + slot * 4, <u32>added)
      if ((count & (SEEN_MIN - 1)) == SEEN_MIN - 1 && <u64>count * 8 > <u64>load<u32>(leaf, LEAF_COUNT) * 7) store<u8>(leaf, 1, LEAF_IS_PLAIN)
      return added
    }
    if (load<u32>(entry, ENTRY_HASH) == hash && load<u32>(entry, ENTRY_LENGTH) == length
      && equalBytes(load<u32>(entry, ENTRY_START), start, length)) return entry
    slot = (slot + 1) & mask
  }
  return addEntry(leaf, start, length, hash)
}

/**
 * One more value: its text stays where it is. Up to 7 bytes behind it are read. `guess` is where the entry stands that it may be of, as the last
 * value of its kind was; 0 = nowhere. Gives the entry.
 */
export function addValue(leaf: usize, start: usize, length: u32, guess: usize): usize {
  let entry: usize = 0
  if (guess != 0) entry = load<u32>(guess)
  if (entry == 0 || load<u32>(entry, ENTRY_LENGTH) != length || !equalBytes(load<u32>(entry, ENTRY_START), start, length)) {
    entry = load<u8>(leaf, LEAF_IS_PLAIN) != 0 ? addEntry(leaf, start, length, 0) : entryOf(leaf, start, length)
    if (guess != 0) store<u32>(guess, <u32>entry)
  }
  store<u32>(place(leaf + LEAF_VALUES, 4), <u32>entry)
  store<u32>(leaf, load<u32>(leaf, LEAF_COUNT) + 1, LEAF_COUNT)
  store<u32>(leaf, load<u32>(leaf, LEAF_TEXT) + length, LEAF_TEXT)
  return entry
}

/** Where a map's leaf of keys keeps entries, by a number; 0 = nowhere. */
export function keptAt(leaf: usize, list: usize, number: u32): usize {
  if (number >= <u32>KEYS_KEPT) return 0
  let kept = <usize>load<u32>(leaf + list)
  if (kept == 0) {
    kept = arenaRoom(KEYS_KEPT * 4)
    if (kept == 0) return 0
    memory.fill(kept, 0, KEYS_KEPT * 4)
    store<u32>(leaf + list, <u32>kept)
  }
  return kept + number * 4
}

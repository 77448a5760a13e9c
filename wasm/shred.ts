/**
 * Lines of JSON, as the encoder writes them, into columns: the members of each line that are asked for go to the leaves of their
 * columns (Dremel's levels, https://research.google/pubs/pub36632/). Whatever is not in the encoder's form is refused, and with it all
 * of the row group: who asked takes another way then.
 */
import { equalBytes } from './copy'
import { isEscaped, readString, skipString, skipValue, textEnd, textStart } from './json-scan'
import { childOf, keyHash, readKey } from './member-table'
import { CHILD_BELOW, CHILD_MEMBER, NO_MEMBER } from './pick-contract'
import { addSlots, addValue, arenaLeft, arenaRoom, beginRow, isFull, keptAt, openArena } from './shred-leaf'
import { ARENA_SPARE, COLUMN_BYTES, COLUMN_COPIES, COLUMN_COPY_COUNT, COLUMN_LEAF, COLUMN_SHAPE, COPY_BYTES, COPY_KEY, COPY_KEY_LENGTH, COPY_LEAF,
  ENTRY_ID, ENTRY_LENGTH, ENTRY_START, LEAF_BYTES, LEAF_COPIES, LEAF_IS_PLAIN, LEAF_KEYS_LAST, LEAF_KIND, LEAF_LAST, NO_COPY,
  LEAF_TYPE, LEAF_VALUES_LAST, SHAPE_FLAT, SHAPE_LIST, SHAPE_LISTS, SHRED_ARENA,
  SHRED_ARENA_END, SHRED_COLUMNS, SHRED_LEAF_COUNT, SHRED_LEAVES, SHRED_ODD, SHRED_ROWS, SHRED_ROWS_MAX, SHRED_TABLE, TYPE_BOOL, TYPE_TEXT, TYPE_TIME,
} from './shred-contract'

/** `{"jour`, what a line begins with that is no record but a seal (src/sink/journal.ts). */
const SEAL: u64 = 0x72756f6a227b
const SEAL_MASK: u64 = 0xffffffffffff
const TIME_LENGTH: u32 = 30

let table: usize = 0
let columns: usize = 0
let lineEnd: usize = 0
let row: u32 = 0
/** Of the last text that was taken. */
let entry: usize = 0
/** Of the first text of the last list; 0 = it was empty. */
let firstEntry: usize = 0

/** Begins a row group. */
export function openRows(state: usize): void {
  const leaves = <usize>load<u32>(state, SHRED_LEAVES)
  for (let each: u32 = 0; each < load<u32>(state, SHRED_LEAF_COUNT); each++) {
    const leaf = leaves + each * LEAF_BYTES
    const kind = load<u32>(leaf, LEAF_KIND)
    memory.fill(leaf, 0, LEAF_BYTES)
    store<u32>(leaf, kind, LEAF_KIND)
  }
  openArena(load<u32>(state, SHRED_ARENA), load<u32>(state, SHRED_ARENA_END))
  store<u32>(state, 0, SHRED_ROWS)
}

/** A text without its quotes and escapes. The place behind; 0 = there is none. */
// @ts-ignore: decorator
@inline
function takeText(leaf: usize, at: usize, guess: usize): usize {
  const behind = skipString(at, lineEnd)
  if (behind == 0) return 0
  if (!isEscaped) {
    entry = addValue(leaf, at + 1, <u32>(behind - at - 2), guess)
    return behind
  }
  const room = arenaRoom(behind - at + 32)
  if (room == 0 || readString(at, lineEnd, room) == 0) return 0
  entry = addValue(leaf, textStart, <u32>(textEnd - textStart), guess)
  return behind
}

/** One value of a leaf. The place behind; 0 = it is not of the leaf's type. */
function take(leaf: usize, at: usize, guess: usize): usize {
  const type = load<u8>(leaf, LEAF_TYPE)
  const first = <u32>load<u8>(at)
  if (type == TYPE_TEXT) return first == 0x22 ? takeText(leaf, at, guess) : 0
  if (type == TYPE_TIME) {
    if (first != 0x22 || load<u8>(at, TIME_LENGTH + 1) != 0x22 || load<u8>(at, TIME_LENGTH) != 0x5a) return 0
    addValue(leaf, at + 1, TIME_LENGTH, guess)
    return at + TIME_LENGTH + 2
  }
  const isWord = first == 0x74 || first == 0x66
  if (type == TYPE_BOOL ? !isWord : first != 0x2d && first - 0x30 > 9) return 0
  const end = skipValue(at, lineEnd)
  if (end != 0) addValue(leaf, at, <u32>(end - at), guess)
  return end
}

/** A list behind its bracket. `repetition` is that of its first value, `level` that of the others and half of what says "empty". */
function takeList(leaf: usize, from: usize, repetition: u32, level: u32, empty: u32, guess: usize): usize {
  firstEntry = 0
  if (load<u8>(from) == 0x5d) {
    addSlots(leaf, repetition, empty, 1)
    return from + 1
  }
  let at = from
  let here = repetition
  while (at < lineEnd) {
    const end = take(leaf, at, here == level ? 0 : guess)
    if (end == 0) return 0
    if (firstEntry == 0) firstEntry = entry
    addSlots(leaf, here, empty + 2, 1)
    here = level
    const next = load<u8>(end)
    at = end + 1
    if (next == 0x5d) return at
    if (next != 0x2c) return 0
  }
  return 0
}

/** The leaf that a key's first values are copied to; NO_COPY. */
function findCopy(column: usize, key: usize): u32 {
  const length = load<u32>(key, ENTRY_LENGTH)
  let copy = <usize>load<u32>(column, COLUMN_COPIES)
  for (let left = load<u32>(column, COLUMN_COPY_COUNT); left > 0; left--, copy += COPY_BYTES) {
    if (load<u32>(copy, COPY_KEY_LENGTH) == length && equalBytes(load<u32>(copy, COPY_KEY), load<u32>(key, ENTRY_START), length)) {
      return load<u32>(copy, COPY_LEAF)
    }
  }
  return NO_COPY
}

/** Copies the first value of the last list, if it is that of a key that has a column of its own. */
function copyFirst(column: usize, leaf: usize, key: usize): void {
  const kept = keptAt(leaf, LEAF_COPIES, load<u32>(key, ENTRY_ID))
  let copy: u32 = kept == 0 ? 0 : load<u32>(kept)
  if (copy == 0) {
    copy = findCopy(column, key)
    if (kept != 0) store<u32>(kept, copy)
  }
  if (copy == NO_COPY || firstEntry == 0 || !beginRow(copy, row)) return
  const guess: usize = load<u8>(copy, LEAF_IS_PLAIN) != 0 ? 0 : copy + LEAF_LAST
  addValue(copy, load<u32>(firstEntry, ENTRY_START), load<u32>(firstEntry, ENTRY_LENGTH), guess)
  addSlots(copy, 0, 1, 1)
}

/** A map behind its brace; keys in `leaf`, values in the one behind. */
function takeMap(column: usize, leaf: usize, from: usize, isOfLists: bool): usize {
  const values = leaf + LEAF_BYTES
  if (load<u8>(from) == 0x7d) {
    addSlots(leaf, 0, 1, 1)
    addSlots(values, 0, 1, 1)
    return from + 1
  }
  let at = from
  let repetition: u32 = 0
  for (let place: u32 = 0; at < lineEnd && load<u8>(at) == 0x22; place++) {
    const key = takeText(leaf, at, keptAt(leaf, LEAF_KEYS_LAST, place))
    if (key == 0 || load<u8>(key) != 0x3a) return 0
    const name = entry
    const guess = keptAt(leaf, LEAF_VALUES_LAST, load<u32>(name, ENTRY_ID))
    addSlots(leaf, repetition, 2, 1)
    let end: usize
    if (isOfLists) {
      if (load<u8>(key, 1) != 0x5b) return 0
      end = takeList(values, key + 2, repetition, 2, 3, guess)
      if (load<u32>(column, COLUMN_COPY_COUNT) != 0) copyFirst(column, leaf, name)
    } else {
      end = take(values, key + 1, guess)
      addSlots(values, repetition, 3, 1)
    }
    if (end == 0) return 0
    repetition = 1
    const next = load<u8>(end)
    at = end + 1
    if (next == 0x7d) return at
    if (next != 0x2c) return 0
  }
  return 0
}

function takeColumn(number: u32, at: usize): usize {
  const column = columns + number * COLUMN_BYTES
  const leaf = <usize>load<u32>(column, COLUMN_LEAF)
  const shape = load<u32>(column, COLUMN_SHAPE)
  if (!beginRow(leaf, row)) return 0
  if (shape == SHAPE_FLAT) {
    const end = take(leaf, at, load<u8>(leaf, LEAF_IS_PLAIN) != 0 ? 0 : leaf + LEAF_LAST)
    addSlots(leaf, 0, 1, 1)
    return end
  }
  if (shape == SHAPE_LIST) return load<u8>(at) == 0x5b ? takeList(leaf, at + 1, 0, 1, 1, 0) : 0
  if (load<u8>(at) != 0x7b || !beginRow(leaf + LEAF_BYTES, row)) return 0
  return takeMap(column, leaf, at + 1, shape == SHAPE_LISTS)
}

/** The members behind the brace at `from - 1`. The place behind the object; 0 = it is not in the encoder's form. */
function walk(from: usize, node: u32): usize {
  let at = from
  if (load<u8>(at) == 0x7d) return at + 1
  while (at < lineEnd && load<u8>(at) == 0x22) {
    const key = readKey(at + 1, lineEnd)
    if (key == 0 || load<u8>(key, 1) != 0x3a) return 0
    const child = childOf(table, node, keyHash, at + 1, <u32>(key - at - 1))
    const start = key + 2
    let end: usize
    if (child == 0) {
      end = skipValue(start, lineEnd)
    } else if (<u32>load<u16>(child, CHILD_MEMBER) != NO_MEMBER) {
      end = takeColumn(load<u16>(child, CHILD_MEMBER), start)
    } else {
      end = load<u8>(start) == 0x7b ? walk(start + 1, load<u16>(child, CHILD_BELOW)) : 0
    }
    if (end == 0) return 0
    at = end + 1
    const next = load<u8>(end)
    if (next == 0x7d) return at
    if (next != 0x2c) return 0
  }
  return 0
}

/**
 * Takes lines in `[from, end)`, which ends with a line, until the row group is full. They stay where they are until its pages are made.
 * Returns the bytes taken; SHRED_ODD.
 */
export function shredLines(state: usize, from: usize, end: usize): i32 {
  table = load<u32>(state, SHRED_TABLE)
  columns = load<u32>(state, SHRED_COLUMNS)
  const most = load<u32>(state, SHRED_ROWS_MAX)
  row = load<u32>(state, SHRED_ROWS)
  lineEnd = end
  let at = from
  while (at < end && row < most && arenaLeft() > <usize>ARENA_SPARE) {
    if ((load<u64>(at) & SEAL_MASK) == SEAL) {
      at = skipValue(at, end)
    } else {
      at = load<u8>(at) == 0x7b ? walk(at + 1, 0) : 0
      row++
    }
    if (at == 0 || at >= end || load<u8>(at) != 0x0a || isFull) return SHRED_ODD
    at++
  }
  store<u32>(state, row, SHRED_ROWS)
  return <i32>(at - from)
}

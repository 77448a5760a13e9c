/** Pages of Parquet out of the leaves of a row group: https://parquet.apache.org/docs/file-format/data-pages/. */
import { copyOver } from './copy'
import { addRun, closeHybrid, openHybrid } from './shred-bits'
import { closeLevels, firstOf, isFull, pieceEnd } from './shred-leaf'
import { ENTRY_BYTES, ENTRY_ID, ENTRY_LENGTH, ENTRY_START, LEAF_COUNT, LEAF_DEFINITION_MAX, LEAF_DEFINITIONS, LEAF_ENTRIES, LEAF_ENTRY_COUNT,
  LEAF_ENTRY_TEXT, LEAF_IS_PLAIN, LEAF_REPETITION_MAX, LEAF_REPETITIONS, LEAF_SLOTS, LEAF_TEXT, LEAF_TYPE, LEAF_VALUES, RUN_SHIFT, SHRED_GREATEST,
  SHRED_LEAST, SHRED_ODD, SHRED_OUT, SHRED_OUT_END, SHRED_ROWS, TYPE_BOOL, TYPE_TEXT, VEC_HEAD,
} from './shred-contract'
import { clearOdd, isLess, numberOf, wasOdd } from './shred-number'

/** Different values of a dictionary, at most. */
const ENTRIES_MAX: u32 = 1 << 20
/** What heads of runs, and copies of 16 bytes at a time, may take beyond what is counted. */
const SLACK: u32 = 4096
const CALL_FROM: u32 = 512
const NUMBER_BYTES: u32 = 8

// @ts-ignore: decorator
@inline
function widthOf(greatest: u32): u32 {
  return 32 - clz(greatest)
}

/** Bytes that the texts or numbers of a leaf take when each stands by itself. */
// @ts-ignore: decorator
@inline
function plainBytes(type: u32, count: u32, text: u32): u64 {
  return type == TYPE_TEXT ? <u64>count * 4 + text : type == TYPE_BOOL ? <u64>count / 8 + 1 : <u64>count * NUMBER_BYTES
}

/** True where what is different stands apart, because it takes less so. */
export function isDictionary(leaf: usize): bool {
  const type = <u32>load<u8>(leaf, LEAF_TYPE)
  const entries = load<u32>(leaf, LEAF_ENTRY_COUNT)
  if (type == TYPE_BOOL || load<u8>(leaf, LEAF_IS_PLAIN) != 0 || entries == 0 || entries > ENTRIES_MAX) return false
  const count = load<u32>(leaf, LEAF_COUNT)
  const ids = <u64>count * widthOf(entries - 1) / 8
  return plainBytes(type, entries, load<u32>(leaf, LEAF_ENTRY_TEXT)) + ids < plainBytes(type, count, load<u32>(leaf, LEAF_TEXT))
}

function writePlain(type: u32, entry: usize, to: usize): usize {
  const start = <usize>load<u32>(entry, ENTRY_START)
  const length = load<u32>(entry, ENTRY_LENGTH)
  if (type != TYPE_TEXT) {
    store<i64>(to, numberOf(type, start, length))
    return to + NUMBER_BYTES
  }
  store<u32>(to, length)
  if (length < CALL_FROM) copyOver(to + 4, start, length)
  else memory.copy(to + 4, start, length)
  return to + 4 + length
}

/** Writes the dictionary of a leaf. The length; SHRED_ODD. */
export function dictionaryPage(state: usize, leaf: usize): i32 {
  const type = <u32>load<u8>(leaf, LEAF_TYPE)
  const out = <usize>load<u32>(state, SHRED_OUT)
  if (plainBytes(type, load<u32>(leaf, LEAF_ENTRY_COUNT), load<u32>(leaf, LEAF_ENTRY_TEXT)) + SLACK > load<u32>(state, SHRED_OUT_END) - out) return SHRED_ODD
  clearOdd()
  let to = out
  const vec = leaf + LEAF_ENTRIES
  for (let piece = <usize>load<u32>(vec, VEC_HEAD); piece != 0; piece = load<u32>(piece)) {
    for (let entry = firstOf(piece), end = pieceEnd(vec, piece); entry < end; entry += ENTRY_BYTES) to = writePlain(type, entry, to)
  }
  return wasOdd ? SHRED_ODD : <i32>(to - out)
}

function writeLevels(vec: usize, greatest: u32, to: usize): usize {
  openHybrid(to + 4, widthOf(greatest))
  for (let piece = <usize>load<u32>(vec, VEC_HEAD); piece != 0; piece = load<u32>(piece)) {
    for (let at = firstOf(piece), end = pieceEnd(vec, piece); at < end; at += 4) {
      const run = load<u32>(at)
      addRun(run & ((1 << RUN_SHIFT) - 1), run >> RUN_SHIFT)
    }
  }
  const behind = closeHybrid()
  store<u32>(to, <u32>(behind - to - 4))
  return behind
}

function writeIds(vec: usize, width: u32, to: usize): usize {
  store<u8>(to, <u8>width)
  openHybrid(to + 1, width)
  for (let piece = <usize>load<u32>(vec, VEC_HEAD); piece != 0; piece = load<u32>(piece)) {
    for (let at = firstOf(piece), end = pieceEnd(vec, piece); at < end; at += 4) addRun(load<u32>(load<u32>(at), ENTRY_ID), 1)
  }
  return closeHybrid()
}

function writeValues(vec: usize, type: u32, from: usize): usize {
  let to = from
  let bit: u32 = 0
  for (let piece = <usize>load<u32>(vec, VEC_HEAD); piece != 0; piece = load<u32>(piece)) {
    for (let at = firstOf(piece), end = pieceEnd(vec, piece); at < end; at += 4) {
      const entry = <usize>load<u32>(at)
      if (type != TYPE_BOOL) {
        to = writePlain(type, entry, to)
        continue
      }
      if (bit == 0) store<u8>(to, 0)
      const isTrue: u32 = load<u8>(load<u32>(entry, ENTRY_START)) == 0x74 ? 1 : 0
      store<u8>(to, <u8>(<u32>load<u8>(to) | isTrue << bit))
      bit = (bit + 1) & 7
      if (bit == 0) to++
    }
  }
  return bit == 0 ? to : to + 1
}

/** All rows are there. How many places of levels there are. */
export function closeLeaf(state: usize, leaf: usize): u32 {
  closeLevels(leaf, load<u32>(state, SHRED_ROWS))
  return load<u32>(leaf, LEAF_SLOTS)
}

/** Writes what the rows have of a leaf that is closed. The length; SHRED_ODD. */
export function dataPage(state: usize, leaf: usize): i32 {
  const type = <u32>load<u8>(leaf, LEAF_TYPE)
  const out = <usize>load<u32>(state, SHRED_OUT)
  const most = plainBytes(type, load<u32>(leaf, LEAF_COUNT), load<u32>(leaf, LEAF_TEXT)) + <u64>load<u32>(leaf, LEAF_SLOTS) * 2 + SLACK
  if (isFull || most > load<u32>(state, SHRED_OUT_END) - out) return SHRED_ODD
  clearOdd()
  let to = out
  if (load<u8>(leaf, LEAF_REPETITION_MAX) != 0) to = writeLevels(leaf + LEAF_REPETITIONS, load<u8>(leaf, LEAF_REPETITION_MAX), to)
  to = writeLevels(leaf + LEAF_DEFINITIONS, load<u8>(leaf, LEAF_DEFINITION_MAX), to)
  const vec = leaf + LEAF_VALUES
  if (isDictionary(leaf)) to = writeIds(vec, widthOf(load<u32>(leaf, LEAF_ENTRY_COUNT) - 1), to)
  else to = writeValues(vec, type, to)
  return wasOdd ? SHRED_ODD : <i32>(to - out)
}

/** Bytes of texts in order: less than 0 = the left one is first. */
function compareTexts(left: usize, right: usize): i32 {
  const length = min(load<u32>(left, ENTRY_LENGTH), load<u32>(right, ENTRY_LENGTH))
  const order = memory.compare(load<u32>(left, ENTRY_START), load<u32>(right, ENTRY_START), length)
  return order != 0 ? order : <i32>load<u32>(left, ENTRY_LENGTH) - <i32>load<u32>(right, ENTRY_LENGTH)
}

/** Tells the least and the greatest value of a leaf that has one: numbers as they are, of texts address and length. */
export function measureLeaf(state: usize, leaf: usize): void {
  const type = <u32>load<u8>(leaf, LEAF_TYPE)
  const vec = leaf + LEAF_ENTRIES
  let least: usize = 0
  let greatest: usize = 0
  let low: i64 = 0
  let high: i64 = 0
  for (let piece = <usize>load<u32>(vec, VEC_HEAD); piece != 0; piece = load<u32>(piece)) {
    for (let entry = firstOf(piece), end = pieceEnd(vec, piece); entry < end; entry += ENTRY_BYTES) {
      if (type == TYPE_TEXT) {
        if (least == 0 || compareTexts(entry, least) < 0) least = entry
        if (greatest == 0 || compareTexts(greatest, entry) < 0) greatest = entry
        continue
      }
      const value = numberOf(type, load<u32>(entry, ENTRY_START), load<u32>(entry, ENTRY_LENGTH))
      if (least == 0 || isLess(type, value, low)) low = value
      if (least == 0 || isLess(type, high, value)) high = value
      least = entry
    }
  }
  store<i64>(state, type == TYPE_TEXT ? load<i64>(least) : low, SHRED_LEAST)
  store<i64>(state, type == TYPE_TEXT ? load<i64>(greatest) : high, SHRED_GREATEST)
}

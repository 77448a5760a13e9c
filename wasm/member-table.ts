/** The keys that are looked for in lines of JSON: a hash table made by lib/record/member-table.ts (PICK_*, CHILD_* of pick-contract.ts). */
import { equalBytes } from './copy'
import { CHILD_KEY, CHILD_KEY_LENGTH, CHILD_NODE, PICK_MASK, PICK_SLOTS } from './pick-contract'

/** Of the last key that `readKey` went over. */
export let keyHash: u32 = 0

/** The quote behind a key that begins at `from`; 0 = it has an escape, which no field's key has, or does not end before `end`. */
// @ts-ignore: decorator
@inline
export function readKey(from: usize, end: usize): usize {
  let at = from
  let hash: u32 = 0
  for (let code = <u32>load<u8>(at); code != 0x22; code = <u32>load<u8>(++at)) {
    if (code == 0x5c || at >= end) return 0
    hash = (hash << 3) + code
  }
  keyHash = hash
  return at
}

/** The child with this key in a group; 0 = it is not asked for. */
export function childOf(table: usize, node: u32, hash: u32, key: usize, length: u32): usize {
  const mask = load<u32>(table, PICK_MASK)
  let slot = ((hash + node) * 0x9e3779b1) >> 16 & mask
  while (true) {
    const child = <usize>load<u32>(table + slot * 4, PICK_SLOTS)
    if (child == 0) return 0
    if (<u32>load<u16>(child, CHILD_NODE) == node && <u32>load<u16>(child, CHILD_KEY_LENGTH) == length
      && equalBytes(load<u32>(child, CHILD_KEY), key, length)) return child
    slot = (slot + 1) & mask
  }
}

/**
 * What to do with the fields of one name. TypeScript evaluates the configured rules once a name
 * (`decideHeader`); the answer is kept per direction, for known names by their id, for others in two tables
 * of bounded size.
 *
 * Bound: 4,096 names of at most 56 bytes and 512 of at most 128. A table that is full is cleared, so that a flood of
 * names costs the names in use one more decision each, not every one from then on; counted.
 * Longer names are decided afresh each time, and counted.
 */
import { forgetHeaders } from './header-memo'
import { ACTION_COUNT, ACTION_PRESENCE } from './wall-numbers'

const DECISION_NAMES: u32 = 4096
const LONG_NAMES: u32 = 512
const SLOTS: u32 = 8192
const LONG_SLOTS: u32 = 1024
const PROBES: u32 = 32
const SLOT_HASH: usize = 0 // u32
const SLOT_LENGTH: usize = 4 // u8, 0 = free
const SLOT_ACTION: usize = 5 // 2 x u8: action + 1, request and response
const SLOT_NAME: usize = 8
const SLOT_BYTES: usize = 64
const NAME_ROOM: u32 = 56
const LONG_SLOT_BYTES: usize = 136
const LONG_NAME_ROOM: u32 = 128
const KNOWN_IDS: u32 = 1024

// @ts-ignore: decorator
@external("env", "decideHeader")
declare function decideHeader(pointer: usize, length: u32, response: u32): u32

const known: usize = memory.data(2048)
const slots: usize = memory.data(8192 * 64)
const longSlots: usize = memory.data(1024 * 136)
let names: u32 = 0
let longNames: u32 = 0
let nameLimit: u32 = DECISION_NAMES
let notKept: f64 = 0
let cleared: f64 = 0
let seed: u32 = 0x9e3779b9

function clearShort(): void {
  memory.fill(slots, 0, <usize>SLOTS * SLOT_BYTES)
  names = 0
}

function clearLong(): void {
  memory.fill(longSlots, 0, <usize>LONG_SLOTS * LONG_SLOT_BYTES)
  longNames = 0
}

/** Forgets every decision: the rules changed. `hashSeed` should be random, against names made to collide. */
export function resetDecisions(hashSeed: u32, limit: u32): void {
  forgetHeaders()
  memory.fill(known, 0, <usize>KNOWN_IDS * 2)
  clearShort()
  clearLong()
  seed = hashSeed
  nameLimit = min(limit, DECISION_NAMES)
}

/** Answers with the callback alone; a number that is no action counts as "hide". */
function ask(name: usize, length: u32, response: u32): u32 {
  const action = decideHeader(name, length, response)
  return action < <u32>ACTION_COUNT ? action : ACTION_PRESENCE
}

/** Lets the TypeScript side find out which instance its imports belong to. */
export function linkDecisions(): u32 {
  return decideHeader(0, 0, 0)
}

function hashName(name: usize, length: u32): u32 {
  let h = seed ^ length
  let i: u32 = 0
  for (; i + 4 <= length; i += 4) {
    h = (h ^ load<u32>(name + i)) * 0x85ebca6b
    h ^= h >> 15
  }
  for (; i < length; i++) h = (h ^ load<u8>(name + i)) * 0x01000193
  h ^= h >> 13
  h *= 0xc2b2ae35
  return h ^ (h >> 16)
}

/** Makes room for one more name: true when a table had to be cleared for it. */
function countName(long: bool): bool {
  if (long ? longNames < LONG_NAMES : names < nameLimit) {
    if (long) longNames++
    else names++
    return false
  }
  cleared += 1
  if (long) {
    clearLong()
    longNames = 1
  } else {
    clearShort()
    names = 1
  }
  return true
}

/** Slot of a name in one of the tables, made when there was none; 0 = no place for it. */
// @ts-ignore: decorator
@inline
function slotOf(name: usize, length: u32, long: bool, base: usize, bytes: usize, last: u32): usize {
  const hash = hashName(name, length)
  let index = hash
  for (let probe: u32 = 0; probe < PROBES; probe++, index++) {
    let slot = base + <usize>(index & last) * bytes
    const slotLength = <u32>load<u8>(slot, SLOT_LENGTH)
    if (slotLength == 0) {
      if (countName(long)) slot = base + <usize>(hash & last) * bytes
      store<u32>(slot, hash, SLOT_HASH)
      store<u8>(slot, length as u8, SLOT_LENGTH)
      memory.copy(slot + SLOT_NAME, name, length)
      return slot
    }
    if (load<u32>(slot, SLOT_HASH) == hash && slotLength == length &&
      memory.compare(slot + SLOT_NAME, name, length) == 0) return slot
  }
  return 0
}

function longSlot(name: usize, length: u32): usize {
  return slotOf(name, length, true, longSlots, LONG_SLOT_BYTES, LONG_SLOTS - 1)
}

// @ts-ignore: decorator
@inline
function kept(at: usize, name: usize, length: u32, response: u32): u32 {
  const before = <u32>load<u8>(at)
  if (before != 0) return before - 1
  const action = ask(name, length, response)
  store<u8>(at, (action + 1) as u8)
  return action
}

/** ACTION_* that is kept for a known name; UNDECIDED = nobody asked yet, or `id` is 0. */
export const UNDECIDED: u32 = 0xffffffff
// @ts-ignore: decorator
@inline
export function knownAction(id: u32, response: u32): u32 {
  return id != 0 && id < KNOWN_IDS ? <u32>load<u8>(known + 2 * id + response) - 1 : UNDECIDED
}

/**
 * ACTION_* for a header name in lower case. `id` is its HEADER_* number or 0; `response` 0 or 1.
 */
export function headerAction(name: usize, length: u32, id: u32, response: u32): u32 {
  if (id != 0 && id < KNOWN_IDS) return kept(known + 2 * id + response, name, length, response)
  if (length - 1 < LONG_NAME_ROOM) {
    const slot: usize = length > NAME_ROOM ? longSlot(name, length) :
      slotOf(name, length, false, slots, SLOT_BYTES, SLOTS - 1)
    if (slot != 0) return kept(slot + SLOT_ACTION + response, name, length, response)
  }
  notKept += 1
  return ask(name, length, response)
}

/** Names held in the tables. */
export function decisionNames(): u32 {
  return names + longNames
}

/** Decisions that were made afresh because the name was too long to keep, or its place in the table taken. */
export function decisionsNotKept(): f64 {
  return notKept
}

/** How often a table was full and cleared. */
export function decisionTablesCleared(): f64 {
  return cleared
}

/**
 * What to do with the fields of one name. TypeScript evaluates the configured rules once a name
 * (`decideHeader`); the answer is kept per direction, for known names by their id, for others in a table of
 * bounded size.
 *
 * Bound: `DECISION_NAMES` names of at most `NAME_ROOM` bytes. Beyond it the answer is still asked for, so it
 * is still right; it is not kept, and counted.
 */
import { ACTION_COUNT, ACTION_PRESENCE } from './wall-numbers'

const DECISION_NAMES: u32 = 4096
const SLOTS: u32 = 8192
const PROBES: u32 = 32
const SLOT_BYTES: usize = 64
const SLOT_HASH: usize = 0 // u32
const SLOT_LENGTH: usize = 4 // u8, 0 = free
const SLOT_ACTION: usize = 5 // 2 x u8: action + 1, request and response
const SLOT_NAME: usize = 8
const NAME_ROOM: u32 = 56
const KNOWN_IDS: u32 = 1024

// @ts-ignore: decorator
@external("env", "decideHeader")
declare function decideHeader(pointer: usize, length: u32, response: u32): u32

const known: usize = memory.data(2048)
const slots: usize = memory.data(8192 * 64)
let names: u32 = 0
let nameLimit: u32 = DECISION_NAMES
let notKept: f64 = 0
let seed: u32 = 0x9e3779b9

/** Forgets every decision: the rules changed. `hashSeed` should be random, against names made to collide. */
export function resetDecisions(hashSeed: u32, limit: u32): void {
  memory.fill(known, 0, <usize>KNOWN_IDS * 2)
  memory.fill(slots, 0, <usize>SLOTS * SLOT_BYTES)
  names = 0
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

/**
 * ACTION_* for a header name in lower case. `id` is its HEADER_* number or 0; `response` 0 or 1.
 */
export function headerAction(name: usize, length: u32, id: u32, response: u32): u32 {
  if (id != 0 && id < KNOWN_IDS) {
    const at = known + 2 * id + response
    const kept = <u32>load<u8>(at)
    if (kept != 0) return kept - 1
    const action = ask(name, length, response)
    store<u8>(at, (action + 1) as u8)
    return action
  }
  if (length > NAME_ROOM || length == 0) {
    notKept += 1
    return ask(name, length, response)
  }
  const hash = hashName(name, length)
  let index = hash
  for (let probe: u32 = 0; probe < PROBES; probe++, index++) {
    const slot = slots + <usize>(index & (SLOTS - 1)) * SLOT_BYTES
    const slotLength = <u32>load<u8>(slot, SLOT_LENGTH)
    if (slotLength == 0) {
      if (names >= nameLimit) break
      names++
      store<u32>(slot, hash)
      store<u8>(slot, length as u8, SLOT_LENGTH)
      memory.copy(slot + SLOT_NAME, name, length)
    } else if (load<u32>(slot) != hash || slotLength != length ||
      memory.compare(slot + SLOT_NAME, name, length) != 0) {
      continue
    }
    const at = slot + SLOT_ACTION + response
    const kept = <u32>load<u8>(at)
    if (kept != 0) return kept - 1
    const action = ask(name, length, response)
    store<u8>(at, (action + 1) as u8)
    return action
  }
  notKept += 1
  return ask(name, length, response)
}

/** Names held in the table. */
export function decisionNames(): u32 {
  return names
}

/** Decisions that were made afresh because there was no room to keep them. */
export function decisionsNotKept(): f64 {
  return notKept
}

/**
 * Names of interfaces by index, set from TypeScript. A table in memory, open addressing.
 *
 * Bound: INTERFACES_MAX names of at most INTERFACE_NAME_MAX bytes; a name that does not fit is not known.
 */
export const INTERFACES_MAX: u32 = 6144
/** Kernel names have at most 15 bytes; a capture file may give longer ones. */
export const INTERFACE_NAME_MAX: u32 = 55
const SLOTS: u32 = 8192
const SLOT_BYTES: u32 = 64 // u32 index, u32 length (0 = free), name
const slots: usize = memory.data(8192 * 64)
let names: u32 = 0

function slotOf(index: u32): usize {
  let at = (index * 0x9e3779b1) >> 19
  while (true) {
    const slot = slots + at * SLOT_BYTES
    if (load<u32>(slot, 4) == 0 || load<u32>(slot) == index) return slot
    at = (at + 1) & (SLOTS - 1)
  }
}

/** Sets or replaces a name; false when it is empty, too long, or the table is full. */
export function setInterfaceName(index: u32, name: usize, length: u32): bool {
  if (length == 0 || length > INTERFACE_NAME_MAX) return false
  const slot = slotOf(index)
  if (load<u32>(slot, 4) == 0) {
    if (names >= INTERFACES_MAX) return false
    names++
  }
  store<u32>(slot, index)
  store<u32>(slot, length, 4)
  memory.copy(slot + 8, name, length)
  return true
}

/** Forgets every name. */
export function clearInterfaceNames(): void {
  memory.fill(slots, 0, SLOTS * SLOT_BYTES)
  names = 0
}

/** Address of a name; 0 = not known. */
export function interfaceName(index: u32): usize {
  const slot = slotOf(index)
  return load<u32>(slot, 4) == 0 ? 0 : slot + 8
}

/** Length of the name at an address that `interfaceName` gave. */
export function interfaceNameLength(name: usize): u32 {
  return load<u32>(name - 4)
}

/**
 * Is this the name of something secret? Names are compared without case and without `-`, `_`, `.` and `+` (a
 * space in a query); the
 * names come from src/privacy/secret-names.ts as an automaton.
 */
import { NO_OUTPUT, outputsOf, RULE_FLAGS, RULE_KIND, RULE_LENGTH, rowsOf, ruleAt, step } from './automaton'
import { forgetClean } from './clean-cache'
import { NAME_CONTAINS, NAME_EXACT, NAME_EXEMPT, NAME_FLAG_BOUNDARY, NAME_FLAG_WEAK } from './wall-numbers'

export const NAME_PLAIN: u32 = 0
export const NAME_WEAK: u32 = 1 // secret as the name of a query parameter, too common a word elsewhere
export const NAME_SECRET: u32 = 2

let table: usize = 0

export function setNameTable(pointer: usize): void {
  table = pointer
  forgetClean()
}

// @ts-ignore: decorator
@inline
function isSeparator(c: u32): bool {
  return c == 45 || c == 95 || c == 46 || c == 43
}

function beginsWord(name: usize, end: usize, length: u32): bool {
  const first = end - length
  if (first <= name) return false // alone it is judged as a name of its own
  const before = <u32>load<u8>(first - 1)
  if (isSeparator(before)) return true
  const c = <u32>load<u8>(first)
  return c >= 65 && c <= 90 && before >= 97 && before <= 122
}

/** NAME_* for a name. Without a table every name is secret. */
export function secretName(name: usize, length: u32): u32 {
  if (table == 0) return NAME_SECRET
  const rows = rowsOf(table)
  let end = name + length
  while (end > name && isSeparator(load<u8>(end - 1))) end--
  let state: u32 = 0
  let depth: u32 = 0
  let worst: u32 = NAME_PLAIN
  for (let p = name; p < end; p++) {
    const c = <u32>load<u8>(p)
    if (isSeparator(c)) continue
    depth++
    state = step(table, rows, state, c)
    if ((state & 1) == 0) continue
    const last = p + 1 == end
    for (let list = outputsOf(table, rows, state); ; list += 2) {
      const number = <u32>load<u16>(list)
      if (number == NO_OUTPUT) break
      const rule = ruleAt(table, number)
      const kind = <u32>load<u8>(rule + RULE_KIND)
      if (kind != NAME_CONTAINS && !last) continue
      const literal = <u32>load<u8>(rule + RULE_LENGTH)
      if ((kind == NAME_EXACT || kind == NAME_EXEMPT) && literal != depth) continue
      if (kind == NAME_EXEMPT) return NAME_PLAIN
      const flags = <u32>load<u8>(rule + RULE_FLAGS)
      if ((flags & NAME_FLAG_BOUNDARY) != 0 && !beginsWord(name, end, literal)) continue
      worst = max(worst, (flags & NAME_FLAG_WEAK) != 0 ? NAME_WEAK : NAME_SECRET)
    }
  }
  return worst
}

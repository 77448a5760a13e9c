/**
 * Many literals in one pass (Aho-Corasick, every transition present). TypeScript compiles the tables
 * (src/privacy/automaton.ts) and writes them into memory:
 *
 *   u32 next, u32 outputs, u32 rules: offsets from the table's start
 *   256 x u8 column of each byte (ASCII case folded)
 *   next: u32 per state and column: offset of the next state's row, bit 0 set when that state has outputs
 *   row of a state: first u32 = index of its first output; then the columns (so column numbers begin at 1)
 *   outputs: u16 rule numbers, 0xffff ends a state's list
 *   rules: RULE_BYTES each
 */
export const RULE_KIND: usize = 0 // u8
export const RULE_LENGTH: usize = 1 // u8: bytes of the literal
export const RULE_FLAGS: usize = 2 // u8
export const RULE_RIGHT: usize = 4 // u16: CHAR_* that follow the literal
export const RULE_RIGHT_MIN: usize = 6 // u16
export const RULE_RIGHT_MAX: usize = 8 // u16, 0 = no bound
export const RULE_LEFT: usize = 10 // u16: CHAR_* in front of the literal
export const RULE_LEFT_MIN: usize = 12 // u16
export const RULE_COUNTER: usize = 14 // u16: number of the counter
export const RULE_BYTES: usize = 16
export const NO_OUTPUT: u32 = 0xffff

const TABLE_COLUMNS: usize = 12

/** Row offset (with the output bit) after `byte` from the state at row offset `state`. */
// @ts-ignore: decorator
@inline
export function step(table: usize, rows: usize, state: u32, byte: u32): u32 {
  return load<u32>(rows + (state & ~1) + (<u32>load<u8>(table + TABLE_COLUMNS + byte) << 2))
}

// @ts-ignore: decorator
@inline
export function rowsOf(table: usize): usize {
  return table + load<u32>(table)
}

/** Address of the list of outputs of a state: u16 rule numbers until NO_OUTPUT. */
// @ts-ignore: decorator
@inline
export function outputsOf(table: usize, rows: usize, state: u32): usize {
  return table + load<u32>(table, 4) + 2 * <usize>load<u32>(rows + (state & ~1))
}

// @ts-ignore: decorator
@inline
export function ruleAt(table: usize, number: u32): usize {
  return table + load<u32>(table, 8) + <usize>number * RULE_BYTES
}

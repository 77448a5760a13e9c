/**
 * Compiles literals into the transition table that wasm/automaton.ts walks (layout there). Every transition
 * is present, so a byte costs one look-up whatever was seen before.
 */

/** One literal in lower case ASCII with the numbers of its rule. */
export interface AutomatonRule {
  readonly literal: string
  readonly kind: number
  readonly flags: number
  readonly right?: number
  readonly rightMin?: number
  readonly rightMax?: number
  readonly left?: number
  readonly leftMin?: number
  readonly counter?: number
}

interface State {
  readonly next: Map<number, number>
  readonly outputs: number[]
  fail: number
}

const RULE_BYTES = 16
const NO_OUTPUT = 0xffff
const COLUMNS_OFFSET = 12

function buildStates(rules: readonly AutomatonRule[]): State[] {
  const states: State[] = [{ next: new Map(), outputs: [], fail: 0 }]
  for (const [number, { literal }] of rules.entries()) {
    let at = 0
    for (const byte of Buffer.from(literal, 'latin1')) {
      let to = states[at]?.next.get(byte)
      if (to === undefined) {
        to = states.push({ next: new Map(), outputs: [], fail: 0 }) - 1
        states[at]?.next.set(byte, to)
      }
      at = to
    }
    states[at]?.outputs.push(number)
  }
  return states
}

/** Breadth first: each state's failure state, and the outputs it inherits. */
function linkFailures(states: State[]): number[] {
  const order = [0]
  for (const index of order) {
    const state = states[index] as State
    for (const [byte, to] of state.next) {
      order.push(to)
      const child = states[to] as State
      if (index === 0) continue
      let fail = state.fail
      while (fail !== 0 && states[fail]?.next.get(byte) === undefined) fail = (states[fail] as State).fail
      child.fail = states[fail]?.next.get(byte) ?? 0
      child.outputs.push(...(states[child.fail] as State).outputs)
    }
  }
  return order
}

/** Column of each byte: 0 is not used (the row's head), 1 is every byte of no literal. */
function columnsOf(states: readonly State[]): { columns: Uint8Array; count: number } {
  const columns = new Uint8Array(256).fill(1)
  let count = 2
  for (const state of states) {
    for (const byte of state.next.keys()) if (columns[byte] === 1) columns[byte] = count++
  }
  for (let letter = 65; letter <= 90; letter++) columns[letter] = columns[letter + 32] as number
  return { columns, count }
}

/**
 * The table as bytes, to be written at any multiple of 4.
 *
 * @throws {RangeError} for a literal that is empty, over 255 bytes or holds a capital
 */
export function compileAutomaton(rules: readonly AutomatonRule[]): Uint8Array {
  for (const { literal } of rules) {
    if (literal.length === 0 || literal.length > 255 || /[A-Z]|[^\0-\xff]/.test(literal)) {
      throw new RangeError(`Cannot compile the literal "${literal}": it must have 1 to 255 characters, ` +
        `none a capital`)
    }
  }
  const states = buildStates(rules)
  const order = linkFailures(states)
  const { columns, count } = columnsOf(states)
  const rowBytes = 4 * count
  const nextOffset = COLUMNS_OFFSET + 256
  const outputsOffset = nextOffset + states.length * rowBytes
  const outputCount = states.reduce((sum, state) => sum +
    (state.outputs.length === 0 ? 0 : state.outputs.length + 1), 0)
  const rulesOffset = (outputsOffset + 2 * outputCount + 3) & ~3
  const bytes = new Uint8Array(rulesOffset + rules.length * RULE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, nextOffset, true)
  view.setUint32(4, outputsOffset, true)
  view.setUint32(8, rulesOffset, true)
  bytes.set(columns, COLUMNS_OFFSET)
  const mark = (index: number): number => index * rowBytes +
    ((states[index] as State).outputs.length === 0 ? 0 : 1)
  let output = 0
  for (const index of order) {
    const state = states[index] as State
    const row = nextOffset + index * rowBytes
    const failRow = nextOffset + state.fail * rowBytes
    view.setUint32(row, output, true)
    for (let column = 1; column < count; column++) {
      view.setUint32(row + 4 * column, index === 0 ? mark(0) : view.getUint32(failRow + 4 * column, true),
        true)
    }
    for (const [byte, to] of state.next) view.setUint32(row + 4 * (columns[byte] as number), mark(to), true)
    for (const number of state.outputs) view.setUint16(outputsOffset + 2 * output++, number, true)
    if (state.outputs.length !== 0) view.setUint16(outputsOffset + 2 * output++, NO_OUTPUT, true)
  }
  for (const [number, rule] of rules.entries()) writeRule(view, rulesOffset + number * RULE_BYTES, rule)
  return bytes
}

function writeRule(view: DataView, at: number, rule: AutomatonRule): void {
  view.setUint8(at, rule.kind)
  view.setUint8(at + 1, rule.literal.length)
  view.setUint8(at + 2, rule.flags)
  view.setUint16(at + 4, rule.right ?? 0, true)
  view.setUint16(at + 6, rule.rightMin ?? 0, true)
  view.setUint16(at + 8, rule.rightMax ?? 0, true)
  view.setUint16(at + 10, rule.left ?? 0, true)
  view.setUint16(at + 12, rule.leftMin ?? 0, true)
  view.setUint16(at + 14, rule.counter ?? 0, true)
}

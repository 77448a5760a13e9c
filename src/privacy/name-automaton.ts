/**
 * Names against many patterns in one pass: `name`, `begin*`, `*end` and `*inside*` as one automaton. A name
 * costs one look-up a character, whatever the number of patterns.
 */
import { type AutomatonRule, compileAutomaton } from './automaton.ts'

const EXACT = 0
const BEGIN = 1
const END = 2
const INSIDE = 3
const NO_OUTPUT = 0xffff
const COLUMNS = 12
const RULE_BYTES = 16

/** What the automaton needs of a glob; undefined when it is none of the forms above. */
export function affixRule(glob: string): AutomatonRule | undefined {
  const open = glob.startsWith('*')
  const openEnd = glob.length > 1 && glob.endsWith('*')
  const literal = glob.slice(open ? 1 : 0, openEnd ? -1 : undefined)
  if (literal === '' || literal.length > 255 || /[A-Z*]|[^\0-\xff]/.test(literal)) return undefined
  return { literal, kind: (open ? END : EXACT) + (openEnd ? BEGIN : 0), flags: 0 }
}

/** Whether one of the rules (of `affixRule`) matches all of a name in lower case. */
export class NameAutomaton {
  readonly #columns: Uint8Array
  readonly #words: Uint32Array
  readonly #outputs: Uint16Array
  readonly #rules: Uint8Array

  constructor(rules: readonly AutomatonRule[]) {
    const table = compileAutomaton(rules)
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
    const rows = view.getUint32(0, true)
    const outputs = view.getUint32(4, true)
    const places = view.getUint32(8, true)
    this.#columns = table.slice(COLUMNS, COLUMNS + 256)
    this.#words = new Uint32Array(table.slice(rows, outputs).buffer)
    this.#outputs = new Uint16Array(table.slice(outputs, places).buffer)
    this.#rules = table.slice(places)
  }

  test(name: string): boolean {
    const words = this.#words
    const length = name.length
    let state = 0
    for (let at = 0; at < length; at++) {
      const code = name.charCodeAt(at)
      // A character that is no byte stands in no literal: back to the beginning.
      state = code > 255 ? 0 : words[((state & ~1) >> 2) + (this.#columns[code] as number)] as number
      if ((state & 1) !== 0 && this.#matches(words[(state & ~1) >> 2] as number, at + 1, length)) return true
    }
    return false
  }

  /** Whether one of the literals in the list at `output`, which ends at `end`, makes its pattern match. */
  #matches(output: number, end: number, length: number): boolean {
    for (let at = output; ; at++) {
      const number = this.#outputs[at] as number
      if (number === NO_OUTPUT) return false
      const kind = this.#rules[number * RULE_BYTES] as number
      const literal = this.#rules[number * RULE_BYTES + 1] as number
      if (kind === INSIDE || (kind === BEGIN && end === literal) || (kind === END && end === length)
        || (kind === EXACT && end === literal && end === length)) return true
    }
  }
}

/** Whether `name` is what a glob stands for: `parts` are what stands between its asterisks (two or more). */
export function matchesParts(name: string, parts: readonly string[]): boolean {
  const first = parts[0] as string
  const last = parts[parts.length - 1] as string
  const end = name.length - last.length
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] as string
    const found = name.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

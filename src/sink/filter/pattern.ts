import { setFlagsFromString } from 'node:v8'
import { FilterError } from './filter-error.ts'
import type { Value } from './value.ts'

// V8 refuses a pattern that it cannot run in linear time when it carries the flag "l", and leaves the backtracking
// engine for the linear one when a search takes too many steps. Values come from traffic: without this, one header
// and a pattern such as (a+)+$ would stop the agent.
setFlagsFromString('--enable-experimental-regexp-engine')
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

const PATTERN_MAX = 1000

/** The pattern of `matches("...")`, compiled once; runs in time linear in the length of the value. */
export function compilePattern(value: Value): RegExp {
  const text = value.constant
  if (typeof text !== 'string') throw FilterError.at(value.node, 'Cannot match against a value that changes: write the pattern as text in quotes')
  if (text.length > PATTERN_MAX) throw FilterError.at(value.node, `Cannot use a pattern of ${text.length} characters: ${PATTERN_MAX} are allowed`)
  // RE2, which CEL speaks, has (?i) for "ignore case"; V8's linear engine knows no such thing.
  if (text.includes('(?i')) throw FilterError.at(value.node, 'Cannot ignore case inside a pattern: write FIELD.lowerAscii().matches(...)')
  try {
    new RegExp(text, 'l').test('')
    return new RegExp(text)
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: .*\/[a-z]*: /s, '')
    const mend = reason.includes('linear') ? '; leave out back-references and look-around' : ''
    throw FilterError.at(value.node, `Cannot use the pattern "${text}": ${reason}${mend}`)
  }
}

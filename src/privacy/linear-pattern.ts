/**
 * Patterns of the configuration: a name, a glob with `*`, or `/a regular expression/`. Expressions run in
 * V8's linear engine (flag `l`), so no pattern and no input can make a match take more than linear time; what
 * that engine cannot do (back references, look-around) is refused when the configuration is read.
 */
import { setFlagsFromString } from 'node:v8'
import type { AutomatonRule } from './automaton.ts'
import { affixRule, matchesParts, NameAutomaton } from './name-automaton.ts'

let enabled = false

/** @throws {SyntaxError} V8's own words when the source is no expression that can run in linear time. */
function compile(source: string, flags: string): RegExp {
  if (!enabled) {
    setFlagsFromString('--enable-experimental-regexp-engine')
    enabled = true
  }
  return new RegExp(source, `l${flags}`)
}

/**
 * A regular expression for searches in values.
 *
 * @param path where it stands in the configuration, for the error
 * @throws {Error} when it cannot run in linear time, or matches the empty text
 */
export function linearExpression(source: string, path: string): RegExp {
  let expression: RegExp
  try {
    expression = compile(source, 'g')
  } catch (cause) {
    throw new Error(`Cannot use the expression "${source}" at ${path}: it is not valid or cannot run in ` +
      `linear time; `
      + 'leave out back references, look-around and flags', { cause })
  }
  if (compile(source, '').test('')) {
    throw new Error(`Cannot use the expression "${source}" at ${path}: it matches the empty text; make it ` +
      `need a character`)
  }
  return expression
}

/**
 * A predicate for names (lower case) from several patterns: true when one of them matches all of the name.
 * Names and globs are compared byte for byte; V8's engine, some 20 us a name, runs for expressions alone.
 *
 * @throws {Error} for an empty pattern or an expression that cannot run in linear time
 */
export function namePredicate(patterns: readonly string[], path: string): (name: string) => boolean {
  const exact = new Set<string>()
  const rules: AutomatonRule[] = []
  const globs: string[][] = []
  const sources: string[] = []
  for (const [index, pattern] of patterns.entries()) {
    const at = `${path}[${index}]`
    if (pattern === '') throw new Error(`Cannot use the pattern "" at ${at}: it is empty; write a name, a ` +
      `glob or /an expression/`)
    if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) {
      const source = pattern.slice(1, -1)
      linearOrThrow(source, at)
      sources.push(`.*(?:${source}).*`)
    } else if (pattern.includes('*')) {
      const rule = affixRule(pattern.toLowerCase())
      if (rule === undefined) globs.push(pattern.toLowerCase().split('*'))
      else rules.push(rule)
    } else {
      exact.add(pattern.toLowerCase())
    }
  }
  const automaton = rules.length === 0 ? undefined : new NameAutomaton(rules)
  const expression = sources.length === 0 ? undefined : anyOf(sources)
  return (name) => exact.has(name) || automaton?.test(name) === true
    || globs.some((parts) => matchesParts(name, parts)) || expression?.test(name) === true
}

function anyOf(sources: readonly string[]): RegExp {
  return compile(`^(?:${sources.join('|')})$`, 's')
}

function linearOrThrow(source: string, path: string): void {
  try {
    compile(source, 's')
  } catch (cause) {
    throw new Error(`Cannot use the pattern "/${source}/" at ${path}: it is not valid or cannot run in ` +
      `linear time; `
      + 'leave out back references, look-around and flags', { cause })
  }
}

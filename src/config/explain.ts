import type { z } from 'zod'
import { nearest } from '../../lib/nearest/mod.ts'

/** A complaint of the schema in our words: what it must be, what it is, what was meant. For `error` of a parse. */
export function explain(issue: z.core.$ZodRawIssue): string {
  const is = shown(issue.input)
  switch (issue.code) {
    case 'invalid_type': return `must be ${TYPES.get(issue.expected) ?? issue.expected}; it is ${is}`
    case 'invalid_value': return `must be ${choices(issue.values.map(String))}; it is ${is}${meant(issue.input, issue.values.map(String))}`
    case 'too_small': return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}; it is ${is}`
    case 'too_big': return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}; it is ${is}`
    case 'invalid_union': {
      const options = (issue as { options?: unknown }).options
      if (!Array.isArray(options)) return `must be written another way; it is ${is}`
      const wrong = typeOf(issue.input)
      const said = wrong === undefined ? 'it is missing' : `it is ${shown(wrong)}`
      return `must be ${choices(options.map(String))}; ${said}${meant(wrong, options.map(String))}`
    }
    default: return `must be written another way; it is ${is}`
  }
}

/** Appended to "no such key" and the like: `; did you mean "ports"?`, or nothing. */
export function meant(word: unknown, known: readonly string[]): string {
  const found = typeof word === 'string' ? nearest(word, known) : undefined
  return found === undefined ? '' : `; did you mean ${JSON.stringify(found)}?`
}

export function choices(words: readonly string[]): string {
  return words.length === 1 ? words[0] ?? '' : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['object', 'a section: keys with values, indented below it'],
  ['array', 'a list, e.g. [a, b]'],
  ['string', 'text'], ['boolean', 'true or false'], ['number', 'a number'], ['int', 'a whole number'],
])

const SHOWN_MAX = 60

/** What was written, short enough for a message. */
function shown(input: unknown): string {
  if (input === undefined) return 'missing'
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object') return 'a section'
  const text = JSON.stringify(input) ?? String(input)
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`
}

function unit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
}

function typeOf(input: unknown): unknown {
  return typeof input === 'object' && input !== null ? (input as Record<string, unknown>)['type'] : input
}

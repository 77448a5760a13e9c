import { z } from 'zod'
import { nearest } from '../../lib/nearest/mod.ts'
import { FIELDS, RECORD_KINDS } from '../exchange/fields.ts'
import { namePredicate } from '../privacy/linear-pattern.ts'
import type { OutputFields } from '../sink/mod.ts'


export const kindSchema = z.enum(RECORD_KINDS)
export const kindsSchema = z.array(kindSchema).min(1, 'must name one kind at least').default(['exchange', 'websocket', 'handshake', 'anomaly'])
  .describe('Kinds of records that are logged.')

/** A field's name, or a pattern that at least one field matches. */
export const fieldPatternSchema = z.string({ error: 'must be the name of a field or a pattern, e.g. http.request.*' })
  .superRefine((value, context) => {
    const trouble = value === '' ? 'must not be empty' : patternTrouble(value)
    if (trouble !== undefined) return context.addIssue({ code: 'custom', message: trouble })
    if (matchesOne(value)) return
    const meant = nearest(value, FIELDS.map(field => field.name))
    context.addIssue({
      code: 'custom', message: `must be a field that exists: there is no ${JSON.stringify(value)}` +
        (meant === undefined ? '; "lintel fields" lists them' : `; did you mean ${JSON.stringify(meant)}?`),
    })
  })

export const fieldsSchema = z.strictObject({
  include: z.array(fieldPatternSchema).default([]).describe('Fields logged besides the standard ones; "*" = all.'),
  exclude: z.array(fieldPatternSchema).default([]).describe('Fields never logged; wins over include.'),
}).prefault({}).describe('Which fields are logged: the standard ones, plus include, minus exclude. "lintel fields" lists all.')

// RFC 9110 5.1: a field name is a token; "*" stands for any characters of one.
const HEADER_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A header's name, a pattern, or `/an expression/`; lower case. */
export const headerPatternSchema = z.string({ error: 'must be a header name or a pattern, e.g. x-internal-*' })
  .superRefine((value, context) => {
    const trouble = isExpression(value) ? patternTrouble(value) : HEADER_PATTERN.test(value) ? undefined
      : 'must be a header name or a pattern: letters, digits, "-" and "*", no colon or space'
    if (trouble !== undefined) context.addIssue({ code: 'custom', message: `${trouble}; it is ${JSON.stringify(value)}` })
  })
  .transform(value => isExpression(value) ? value : value.toLowerCase())

export const headersSchema = z.strictObject({
  include: z.array(headerPatternSchema).prefault(['*']).describe('Headers that are logged; "*" stands for any characters.'),
  exclude: z.array(headerPatternSchema).prefault([]).describe('Headers that are left out, with their names; wins over include.'),
}).prefault({}).describe('Which headers are logged. How secret values are hidden is said under privacy.')

/** The fields that an output does not get: those that `include` does not match, where there is one, and those that `exclude` does. */
export function leftOutFields({ include, exclude }: OutputFields): string[] {
  const withBelow = (patterns: readonly string[]): string[] => patterns.flatMap(name => isExpression(name) ? [name] : [name, `${name}.*`])
  const isIncluded = include === undefined ? () => true : namePredicate(withBelow(include), 'fields.include')
  const isExcluded = namePredicate(withBelow(exclude), 'fields.exclude')
  return FIELDS.map(({ name }) => name).filter(name => !isIncluded(name) || isExcluded(name))
}

/** True when a pattern chooses at least one field; a name also stands for what is below it, `http.request` for `http.request.method`. */
function matchesOne(pattern: string): boolean {
  if (isExpression(pattern)) return patternTrouble(pattern) !== undefined || FIELDS.some(field => namePredicate([pattern], '')(field.name))
  const matches = namePredicate([pattern, `${pattern}.*`], 'fields')
  return FIELDS.some(field => matches(field.name))
}

/** `/.../` is a regular expression, else it is a name in which `*` stands for any characters. */
export function isExpression(pattern: string): boolean {
  return pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')
}

/** Why a pattern cannot be used; undefined when it can. */
export function patternTrouble(pattern: string): string | undefined {
  try {
    namePredicate([pattern], 'pattern')
    return undefined
  } catch (error) {
    return (error as Error).message.replaceAll(/ at pattern(\[0\])?/g, '')
  }
}

import { z } from 'zod'
import { nearest } from '../../lib/nearest/mod.ts'
import { FIELDS, type RecordKind } from '../exchange/fields.ts'

export const KINDS = ['exchange', 'connection', 'packet', 'anomaly'] as const satisfies readonly RecordKind[]

export const kindSchema = z.enum(KINDS)
export const kindsSchema = z.array(kindSchema).min(1, 'must name one kind at least').default(['exchange', 'anomaly'])
  .describe('Kinds of records that are logged.')

/** A field's name, or a pattern that at least one field matches: `*` stands for any characters. */
export const fieldPatternSchema = z.string({ error: 'must be the name of a field or a pattern, e.g. http.request.*' })
  .superRefine((value, context) => {
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

// RFC 9110 5.1: a field name is a token; "*" and "?" stand for characters.
export const headerPatternSchema = z.string({ error: 'must be a header name or a pattern, e.g. x-internal-*' })
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z?-]+$/, 'must be a header name or a pattern: letters, digits, "-" and "*", no colon or space')
  .transform(value => value.toLowerCase())

export const headersSchema = z.strictObject({
  include: z.array(headerPatternSchema).default(['*']).describe('Headers that are logged; "*" stands for any characters.'),
  exclude: z.array(headerPatternSchema).default([]).describe('Headers that are left out, with their names; wins over include.'),
}).prefault({}).describe('Which headers are logged. How secret values are hidden is said under privacy.')

/** True when a pattern matches at least one field; also its prefix form: `http.request` stands for all below it. */
function matchesOne(pattern: string): boolean {
  return FIELDS.some(field => matchesField(pattern, field.name))
}

/** Does `pattern` choose the field? `*` stands for any characters; `http.request` also chooses `http.request.method`. */
export function matchesField(pattern: string, name: string): boolean {
  if (name === pattern || name.startsWith(`${pattern}.`)) return true
  if (!pattern.includes('*')) return false
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}

/** Names of the fields that are logged, by the rules above. */
export function chosenFields(fields: { readonly include: readonly string[], readonly exclude: readonly string[] }): string[] {
  return FIELDS.filter(field => (field.standard || fields.include.some(pattern => matchesField(pattern, field.name))) &&
    !fields.exclude.some(pattern => matchesField(pattern, field.name))).map(field => field.name)
}

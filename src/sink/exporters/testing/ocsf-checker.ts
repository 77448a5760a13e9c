/** Is an event what OCSF's schema (./ocsf-1.6.0.json, as it is published) wants, and does it say all that its record says? */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { OCSF, OCSF_PACKET } from '../ocsf.ts'

export type Json = Readonly<Record<string, unknown>>

interface Attribute {
  readonly type: string
  readonly isObject?: boolean
  readonly required?: boolean
  readonly isArray?: boolean
  readonly enum?: readonly string[]
}

interface Shape {
  readonly atLeastOne?: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

const SCHEMA = JSON.parse(readFileSync(new URL('./ocsf-1.6.0.json', import.meta.url), 'utf8')) as
  { readonly classes: Readonly<Record<string, Shape>>, readonly objects: Readonly<Record<string, Shape>> }

/** Strict: an attribute that the class or object does not have is an error. */
export function assertInSchema(event: Json): void {
  const shape = SCHEMA.classes[String(event['class_uid'])] ?? assert.fail(`no class ${String(event['class_uid'])}`)
  assertShape(event, shape, 'event')
  assert.equal(event['type_uid'], Number(event['class_uid']) * 100 + Number(event['activity_id']))
}

function assertShape(value: Json, { attributes, atLeastOne }: Shape, path: string): void {
  for (const [name, { required }] of Object.entries(attributes)) if (required === true) assert.ok(name in value, `${path} has no ${name}`)
  if (atLeastOne !== undefined) assert.ok(atLeastOne.some(name => name in value), `${path} has none of ${atLeastOne.join()}`)
  for (const [name, member] of Object.entries(value)) {
    const attribute = attributes[name] ?? assert.fail(`${path} has no attribute ${name} in the schema`)
    const members = attribute.isArray === true ? member as readonly unknown[] : [member]
    assert.ok(Array.isArray(members))
    for (const one of members) assertValue(one, attribute, `${path}.${name}`)
  }
}

function assertValue(value: unknown, { type, isObject, enum: known }: Attribute, path: string): void {
  if (known !== undefined) assert.ok(known.includes(String(value)), `${path}: ${String(value)} is none of ${known.join()}`)
  if (isObject === true) {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), path)
    if (type !== 'object') assertShape(value as Json, SCHEMA.objects[type] ?? assert.fail(`no object ${type}`), path)
  } else if (['integer_t', 'long_t', 'timestamp_t', 'port_t'].includes(type)) {
    assert.ok(Number.isInteger(value) && (type !== 'port_t' || Number(value) <= 65_535), `${path}: ${String(value)}`)
  } else {
    assert.equal(typeof value, 'string', path)
    if (type === 'ip_t') assert.notEqual(isIP(value as string), 0, `${path}: ${String(value)}`)
  }
}

function member(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Json | undefined)?.[key], value)
}

/** A record's fields: those of the table whole, the others by their leaves. */
function leavesOf(value: unknown, path: readonly string[], whole: ReadonlySet<string>): (readonly [path: readonly string[], value: unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || whole.has(path.join('.'))) return [[path, value]]
  return Object.entries(value).flatMap(([key, below]) => leavesOf(below, [...path, key], whole))
}

/** A value of the record as the event must have it. */
function told(value: unknown, change: string | undefined): unknown {
  switch (change) {
    case 'ms': return Math.round(Number(value) * 1000)
    case 'text': return String(value)
    case 'ip version': return value === 'ipv4' ? 4 : 6
    case 'ja4': return [{ type_id: 1, value }]
    case 'headers': return Object.entries(value as Readonly<Record<string, readonly string[]>>).flatMap(([name, values]) => values.map(one => ({ name, value: one })))
    default: return value
  }
}

/** Every field of the record stands in the event: at its place in OCSF, or under `unmapped`. Nothing else stands under `unmapped`. */
export function assertTells(event: Json, record: Json): void {
  const table = record['kind'] === 'packet' ? OCSF_PACKET : OCSF
  const leaves = leavesOf(record, [], new Set(table.map(({ from }) => from)))
  let unmapped = 0
  for (const [path, value] of leaves) {
    const left = member(event['unmapped'], path)
    if (left !== undefined) {
      assert.deepEqual(left, value, path.join('.'))
      unmapped++
    }
    const entries = table.filter(({ from }) => from === path.join('.'))
    const there = entries.filter(({ to }) => member(event, to.split('.')) !== undefined)
    for (const { to, change } of there) assert.deepEqual(member(event, to.split('.')), told(value, change), to)
    if (there.some(({ change }) => change === 'ms')) assert.notEqual(left, undefined, `${path.join('.')} has lost digits`)
    const isActivity = path.join('.') === 'http.request.method' && event['activity_name'] === value
    const isEmpty = typeof value === 'object' && Object.keys(value as object).length === 0
    assert.ok(left !== undefined || there.length === 1 || isActivity || isEmpty, `${path.join('.')} is not told`)
  }
  assert.equal(leavesOf(event['unmapped'] ?? {}, [], new Set(table.map(({ from }) => from))).filter(([path]) => path.length > 0).length, unmapped)
}

/** What exporters must make of a record, from the record as JSON.parse reads it. */
import { FLOAT_FIELDS, JSON_FIELDS } from '../../../src/sink/exporters/line-protocol.ts'

type Json = Record<string, unknown>

/** Fields of InfluxDB's line protocol, as a server reads them; objects and lists as such. */
export function expectedFields(record: Json, id: string): Map<string, unknown> {
  const found = new Map<string, unknown>([['id', id]])
  const walk = (value: Json, prefix: string): void => {
    for (const [key, member] of Object.entries(value)) {
      const name = prefix + key
      const isGroup = typeof member === 'object' && member !== null && !Array.isArray(member) && !JSON_FIELDS.has(name)
      if (isGroup) walk(member as Json, `${name}.`)
      else if (name !== 'kind' && member !== null) found.set(name === 'time' ? 'time_text' : name, fieldValue(name, member))
    }
  }
  walk(record, '')
  return found
}

function fieldValue(name: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !FLOAT_FIELDS.has(name) ? BigInt(value) : value
}

/** Fields as a server has them, the JSON text of objects and lists read. */
export function readFields(fields: ReadonlyMap<string, unknown>, expected: ReadonlyMap<string, unknown>): Map<string, unknown> {
  return new Map([...fields].map(([name, value]) => [name, typeof expected.get(name) === 'object' ? JSON.parse(value as string) as unknown : value]))
}

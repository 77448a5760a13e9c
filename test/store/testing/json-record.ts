import { FIELDS } from '../../../src/exchange/fields.ts'
import type { RecordReader } from '../../../src/sink/filter/mod.ts'

type Json = Record<string, unknown>

/** A line of NDJSON, read as filters read a record. */
export class JsonRecord implements RecordReader {
  readonly #values: readonly unknown[]

  constructor(line: string) {
    const record = JSON.parse(line) as Json
    this.#values = FIELDS.map(field => {
      const value = field.name.split('.').reduce<unknown>((at, key) => (at as Json | undefined)?.[key], record)
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value
    })
  }

  has(id: number): boolean {
    return this.#values[id - 1] !== undefined
  }

  get(id: number): unknown {
    return this.#values[id - 1]
  }

  integer(id: number): bigint | undefined {
    const text = this.#values[id - 1] as string | undefined
    return text === undefined ? undefined : BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000_000n + BigInt(text.slice(20, 29))
  }

  header(id: number, name: string): string | undefined {
    return (this.#values[id - 1] as ReadonlyMap<string, readonly string[]> | undefined)?.get(name)?.[0]
  }
}

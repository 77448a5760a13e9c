import type { FilterField, RecordReader } from '../sink/mod.ts'

type Json = Readonly<Record<string, unknown>>

const BILLION = 1_000_000_000n

/** A line of NDJSON as filters read a record: one `Filter` gives the same answer for both. */
export class JsonRecord implements RecordReader {
  readonly #paths: readonly (readonly string[])[]
  #record: Json = {}

  constructor(fields: readonly FilterField[]) {
    this.#paths = fields.map(({ name }) => name.split('.'))
  }

  /** Moves to another record. @param line one line of a log @throws {SyntaxError} for what is no JSON */
  at(line: string): this {
    this.#record = JSON.parse(line) as Json
    return this
  }

  has(id: number): boolean {
    return this.#value(id) !== undefined
  }

  get(id: number): unknown {
    const value = this.#value(id)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value
  }

  integer(id: number): bigint | undefined {
    const text = this.#value(id)
    if (typeof text !== 'string') return undefined
    const seconds = Date.parse(`${text.slice(0, 19)}Z`) / 1000
    return Number.isNaN(seconds) ? undefined : BigInt(seconds) * BILLION + BigInt(text.slice(20, 29))
  }

  header(id: number, name: string): string | undefined {
    const headers = this.#value(id)
    if (typeof headers !== 'object' || headers === null || !Object.hasOwn(headers, name)) return undefined
    return (headers as Readonly<Record<string, readonly string[]>>)[name]?.[0]
  }

  #value(id: number): unknown {
    let value: unknown = this.#record
    for (const key of this.#paths[id - 1] ?? []) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
      value = (value as Json)[key]
    }
    return value
  }
}

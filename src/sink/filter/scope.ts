/** What a filter needs to know of a field; entries of the field registry fit. */
export interface FilterField {
  readonly name: string
  readonly type: string
}

/** One record, read field by field: `RecordView` of lib/record fits. Id = place in the list of fields + 1. */
export interface RecordReader {
  has(id: number): boolean
  /**
   * A string, a number, a boolean, an array of strings or numbers, a Map of header name to values, or a Map of field name to
   * reason; undefined when the record has no such field.
   */
  get(id: number): unknown
  /** Nanoseconds since the epoch, for a field of type time. */
  integer(id: number): bigint | undefined
  /** First value of a header, `name` in lower case; cheaper than `get`. */
  header(id: number, name: string): string | undefined
}

/** Types of values in a filter. Whole and broken numbers are one; a duration is a number of seconds. */
export type ValueType = 'string' | 'number' | 'bool' | 'time' | 'strings' | 'numbers' | 'headers' | 'reasons'

const VALUE_TYPE: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ['string', 'string'], ['address', 'string'], ['mac', 'string'], ['int', 'number'], ['seconds', 'number'], ['bool', 'bool'],
  ['time', 'time'], ['strings', 'strings'], ['ints', 'numbers'], ['headers', 'headers'], ['marks', 'reasons'],
])

/** A name that stands for a field, or for all fields below it (`http.request`), or both. */
export interface Name {
  readonly path: string
  /** 0 = no field has this very name. */
  readonly id: number
  readonly type: ValueType | undefined
  /** Ids of the field and of all below it. */
  readonly ids: readonly number[]
}

/** The names that an expression may use. */
export class Scope {
  readonly #names = new Map<string, { path: string, id: number, type: ValueType | undefined, ids: number[] }>()
  readonly #fields: readonly FilterField[]

  constructor(fields: readonly FilterField[]) {
    this.#fields = fields
    fields.forEach((field, index) => {
      const parts = field.name.split('.')
      for (let count = 1; count <= parts.length; count++) {
        const path = parts.slice(0, count).join('.')
        const name = this.#names.get(path) ?? { path, id: 0, type: undefined, ids: [] }
        this.#names.set(path, name)
        name.ids.push(index + 1)
        if (count < parts.length) continue
        name.id = index + 1
        name.type = VALUE_TYPE.get(field.type)
      }
    })
  }

  find(path: string): Name | undefined {
    return this.#names.get(path)
  }

  /** Full names of all fields. */
  get fieldNames(): readonly string[] {
    return this.#fields.map(field => field.name)
  }
}

import type { StoreField } from '../columns.ts'

/** A column of the table `records`. */
export interface ClickColumn {
  /** Name of the field with dots as underscores, as in a store: `http_request_method`. */
  readonly name: string
  /** The field: `http.request.method`. */
  readonly field: string
  readonly fieldType: string
  /** As it is read from JSON. */
  readonly inputType: string
  /** As it is stored. */
  readonly type: string
}

const TIME = "DateTime64(9, 'UTC')"

/** Names of fields that are there and empty. */
export const EMPTY_FIELDS = 'empty_fields'

/** What is missing is NULL, but for lists and maps, which ClickHouse has no NULL of: these are empty then, and not among `empty_fields`. */
const INPUT_TYPE: ReadonlyMap<string, string> = new Map([
  ['string', 'Nullable(String)'], ['address', 'Nullable(String)'], ['mac', 'Nullable(String)'], ['int', 'Nullable(Int64)'],
  ['seconds', 'Nullable(Float64)'], ['bool', 'Nullable(Bool)'], ['time', `Nullable(${TIME})`], ['strings', 'Array(String)'],
  ['ints', 'Array(Int64)'], ['headers', 'Map(LowCardinality(String), Array(String))'],
  ['marks', 'Map(LowCardinality(String), LowCardinality(String))'],
])

/** Texts with nearly as many values as records; of all others a part of a table keeps each once. */
const MANY_VALUES = new Set([
  'client.address', 'client.real_address', 'source.address', 'proxy.source.address', 'url.path', 'url.query', 'trace.id', 'span.id', 'request.id',
  'rpc.status_message', 'message.request.path', 'websocket.close_reason', 'client.process.command_line', 'server.process.command_line',
])

/** Keys of the table: never NULL. */
const KEY_TYPE: ReadonlyMap<string, string> = new Map([['kind', 'LowCardinality(String)'], ['time', TIME]])

/** The columns of the fields, in the registry's order. @throws {RangeError} for a type without a column type */
export function clickColumnsOf(fields: readonly StoreField[]): readonly ClickColumn[] {
  return fields.map(({ name, type }) => {
    const inputType = INPUT_TYPE.get(type)
    if (inputType === undefined) throw new RangeError(`Cannot store field "${name}" in ClickHouse: there is no column type for "${type}"`)
    return { name: name.replaceAll('.', '_'), field: name, fieldType: type, inputType, type: KEY_TYPE.get(name) ?? storedType(name, inputType) }
  })
}

function storedType(name: string, inputType: string): string {
  return inputType === 'Nullable(String)' && !MANY_VALUES.has(name) ? 'LowCardinality(Nullable(String))' : inputType
}

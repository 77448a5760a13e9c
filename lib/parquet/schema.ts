import * as S from '../../wasm/shred-contract.ts'
import { bool, type Fields, i32, struct, text, type Thrift } from './compact-writer.ts'

/** Times are nanoseconds without a zone. */
export type ParquetType =
  | 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMP_NS' | 'VARCHAR[]' | 'BIGINT[]' | 'MAP(VARCHAR, VARCHAR)' | 'MAP(VARCHAR, VARCHAR[])'

export interface ParquetColumn {
  readonly name: string
  /** Where its values stand in a line: keys with dots between. */
  readonly field: string
  /** Of a column of texts: it repeats the first value under this key of the map of lists at `field`, which has a column, too. */
  readonly key?: string
  readonly type: ParquetType
}

/** One leaf of a column: what Parquet calls a column. */
export interface Leaf {
  readonly path: readonly string[]
  readonly type: number
  readonly definitionMax: number
  readonly repetitionMax: number
}

const [REQUIRED, OPTIONAL, REPEATED] = [0, 1, 2]
const [UTF8, MAP, MAP_KEY_VALUE, LIST] = [0, 1, 2, 3]
const NOTHING = struct()
const LOGICAL = {
  text: struct([1, NOTHING]), map: struct([2, NOTHING]), list: struct([3, NOTHING]),
  time: struct([8, struct([1, bool(false)], [2, struct([3, NOTHING])])]),
}
const SCALARS = {
  VARCHAR: S.TYPE_TEXT, BIGINT: S.TYPE_INT, DOUBLE: S.TYPE_DOUBLE, BOOLEAN: S.TYPE_BOOL, TIMESTAMP_NS: S.TYPE_TIME,
} as const
/** Parquet's own types. */
const PHYSICAL = new Map([[S.TYPE_TEXT, 6], [S.TYPE_INT, 2], [S.TYPE_DOUBLE, 5], [S.TYPE_TIME, 2], [S.TYPE_BOOL, 0]])

export function physicalOf(type: number): number {
  return PHYSICAL.get(type) as number
}

export function shapeOf(type: ParquetType): number {
  if (type === 'MAP(VARCHAR, VARCHAR[])') return S.SHAPE_LISTS
  if (type === 'MAP(VARCHAR, VARCHAR)') return S.SHAPE_MAP
  return type.endsWith('[]') ? S.SHAPE_LIST : S.SHAPE_FLAT
}

/** Leaves of a column, in the order of the file. */
export function leavesOf({ name, type }: ParquetColumn): readonly Leaf[] {
  const shape = shapeOf(type)
  const key: Leaf = { path: [name, 'key_value', 'key'], type: S.TYPE_TEXT, definitionMax: 2, repetitionMax: 1 }
  if (shape === S.SHAPE_LISTS) {
    return [key, { path: [name, 'key_value', 'value', 'list', 'element'], type: S.TYPE_TEXT, definitionMax: 5, repetitionMax: 2 }]
  }
  if (shape === S.SHAPE_MAP) return [key, { path: [name, 'key_value', 'value'], type: S.TYPE_TEXT, definitionMax: 3, repetitionMax: 1 }]
  const scalar = SCALARS[type.replace('[]', '') as keyof typeof SCALARS]
  if (shape === S.SHAPE_LIST) return [{ path: [name, 'list', 'element'], type: scalar, definitionMax: 3, repetitionMax: 1 }]
  return [{ path: [name], type: scalar, definitionMax: 1, repetitionMax: 0 }]
}

/** The schema of a file: its elements, depth first. */
export function schemaOf(columns: readonly ParquetColumn[]): readonly Thrift[] {
  return [struct([4, text('records')], [5, i32(columns.length)]), ...columns.flatMap(({ name, type }) => {
    const shape = shapeOf(type)
    if (shape === S.SHAPE_FLAT) return [leaf(name, SCALARS[type as keyof typeof SCALARS], OPTIONAL)]
    if (shape === S.SHAPE_LIST) return listOf(name, SCALARS[type.replace('[]', '') as keyof typeof SCALARS])
    const value = shape === S.SHAPE_LISTS ? listOf('value', S.TYPE_TEXT) : [leaf('value', S.TYPE_TEXT, OPTIONAL)]
    return [group(name, OPTIONAL, 1, MAP, LOGICAL.map), group('key_value', REPEATED, 2, MAP_KEY_VALUE), leaf('key', S.TYPE_TEXT, REQUIRED), ...value]
  })]
}

function listOf(name: string, type: number): Thrift[] {
  return [group(name, OPTIONAL, 1, LIST, LOGICAL.list), group('list', REPEATED, 1), leaf('element', type, OPTIONAL)]
}

function group(name: string, repetition: number | undefined, children: number, converted?: number, logical?: Thrift): Thrift {
  return struct(...elementFields(undefined, repetition, name, children, converted, logical))
}

function leaf(name: string, type: number, repetition: number | undefined): Thrift {
  const [converted, logical] = type === S.TYPE_TEXT ? [UTF8, LOGICAL.text] : type === S.TYPE_TIME ? [undefined, LOGICAL.time] : []
  return struct(...elementFields(physicalOf(type), repetition, name, undefined, converted, logical))
}

function elementFields(type: number | undefined, repetition: number | undefined, name: string, children: number | undefined,
  converted: number | undefined, logical: Thrift | undefined): Fields {
  const number = (value: number | undefined): Thrift | undefined => value === undefined ? undefined : i32(value)
  return [[1, number(type)], [3, number(repetition)], [4, text(name)], [5, number(children)], [6, number(converted)], [10, logical]]
}

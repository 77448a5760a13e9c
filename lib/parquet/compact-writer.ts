/** Thrift's compact protocol, as much as Parquet needs: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
const [TRUE, FALSE, I32, I64, BINARY, LIST, STRUCT] = [1, 2, 5, 6, 8, 9, 12]
const SHORT_LIST = 15

/** A value with its type. Structs are lists of fields, in the order of their ids, those that are undefined left out. */
export type Thrift =
  | { readonly type: 'i32' | 'i64', readonly value: number }
  | { readonly type: 'binary', readonly value: Uint8Array }
  | { readonly type: 'bool', readonly value: boolean }
  | { readonly type: 'struct', readonly value: Fields }
  | { readonly type: 'list', readonly of: number, readonly value: readonly Thrift[] }

export type Fields = readonly (readonly [id: number, value: Thrift | undefined])[]

export const i32 = (value: number): Thrift => ({ type: 'i32', value })
export const i64 = (value: number): Thrift => ({ type: 'i64', value })
export const bool = (value: boolean): Thrift => ({ type: 'bool', value })
export const binary = (value: Uint8Array): Thrift => ({ type: 'binary', value })
export const text = (value: string): Thrift => ({ type: 'binary', value: Buffer.from(value) })
export const struct = (...value: Fields): Thrift => ({ type: 'struct', value })
export const structs = (value: readonly Thrift[]): Thrift => ({ type: 'list', of: STRUCT, value })
export const texts = (value: readonly string[]): Thrift => ({ type: 'list', of: BINARY, value: value.map(text) })
export const i32s = (value: readonly number[]): Thrift => ({ type: 'list', of: I32, value: value.map(i32) })

/** A struct as bytes. */
export function compact(fields: Fields): Buffer {
  const parts: Uint8Array[] = []
  writeStruct(parts, fields)
  return Buffer.concat(parts)
}

function writeStruct(parts: Uint8Array[], fields: Fields): void {
  let before = 0
  for (const [id, value] of fields) {
    if (value === undefined) continue
    const type = typeOf(value)
    if (id - before > 15) parts.push(Uint8Array.of(type), varint(BigInt(id) * 2n))
    else parts.push(Uint8Array.of((id - before) << 4 | type))
    writeValue(parts, value)
    before = id
  }
  parts.push(Uint8Array.of(0))
}

function typeOf(value: Thrift): number {
  if (value.type === 'bool') return value.value ? TRUE as number : FALSE as number
  return ({ i32: I32, i64: I64, binary: BINARY, list: LIST, struct: STRUCT } as Record<string, number>)[value.type] as number
}

function writeValue(parts: Uint8Array[], value: Thrift): void {
  if (value.type === 'i32' || value.type === 'i64') parts.push(varint(zigzag(value.value)))
  else if (value.type === 'binary') parts.push(varint(BigInt(value.value.length)), value.value)
  else if (value.type === 'struct') writeStruct(parts, value.value)
  else if (value.type === 'list') {
    const { length } = value.value
    if (length < SHORT_LIST) parts.push(Uint8Array.of(length << 4 | value.of))
    else parts.push(Uint8Array.of(SHORT_LIST << 4 | value.of), varint(BigInt(length)))
    for (const each of value.value) writeValue(parts, each)
  }
}

function zigzag(value: number): bigint {
  return value < 0 ? BigInt(-value) * 2n - 1n : BigInt(value) * 2n
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

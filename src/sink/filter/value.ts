import type { ASTNode } from '@marcbachmann/cel-js'
import type { RecordReader, Scope, ValueType } from './scope.ts'
import { FilterError } from './filter-error.ts'

/** Gives the value for a record; undefined = missing. */
export type Run = (record: RecordReader) => unknown

/** A part of an expression, compiled. */
export interface Value {
  readonly node: ASTNode
  readonly type: ValueType
  readonly run: Run
  /** The value itself, when it does not depend on the record. */
  readonly constant?: unknown
  /** Field id, when the value is a field as such: lets readers take a shorter way. */
  readonly field?: number
  /** Header whose values these are, with the field's id. */
  readonly header?: { readonly field: number, readonly name: string }
}

/** A variable of `exists(v, ...)`: set before each run of the body. */
export interface Variable {
  readonly type: ValueType
  value: unknown
}

/** What the parts of the compiler need of each other. */
export interface Compiler {
  readonly scope: Scope
  readonly variables: Map<string, Variable>
  compile(node: ASTNode): Value
}

/** A value of one of the types, or an error that says what it is instead. */
export function expectType(value: Value, types: readonly ValueType[], what: string): Value {
  if (types.includes(value.type)) return value
  throw FilterError.at(value.node, `Cannot use ${what} on ${NAMES[value.type]}: it takes ${types.map(type => NAMES[type]).join(' or ')}`)
}

export const NAMES: Readonly<Record<ValueType, string>> = {
  string: 'a string', number: 'a number', bool: 'true or false', time: 'a time', strings: 'a list of strings',
  numbers: 'a list of numbers', headers: 'headers', reasons: 'marks',
}

export function constant(node: ASTNode, type: ValueType, value: unknown): Value {
  return { node, type, constant: value, run: () => value }
}

import type { ASTNode } from '@marcbachmann/cel-js'
import { FilterError } from '../../sink/filter/mod.ts'
import type { Scope, ValueType } from '../../sink/filter/mod.ts'
import type { Dialect } from './dialect.ts'

/** A part of an expression as SQL; NULL stands for a missing value. */
export interface Term {
  readonly node: ASTNode
  readonly type: ValueType
  readonly sql: string
  /** Of a list or map: where it counts as there, if another thing says so than its not being NULL. */
  readonly present?: string | undefined
  /** Of a list: its first value, where a column has that. */
  readonly first?: string
  /** The value itself, when it does not depend on the record. */
  readonly constant?: string | number | bigint | boolean
  /** Of a condition: SQL that is true where it is, and may be NULL where it is false. */
  readonly bare?: string
}

/** What the parts of the translator need of each other. */
export interface Translator {
  readonly dialect: Dialect
  readonly scope: Scope
  readonly variables: Map<string, Term>
  translate(node: ASTNode): Term
  /** A name for a variable that no other one has. */
  fresh(): string
}

/** As a condition: what is missing is not true. */
export function condition(term: Term): string {
  return term.constant === undefined ? `coalesce(${term.sql}, false)` : String(term.constant)
}

/**
 * As what stands in WHERE, where NULL and false are one. An engine passes over what cannot hold by the least and greatest values of a column,
 * but only where it is compared as it stands.
 */
export function bareCondition(term: Term): string {
  return term.constant === undefined ? term.bare ?? term.sql : String(term.constant)
}

/** A condition that is false where `bare` is NULL. */
export function conditionTerm(node: ASTNode, bare: string): Term {
  return { node, type: 'bool', sql: `coalesce(${bare}, false)`, bare }
}

/** A number as SQL: whole ones as such, so that a column of whole numbers is compared as it is stored. */
export function numberSql(value: number): string {
  if (Number.isSafeInteger(value)) return value < 0 ? `(${value})` : String(value)
  return `'${value}'::DOUBLE`
}

/** What the filter can do and SQL cannot do the same way. */
export function untold(node: ASTNode, what: string): FilterError {
  return FilterError.at(node, `Cannot ask the store for ${what}: SQL has no equal; leave it out, or write SQL`)
}

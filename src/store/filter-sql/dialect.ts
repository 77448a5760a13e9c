import type { Term } from './term.ts'

/** What engines say in ways of their own. Arguments and results are SQL; NULL stands for a missing value in each. */
export interface Dialect {
  quote(text: string): string
  double(sql: string): string
  /** A missing value of that type. */
  missing(type: 'string' | 'number'): string
  /** True where the value of a column is there. */
  isThere(column: string): string
  /** Where the list or map of a field counts as there, if it cannot be NULL. */
  listIsThere(column: string, field: string): string | undefined
  /** Values of a header; where a column has it, the first one; where they count as there, if another thing says so than their not being NULL. */
  headerValues(headers: string, name: string, isConstant: boolean): { readonly sql: string, readonly first?: string, readonly present?: string }
  reason(marks: string, field: string): string
  /** The nth value from 0; missing beyond the ends. */
  valueAt(list: string, place: number): string
  itemAt(list: Term, place: string): string
  size(term: Term): string
  lower(text: string): string
  upper(text: string): string
  trim(text: string): string
  matches(text: string, pattern: string): string
  startsWith(text: string, start: string): string
  endsWith(text: string, end: string): string
  contains(text: string, part: string): string
  time(nanoseconds: bigint): string
  /** Missing when the text is no number. */
  parsed(text: string): string
  /** As the filter writes it; undefined where SQL has no equal. */
  text(term: Term): string | undefined
  isOneOf(item: string, values: readonly string[]): string
  listHas(list: string, item: string): string
  mapHas(map: string, key: string): string
  /** Names of headers, or of marks. */
  keys(map: string): string
  /** How many values of a list pass a test. */
  count(list: string, variable: string, test: string): string
  remainder(a: string, b: string): string
}

/** White space of JavaScript's trim(). */
export const SPACES = '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
export const DECIMAL = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$'

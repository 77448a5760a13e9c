import type { ASTNode } from '@marcbachmann/cel-js'
import { FilterError } from './filter-error.ts'
import type { ValueType } from './scope.ts'
import { type Compiler, expectType, NAMES, type Run, type Value } from './value.ts'

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='
export type Arithmetic = '+' | '-' | '*' | '/' | '%'

const COMPARABLE: readonly ValueType[] = ['string', 'number', 'bool', 'time']

/** False when one side is missing, whatever the operator. */
export function compileComparison(node: ASTNode, op: Comparison, left: Value, right: Value): Value {
  expectType(left, COMPARABLE, `"${op}"`)
  expectType(right, COMPARABLE, `"${op}"`)
  if (left.type !== right.type) {
    throw FilterError.at(node, `Cannot compare ${NAMES[left.type]} with ${NAMES[right.type]}${mend(left, right)}`)
  }
  if (left.type === 'bool' && op !== '==' && op !== '!=') throw FilterError.at(node, `Cannot order true and false: use == or !=`)
  const order = left.type === 'string' && op !== '==' && op !== '!='
  const run = order ? orderStrings(op, left.run, right.run)
    : right.constant === undefined ? compareTwo(op, left.run, right.run) : compareConstant(op, left.run, right.constant as Scalar)
  return { node, type: 'bool', run }
}

function mend(left: Value, right: Value): string {
  const types = [left.type, right.type]
  if (types.includes('time') && types.includes('string')) return ': write timestamp("2026-01-31T12:00:00Z")'
  if (types.includes('number') && types.includes('string')) return ': write the number without quotes, or the text in quotes'
  return ''
}

/** A number or, for a time, a bigint; for == and != also a string or a boolean. */
type Scalar = number

// One closure per operator: the engine then inlines the comparison. NaN and undefined compare false by themselves,
// except with !=.
function compareConstant(op: Comparison, a: Run, b: Scalar): Run {
  switch (op) {
    case '==': return record => a(record) === b
    case '!=': return record => {
      const value = a(record)
      return value !== undefined && value !== b
    }
    case '<': return record => (a(record) as number) < b
    case '<=': return record => (a(record) as number) <= b
    case '>': return record => (a(record) as number) > b
    case '>=': return record => (a(record) as number) >= b
  }
}

function compareTwo(op: Comparison, a: Run, b: Run): Run {
  switch (op) {
    case '==': return record => {
      const value = a(record)
      return value !== undefined && value === b(record)
    }
    case '!=': return record => {
      const [x, y] = [a(record), b(record)]
      return x !== undefined && y !== undefined && x !== y
    }
    case '<': return record => (a(record) as number) < (b(record) as number)
    case '<=': return record => (a(record) as number) <= (b(record) as number)
    case '>': return record => (a(record) as number) > (b(record) as number)
    case '>=': return record => (a(record) as number) >= (b(record) as number)
  }
}

function orderStrings(op: Comparison, a: Run, b: Run): Run {
  const decide: (order: number) => boolean = op === '<' ? order => order < 0 : op === '<=' ? order => order <= 0
    : op === '>' ? order => order > 0 : order => order >= 0
  return record => {
    const [x, y] = [a(record) as string | undefined, b(record) as string | undefined]
    return x !== undefined && y !== undefined && decide(x < y ? -1 : x > y ? 1 : 0)
  }
}

/** `"GET" in [...]`, `"x-tenant-id" in http.request.header`, `"bare_lf" in anomalies`. */
export function compileIn(compiler: Compiler, node: ASTNode, left: ASTNode, right: ASTNode): Value {
  const item = compiler.compile(left)
  if (right.op === 'list') return inList(compiler, node, item, right.args)
  const list = expectType(compiler.compile(right), ['strings', 'numbers', 'headers', 'reasons'], '"in"')
  expectType(item, [list.type === 'numbers' ? 'number' : 'string'], 'this "in"')
  const [wanted, values] = [item.run, list.run]
  if (list.type === 'strings' || list.type === 'numbers') {
    return { node, type: 'bool', run: record => (values(record) as readonly unknown[] | undefined)?.includes(wanted(record)) ?? false }
  }
  if (typeof item.constant === 'string') {
    const key = list.type === 'headers' ? item.constant.toLowerCase() : item.constant
    const field = list.type === 'headers' ? list.field : undefined
    if (field !== undefined) return { node, type: 'bool', run: record => record.header(field, key) !== undefined }
    return { node, type: 'bool', run: record => (values(record) as ReadonlyMap<unknown, unknown> | undefined)?.has(key) ?? false }
  }
  return { node, type: 'bool', run: record => (values(record) as ReadonlyMap<unknown, unknown> | undefined)?.has(wanted(record)) ?? false }
}

function inList(compiler: Compiler, node: ASTNode, item: Value, items: readonly ASTNode[]): Value {
  const values = items.map(entry => {
    const value = expectType(compiler.compile(entry), [item.type], 'this list')
    if (value.constant === undefined) throw FilterError.at(entry, 'Cannot use a field inside a list: write constants, or == with ||')
    return value.constant as string | number | boolean
  })
  expectType(item, ['string', 'number', 'bool'], '"in"')
  const set: ReadonlySet<unknown> = new Set(values)
  const run = item.run
  return { node, type: 'bool', run: record => set.has(run(record)) }
}

/** Numbers only, and + for strings. Missing when one side is missing; a division by 0 is missing too. */
export function compileArithmetic(node: ASTNode, op: Arithmetic, left: Value, right: Value): Value {
  expectType(left, op === '+' ? ['number', 'string'] : ['number'], `"${op}"`)
  if (right.type !== left.type) throw FilterError.at(node, `Cannot use "${op}" on ${NAMES[left.type]} and ${NAMES[right.type]}`)
  const [a, b] = [left.run, right.run]
  const apply = APPLY[op]
  return {
    node, type: left.type, run: record => {
      const [x, y] = [a(record) as number | undefined, b(record) as number | undefined]
      return x === undefined || y === undefined ? undefined : apply(x, y)
    },
  }
}

const APPLY: Readonly<Record<Arithmetic, (a: number, b: number) => number | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => b === 0 ? undefined : a / b,
  '%': (a, b) => b === 0 ? undefined : a % b,
}

import type { ASTNode } from '@marcbachmann/cel-js'
import { parseDuration } from '../../../lib/units/duration.ts'
import { quote } from '../columns.ts'
import { columnOf, nameOf } from './access.ts'
import { patternSql } from './pattern.ts'
import { asDouble, condition, numberSql, type Term, type Translator, untold } from './term.ts'

/** White space of JavaScript's trim(). */
const SPACES = '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DECIMAL = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$'

export function translateCall(translator: Translator, node: ASTNode, name: string, args: readonly ASTNode[]): Term {
  const [first] = args as [ASTNode]
  if (name === 'has') return translateHas(translator, node, first)
  const term = translator.translate(first)
  switch (name) {
    case 'size': return size(node, term)
    case 'duration': return constantNumber(node, parseDuration(term.constant as string) / 1000)
    case 'timestamp': return { node, type: 'time', sql: `make_timestamp_ns(${epochNanoseconds(term.constant as string)})` }
    case 'string': return text(node, term)
    case 'double': return { node, type: 'number', sql: number(term) }
    default: return { node, type: 'number', sql: `trunc(${number(term)})` }
  }
}

export function translateMethod(translator: Translator, node: ASTNode, name: string, object: ASTNode, args: readonly ASTNode[]): Term {
  if (name === 'exists' || name === 'all' || name === 'exists_one') {
    return macro(translator, node, name, object, args as [ASTNode & { op: 'id' }, ASTNode])
  }
  const term = translator.translate(object)
  switch (name) {
    case 'size': return size(node, term)
    case 'lowerAscii': return { node, type: 'string', sql: `translate(${term.sql}, '${UPPER}', '${UPPER.toLowerCase()}')` }
    case 'upperAscii': return { node, type: 'string', sql: `translate(${term.sql}, '${UPPER.toLowerCase()}', '${UPPER}')` }
    case 'trim': return { node, type: 'string', sql: `trim(${term.sql}, ${quote(SPACES)})` }
  }
  const argument = translator.translate(args[0] as ASTNode)
  if (name === 'matches') {
    const pattern = quote(patternSql(argument.node, argument.constant as string))
    return { node, type: 'bool', sql: `coalesce(regexp_matches(${term.sql}, ${pattern}), false)` }
  }
  const test = { startsWith: 'starts_with', endsWith: 'suffix', contains: 'contains' }[name]
  if (test === undefined) throw untold(node, `${name}()`)
  return { node, type: 'bool', sql: `coalesce(${test}(${term.sql}, ${argument.sql}), false)` }
}

function translateHas(translator: Translator, node: ASTNode, argument: ASTNode): Term {
  const name = nameOf(translator, argument)
  if (name === undefined) return { node, type: 'bool', sql: `(${translator.translate(argument).sql} IS NOT NULL)` }
  const names = translator.scope.fieldNames
  return { node, type: 'bool', sql: `(${name.ids.map(id => `${columnOf(names[id - 1] as string)} IS NOT NULL`).join(' OR ')})` }
}

/** Code points of a text, entries of a list, names of headers. */
function size(node: ASTNode, term: Term): Term {
  const isMap = term.type === 'headers' || term.type === 'reasons'
  return { node, type: 'number', sql: `${isMap ? 'cardinality' : term.type === 'string' ? 'length' : 'len'}(${term.sql})` }
}

function constantNumber(node: ASTNode, value: number): Term {
  return { node, type: 'number', sql: numberSql(value), constant: value }
}

function text(node: ASTNode, term: Term): Term {
  if (term.type === 'string') return { ...term, node }
  if (term.constant !== undefined) return { node, type: 'string', sql: quote(String(term.constant)), constant: String(term.constant) }
  // Broken numbers are written in another way: 5.0 and 1e-07.
  if (term.type === 'number') throw untold(node, 'string() of a number')
  return { node, type: 'string', sql: `(${term.sql})::VARCHAR` }
}

/** Missing when the text is no number. */
function number(term: Term): string {
  if (term.type === 'number') return asDouble(term)
  const trimmed = `trim(${term.sql}, ${quote(SPACES)})`
  return `(CASE WHEN regexp_matches(${trimmed}, '${DECIMAL}') THEN try_cast(${trimmed} AS DOUBLE) END)`
}

function epochNanoseconds(time: string): bigint {
  const digits = /\.(\d{1,9})/.exec(time)?.[1] ?? ''
  return BigInt(Math.floor(Date.parse(time) / 1000)) * 1_000_000_000n + BigInt(digits.padEnd(9, '0'))
}

/** Over values of a list, or over the names of headers; false when the list is missing. */
function macro(translator: Translator, node: ASTNode, name: 'exists' | 'all' | 'exists_one', object: ASTNode,
  [binding, body]: readonly [ASTNode & { op: 'id' }, ASTNode]): Term {
  const list = translator.translate(object)
  const values = list.type === 'headers' || list.type === 'reasons' ? `map_keys(${list.sql})` : list.sql
  const variable = translator.fresh()
  const outer = translator.variables.get(binding.args)
  translator.variables.set(binding.args, { node: binding, type: list.type === 'numbers' ? 'number' : 'string', sql: variable })
  const test = condition(translator.translate(body))
  if (outer === undefined) translator.variables.delete(binding.args)
  else translator.variables.set(binding.args, outer)
  const hits = `len(list_filter(${values}, lambda ${variable}: ${name === 'all' ? `NOT ${test}` : test}))`
  const wanted = name === 'exists' ? '> 0' : name === 'all' ? '= 0' : '= 1'
  return { node, type: 'bool', sql: `coalesce(${hits} ${wanted}, false)` }
}

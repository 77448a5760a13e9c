import type { ASTNode } from '@marcbachmann/cel-js'
import { parseDuration } from '../../../lib/units/duration.ts'
import type { Name } from '../../sink/filter/mod.ts'
import { fieldTerm, nameOf } from './access.ts'
import { patternSql } from './pattern.ts'
import { condition, conditionTerm, numberSql, type Term, type Translator, untold } from './term.ts'

export function translateCall(translator: Translator, node: ASTNode, name: string, args: readonly ASTNode[]): Term {
  const [first] = args as [ASTNode]
  if (name === 'has') return translateHas(translator, node, first)
  const { dialect } = translator
  const term = translator.translate(first)
  switch (name) {
    case 'size': return { node, type: 'number', sql: dialect.size(term) }
    case 'duration': return constantNumber(node, parseDuration(term.constant as string) / 1000)
    case 'timestamp': return { node, type: 'time', sql: dialect.time(epochNanoseconds(term.constant as string)) }
    case 'string': return text(translator, node, term)
    case 'double': return { node, type: 'number', sql: number(translator, term) }
    default: return { node, type: 'number', sql: `trunc(${number(translator, term)})` }
  }
}

export function translateMethod(translator: Translator, node: ASTNode, name: string, object: ASTNode, args: readonly ASTNode[]): Term {
  if (name === 'exists' || name === 'all' || name === 'exists_one') {
    return macro(translator, node, name, object, args as [ASTNode & { op: 'id' }, ASTNode])
  }
  const { dialect } = translator
  const term = translator.translate(object)
  switch (name) {
    case 'size': return { node, type: 'number', sql: dialect.size(term) }
    case 'lowerAscii': return { node, type: 'string', sql: dialect.lower(term.sql) }
    case 'upperAscii': return { node, type: 'string', sql: dialect.upper(term.sql) }
    case 'trim': return { node, type: 'string', sql: dialect.trim(term.sql) }
  }
  const argument = translator.translate(args[0] as ASTNode)
  const test = (sql: string): Term => conditionTerm(node, sql)
  switch (name) {
    case 'matches': return test(dialect.matches(term.sql, dialect.quote(patternSql(argument.node, argument.constant as string))))
    case 'startsWith': return test(dialect.startsWith(term.sql, argument.sql))
    case 'endsWith': return test(dialect.endsWith(term.sql, argument.sql))
    case 'contains': return test(dialect.contains(term.sql, argument.sql))
    default: throw untold(node, `${name}()`)
  }
}

function translateHas(translator: Translator, node: ASTNode, argument: ASTNode): Term {
  const name = nameOf(translator, argument)
  if (name === undefined) return { node, type: 'bool', sql: `(${isThere(translator, translator.translate(argument))})` }
  const { scope } = translator
  const fields = name.ids.map(id => scope.find(scope.fieldNames[id - 1] as string) as Name)
  const tests = fields.map(field => isThere(translator, fieldTerm(translator, node, field)))
  return { node, type: 'bool', sql: `(${tests.join(' OR ')})` }
}

function isThere({ dialect }: Translator, { sql, present }: Term): string {
  return present ?? dialect.isThere(sql)
}

function constantNumber(node: ASTNode, value: number): Term {
  return { node, type: 'number', sql: numberSql(value), constant: value }
}

function text({ dialect }: Translator, node: ASTNode, term: Term): Term {
  if (term.type === 'string') return { ...term, node }
  if (term.constant !== undefined) return { node, type: 'string', sql: dialect.quote(String(term.constant)), constant: String(term.constant) }
  // Broken numbers are written in another way: 5.0 and 1e-07.
  if (term.type === 'number') throw untold(node, 'string() of a number')
  const sql = dialect.text(term)
  if (sql === undefined) throw untold(node, 'string() of a time')
  return { node, type: 'string', sql }
}

/** Missing when the text is no number. */
function number({ dialect }: Translator, { type, sql }: Term): string {
  return type === 'number' ? dialect.double(sql) : dialect.parsed(sql)
}

function epochNanoseconds(time: string): bigint {
  const digits = /\.(\d{1,9})/.exec(time)?.[1] ?? ''
  return BigInt(Math.floor(Date.parse(time) / 1000)) * 1_000_000_000n + BigInt(digits.padEnd(9, '0'))
}

/** Over values of a list, or over the names of headers; false when the list is missing. */
function macro(translator: Translator, node: ASTNode, name: 'exists' | 'all' | 'exists_one', object: ASTNode,
  [binding, body]: readonly [ASTNode & { op: 'id' }, ASTNode]): Term {
  const { dialect } = translator
  const list = translator.translate(object)
  const values = list.type === 'headers' || list.type === 'reasons' ? dialect.keys(list.sql) : list.sql
  const variable = translator.fresh()
  const outer = translator.variables.get(binding.args)
  translator.variables.set(binding.args, { node: binding, type: list.type === 'numbers' ? 'number' : 'string', sql: variable })
  const test = condition(translator.translate(body))
  if (outer === undefined) translator.variables.delete(binding.args)
  else translator.variables.set(binding.args, outer)
  const hits = dialect.count(values, variable, name === 'all' ? `NOT ${test}` : test)
  const wanted = name === 'exists' ? '> 0' : name === 'all' ? '= 0' : '= 1'
  const isThere = list.present === undefined ? '' : `${list.present} AND `
  return conditionTerm(node, `${isThere}${hits} ${wanted}`)
}

import type { ASTNode } from '@marcbachmann/cel-js'
import { compileFilter, parseFilter, Scope } from '../../sink/filter/mod.ts'
import type { Column } from '../columns.ts'
import { translateIndex, translateName, translateSelect } from './access.ts'
import { translateCall, translateMethod } from './call.ts'
import type { Dialect } from './dialect.ts'
import { DUCKDB } from './duckdb-dialect.ts'
import { bareCondition, condition, conditionTerm, numberSql, type Term, type Translator, untold } from './term.ts'

/**
 * A filter as an SQL condition. What the filter's own compiler refuses is refused with its words; from there on every part has
 * the type that it needs.
 *
 * @param dialect of the engine that is asked; none = a store's
 * @throws {FilterError} that marks the place of what is wrong, or cannot be told in SQL
 */
export function filterSql(text: string, columns: readonly Column[], dialect: Dialect = DUCKDB): string {
  const fields = columns.map(({ field, fieldType }) => ({ name: field, type: fieldType }))
  compileFilter(text, fields)
  let count = 0
  const translator: Translator = {
    dialect, scope: new Scope(fields), variables: new Map(), translate: node => translate(translator, node), fresh: () => `v${++count}`,
  }
  return bareCondition(translator.translate(parseFilter(text)))
}

function translate(translator: Translator, node: ASTNode): Term {
  switch (node.op) {
    case 'value': return literal(translator, node, node.args)
    case 'id': return translateName(translator, node, node.args)
    case '.': return translateSelect(translator, node, node.args[0], node.args[1])
    case '[]': return translateIndex(translator, node, node.args[0], node.args[1])
    case 'call': return translateCall(translator, node, node.args[0], node.args[1])
    case 'rcall': return translateMethod(translator, node, node.args[0], node.args[1], node.args[2])
    case '&&': case '||': {
      const parts = node.args.map(part => translator.translate(part))
      const [sql, bare] = [condition, bareCondition].map(as => `(${parts.map(as).join(node.op === '&&' ? ' AND ' : ' OR ')})`) as [string, string]
      return { node, type: 'bool', sql, bare }
    }
    case '?:': return choice(node, ...node.args.map(part => translator.translate(part)) as [Term, Term, Term])
    case '!_': return { node, type: 'bool', sql: `(NOT ${condition(translator.translate(node.args))})` }
    case '-_': return negative(translator, node, translator.translate(node.args))
    case 'in': return membership(translator, node, node.args[0], node.args[1])
    case '==': case '!=': case '<': case '<=': case '>': case '>=':
      return comparison(node, node.op, translator.translate(node.args[0]), translator.translate(node.args[1]))
    case '+': case '-': case '*': case '/': case '%':
      return arithmetic(translator, node, node.op, translator.translate(node.args[0]), translator.translate(node.args[1]))
    default: throw untold(node, `"${node.op}"`)
  }
}

function literal({ dialect }: Translator, node: ASTNode, value: unknown): Term {
  if (typeof value === 'string') {
    // The store's texts have no NUL, and SQL text cannot hold one.
    if (value.includes('\0')) throw untold(node, 'a text with a NUL')
    return { node, type: 'string', sql: dialect.quote(value), constant: value }
  }
  if (typeof value === 'boolean') return { node, type: 'bool', sql: String(value), constant: value }
  const number = Number(value)
  return { node, type: 'number', sql: numberSql(number), constant: number }
}

function negative({ dialect }: Translator, node: ASTNode, term: Term): Term {
  if (typeof term.constant === 'number') return { node, type: 'number', sql: numberSql(-term.constant), constant: -term.constant }
  return { node, type: 'number', sql: `(-${dialect.double(term.sql)})` }
}

function choice(node: ASTNode, test: Term, yes: Term, no: Term): Term {
  return { node, type: yes.type, sql: `(CASE WHEN ${condition(test)} THEN ${yes.sql} ELSE ${no.sql} END)` }
}

const OPERATOR = { '==': '=', '!=': '<>', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const

/** False when one side is missing. */
function comparison(node: ASTNode, op: keyof typeof OPERATOR, left: Term, right: Term): Term {
  return conditionTerm(node, `${left.sql} ${OPERATOR[op]} ${right.sql}`)
}

function membership(translator: Translator, node: ASTNode, left: ASTNode, right: ASTNode): Term {
  const { dialect } = translator
  const item = translator.translate(left)
  if (right.op === 'list') {
    const values = right.args.map(entry => translator.translate(entry).sql)
    return values.length === 0 ? { node, type: 'bool', sql: 'false' } : conditionTerm(node, dialect.isOneOf(item.sql, values))
  }
  const list = translator.translate(right)
  if (list.type === 'strings' || list.type === 'numbers') {
    return conditionTerm(node, dialect.listHas(list.sql, item.sql))
  }
  const isHeader = list.type === 'headers' && typeof item.constant === 'string'
  const key = isHeader ? dialect.quote((item.constant as string).toLowerCase()) : item.sql
  const present = isHeader ? dialect.headerValues(list.sql, key, true).present : undefined
  return conditionTerm(node, present ?? dialect.mapHas(list.sql, key))
}

function arithmetic({ dialect }: Translator, node: ASTNode, op: '+' | '-' | '*' | '/' | '%', left: Term, right: Term): Term {
  if (left.type === 'string') return { node, type: 'string', sql: `(${left.sql} || ${right.sql})` }
  const [a, b] = [dialect.double(left.sql), dialect.double(right.sql)]
  if (op === '/' || op === '%') {
    return { node, type: 'number', sql: `(CASE WHEN ${b} <> 0 THEN ${op === '/' ? `${a} / ${b}` : dialect.remainder(a, b)} END)` }
  }
  return { node, type: 'number', sql: `(${a} ${op} ${b})` }
}

import type { ASTNode } from '@marcbachmann/cel-js'
import type { Name } from '../../sink/filter/mod.ts'
import { identifier, quote } from '../columns.ts'
import type { Term, Translator } from './term.ts'

export function translateName(translator: Translator, node: ASTNode, name: string): Term {
  const variable = translator.variables.get(name)
  if (variable !== undefined) return { ...variable, node }
  return fieldTerm(node, translator.scope.find(name) as Name)
}

/** `a.b.c` as a column, or `http.request.header.host` as the values of a header. */
export function translateSelect(translator: Translator, node: ASTNode, object: ASTNode, key: string): Term {
  const known = nameOf(translator, node)
  if (known?.type !== undefined) return fieldTerm(node, known)
  return headerValues(node, translator.translate(object), key)
}

/** `list[0]`, `headers["host"]`, `marks["duration"]`. */
export function translateIndex(translator: Translator, node: ASTNode, object: ASTNode, key: ASTNode): Term {
  const list = translator.translate(object)
  const index = translator.translate(key)
  if (list.type === 'headers' && typeof index.constant === 'string') return headerValues(node, list, index.constant)
  if (list.type === 'headers') return { node, type: 'strings', sql: `${list.sql}[${index.sql}]` }
  if (list.type === 'reasons') return { node, type: 'string', sql: `${list.sql}[${index.sql}]` }
  const type = list.type === 'strings' ? 'string' : 'number'
  if (typeof index.constant === 'number') {
    const isPlace = Number.isInteger(index.constant) && index.constant >= 0
    return { node, type, sql: isPlace ? `(${list.sql})[${index.constant + 1}]` : `NULL::${type === 'string' ? 'VARCHAR' : 'BIGINT'}` }
  }
  // SQL counts from 1, and from the end below 0.
  const place = `(${index.sql})::DOUBLE`
  const isPlace = `${place} >= 0 AND ${place} < 2147483647 AND ${place} = floor(${place})`
  return { node, type, sql: `(CASE WHEN ${isPlace} THEN (${list.sql})[(${place} + 1)::BIGINT] END)` }
}

/** Field or namespace that a path stands for. */
export function nameOf(translator: Translator, node: ASTNode): Name | undefined {
  const path = pathOf(translator, node)
  return path === undefined ? undefined : translator.scope.find(path)
}

/** The column of a field: names of fields with underscores for dots, as in columns.ts. */
export function columnOf(field: string): string {
  return identifier(field.replaceAll('.', '_'))
}

function pathOf(translator: Translator, node: ASTNode): string | undefined {
  if (node.op === 'id') return translator.variables.has(node.args) ? undefined : node.args
  if (node.op !== '.') return undefined
  const parent = pathOf(translator, node.args[0])
  return parent === undefined ? undefined : `${parent}.${node.args[1]}`
}

function fieldTerm(node: ASTNode, name: Name): Term {
  return { node, type: name.type ?? 'string', sql: columnOf(name.path) }
}

function headerValues(node: ASTNode, headers: Term, name: string): Term {
  return { node, type: 'strings', sql: `${headers.sql}[${quote(name.toLowerCase())}]` }
}

import type { ASTNode } from '@marcbachmann/cel-js'
import type { Name, ValueType } from '../../sink/filter/mod.ts'
import { identifier } from '../columns.ts'
import type { Term, Translator } from './term.ts'

const LISTS: ReadonlySet<ValueType> = new Set(['strings', 'numbers', 'headers', 'reasons'])

export function translateName(translator: Translator, node: ASTNode, name: string): Term {
  const variable = translator.variables.get(name)
  if (variable !== undefined) return { ...variable, node }
  return fieldTerm(translator, node, translator.scope.find(name) as Name)
}

/** `a.b.c` as a column, or `http.request.header.host` as the values of a header. */
export function translateSelect(translator: Translator, node: ASTNode, object: ASTNode, key: string): Term {
  const known = nameOf(translator, node)
  if (known?.type !== undefined) return fieldTerm(translator, node, known)
  return headerValues(translator, node, translator.translate(object), key)
}

/** `list[0]`, `headers["host"]`, `marks["duration"]`. */
export function translateIndex(translator: Translator, node: ASTNode, object: ASTNode, key: ASTNode): Term {
  const { dialect } = translator
  const list = translator.translate(object)
  const index = translator.translate(key)
  if (list.type === 'headers' && typeof index.constant === 'string') return headerValues(translator, node, list, index.constant)
  if (list.type === 'headers') return { node, type: 'strings', ...dialect.headerValues(list.sql, index.sql, false) }
  if (list.type === 'reasons') return { node, type: 'string', sql: dialect.reason(list.sql, index.sql) }
  const type = list.type === 'strings' ? 'string' : 'number'
  if (typeof index.constant !== 'number') return { node, type, sql: dialect.itemAt(list, index.sql) }
  if (index.constant === 0 && list.first !== undefined) return { node, type, sql: list.first }
  const isPlace = Number.isInteger(index.constant) && index.constant >= 0
  return { node, type, sql: isPlace ? dialect.valueAt(list.sql, index.constant) : dialect.missing(type) }
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

export function fieldTerm({ dialect }: Translator, node: ASTNode, name: Name): Term {
  const [type, sql] = [name.type ?? 'string', columnOf(name.path)]
  return { node, type, sql, present: LISTS.has(type) ? dialect.listIsThere(sql, name.path) : undefined }
}

function headerValues({ dialect }: Translator, node: ASTNode, headers: Term, name: string): Term {
  return { node, type: 'strings', ...dialect.headerValues(headers.sql, dialect.quote(name.toLowerCase()), true) }
}

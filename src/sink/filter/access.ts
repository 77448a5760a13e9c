import type { ASTNode } from '@marcbachmann/cel-js'
import { nearest } from '../../../lib/nearest/mod.ts'
import { FilterError } from './filter-error.ts'
import type { Name } from './scope.ts'
import { type Compiler, expectType, NAMES, type Value } from './value.ts'

/** `duration`, or a variable of a macro. */
export function compileName(compiler: Compiler, node: ASTNode, name: string): Value {
  const variable = compiler.variables.get(name)
  if (variable !== undefined) return { node, type: variable.type, run: () => variable.value }
  return compileField(compiler, node, name)
}

/** `a.b.c` as a field, or `http.request.header.host` as a header. */
export function compileSelect(compiler: Compiler, node: ASTNode, object: ASTNode, key: string): Value {
  const path = pathOf(compiler, node)
  if (path !== undefined && compiler.scope.find(path) !== undefined) return compileField(compiler, node, path)
  const parent = pathOf(compiler, object)
  const known = parent === undefined ? undefined : compiler.scope.find(parent)
  if (known?.type === 'headers') return headerValues(node, fieldValue(object, known), key)
  if (path !== undefined) throw unknownField(compiler, node, path)
  const value = compiler.compile(object)
  throw FilterError.at(node, `Cannot read ".${key}" of ${NAMES[value.type]}`)
}

/** `http.request.header["host"]`, `http.request.header["host"][0]`, `link.vlan[0]`, `marks["duration"]`. */
export function compileIndex(compiler: Compiler, node: ASTNode, object: ASTNode, key: ASTNode): Value {
  const list = expectType(compiler.compile(object), ['headers', 'reasons', 'strings', 'numbers'], '[]')
  const index = compiler.compile(key)
  if (list.type === 'headers' || list.type === 'reasons') {
    expectType(index, ['string'], 'a name between []')
    if (typeof index.constant === 'string' && list.type === 'headers') return headerValues(node, list, index.constant)
    const [map, name] = [list.run, index.run]
    const type = list.type === 'headers' ? 'strings' : 'string'
    return { node, type, run: record => (map(record) as ReadonlyMap<unknown, unknown> | undefined)?.get(name(record)) }
  }
  expectType(index, ['number'], 'a place between []')
  if (list.header !== undefined && index.constant === 0) {
    const { field, name } = list.header
    return { node, type: 'string', run: record => record.header(field, name) }
  }
  const [values, place] = [list.run, index.run]
  return {
    node, type: list.type === 'strings' ? 'string' : 'number',
    run: record => (values(record) as readonly unknown[] | undefined)?.[place(record) as number],
  }
}

/** Field or namespace that `has(...)` asks for. */
export function nameOf(compiler: Compiler, node: ASTNode): Name | undefined {
  const path = pathOf(compiler, node)
  return path === undefined ? undefined : compiler.scope.find(path)
}

/** `a.b.c` as text; undefined when it is something else or begins with a variable. */
function pathOf(compiler: Compiler, node: ASTNode): string | undefined {
  if (node.op === 'id') return compiler.variables.has(node.args) ? undefined : node.args
  if (node.op !== '.') return undefined
  const parent = pathOf(compiler, node.args[0])
  return parent === undefined ? undefined : `${parent}.${node.args[1]}`
}

function unknownField(compiler: Compiler, node: ASTNode, path: string): FilterError {
  const names = compiler.scope.fieldNames
  const meant = nearest(path, names) ?? names.find(name => name.endsWith(`.${path}`))
  return FilterError.at(node, `Cannot find field "${path}": ` +
    (meant === undefined ? '"lintel fields" lists those that exist' : `did you mean "${meant}"?`))
}

function compileField(compiler: Compiler, node: ASTNode, path: string): Value {
  const name = compiler.scope.find(path)
  if (name === undefined) throw unknownField(compiler, node, path)
  if (name.type === undefined) {
    const below = compiler.scope.fieldNames.filter(field => field.startsWith(`${path}.`)).slice(0, 3).join(', ')
    throw FilterError.at(node, `Cannot use "${path}" as a value: it stands for several fields (${below}, ...); name one, or write has(${path})`)
  }
  return fieldValue(node, name)
}

function fieldValue(node: ASTNode, name: Name): Value {
  const id = name.id
  if (name.type === 'time') return { node, type: 'time', run: record => record.integer(id) }
  return { node, type: name.type ?? 'string', run: record => record.get(id), field: id }
}

/** Names of headers are kept in lower case, so the name in the filter is taken that way too (RFC 9110 5.1). */
function headerValues(node: ASTNode, headers: Value, name: string): Value {
  const key = name.toLowerCase()
  const map = headers.run
  const values: Value = {
    node, type: 'strings', run: record => (map(record) as ReadonlyMap<string, unknown> | undefined)?.get(key),
  }
  return headers.field === undefined ? values : { ...values, header: { field: headers.field, name: key } }
}

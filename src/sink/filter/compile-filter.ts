import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js'
import { compileCall, compileMethod } from './call.ts'
import { compileArithmetic, compileComparison, compileIn } from './comparison.ts'
import { FilterError } from './filter-error.ts'
import { compileIndex, compileName, compileSelect } from './access.ts'
import { type FilterField, type RecordReader, Scope } from './scope.ts'
import { type Compiler, constant, NAMES, type Run, type Value, type Variable } from './value.ts'

/** True when the record is wanted. Never throws. */
export type Filter = (record: RecordReader) => boolean

const TEXT_MAX = 4096
const parser = new Environment({ unlistedVariablesAreDyn: true, limits: { maxAstNodes: 1000, maxDepth: 100 } })

/**
 * Compiles a CEL expression into closures.
 *
 * @param text   the expression, e.g. `http.response.status_code >= 500 && duration > 0.5`
 * @param fields every field there is, in order of their ids
 * @throws {FilterError} with line, column, a picture of the place and the nearest name
 */
export function compileFilter(text: string, fields: readonly FilterField[]): Filter {
  if (text.length > TEXT_MAX) {
    throw new FilterError(`Cannot use a filter of ${text.length} characters: ${TEXT_MAX} are allowed`, text, { start: TEXT_MAX, end: TEXT_MAX })
  }
  const compiler: Compiler = {
    scope: new Scope(fields), variables: new Map<string, Variable>(), compile: node => compileNode(compiler, node),
  }
  const value = compiler.compile(parseFilter(text))
  const run = condition(value)
  return record => run(record) === true
}

/** The tree of an expression. @throws {FilterError} where it cannot be read */
export function parseFilter(text: string): ASTNode {
  try {
    return parser.parse(text).ast
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    const at = error.range?.start ?? 0
    if (text.trim() === '') throw new FilterError('Cannot use an empty filter: leave it out to log everything', text, { start: 0, end: 0 })
    const equals = text[at] === '=' ? '; to compare write ==' : ''
    const summary = error.summary.endsWith('EOF') ? 'it ends too early' : lowerFirst(error.summary)
    throw new FilterError(`Cannot read the filter: ${summary}${equals}`, text, error.range ?? { start: at, end: at })
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function compileNode(compiler: Compiler, node: ASTNode): Value {
  switch (node.op) {
    case 'value': return compileLiteral(node)
    case 'id': return compileName(compiler, node, node.args)
    case '.': return compileSelect(compiler, node, node.args[0], node.args[1])
    case '[]': return compileIndex(compiler, node, node.args[0], node.args[1])
    case 'call': return compileCall(compiler, node, node.args[0], node.args[1])
    case 'rcall': return compileMethod(compiler, node, node.args[0], node.args[1], node.args[2])
    case '&&': case '||': return compileLogic(compiler, node, node.op, node.args[0], node.args[1])
    case '?:': return compileChoice(compiler, node, ...node.args)
    case '!_': {
      const run = condition(compiler.compile(node.args))
      return { node, type: 'bool', run: record => run(record) !== true }
    }
    case '-_': return compileNegative(compiler, node, node.args)
    case 'in': return compileIn(compiler, node, node.args[0], node.args[1])
    case '==': case '!=': case '<': case '<=': case '>': case '>=':
      return compileComparison(node, node.op, compiler.compile(node.args[0]), compiler.compile(node.args[1]))
    case '+': case '-': case '*': case '/': case '%':
      return compileArithmetic(node, node.op, compiler.compile(node.args[0]), compiler.compile(node.args[1]))
    case 'list': throw FilterError.at(node, 'Cannot use a list here: lists stand behind "in", e.g. http.request.method in ["GET", "HEAD"]')
    default: throw FilterError.at(node, `Cannot use "${node.op}" in a filter`)
  }
}

function compileLiteral(node: ASTNode & { op: 'value' }): Value {
  const value: unknown = node.args
  if (typeof value === 'string') return constant(node, 'string', value)
  if (typeof value === 'boolean') return constant(node, 'bool', value)
  if (typeof value === 'number' || typeof value === 'bigint') return constant(node, 'number', Number(value))
  if (value === null) throw FilterError.at(node, 'Cannot compare with null: write has(FIELD) or !has(FIELD)')
  // The parser's unsigned literal (5u) is an object that knows its value.
  if (value instanceof Uint8Array) throw FilterError.at(node, 'Cannot use bytes in a filter: write a string without the b')
  return constant(node, 'number', Number(value))
}

/** As a condition: a missing field is not true. */
function condition(value: Value): Run {
  if (value.type === 'bool') return value.run
  throw FilterError.at(value.node, `Cannot use ${NAMES[value.type]} as a condition: compare it, e.g. with == or has()`)
}

function compileLogic(compiler: Compiler, node: ASTNode, op: '&&' | '||', left: ASTNode, right: ASTNode): Value {
  const a = condition(compiler.compile(left))
  const b = condition(compiler.compile(right))
  const run: Run = op === '&&' ? record => a(record) === true && b(record) === true
    : record => a(record) === true || b(record) === true
  return { node, type: 'bool', run }
}

function compileChoice(compiler: Compiler, node: ASTNode, test: ASTNode, yes: ASTNode, no: ASTNode): Value {
  const question = condition(compiler.compile(test))
  const a = compiler.compile(yes)
  const b = compiler.compile(no)
  if (a.type !== b.type) throw FilterError.at(no, `Cannot choose between ${NAMES[a.type]} and ${NAMES[b.type]}: both must be of one type`)
  return { node, type: a.type, run: record => question(record) === true ? a.run(record) : b.run(record) }
}

function compileNegative(compiler: Compiler, node: ASTNode, inner: ASTNode): Value {
  const value = compiler.compile(inner)
  if (value.type !== 'number') throw FilterError.at(inner, `Cannot negate ${NAMES[value.type]}: it takes a number`)
  if (value.constant !== undefined) return constant(node, 'number', -(value.constant as number))
  const run = value.run
  return { node, type: 'number', run: record => {
    const number = run(record) as number | undefined
    return number === undefined ? undefined : -number
  } }
}

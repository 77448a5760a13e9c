import type { ASTNode } from '@marcbachmann/cel-js'
import { nearest } from '../../../lib/nearest/mod.ts'
import { parseDuration } from '../../../lib/units/duration.ts'
import { nameOf } from './access.ts'
import { FilterError } from './filter-error.ts'
import { compileMacro, isMacro, MACROS } from './macro.ts'
import { compilePattern } from './pattern.ts'
import { type Compiler, constant, expectType, NAMES, type Run, type Value } from './value.ts'

const FUNCTIONS = ['has', 'size', 'duration', 'timestamp', 'string', 'int', 'double'] as const
const TEXT_METHODS = ['startsWith', 'endsWith', 'contains', 'matches', 'lowerAscii', 'upperAscii', 'trim', 'size'] as const

/** `has(x)`, `size(x)`, `duration("500ms")`, ... */
export function compileCall(compiler: Compiler, node: ASTNode, name: string, args: readonly ASTNode[]): Value {
  const [first] = args
  if (!(FUNCTIONS as readonly string[]).includes(name)) {
    const method = (TEXT_METHODS as readonly string[]).includes(name) ? `; write FIELD.${name}(...)` : ''
    throw FilterError.at(node, `Cannot find function "${name}"${method || suggest(name, FUNCTIONS)}`)
  }
  if (first === undefined || args.length !== 1) throw FilterError.at(node, `Cannot call ${name}() with ${args.length} arguments: it takes 1`)
  switch (name) {
    case 'has': return compileHas(compiler, node, first)
    case 'size': return compileSize(node, compiler.compile(first))
    case 'duration': return compileTime(node, 'number', compiler.compile(first), text => parseDuration(text) / 1000)
    case 'timestamp': return compileTime(node, 'time', compiler.compile(first), epochNanoseconds)
    case 'string': return convert(node, 'string', compiler.compile(first), String)
    case 'double': return convert(node, 'number', compiler.compile(first), number)
    default: return convert(node, 'number', compiler.compile(first), value => {
      const whole = number(value)
      return whole === undefined ? undefined : Math.trunc(whole)
    })
  }
}

/** `url.path.startsWith("/api")`, `http.request.header["a"].exists(v, ...)`. */
export function compileMethod(compiler: Compiler, node: ASTNode, name: string, object: ASTNode, args: readonly ASTNode[]): Value {
  if (isMacro(name)) return compileMacro(compiler, node, name, object, args)
  const value = compiler.compile(object)
  if (name === 'size' && args.length === 0) return compileSize(node, value)
  if (!(TEXT_METHODS as readonly string[]).includes(name)) {
    throw FilterError.at(node, `Cannot find method "${name}"${suggest(name, [...TEXT_METHODS, ...MACROS])}`)
  }
  if (value.type === 'strings') {
    throw FilterError.at(object, `Cannot use ${name}() on a list of strings: write [0], or .exists(v, v.${name}(...)) for any of them`)
  }
  expectType(value, ['string'], `${name}()`)
  return { node, ...textMethod(compiler, node, name, value.run, args) }
}

function textMethod(compiler: Compiler, node: ASTNode, name: string, text: Run, args: readonly ASTNode[]): Pick<Value, 'type' | 'run'> {
  const change = CHANGES.get(name)
  const count = change === undefined ? 1 : 0
  const [argument] = args
  if (args.length !== count) throw FilterError.at(node, `Cannot call ${name}() with ${args.length} arguments: it takes ${count}`)
  if (change !== undefined) return { type: 'string', run: record => {
    const value = text(record) as string | undefined
    return value === undefined ? undefined : change(value)
  } }
  const wanted = expectType(compiler.compile(argument as ASTNode), ['string'], `${name}()`)
  if (name === 'matches') {
    const pattern = compilePattern(wanted)
    return { type: 'bool', run: record => {
      const value = text(record) as string | undefined
      return value !== undefined && pattern.test(value)
    } }
  }
  const test = TESTS.get(name) as (value: string, part: string) => boolean
  const part = wanted.run
  return { type: 'bool', run: record => {
    const value = text(record) as string | undefined
    const other = part(record) as string | undefined
    return value !== undefined && other !== undefined && test(value, other)
  } }
}

const TESTS: ReadonlyMap<string, (value: string, part: string) => boolean> = new Map([
  ['startsWith', (value: string, part: string) => value.startsWith(part)],
  ['endsWith', (value: string, part: string) => value.endsWith(part)],
  ['contains', (value: string, part: string) => value.includes(part)],
])

const CHANGES: ReadonlyMap<string, (value: string) => string> = new Map([
  ['lowerAscii', (value: string) => value.replace(/[A-Z]+/g, letters => letters.toLowerCase())],
  ['upperAscii', (value: string) => value.replace(/[a-z]+/g, letters => letters.toUpperCase())],
  ['trim', (value: string) => value.trim()],
])

/** True when the record has the field, or a field below the name. */
function compileHas(compiler: Compiler, node: ASTNode, argument: ASTNode): Value {
  const name = nameOf(compiler, argument)
  if (name !== undefined) {
    const [id = 0, ...more] = name.ids
    if (more.length === 0) return { node, type: 'bool', run: record => record.has(id) }
    const ids = name.ids
    return { node, type: 'bool', run: record => ids.some(entry => record.has(entry)) }
  }
  if (argument.op !== '.' && argument.op !== '[]' && argument.op !== 'id') {
    throw FilterError.at(argument, 'Cannot ask has() for this: it takes a field, e.g. has(http.response)')
  }
  const run = compiler.compile(argument).run
  return { node, type: 'bool', run: record => run(record) !== undefined }
}

function compileSize(node: ASTNode, value: Value): Value {
  expectType(value, ['string', 'strings', 'numbers', 'headers', 'reasons'], 'size()')
  const run = value.run
  if (value.type === 'headers' || value.type === 'reasons') {
    return { node, type: 'number', run: record => (run(record) as ReadonlyMap<unknown, unknown> | undefined)?.size }
  }
  if (value.type !== 'string') return { node, type: 'number', run: record => (run(record) as readonly unknown[] | undefined)?.length }
  return { node, type: 'number', run: record => codePoints(run(record) as string | undefined) }
}

/** CEL counts code points, not UTF-16 units. */
function codePoints(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  let count = text.length
  for (let at = 0; at < text.length; at++) {
    const isPair = (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
    if (isPair) count--
  }
  return count
}

function compileTime(node: ASTNode, type: 'number' | 'time', value: Value, read: (text: string) => number | bigint): Value {
  const text = value.constant
  if (typeof text !== 'string') throw FilterError.at(node, `Cannot use ${NAMES[value.type]} here: it takes a constant text in quotes`)
  try {
    return constant(node, type, read(text))
  } catch (error) {
    throw FilterError.at(value.node, (error as Error).message)
  }
}

function epochNanoseconds(text: string): bigint {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new RangeError(`Cannot read "${text}" as a time: write it as 2026-01-31T12:00:00Z`)
  const digits = /\.(\d{1,9})/.exec(text)?.[1] ?? ''
  return BigInt(Math.floor(ms / 1000)) * 1_000_000_000n + BigInt(digits.padEnd(9, '0'))
}

function convert(node: ASTNode, type: 'string' | 'number', value: Value, change: (value: unknown) => unknown): Value {
  expectType(value, ['string', 'number', ...(type === 'string' ? ['bool' as const] : [])], `${type}()`)
  const run = value.run
  return { node, type, run: record => {
    const from = run(record)
    return from === undefined ? undefined : change(from)
  } }
}

/** Missing when the text is no number. */
function number(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const result = String(value).trim() === '' ? Number.NaN : Number(value)
  return Number.isNaN(result) ? undefined : result
}

function suggest(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  return meant === undefined ? `; there are ${known.join(', ')}` : `; did you mean ${meant}()?`
}

import type { ASTNode } from '@marcbachmann/cel-js'
import { FilterError } from './filter-error.ts'
import { type Compiler, expectType, NAMES, type Run, type Value, type Variable } from './value.ts'

export const MACROS = ['exists', 'all', 'exists_one'] as const
type Macro = (typeof MACROS)[number]

export function isMacro(name: string): name is Macro {
  return (MACROS as readonly string[]).includes(name)
}

/** `list.exists(v, condition)`: over values of a list, or over the names of headers. False when the list is missing. */
export function compileMacro(compiler: Compiler, node: ASTNode, name: Macro, object: ASTNode, args: readonly ASTNode[]): Value {
  const [binding, body] = args
  if (binding?.op !== 'id' || body === undefined || args.length !== 2) {
    throw FilterError.at(node, `Cannot call ${name}() this way: write ${name}(v, CONDITION), e.g. ${name}(v, v.startsWith("a"))`)
  }
  const list = expectType(compiler.compile(object), ['strings', 'numbers', 'headers', 'reasons'], `${name}()`)
  const variable: Variable = { type: list.type === 'numbers' ? 'number' : 'string', value: undefined }
  const outer = compiler.variables.get(binding.args)
  compiler.variables.set(binding.args, variable)
  const test = compiler.compile(body)
  if (outer === undefined) compiler.variables.delete(binding.args)
  else compiler.variables.set(binding.args, outer)
  if (test.type !== 'bool') throw FilterError.at(body, `Cannot use ${NAMES[test.type]} as a condition: compare it`)
  return { node, type: 'bool', run: loop(name, list, variable, test.run) }
}

function loop(name: Macro, list: Value, variable: Variable, test: Run): Run {
  const values = list.run
  const isMap = list.type === 'headers' || list.type === 'reasons'
  return record => {
    const all = values(record) as readonly unknown[] | ReadonlyMap<unknown, unknown> | undefined
    if (all === undefined) return false
    let hits = 0
    for (const value of isMap ? (all as ReadonlyMap<unknown, unknown>).keys() : all as readonly unknown[]) {
      variable.value = value
      const hit = test(record) === true
      if (hit && name === 'exists') return true
      if (!hit && name === 'all') return false
      if (hit) hits++
    }
    return name === 'all' || (name === 'exists_one' && hits === 1)
  }
}

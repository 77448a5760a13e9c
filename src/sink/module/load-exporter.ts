import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { types } from 'node:util'
import type { OwnExporter } from '../delivery/mod.ts'

const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/
const require = createRequire(import.meta.url)

/**
 * Loads an exporter of the user's own, TypeScript or JavaScript; its path is taken from the present folder. Once in a run: a change of
 * the file needs a restart.
 *
 * @throws {Error} naming the file, what is wrong with it and the mend
 */
export function loadExporter(path: string): OwnExporter {
  const refuse = (what: string): never => { throw new Error(`Cannot use the exporter "${path}": ${what}`) }
  const absolute = resolve(path)
  if (!existsSync(absolute)) refuse(`there is no such file; its path is taken from "${process.cwd()}"`)
  let module: unknown
  try {
    module = require(absolute)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return refuse(code === 'ERR_REQUIRE_ASYNC_MODULE' ? 'it waits at its top level: move "await" into send' : `it cannot be loaded: ${message}`)
  }
  // Of an ES module the namespace, of a CommonJS one what it exports.
  const found = types.isModuleNamespaceObject(module) ? (module as { readonly default?: unknown }).default : module
  const wrong = faultOf(found)
  return wrong === undefined ? found as OwnExporter : refuse(`${wrong}; see docs/exporters.md`)
}

function faultOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its default export must be an object: export default { name, open }'
  const { name, open } = value as Record<keyof OwnExporter, unknown>
  if (typeof name !== 'string' || !NAME.test(name)) return '"name" must be 1 to 32 of a-z, 0-9, ".", "_" and "-"'
  return typeof open === 'function' ? undefined : '"open" must be a function'
}

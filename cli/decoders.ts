import { statSync } from 'node:fs'
import { UsageError } from './exit.ts'

/** Every file of a decoder is there. @throws {UsageError} for the first that is not */
export function requireDecoders(paths: readonly string[]): void {
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) throw new UsageError(`Cannot use the decoder "${path}": there is no such file; its path is taken from "${process.cwd()}"`)
    if (!found.isFile()) throw new UsageError(`Cannot use the decoder "${path}": it is no file; name the TypeScript file of one decoder`)
  }
}

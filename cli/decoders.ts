import { statSync } from 'node:fs'
import { UsageError } from './exit.ts'

/** Every file of a decoder is there. @throws {UsageError} for the first that is not */
export function requireDecoders(paths: readonly string[]): void {
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false })
    const refuse = (what: string): never => { throw new UsageError(`Cannot use the decoder "${path}": ${what}`) }
    if (found === undefined) refuse(`there is no such file; its path is taken from "${process.cwd()}"`)
    else if (!found.isFile()) refuse('it is no file; name the TypeScript file of one decoder')
  }
}

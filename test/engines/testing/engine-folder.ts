import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** See tools/engines.sh. */
const FOLDER = process.env['LINTEL_ENGINES'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lintel-engines')

/** Path of a server's program. @throws {Error} with the mend, when it is not there */
export function engine(name: string): string {
  const path = join(FOLDER, name)
  if (!existsSync(path)) throw new Error(`Cannot find "${path}": run tools/engines.sh, or make test-engines`)
  return path
}

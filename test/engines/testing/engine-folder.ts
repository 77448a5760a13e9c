import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** See tools/engines.sh. */
const FOLDER = process.env['LINTEL_ENGINES'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lintel-engines')

/** Where something of the cache stands, or would. */
export function enginePath(name: string): string {
  return join(FOLDER, name)
}

/** Path of a server's program. @throws {Error} with the mend, when it is not there */
export function engine(name: string): string {
  const path = enginePath(name)
  if (!existsSync(path)) throw new Error(`Cannot find "${path}": run tools/engines.sh, or make test-engines`)
  return path
}

/** For its server to answer: one that has ended is told at once, one on a busy machine needs minutes. */
export const START_MS_MAX = 600_000

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = resolve(root, process.env['LINTEL_CORPORA'] ?? '../shared/corpora')

/** The bytes of a file of the corpora; undefined when it is not there. */
export function corpusFile(path: string): Buffer | undefined {
  const file = join(folder, path)
  return existsSync(file) ? readFileSync(file) : undefined
}

/** Options of a test that needs `path`: skipped with a notice without it, except where CI=true asks for everything. */
export function needsCorpus(path: string): { skip: string | false } {
  if (process.env['CI'] === 'true' || existsSync(join(folder, path))) return { skip: false }
  return { skip: `"${path}" is not in ${folder}; set LINTEL_CORPORA` }
}

/** Where a part of the corpora lies. */
export function corpusFolder(path: string): string {
  return join(folder, path)
}

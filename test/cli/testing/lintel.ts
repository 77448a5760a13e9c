import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface LintelOptions {
  /** What is run instead of bin/lintel; arguments come behind. */
  readonly program?: readonly string[]
  readonly cwd?: string
  readonly path?: string
  /** `closed`: standard output leads to a reader that is gone. */
  readonly stdout?: 'closed'
}

/** Runs bin/lintel to its end. */
export function lintel(args: readonly string[], options: LintelOptions = {}): { status: number | null, stdout: string, stderr: string } {
  const [program = `${root}bin/lintel`, ...before] = options.program ?? []
  const given = [...before, ...args]
  const env = { ...process.env, NO_COLOR: '1', ...(options.path === undefined ? {} : { PATH: options.path }) }
  const closed = options.stdout === 'closed'
  // bash's process substitution with `true` is a reader that is gone before a word is written.
  const [command, list] = closed ? ['bash', ['-c', 'exec "$@" > >(exec true)', 'bash', program, ...given]] : [program, given]
  const { status, stdout, stderr } = spawnSync(command, list, { cwd: options.cwd ?? root, env, encoding: 'utf8', timeout: 60_000 })
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' }
}

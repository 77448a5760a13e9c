/** One thing that is wrong with a config file, and where. */
export interface ConfigProblem {
  /** Name of the file as it was given. */
  readonly file: string
  /** From 1; 0 when the file could not even be read. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** e.g. `capture.ports[1]`; empty for the file as a whole. */
  readonly path: string
  /** What it must be, and the mend. */
  readonly message: string
}

/** Everything that is wrong with a config file; the message has one line a problem: `file:line:column: path: message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(problemLine).join('\n'))
    this.problems = problems
  }
}

function problemLine({ file, line, column, path, message }: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`
}

/** `['capture', 'ports', 1]` as `capture.ports[1]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, index) => typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`).join('')
}

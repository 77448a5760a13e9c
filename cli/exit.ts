/** What the program's exit code says. */
export const EXIT = {
  ok: 0,
  /** It could not do what was asked: cannot attach, cannot write, an output lost records, totals that do not add up. */
  failure: 1,
  /** It was asked wrongly: a flag, a config file, a filter. */
  usage: 2,
} as const

/** A wrong flag, argument or config file; the message says what is wrong and what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

let exitsWithoutReader = true

/** A reader that stops reading (lintel fields | head) is no failure: the program ends at once. */
export function exitWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (exitsWithoutReader && error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok)
  })
  // Whoever read what is said has left too (2>&1 | head): there is nobody to tell, and the run goes on.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** From here on the outputs see to a reader that leaves: the run may have others, and it owes its totals. */
export function outliveReader(): void {
  exitsWithoutReader = false
}

/** But the tab: paths and names of other programs stand in some lines, and must not move the cursor. */
const CONTROL = /[^\P{Cc}\t]/gu

/** A line on standard error, as all lines of the program that are no data. */
export function say(level: 'error' | 'warn' | 'info', message: string): void {
  const prefix = level === 'info' ? 'lintel: ' : `lintel: ${level === 'warn' ? 'warning' : level}: `
  const lines = message.split('\n').map(line => line.replaceAll(CONTROL, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`))
  process.stderr.write(lines.map((line, index) => `${index === 0 || !line.startsWith(' ') ? prefix : ''}${line}\n`).join(''))
}

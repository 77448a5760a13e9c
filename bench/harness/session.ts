import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const STOP_MS = 20_000

/** Thrown by whatever waits when Ctrl-C is pressed or the bench is told to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * One run of the bench: a temporary folder and the processes started in it. `await using` stops the processes and removes
 * the folder, also after SIGINT, SIGTERM and SIGHUP: these make every wait throw `Interrupted`. A second one ends the
 * bench at once.
 */
export class Session implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
  readonly #children = new Set<ChildProcess>()
  readonly #abort = new AbortController()
  readonly #onSignal = (): void => {
    if (this.#abort.signal.aborted) process.exit(130)
    this.#abort.abort(new Interrupted('Interrupted'))
  }

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#onSignal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop(child, 'SIGTERM')))
    rmSync(this.folder, { recursive: true, force: true })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal)
  }

  /** Starts a process that the session stops at its end at the latest. Throws when there is no such command. */
  async start(command: readonly string[], options: { cwd?: string; stdio: StdioOptions }): Promise<ChildProcess> {
    this.#abort.signal.throwIfAborted()
    const child = spawn(command[0]!, command.slice(1), options)
    await once(child, 'spawn')
    this.#children.add(child)
    child.once('exit', () => { this.#children.delete(child) })
    return child
  }

  /** Runs a command to its end and answers what it wrote to both outputs. Throws with that text when it fails. */
  async run(command: readonly string[], options: { cwd?: string } = {}): Promise<string> {
    const child = await this.start(command, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data: Buffer) => { output += data.toString() })
    const [code] = await once(child, 'close', { signal: this.#abort.signal }).catch((error: unknown) => {
      this.#abort.signal.throwIfAborted()
      throw error
    }) as [number | null]
    if (code !== 0) throw new Error(`Cannot run "${command[0]}": it ended with ${code ?? 'a signal'}: ${output.slice(-2000)}`)
    return output
  }

  async delay(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#abort.signal }).catch(() => { this.#abort.signal.throwIfAborted() })
  }

  /** Sends the signal, and SIGKILL when the process still lives 20 s later; comes back when it has ended. */
  async stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.kill(signal)
    await exited
    clearTimeout(killer)
  }
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** What a program said may come so long after its exit. */
const SPEAKS_MS = 2000
/** On a busy machine a program takes its time to start. */
const WAIT_MS = 60_000

/** A program that a test started, with what it said. */
export class Running {
  readonly child: ChildProcess
  readonly command: string
  output = ''
  errors = ''
  #exit: Promise<number>
  #closed: Promise<unknown>

  constructor(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.command = `${command} ${args.join(' ')}`
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.on('data', (data: Buffer) => { this.output += data.toString('utf8') })
    this.child.stderr!.on('data', (data: Buffer) => { this.errors += data.toString('utf8') })
    this.#closed = once(this.child, 'close').catch(() => {}) // told by #exit
    this.#exit = once(this.child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal === null ? 1 : 128))
  }

  get pid(): number {
    return this.child.pid!
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Waits for the exit, and until all that it said is there, unless something that it left behind can still speak. */
  async finish(): Promise<number> {
    const code = await this.#exit
    await Promise.race([this.#closed, delay(SPEAKS_MS, undefined, { ref: false })])
    return code
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.running) this.child.kill(signal)
    return await this.finish()
  }

  /** Waits until the file exists; a program that ends first is an error that shows what it said. */
  async untilFile(path: string, msMax = WAIT_MS): Promise<void> {
    await this.until(() => existsSync(path), `file ${path}`, msMax)
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, msMax = WAIT_MS): Promise<void> {
    const end = Date.now() + msMax
    while (!(await condition())) {
      if (!this.running) throw new Error(`${this.command} ended before ${what}: ${this.errors}${this.output}`)
      if (Date.now() > end) {
        await this.stop('SIGKILL') // a test that failed at its start has nothing to stop it by, and would wait for it for ever
        throw new Error(`${this.command}: no ${what} within ${msMax} ms: ${this.errors}${this.output}`)
      }
      await delay(20)
    }
  }
}

/** Runs a program to its end; a code other than 0 is an error that shows what it said. */
export async function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  const running = new Running(command, args, options)
  const code = await running.finish()
  if (code !== 0) throw new Error(`${running.command} ended with ${code}: ${running.errors}${running.output}`)
  return running.output
}

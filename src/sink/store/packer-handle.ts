import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LogLevel } from '../sink.ts'
import type { FromPacker, PackerOptions, ToPacker } from './packer-message.ts'

/** By its address: nothing of the packer or of DuckDB is loaded into the agent. */
const PROGRAM = fileURLToPath(new URL('../../packer.ts', import.meta.url))
/** A packer that has nothing to do gives its memory back after this. */
const IDLE_MS = 10_000
const RETRY_MS_MIN = 1000
const RETRY_MS_MAX = 60_000

export interface PackerHost {
  /** The journal of this number is in a segment. */
  packed(number: number): void
  /** A round is over. */
  done(trouble: { readonly reason: string, readonly message: string } | undefined): void
  log(level: LogLevel, message: string): void
}

/**
 * The process that makes segments of journals: started when there is something to pack, gone when there has been nothing for
 * a while. When it fails the journals wait, and it is started again, later each time.
 */
export class PackerHandle {
  readonly #options: PackerOptions
  readonly #lockFd: number
  readonly #host: PackerHost
  #child: ChildProcess | undefined
  #wanted = 0
  #doneBefore = 0
  #busy = false
  #closed = false
  #retryMs = RETRY_MS_MIN
  #retryTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #waiters: (() => void)[] = []

  constructor(options: PackerOptions, lockFd: number, host: PackerHost) {
    this.#options = options
    this.#lockFd = lockFd
    this.#host = host
  }

  /** Journals with a smaller number are finished. */
  pack(before: number): void {
    this.#wanted = Math.max(before, this.#wanted)
    if (!this.#busy && this.#retryTimer === undefined) this.#send()
  }

  /** Waits for what was asked, no longer than `limitMs`, then ends the process. */
  async close(limitMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#settle(), limitMs)
    if (this.#busy || this.#doneBefore < this.#wanted) await new Promise<void>(resolve => this.#waiters.push(resolve))
    clearTimeout(deadline)
    this.#closed = true
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#idleTimer)
    const child = this.#child
    if (child === undefined) return
    child.ref()
    const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
    child.kill('SIGKILL') // its files are whole or unfinished, never half
    await gone
  }

  #send(): void {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#idleTimer)
    this.#retryTimer = undefined
    this.#busy = true
    this.#child ??= this.#start()
    const message: ToPacker = { type: 'pack', before: this.#wanted }
    // Refused when the process has just died: 'exit' tells.
    this.#child.send(message, () => {})
  }

  #start(): ChildProcess {
    const child = fork(PROGRAM, [JSON.stringify(this.#options)], {
      // It holds the lock as long as it lives: nobody takes the store while a killed agent's packer still ends.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', this.#lockFd],
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: cacheOnly(),
    })
    child.on('message', (message: FromPacker) => { if (this.#child === child) this.#receive(message) })
    child.on('error', () => {})
    child.on('exit', (code, signal) => { if (this.#child === child) this.#gone(`${signal ?? `code ${code}`}`) })
    child.unref()
    child.channel?.unref()
    return child
  }

  #receive(message: FromPacker): void {
    if (message.type === 'packed') this.#host.packed(message.number)
    else if (message.type === 'log') this.#host.log(message.level, message.message)
    else this.#done(message.before, message.trouble)
  }

  #done(before: number, trouble: { readonly reason: string, readonly message: string } | undefined): void {
    this.#busy = false
    this.#host.done(trouble)
    if (trouble !== undefined) return this.#retryLater()
    this.#retryMs = RETRY_MS_MIN
    this.#doneBefore = before
    if (before < this.#wanted) return this.#send()
    this.#settle()
    this.#idleTimer = setTimeout(() => {
      const child = this.#child
      this.#child = undefined
      child?.disconnect() // it ends itself then
    }, IDLE_MS)
    this.#idleTimer.unref()
  }

  #gone(how: string): void {
    this.#child = undefined
    this.#busy = false
    if (this.#closed) return
    this.#host.log('error', `the process that packs "${this.#options.folder}" ended (${how}); what is stored waits in its journals, trying again`)
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#closed) return
    this.#settle()
    this.#retryTimer = setTimeout(() => { this.#send() }, this.#retryMs)
    this.#retryTimer.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }

  #settle(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}

/** Where Node keeps what it compiled; nothing else of the agent's environment is needed. */
function cacheOnly(): NodeJS.ProcessEnv {
  const cache = process.env['NODE_COMPILE_CACHE']
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }
}

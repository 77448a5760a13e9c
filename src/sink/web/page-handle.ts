import { type ChildProcess, fork } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LogLevel } from '../sink.ts'
import { type FromPage, type PageAccess, type PageProcessOptions, type PageShown, type ToPage, variablesOf } from './page-message.ts'

/** By its address: nothing of the page or of DuckDB is loaded into the agent. */
const PROGRAM = fileURLToPath(new URL('../../web-process.ts', import.meta.url))
/** On a busy machine a process at a low priority takes its time. */
const START_MS_MAX = 60_000
const STOP_MS_MAX = 2000

/**
 * The process that serves the page. It is one of its own, at nice 10: whatever a browser asks, and whatever becomes of it, the
 * capture goes on.
 */
export class PageHandle {
  readonly #options: PageProcessOptions
  readonly #log: (level: LogLevel, message: string) => void
  #child: ChildProcess | undefined
  #started = false
  #stopping = false

  constructor(options: PageProcessOptions, log: (level: LogLevel, message: string) => void) {
    this.#options = options
    this.#log = log
  }

  /**
   * @returns the page's address, without the token
   * @throws {Error} with the mend; the process is gone then
   */
  async start(access: PageAccess, shown: PageShown = {}): Promise<string> {
    const child = fork(PROGRAM, [JSON.stringify(this.#options)], {
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'],
      env: environment(variablesOf(shown.store)),
    })
    this.#child = child
    child.stdin?.on('error', () => {}) // 'exit' tells
    child.on('error', () => {})
    const answer = Promise.withResolvers<string>()
    const refuse = (why: string): void => { answer.reject(new Error(`Cannot serve the page: its process ${why}`)) }
    const timer = setTimeout(() => { refuse(`did not start within ${START_MS_MAX / 1000} s`) }, START_MS_MAX)
    child.on('message', (message: FromPage) => {
      if (message.type === 'listening') answer.resolve(message.url)
      else if (message.type === 'failed') answer.reject(new Error(message.message))
      else this.#log(message.level, message.message)
    })
    child.on('exit', (code, signal) => {
      this.#child = undefined
      const how = `ended (${signal ?? `code ${code}`})`
      refuse(how)
      if (this.#started && !this.#stopping) this.#log('error', `the page's process ${how}: there is no page any more; the capture goes on`)
    })
    this.#send({ type: 'start', access, shown })
    try {
      const url = await answer.promise
      this.#started = true
      child.unref()
      child.channel?.unref()
      return url
    } catch (error) {
      await this.stop()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Where records go, as NDJSON. */
  get records(): Writable {
    const records = this.#child?.stdin
    if (records === undefined || records === null) throw new Error('Cannot hand over records: the page was not started')
    return records
  }

  /** The agent's figures as they are now. */
  tell(health: unknown): void {
    this.#send({ type: 'health', health })
  }

  missed(count: number): void {
    this.#send({ type: 'missed', count })
  }

  /** Ends the process, by force when it does not end by itself. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#stopping = true
    if (child === undefined) return
    child.ref()
    const gone = new Promise<void>(resolve => child.once('exit', () => { resolve() }))
    const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_MS_MAX)
    if (child.connected) child.disconnect() // it ends itself then
    await gone
    clearTimeout(timer)
  }

  #send(message: ToPage): void {
    // Refused when the process has just died: 'exit' tells.
    if (this.#child?.connected === true) this.#child.send(message, () => {})
  }
}

/** Where Node keeps what it compiled, and what a store's secrets are read from; nothing else of the agent's environment is needed. */
function environment(names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(['NODE_COMPILE_CACHE', ...names].map(name => [name, process.env[name]]).filter(([, value]) => value !== undefined))
}

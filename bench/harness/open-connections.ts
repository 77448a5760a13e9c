import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Session } from './session.ts'

const PROGRAM = fileURLToPath(new URL('../load/open-connections.ts', import.meta.url))
/** A process may have some ten thousand descriptors without more rights, and an address as many ports. */
const PER_PROCESS = 10_000
const OPEN_MS_MAX = 120_000

/** Keep-alive connections that stay open, each process of them from an address of its own: 127.1.0.1, 127.1.0.2 and on. */
export class OpenConnections implements AsyncDisposable {
  readonly #session: Session
  readonly #port: number
  readonly #children: ChildProcess[] = []

  constructor(session: Session, port: number) {
    this.#session = session
    this.#port = port
  }

  /**
   * Comes back when so many are open and each new one has had an answer to its request for /open-COUNT. Throws when the server
   * takes no more.
   */
  async openUpTo(count: number): Promise<void> {
    for (let first = 0, index = 0; first < count; first += PER_PROCESS, index++) {
      await this.#openIn(index, Math.min(PER_PROCESS, count - first), count)
    }
  }

  async #openIn(index: number, count: number, name: number): Promise<void> {
    this.#children[index] ??= await this.#session.start(
      [process.execPath, PROGRAM, String(this.#port), `127.1.0.${index + 1}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    const child = this.#children[index]
    let isOpen = false
    void once(child.stdout!, 'data').then(() => { isOpen = true }, () => {})
    child.stdin!.write(`${count} ${name}\n`)
    for (let waited = 0; !isOpen; waited += 20) {
      if (child.exitCode !== null || waited > OPEN_MS_MAX) throw new Error(`Cannot hold ${name} connections open; see above`)
      await this.#session.delay(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => this.#session.stop(child, 'SIGTERM')))
  }
}

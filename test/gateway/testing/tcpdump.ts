import { setTimeout as delay } from 'node:timers/promises'
import { Running } from './process.ts'

/** Between two looks at what it has read. */
const PAUSE_MS = 200

/** A capture by tcpdump, to compare with: it has begun when `start` returns, and `stop` leaves nothing out that came before it. */
export class Tcpdump {
  readonly #program: Running

  private constructor(program: Running) {
    this.#program = program
  }

  /** Writes what passes an interface and a filter to a file, the packets' first bytes only where `bytes` says so, in a namespace if one is named. */
  static async start(path: string, options: { interface: string; filter?: readonly string[]; bytes?: number; namespace?: string }): Promise<Tcpdump> {
    const command = ['tcpdump', '-i', options.interface, '-U', '--immediate-mode', '-B', '65536', '-Z', 'root', '-s', String(options.bytes ?? 0), '-w', path,
      ...options.filter ?? []]
    const [name, ...args] = options.namespace === undefined ? command : ['ip', 'netns', 'exec', options.namespace, ...command]
    const program = new Running(name!, args)
    await program.until(() => program.errors.includes('listening on'), 'start')
    return new Tcpdump(program)
  }

  /**
   * Ends it once it has nothing more to read: on a busy machine it is behind, and a signal to end cuts it short. It runs when it says
   * what it has read; the same twice in a row, with a pause, is all.
   */
  async stop(): Promise<void> {
    if (!this.#program.running) return
    let before = 0
    await this.#program.until(async () => {
      const last = before
      before = await this.#read()
      return before > 0 && before === last
    }, 'end of what it reads')
    await this.#program.stop('SIGINT')
  }

  async #read(): Promise<number> {
    const said = this.#program.errors.length
    const counts = (): RegExpExecArray | null => /(\d+) packets? captured, /.exec(this.#program.errors.slice(said))
    await delay(PAUSE_MS)
    this.#program.child.kill('SIGUSR1')
    await this.#program.until(() => counts() !== null, 'counts')
    return Number(counts()![1])
  }
}

import { existsSync, readFileSync } from 'node:fs'
import { accepts } from '../../gateway/testing/gateway.ts'
import { Running } from '../../gateway/testing/process.ts'
import { engine, START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'

/** A server of ../receivers on a loopback port, which writes what it takes to a file, a line each. */
export class GoReceiver {
  readonly address: string
  readonly #program: string
  readonly #file: string
  readonly #args: readonly string[]
  #process: Running | undefined

  private constructor(program: string, port: number, file: string, args: readonly string[]) {
    this.#program = program
    this.address = `127.0.0.1:${port}`
    this.#file = file
    this.#args = args
  }

  /** @param args behind the address and the file */
  static async start(name: 'fluent' | 'lumber', file: string, args: readonly string[] = []): Promise<GoReceiver> {
    const receiver = new GoReceiver(engine(`${name}-receiver`), await freePort(), file, args)
    await receiver.run()
    return receiver
  }

  /** At the same port, with what it had written. */
  async run(): Promise<void> {
    this.#process = new Running(this.#program, [this.address, this.#file, ...this.#args])
    await this.#process.until(() => accepts(this.address), 'listening port', START_MS_MAX)
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }

  lines(): readonly string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').slice(0, -1) : []
  }
}

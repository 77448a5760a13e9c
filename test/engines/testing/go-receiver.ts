import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** See tools/engines.sh. */
const FOLDER = process.env['LINTEL_ENGINES'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lintel-engines')

/** A server of ../receivers on a loopback port, which writes what it takes to a file, a line each. */
export class GoReceiver {
  readonly address: string
  readonly #program: string
  readonly #file: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  private constructor(program: string, port: number, file: string, args: readonly string[]) {
    this.#program = program
    this.address = `127.0.0.1:${port}`
    this.#file = file
    this.#args = args
  }

  /** @param args behind the address and the file */
  static async start(name: 'fluent' | 'lumber', file: string, args: readonly string[] = []): Promise<GoReceiver> {
    const program = join(FOLDER, `${name}-receiver`)
    if (!existsSync(program)) throw new Error(`Cannot find "${program}": run tools/engines.sh, or make test-engines`)
    const receiver = new GoReceiver(program, await freePort(), file, args)
    await receiver.run()
    return receiver
  }

  /** At the same port, with what it had written. */
  async run(): Promise<void> {
    this.#process = spawn(this.#program, [this.address, this.#file, ...this.#args], { stdio: 'ignore' })
    for (let left = 200; !await this.#isUp(); left--) {
      if (left === 0) throw new Error(`${this.#program} did not start`)
      await sleep(50)
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process as ChildProcess
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  lines(): readonly string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').slice(0, -1) : []
  }

  async #isUp(): Promise<boolean> {
    const [host, port] = this.address.split(':') as [string, string]
    const socket = connect(Number(port), host)
    const isUp = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    return isUp
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise<void>(resolve => probe.close(() => resolve()))
  return port
}

import { cpSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Session } from './session.ts'

const LOAD = fileURLToPath(new URL('../load', import.meta.url))
const START_MS = 5000
/** Where every configuration but that of the parking tells how many requests came; no tool watches it. */
const STATUS_PORT = 8089

type Config = 'nginx.conf' | 'protocols.conf' | 'stored.conf' | 'growth.conf' | 'parking.conf'

/** nginx with one worker and one of the configurations of bench/load, in a folder of its own. */
export class Gateway implements AsyncDisposable {
  /** Where nginx keeps its logs, and where the scripts of the load stand. */
  readonly folder: string
  readonly #stop: () => Promise<void>
  #asked = 0

  private constructor(folder: string, stop: () => Promise<void>) {
    this.folder = folder
    this.#stop = stop
  }

  /** Comes back when every port answers. Throws when one is taken or nginx does not start. */
  static async start(session: Session, config: Config, ports: readonly number[]): Promise<Gateway> {
    const folder = join(session.folder, config.replace('.conf', ''))
    cpSync(LOAD, folder, { recursive: true })
    for (const port of config === 'parking.conf' ? ports : [...ports, STATUS_PORT]) {
      if (await answers(port)) throw new Error(`Cannot start the gateway: port ${port} is taken; run "ss -ltnp" to see by whom`)
    }
    if (config === 'protocols.conf') {
      await session.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-days', '2', '-subj', '/CN=127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'], { cwd: folder })
    }
    const nginx = await session.start(['nginx', '-p', folder, '-c', config, '-e', 'error.log'], { cwd: folder, stdio: 'ignore' })
    for (let waited = 0; !(await allAnswer(ports)); waited += 50) {
      if (nginx.exitCode !== null || waited > START_MS) {
        throw new Error(`Cannot start the gateway: ${readFileSync(join(folder, 'error.log'), 'utf8').slice(-2000)}`)
      }
      await session.delay(50)
    }
    return new Gateway(folder, () => session.stop(nginx, 'SIGTERM'))
  }

  /**
   * Requests that nginx itself counted since it started, whether or not their client waited for the answer. Exact, where
   * a load generator does not count what is under way when it stops.
   */
  async requests(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${STATUS_PORT}/`)).text()
    this.#asked++
    const count = Number(/^ \d+ \d+ (\d+)/m.exec(text)?.[1] ?? Number.NaN)
    if (Number.isNaN(count)) throw new Error(`Cannot read how many requests nginx counted: ${text}`)
    return count - this.#asked
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }
}

async function allAnswer(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map(answers))).every(Boolean)
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
}

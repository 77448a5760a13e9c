import { cpSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Session } from './session.ts'

const LOAD = fileURLToPath(new URL('../load', import.meta.url))
const START_MS = 5000

/** nginx with one worker and one of the configurations of bench/load, in a folder of its own. */
export class Gateway implements AsyncDisposable {
  /** Where nginx keeps its logs, and where the scripts of the load stand. */
  readonly folder: string
  readonly #stop: () => Promise<void>

  private constructor(folder: string, stop: () => Promise<void>) {
    this.folder = folder
    this.#stop = stop
  }

  /** Comes back when every port answers. Throws when one is taken or nginx does not start. */
  static async start(session: Session, config: 'nginx.conf' | 'protocols.conf', ports: readonly number[]): Promise<Gateway> {
    const folder = join(session.folder, config.replace('.conf', ''))
    cpSync(LOAD, folder, { recursive: true })
    for (const port of ports) {
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

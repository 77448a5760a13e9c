import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from '../gateway/testing/gateway.ts'
import { Running } from '../gateway/testing/process.ts'
import type { TlsFolder } from '../gateway/testing/tls-peers.ts'

/** A new program's probes are set within some milliseconds of its mapping; what it reads before is not seen. */
const PROBED_MS = 500
/** A client that began so shortly after an nginx worker died may still have met it. */
const RESPAWN_MS = 500

interface Trouble { readonly from: number; to: number; readonly isDeath: boolean }

/** When a server was killed or told to change its workers: requests may fail then. */
export class Troubles {
  #troubles: Trouble[] = []

  begin(isDeath: boolean): Trouble {
    const trouble = { from: performance.now(), to: Infinity, isDeath }
    this.#troubles = this.#troubles.filter(({ to }) => to > trouble.from - 600_000)
    this.#troubles.push(trouble)
    return trouble
  }

  during(from: number, to: number): { any: boolean; death: boolean } {
    const met = this.#troubles.filter((trouble) => trouble.from <= to && trouble.to >= from)
    return { any: met.length > 0, death: met.some(({ isDeath }) => isDeath) }
  }
}

/** A server that dies and comes again. */
export interface MortalServer {
  readonly name: string
  readonly port: number
  readonly troubles: Troubles
  /** False = no client is to begin now. */
  readonly isUp: boolean
  /** Processes that were started, and that were killed. */
  readonly started: number
  readonly killed: number
  /** SIGKILL in the midst of what it does, and a new one. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** A server of one process. */
export class SingleServer implements MortalServer {
  readonly name: string
  readonly port: number
  readonly troubles = new Troubles()
  isUp = false
  started = 0
  killed = 0
  readonly #launch: () => Promise<Running>
  #process: Running | undefined
  #isOver = false

  /** @param launch comes back when it listens */
  constructor(name: string, port: number, launch: () => Promise<Running>) {
    this.name = name
    this.port = port
    this.#launch = launch
  }

  async start(): Promise<this> {
    this.#process = await this.#launch()
    this.started++
    await delay(PROBED_MS)
    this.isUp = !this.#isOver
    return this
  }

  async kill(): Promise<void> {
    if (!this.isUp) return
    const trouble = this.troubles.begin(true)
    this.isUp = false
    await this.#process!.stop('SIGKILL')
    this.killed++
    if (!this.#isOver) await this.start()
    trouble.to = performance.now()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    this.isUp = false
    await this.#process?.stop('SIGKILL')
  }
}

/** nginx: its master starts workers anew; a reload exchanges them in good order. */
export class NginxServer implements MortalServer {
  readonly name = 'nginx'
  readonly port: number
  readonly troubles = new Troubles()
  readonly isUp = true
  started = 2
  killed = 0
  reloads = 0
  readonly #gateway: Gateway

  private constructor(port: number, gateway: Gateway) {
    this.port = port
    this.#gateway = gateway
  }

  static async start(port: number, folder: TlsFolder): Promise<NginxServer> {
    folder.write('slow', 'x'.repeat(60_000))
    return new NginxServer(port, await Gateway.start({
      listen: [`127.0.0.1:${port} ssl http2`],
      workers: 2,
      http: `access_log off; ssl_certificate ${folder.certificate}; ssl_certificate_key ${folder.key}; ssl_protocols TLSv1.2 TLSv1.3;`,
      location: `add_header X-Request-ID $http_x_request_id;
        location /slow { alias ${folder.path}/slow; limit_rate 60k; limit_rate_after 4k; }
        return 200 "hello world\\n";`,
    }))
  }

  async kill(): Promise<void> {
    const worker = this.#workers().at(-1)
    if (worker === undefined) return
    const trouble = this.troubles.begin(true)
    process.kill(worker, 'SIGKILL')
    this.killed++
    this.started++
    await delay(RESPAWN_MS)
    trouble.to = performance.now()
  }

  /** Keep-alive connections that rest are closed by it: a client that writes at that moment fails. */
  async reload(): Promise<void> {
    const trouble = this.troubles.begin(false)
    process.kill(this.#master(), 'SIGHUP')
    this.reloads++
    this.started += 2
    await delay(1000)
    trouble.to = performance.now()
  }

  async stop(): Promise<void> {
    await this.#gateway.stop()
  }

  #master(): number {
    return Number(readFileSync(join(this.#gateway.directory, 'nginx.pid'), 'utf8'))
  }

  #workers(): number[] {
    const master = this.#master()
    return readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').split(' ').filter((text) => text !== '').map(Number)
  }
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Running } from '../../gateway/testing/process.ts'
import { engine } from './engine-folder.ts'
import { freePort } from './free-port.ts'

export interface PrometheusOptions {
  /** host:port of what is scraped. */
  readonly targets?: readonly string[]
  readonly features?: readonly string[]
  /** Takes remote writes at /api/v1/write. */
  readonly isReceiver?: boolean
}

/** A series of an instant query; its value is a number, or a native histogram's count and sum. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly histogram?: readonly [number, { readonly count: string, readonly sum: string }]
}

/** A Prometheus of its own on a loopback port. */
export class Prometheus {
  readonly url: string
  readonly #folder: string
  readonly #port: number
  readonly #options: PrometheusOptions
  #process: Running | undefined

  private constructor(folder: string, port: number, options: PrometheusOptions) {
    this.#folder = folder
    this.#port = port
    this.#options = options
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(folder: string, options: PrometheusOptions): Promise<Prometheus> {
    mkdirSync(folder, { recursive: true })
    const { targets = [] } = options
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify({
      scrape_configs: [{ job_name: 'lintel', scrape_interval: '2s', scrape_timeout: '2s', static_configs: [{ targets }] }],
    }))
    const server = new Prometheus(folder, await freePort(), options)
    await server.run()
    return server
  }

  /** At the same port, with what it had stored. */
  async run(): Promise<void> {
    const { features = [], isReceiver = false } = this.#options
    this.#process = new Running(engine('prometheus'), [
      `--config.file=${this.#folder}/prometheus.yml`, `--storage.tsdb.path=${this.#folder}/data`, `--web.listen-address=127.0.0.1:${this.#port}`, '--log.level=error',
      ...(features.length === 0 ? [] : [`--enable-feature=${features.join(',')}`]), ...(isReceiver ? ['--web.enable-remote-write-receiver'] : []),
    ])
    await this.#process.until(() => fetch(`${this.url}/-/ready`).then(({ ok }) => ok, () => false), 'answer')
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
  }

  async get<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const answer = await response.json() as { readonly status: string, readonly error?: string, readonly data: T }
    if (answer.status !== 'success') throw new Error(answer.error)
    return answer.data
  }

  async query(query: string): Promise<readonly Series[]> {
    return (await this.get<{ readonly result: readonly Series[] }>('query', { query })).result
  }

  /** The number that a query of one series gives; NaN where there is none. */
  async number(query: string): Promise<number> {
    return Number((await this.query(query))[0]?.value?.[1] ?? NaN)
  }

  /** Waits until a query gives this number. */
  async gives(query: string, wanted: number): Promise<void> {
    let found = NaN
    for (let left = 600; left > 0; left--) {
      found = await this.number(query)
      if (found === wanted) return
      await sleep(100)
    }
    const targets = await this.get<unknown>('targets', {})
    throw new Error(`${query} is ${found}, not ${wanted}; ${JSON.stringify(targets)}`)
  }
}

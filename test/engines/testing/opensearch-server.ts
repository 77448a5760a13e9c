import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Running } from '../../gateway/testing/process.ts'
import { engine, START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'

const NODE = fileURLToPath(new URL('../opensearch/OpenSearchNode.java', import.meta.url))

export interface Hit {
  readonly _id: string
  readonly _source: Readonly<Record<string, unknown>>
}

interface Found {
  readonly _scroll_id: string
  readonly hits: { readonly hits: readonly Hit[] }
}

/** A node of OpenSearch of its own on loopback ports, without plugins. */
export class OpenSearch {
  readonly url: string
  readonly #folder: string
  readonly #ports: readonly [number, number]
  #process: Running | undefined

  private constructor(folder: string, ports: readonly [number, number]) {
    this.#folder = folder
    this.#ports = ports
    this.url = `http://127.0.0.1:${ports[0]}`
  }

  static async start(folder: string): Promise<OpenSearch> {
    mkdirSync(folder, { recursive: true })
    const server = new OpenSearch(folder, [await freePort(), await freePort()])
    await server.run()
    return server
  }

  /** At the same ports, with what it had stored. */
  async run(): Promise<void> {
    const options = ['-Xmx1g', '-XX:+UseSerialGC', '-Dlog4j2.level=ERROR', '-cp', join(engine('opensearch'), '*')]
    this.#process = new Running('java', [...options, NODE, this.#folder, ...this.#ports.map(String)])
    await this.#process.until(() => fetch(`${this.url}/_cluster/health`).then(({ ok }) => ok, () => false), 'answer', START_MS_MAX)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }

  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await fetch(`${this.url}${path}`, { method, ...sent })
    const text = await response.text()
    if (!response.ok) throw new Error(`OpenSearch answers ${response.status} to ${method} ${path}: ${text}`)
    return JSON.parse(text) as Answer
  }

  /** How many documents a query finds. */
  async count(stream: string, query: object): Promise<number> {
    return (await this.call<{ count: number }>('POST', `/${stream}/_count`, { query })).count
  }

  /** Every document of a data stream. */
  async all(stream: string): Promise<readonly Hit[]> {
    await this.call('POST', `/${stream}/_refresh`)
    const all: Hit[] = []
    let found = await this.call<Found>('POST', `/${stream}/_search?scroll=5m`, { size: 5000, sort: ['_doc'] })
    while (found.hits.hits.length > 0) {
      all.push(...found.hits.hits)
      found = await this.call<Found>('POST', '/_search/scroll', { scroll: '5m', scroll_id: found._scroll_id })
    }
    return all
  }
}

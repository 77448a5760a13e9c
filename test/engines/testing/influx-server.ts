import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Running } from '../../gateway/testing/process.ts'
import { START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'

type Value = string | number | boolean | null

interface Answer {
  readonly results?: readonly { readonly series?: readonly { readonly columns: readonly string[], readonly values: readonly (readonly Value[])[] }[], readonly error?: string }[]
  readonly error?: string
}

/** An InfluxDB 1 of its own on a loopback port. */
export class InfluxServer {
  readonly url: string
  readonly #program: string
  readonly #config: string
  #process: Running | undefined

  private constructor(program: string, config: string, port: number) {
    this.#program = program
    this.#config = config
    this.url = `http://127.0.0.1:${port}`
  }

  /** @param program influxd, by name or path */
  static async start(program: string, folder: string): Promise<InfluxServer> {
    mkdirSync(folder, { recursive: true })
    const [port, rpc] = [await freePort(), await freePort()]
    const config = join(folder, 'influxdb.conf')
    writeFileSync(config, `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
query-log-enabled = false
[coordinator]
write-timeout = "60s"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
`)
    const server = new InfluxServer(program, config, port)
    await server.run()
    return server
  }

  /** At the same port, with what it had stored. */
  async run(): Promise<void> {
    this.#process = new Running(this.#program, ['-config', this.#config])
    await this.#process.until(() => fetch(`${this.url}/ping`).then(({ ok }) => ok, () => false), 'answer', START_MS_MAX)
  }

  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }

  /** The rows of a query, times in nanoseconds as text; without the columns that a row has nothing in. */
  async query(text: string, database = ''): Promise<ReadonlyMap<string, Value>[]> {
    const response = await fetch(`${this.url}/query?epoch=ns&db=${database}`, { method: 'POST', body: new URLSearchParams({ q: text }) })
    // Nanoseconds are more digits than a number has.
    const answer = JSON.parse((await response.text()).replaceAll(/\[(-?\d{10,}),/g, '["$1",')) as Answer
    const error = answer.error ?? answer.results?.find(result => result.error !== undefined)?.error
    if (error !== undefined) throw new Error(error)
    return (answer.results ?? []).flatMap(({ series = [] }) => series).flatMap(({ columns, values }) =>
      values.map(row => new Map(row.map((value, index) => [columns[index] as string, value] as const).filter(([, value]) => value !== null))))
  }
}

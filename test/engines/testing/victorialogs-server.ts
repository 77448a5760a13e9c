import { Running } from '../../gateway/testing/process.ts'
import { engine } from './engine-folder.ts'
import { freePort } from './free-port.ts'
import { grown } from './grown.ts'

/** A VictoriaLogs of its own on a loopback port. */
export class VictoriaLogs {
  readonly url: string
  readonly #port: number
  readonly #folder: string
  #process: Running | undefined

  private constructor(port: number, folder: string) {
    this.#port = port
    this.#folder = folder
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(folder: string): Promise<VictoriaLogs> {
    const server = new VictoriaLogs(await freePort(), folder)
    await server.run()
    return server
  }

  /** At the same port, with what it had stored. */
  async run(): Promise<void> {
    this.#process = new Running(engine('victoria-logs'), [
      `-httpListenAddr=127.0.0.1:${this.#port}`, `-storageDataPath=${this.#folder}`, '-retentionPeriod=100y', '-futureRetention=100y', '-loggerLevel=ERROR',
    ])
    await this.#process.until(() => fetch(`${this.url}/health`).then(({ ok }) => ok, () => false), 'answer')
  }

  /** In order: what it has acknowledged it keeps. */
  async stop(): Promise<void> {
    await this.#process?.stop()
  }

  /** Every stored entry, by its query API. */
  async query(text: string): Promise<Record<string, string>[]> {
    const response = await fetch(`${this.url}/select/logsql/query`, { method: 'POST', body: new URLSearchParams({ query: text, start: '1970-01-01T00:00:00Z', end: '2200-01-01T00:00:00Z' }) })
    const body = await response.text()
    if (!response.ok) throw new Error(body)
    return body.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, string>)
  }

  /** Waits until it shows so many entries: it does about a second after it has taken them. */
  async shows(count: number): Promise<Record<string, string>[]> {
    let entries: Record<string, string>[] = []
    await grown('entries of VictoriaLogs', count, async () => {
      const n = Number((await this.query('* | stats count() as n'))[0]?.['n'] ?? 0)
      if (n < count) return n
      entries = await this.query('*')
      return entries.length
    })
    return entries
  }
}

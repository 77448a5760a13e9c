import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel, LINTEL } from '../../gateway/testing/lintel.ts'
import { run } from '../../gateway/testing/process.ts'
import { Shop } from './shop.ts'

const QUIET_MS = 2000
/** On a busy machine a query takes its time. */
const STORED_MS = 300_000

export type Row = Readonly<Record<string, string | number | null | readonly (string | number)[]>>

/** `lintel run` with a store and the page, before a shop. */
export class LivePage {
  readonly shop: Shop
  readonly lintel: Lintel
  readonly store: string
  /** As it was printed, with the token. */
  readonly link: string
  readonly #folder: string

  private constructor(shop: Shop, lintel: Lintel, folder: string) {
    this.shop = shop
    this.lintel = lintel
    this.#folder = folder
    this.store = join(folder, 'store')
    this.link = /page: (http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43})\n/.exec(lintel.process.errors)?.[1] as string
  }

  static async start(): Promise<LivePage> {
    const folder = mkdtempSync(join(tmpdir(), 'lintel-page-'))
    const shop = await Shop.start()
    const kinds = ['exchange', 'connection', 'handshake', 'websocket', 'anomaly'].flatMap(kind => ['--kind', kind])
    const ports = shop.ports.flatMap(port => ['--port', String(port)])
    const started = Lintel.start(['--interface', 'lo', ...ports, ...kinds, '--field', 'tcp.*', '--output', `store:${join(folder, 'store')}`, '--web', '127.0.0.1:0'])
    const lintel = await started.catch(async (error: unknown) => {
      await shop.stop()
      rmSync(folder, { recursive: true, force: true })
      throw error
    })
    await lintel.process.until(() => lintel.process.errors.includes('?token='), 'link to the page')
    return new LivePage(shop, lintel, folder)
  }

  get origin(): string {
    return new URL(this.link).origin
  }

  /** What `lintel query` says of the store, beside the agent that writes it. */
  async query(sql: string): Promise<Row[]> {
    const output = await run(LINTEL, ['query', '--store', this.store, '--format', 'ndjson', '--limit', '0', sql])
    return output.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Row)
  }

  /** Waits until the store has what was logged, and nothing comes for a while. */
  async settled(): Promise<void> {
    let logged = -1
    await this.lintel.process.until(async () => {
      const before = logged
      await delay(QUIET_MS)
      logged = this.lintel.now().length
      return logged === before
    }, 'end of what is logged')
    await this.lintel.process.until(async () => Number((await this.query('SELECT count(*) AS n FROM records'))[0]?.['n']) >= logged, 'store that has what was logged', STORED_MS)
  }

  async stop(): Promise<void> {
    await this.shop.stop()
    await this.lintel.process.stop('SIGKILL')
    this.lintel.remove()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

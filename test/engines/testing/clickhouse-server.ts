import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Field, FIELDS } from '../../../src/exchange/fields.ts'
import { httpOptions } from '../../../src/sink/http/mod.ts'
import { ClickReader, type ClickReaderOptions, clickSchema, clickSource, type ClickSchemaOptions } from '../../../src/store/clickhouse/mod.ts'
import type { RecordSource } from '../../../src/store/mod.ts'
import { COLUMNS } from '../../store/testing/stored.ts'
import { Running } from '../../gateway/testing/process.ts'
import { engine, START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'

interface TableOptions extends Partial<ClickSchemaOptions> {
  readonly fields?: (all: readonly Field[]) => readonly Field[]
}

const httpConfigSchema = z.strictObject(httpOptions)
const PROGRAM = fileURLToPath(new URL('clickhouse-http.ts', import.meta.url))

/** A ClickHouse of its own on a loopback port. */
export class ClickHouse {
  readonly url: string
  readonly #args: readonly [folder: string, port: string, credentials: string]
  #process: Running | undefined

  private constructor(args: readonly [string, string, string]) {
    this.#args = args
    this.url = `http://127.0.0.1:${args[1]}`
  }

  /** @param credentials user:password that it wants; none = none */
  static async start(folder: string, credentials = ''): Promise<ClickHouse> {
    const server = new ClickHouse([folder, String(await freePort()), credentials])
    await server.run()
    return server
  }

  /** At the same port, with what it had stored. */
  async run(): Promise<void> {
    this.#process = new Running(process.execPath, [PROGRAM, engine('chdb'), ...this.#args])
    await this.#process.until(() => fetch(`${this.url}/ping`).then(({ ok }) => ok, () => false), 'answer', START_MS_MAX)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** At once, as a crash does it. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
  }

  /** @param fields those that the tables know */
  async makeTables({ fields = all => all, ...options }: TableOptions = {}): Promise<void> {
    for (const statement of clickSchema(fields(FIELDS), { database: 'lintel', ...options })) await this.ask(statement)
  }

  reader(more: Partial<ClickReaderOptions> = {}): ClickReader {
    const server = httpConfigSchema.parse({ url: this.url })
    return new ClickReader({ server, database: 'lintel', columns: COLUMNS, sinceMs: 0, memoryMiB: 2048, timeoutMs: 600_000, ...more })
  }

  /** What a page asks. */
  source(): RecordSource {
    return clickSource({ server: httpConfigSchema.parse({ url: this.url }), database: 'lintel', columns: COLUMNS, memoryMiB: 1024, timeoutMs: 600_000 })
  }

  /** The same data behind credentials, once it was stopped. */
  async withCredentials(credentials: string): Promise<ClickHouse> {
    return await ClickHouse.start(this.#args[0], credentials)
  }

  /** What a statement gives, as text. @throws {Error} with what it said */
  async ask(statement: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const authorization = `Basic ${Buffer.from(this.#args[2]).toString('base64')}`
    const response = await fetch(`${this.url}/?${new URLSearchParams(settings)}`, { method: 'POST', body: statement, headers: { authorization, connection: 'close' } })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
  }
}

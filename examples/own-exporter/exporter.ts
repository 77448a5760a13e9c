/**
 * Sends records to an API of the firm's own: one POST of `{"source":"...","events":[...]}` for each batch. The server answers 200
 * with `{"rejected":[{"index":3,"reason":"..."}]}`: all others are durable then.
 */
import type { Answer, Exporter } from '../../src/sink/delivery/exporter.ts'
import type { ExporterTools, HttpClient, OwnExporter } from '../../src/sink/delivery/own-exporter.ts'
import type { SpooledRecord } from '../../src/sink/spool/mod.ts'

interface Options {
  readonly source: string
  /** Keys of HTTP outputs: url, auth, tls, timeout, ... */
  readonly http: unknown
}

class EventsExporter implements Exporter {
  readonly target: string
  readonly #source: string
  readonly #http: HttpClient

  constructor({ source, http }: Options, tools: ExporterTools) {
    this.#source = source
    this.#http = tools.http(http)
    this.target = this.#http.target
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const { answer, said } = await this.#http.post({ type: 'application/json', body: this.#body(records) }, signal)
    if (answer.outcome !== 'done' || said === undefined) return answer
    return { outcome: 'done', refused: rejectedIn(said.body.toString()) }
  }

  close(): void {
    this.#http.close()
  }

  /** Lines are JSON objects, so they are put together as they are: each `{"id":"...","record":{...}}`. */
  #body(records: readonly SpooledRecord[]): Buffer {
    const parts = records.flatMap(({ id, line }, index) => [Buffer.from(`${index === 0 ? '' : ','}{"id":"${id}","record":`), line, Buffer.from('}')])
    return Buffer.concat([Buffer.from(`{"source":${JSON.stringify(this.#source)},"events":[`), ...parts, Buffer.from(']}')])
  }
}

/** What is no such answer throws: the batch is then tried again. */
function rejectedIn(text: string): { index: number, reason: string }[] {
  const { rejected } = JSON.parse(text) as { rejected: { index: number, reason: string }[] }
  return rejected.map(({ index, reason }) => ({ index, reason }))
}

export default {
  name: 'events',
  open(options, tools) {
    const { source, http } = (options ?? {}) as Partial<Options>
    if (typeof source !== 'string' || source === '') throw new Error('source must be a text that names this gateway')
    return new EventsExporter({ source, http }, tools)
  },
} satisfies OwnExporter

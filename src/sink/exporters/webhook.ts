import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { OcsfWriter } from './ocsf-line.ts'
import { jsonArray, ndjson } from './tagged-lines.ts'

/** POSTs of NDJSON or of one JSON array, of records or of events of OCSF; a status of 2xx is taken as "durable". */
export class WebhookExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #format: 'ndjson' | 'json'
  readonly #ocsf: OcsfWriter | undefined

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: HttpConfig & Pick<WebhookOptions, 'format' | 'body'>) {
    this.#transport = new Transport(options)
    this.target = this.#transport.target
    this.#format = options.format
    this.#ocsf = options.body === 'ocsf' ? new OcsfWriter() : undefined
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const isArray = this.#format === 'json'
    const body = this.#ocsf?.events(records, this.#format) ?? (isArray ? jsonArray(records) : ndjson(records))
    const post = { type: isArray ? 'application/json' : 'application/x-ndjson', body }
    return orNoAnswer(async () => answerOf(await this.#transport.post(post, signal), this.#transport))
  }

  close(): void {
    this.#transport.close()
  }
}

export const webhookKind = {
  type: 'webhook',
  schema: z.strictObject({
    type: z.literal('webhook'),
    ...sharedOptions,
    ...httpOptions,
    format: z.enum(['ndjson', 'json']).default('ndjson').describe('ndjson = one record a line; json = one array.'),
    body: z.enum(['record', 'ocsf']).default('record')
      .describe('record = the record, its `id` in front; ocsf = an event of OCSF 1.6, its id as metadata.uid.'),
    ...deliveryOptions,
  }).describe('HTTP POST to any address. Each record has an `id` in front that stays the same when it is sent again.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new WebhookExporter(options), host),
} satisfies SinkKind<WebhookOptions>

interface WebhookOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'webhook'
  readonly format: 'ndjson' | 'json'
  readonly body: 'record' | 'ocsf'
}

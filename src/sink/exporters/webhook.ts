import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { jsonArray, ndjson } from './tagged-lines.ts'

/** POSTs of NDJSON or of one JSON array; a status of 2xx is taken as "durable". */
export class WebhookExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #format: 'ndjson' | 'json'

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: HttpConfig & { readonly format: 'ndjson' | 'json' }) {
    this.#transport = new Transport(options)
    this.target = this.#transport.target
    this.#format = options.format
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const post = this.#format === 'json' ? { type: 'application/json', body: jsonArray(records) }
      : { type: 'application/x-ndjson', body: ndjson(records) }
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
    ...deliveryOptions,
  }).describe('HTTP POST to any address. Each record has an `id` in front that stays the same when it is sent again.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new WebhookExporter(options), host),
} satisfies SinkKind<WebhookOptions>

interface WebhookOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'webhook'
  readonly format: 'ndjson' | 'json'
}

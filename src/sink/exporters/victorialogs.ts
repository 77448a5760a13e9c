import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { messageText } from './message-text.ts'
import { ndjson } from './tagged-lines.ts'

const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/

/**
 * NDJSON to /insert/jsonline. VictoriaLogs flattens a record: `http.request.method` is a field of that name; arrays become JSON text.
 * It answers 200 when it has read the body, and leaves out what it cannot take (a record over its own limit) without saying so.
 */
export class VictoriaLogsExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: VictoriaLogsOptions) {
    this.#transport = new Transport(options)
    this.target = this.#transport.target
    this.#path = `/insert/jsonline?${new URLSearchParams({ _time_field: 'time', _stream_fields: options.stream_fields.join(',') })}`
    const tenant = options.tenant?.split(':') ?? []
    this.#headers = tenant.length === 2 ? { accountid: tenant[0] as string, projectid: tenant[1] as string } : {}
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const post = { path: this.#path, type: 'application/stream+json', headers: this.#headers, body: ndjson(records, message) }
    return orNoAnswer(async () => answerOf(await this.#transport.post(post, signal), this.#transport))
  }

  close(): void {
    this.#transport.close()
  }
}

function message({ line }: SpooledRecord): string {
  return `,"_msg":${JSON.stringify(messageText(line))}`
}

const fieldsSchema = z.array(z.string().regex(FIELD_NAME, 'must be the name of a field, e.g. url.domain'))
  .min(1, 'must name one field at least').max(8, 'must be 8 fields at most')

export const victoriaLogsKind = {
  type: 'victorialogs',
  schema: z.strictObject({
    type: z.literal('victorialogs'),
    ...sharedOptions,
    ...httpOptions,
    stream_fields: fieldsSchema.default(['kind'])
      .describe('Fields that make a stream; only such as have few values: with client addresses or paths VictoriaLogs becomes slow.'),
    tenant: z.string().regex(/^\d{1,10}:\d{1,10}$/, 'must be two numbers, e.g. "12:34"').optional()
      .describe('Account and project, "12:34"; none = 0:0.'),
    ...deliveryOptions,
  }).describe('VictoriaLogs, by its JSON stream API; url is the server\'s, e.g. http://logs:9428. ' +
    'Each record has an `id` that stays the same when it is sent again.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new VictoriaLogsExporter(options), host),
} satisfies SinkKind<VictoriaLogsOptions>

interface VictoriaLogsOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'victorialogs'
  readonly stream_fields: string[]
  readonly tenant?: string | undefined
}

import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, timeNanoseconds } from '../delivery/mod.ts'
import { answerOf, gzipSchema, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { labelTexts } from '../named-texts.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { kindOf } from './message-text.ts'
import { taggedLine } from './tagged-lines.ts'


/**
 * JSON to /loki/api/v1/push. Labels are those of the configuration and the record's kind, no others: what comes from traffic never
 * makes a stream. The line is the record as JSON, for `| json`.
 *
 * Loki answers 400 when it has taken some entries and refused others (too old, too long). What was taken is sent once more in halves;
 * Loki drops an entry whose labels, time and line it has.
 */
export class LokiExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #headers: Readonly<Record<string, string>>
  readonly #labels: Readonly<Record<string, string>>

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: LokiOptions) {
    this.#transport = new Transport(options)
    this.target = this.#transport.target
    this.#headers = options.tenant === undefined ? {} : { 'x-scope-orgid': options.tenant }
    this.#labels = { service_name: 'lintel', ...options.labels }
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const post = { path: '/loki/api/v1/push', type: 'application/json', headers: this.#headers, body: this.#body(records) }
    return orNoAnswer(async () => answerOf(await this.#transport.post(post, signal), this.#transport))
  }

  close(): void {
    this.#transport.close()
  }

  #body(records: readonly SpooledRecord[]): Buffer {
    const streams = new Map<string, string[]>()
    for (const record of records) {
      const kind = kindOf(record.line) ?? ''
      const values = streams.get(kind)
      // Where `time` is not logged, that of sending: an entry that is sent twice then has two.
      const time = timeNanoseconds(record.line) ?? `${Date.now()}000000`
      const value = `["${time}",${JSON.stringify(Buffer.concat(taggedLine(record)).toString())}]`
      if (values === undefined) streams.set(kind, [value])
      else values.push(value)
    }
    const texts = [...streams].map(([kind, values]) =>
      `{"stream":${JSON.stringify(kind === '' ? this.#labels : { ...this.#labels, kind })},"values":[${values.join(',')}]}`)
    return Buffer.from(`{"streams":[${texts.join(',')}]}`)
  }
}

const labelsSchema = labelTexts(name => name === 'kind' ? 'is the record\'s kind: choose another name' : undefined)

export const lokiKind = {
  type: 'loki',
  schema: z.strictObject({
    type: z.literal('loki'),
    ...sharedOptions,
    ...httpOptions,
    compression: gzipSchema,
    labels: labelsSchema.default({}).describe('Labels of every stream, beside kind and service_name (lintel, unless it is set here): ten at most.'),
    tenant: z.string().regex(/^[A-Za-z0-9!_.*'()|-]{1,150}$/, 'must be the id of a tenant').optional().describe('X-Scope-OrgID; none = none.'),
    ...deliveryOptions,
  }).describe('Grafana Loki, by its push API; url is the server\'s, e.g. http://loki:3100. The line of an entry is the record as JSON.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new LokiExporter(options), host),
} satisfies SinkKind<LokiOptions>

interface LokiOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'loki'
  readonly labels: Readonly<Record<string, string>>
  readonly tenant?: string | undefined
}

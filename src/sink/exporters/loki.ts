import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, timeNanoseconds } from '../delivery/mod.ts'
import { answerOf, gzipSchema, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { labelTexts } from '../named-texts.ts'
import { ownLineArea } from '../own-line-area.ts'
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
    const streams = new Map<string, SpooledRecord[]>()
    for (const record of records) {
      const kind = kindOf(record.line) ?? ''
      const stream = streams.get(kind)
      if (stream === undefined) streams.set(kind, [record])
      else stream.push(record)
    }
    const heads = [...streams.keys()].map(kind => `{"stream":${JSON.stringify(kind === '' ? this.#labels : { ...this.#labels, kind })},"values":[`)
    const room = heads.reduce((sum, head) => sum + head.length * UTF8_MAX, 32)
    const body = Buffer.allocUnsafe(records.reduce((sum, { id, line }) => sum + (id.length + line.length) * 2 + VALUE_BYTES, room))
    let at = body.write('{"streams":[', 'latin1')
    for (const [index, stream] of [...streams.values()].entries()) {
      at += body.write(`${index === 0 ? '' : ','}${heads[index]}`, at)
      for (const record of stream) at = writeValue(record, body, at)
      at += body.write(']}', at - 1, 'latin1') - 1 // over the last comma
    }
    return body.subarray(0, at + body.write(']}', at, 'latin1'))
  }
}

const QUOTE = 0x22
const UTF8_MAX = 3
/** What stands around id and line of a value, escapes included. */
const VALUE_BYTES = 80

/** An entry, `["time","record"],`: the record as `taggedLine` makes it, as a JSON string. It has no control characters: JSON has none. */
function writeValue(record: SpooledRecord, body: Buffer, start: number): number {
  // Where `time` is not logged, that of sending: an entry that is sent twice then has two.
  const time = timeNanoseconds(record.line) ?? `${Date.now()}000000`
  const [head, rest] = taggedLine(record)
  let at = start + body.write(`["${time}","`, start, 'latin1')
  at = ownLineArea().escape(rest, body, ownLineArea().escape(head, body, at, QUOTE), QUOTE)
  return at + body.write('"],', at, 'latin1')
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

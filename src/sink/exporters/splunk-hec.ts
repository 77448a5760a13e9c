import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, pause, timeNanoseconds } from '../delivery/mod.ts'
import {
  answerOf, gzipSchema, type HttpConfig, httpOptions, jsonObject, oddAnswer, orNoAnswer, readSecret, secretSchema, type SecretSource, Transport,
} from '../http/mod.ts'
import { durationSchema } from '../../../lib/units/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { taggedLine } from './tagged-lines.ts'

const POLL_MS_MIN = 20
const POLL_MS_MAX = 5000
/** So many questions in a row without an answer: the server is gone, and the batch is sent again when it is back. */
const UNANSWERED_MAX = 5

/** https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector: codes that are about the events of the batch. */
const ABOUT_EVENTS = new Set([5, 6, 12, 13, 15])

/**
 * Events to /services/collector/event. With `acknowledge` (a token with indexer acknowledgement) a batch counts as delivered when the
 * indexers have it: asked for by its number until then, and sent again when that takes too long.
 *
 * Where HEC cannot read an event it may have taken those before it; the batch is then sent in halves, so these can be there twice, with
 * the same `id`.
 */
export class SplunkHecExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #options: SplunkHecOptions
  /** Of this process; acknowledgements are numbered in it. */
  readonly #channel = randomUUID()
  readonly #meta: string

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: SplunkHecOptions) {
    const token = readSecret(options.token)
    this.#transport = new Transport(options, { headers: { authorization: `Splunk ${token}` }, secrets: [token] })
    this.target = this.#transport.target
    this.#options = options
    const { index, source, sourcetype, host } = options
    const meta = JSON.stringify({ index, source, sourcetype, host })
    this.#meta = meta === '{}' ? '' : `${meta.slice(1, -1)},`
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      const channel: Record<string, string> = this.#options.acknowledge ? { 'x-splunk-request-channel': this.#channel } : {}
      const post = { path: '/services/collector/event', type: 'application/json', headers: channel, body: this.#body(records) }
      const reply = await this.#transport.post(post, signal)
      const said = jsonObject(reply.body)
      if (reply.status === 400 && !ABOUT_EVENTS.has(Number(said?.['code']))) {
        // No data, a wrong index, a channel missing: of the configuration, not of the events.
        const text = this.#transport.clean(reply.body.toString('utf8', 0, 4096))
        const message = `${this.target} answers 400 (${text}); look at token, index and acknowledge`
        return { outcome: 'later', hindrance: { reason: 'status 400', message } }
      }
      const answer = answerOf(reply, this.#transport)
      if (answer.outcome !== 'done' || !this.#options.acknowledge) return answer
      const number = said?.['ackId']
      if (!Number.isSafeInteger(number)) return oddAnswer(this.#transport, 'without an ackId; is indexer acknowledgement on for this token')
      return await this.#indexed(number as number, signal)
    })
  }

  close(): void {
    this.#transport.close()
  }

  /** Asks until the indexers have the batch. */
  async #indexed(number: number, signal: AbortSignal): Promise<Answer> {
    const deadline = Date.now() + this.#options.acknowledge_within
    let unanswered = 0
    for (let waitMs = POLL_MS_MIN; Date.now() < deadline && !signal.aborted; waitMs = Math.min(waitMs * 2, POLL_MS_MAX)) {
      await pause(Math.min(waitMs, Math.max(1, deadline - Date.now())), signal)
      const post = {
        path: `/services/collector/ack?channel=${this.#channel}`, type: 'application/json',
        headers: { 'x-splunk-request-channel': this.#channel }, body: Buffer.from(JSON.stringify({ acks: [number] })),
      }
      let isTold: boolean | undefined = false
      const answer = await orNoAnswer(async () => {
        const reply = await this.#transport.post(post, signal)
        isTold = (jsonObject(reply.body)?.['acks'] as Record<string, boolean> | undefined)?.[String(number)]
        return answerOf(reply, this.#transport)
      })
      if (answer.outcome === 'later') {
        if (++unanswered === UNANSWERED_MAX) return answer
        continue // the batch is there: only the question failed
      }
      unanswered = 0
      if (answer.outcome === 'apart' || isTold === undefined) return oddAnswer(this.#transport, 'a question for acknowledgements with something else')
      if (isTold) return answer
    }
    const message = `${this.target} has taken a batch that its indexers have not acknowledged in time`
    return { outcome: 'later', hindrance: { reason: 'not acknowledged', message } }
  }

  #body(records: readonly SpooledRecord[]): Buffer {
    return Buffer.concat(records.flatMap(record => {
      const digits = timeNanoseconds(record.line)
      const time = digits === undefined ? '' : `"time":${digits.slice(0, -9)}.${digits.slice(-9)},`
      return [Buffer.from(`{${time}${this.#meta}"event":`), ...taggedLine(record), END]
    }))
  }
}

const END = Buffer.from('}\n')

const WORD = z.string().min(1, 'must not be empty').max(256, 'must be 256 characters at most')

export const splunkHecKind = {
  type: 'splunk_hec',
  schema: z.strictObject({
    type: z.literal('splunk_hec'),
    ...sharedOptions,
    ...httpOptions,
    compression: gzipSchema,
    token: secretSchema.describe('HEC token: {env: NAME} or {file: PATH}.'),
    index: WORD.optional().describe('Index; none = the token\'s.'),
    source: WORD.optional().describe('source of the events; none = the token\'s.'),
    sourcetype: WORD.default('lintel').describe('sourcetype of the events.'),
    host: WORD.optional().describe('host of the events; none = as Splunk sees it.'),
    acknowledge: z.boolean().default(false).describe('Wait for the indexers\' acknowledgement; the token must have it enabled.'),
    acknowledge_within: durationSchema({ min: '100ms', max: '1h' }).prefault('5m')
      .describe('A batch that is not acknowledged by then is sent again.'),
    ...deliveryOptions,
  }).refine(options => options.auth === undefined, { message: 'must be left out: the token says who lintel is', path: ['auth'] })
    .describe('Splunk, by its HTTP Event Collector; url is the server\'s, e.g. https://splunk:8088. The event is the record as JSON.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new SplunkHecExporter(options), host),
} satisfies SinkKind<SplunkHecOptions>

interface SplunkHecOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'splunk_hec'
  readonly token: SecretSource
  readonly index?: string | undefined
  readonly source?: string | undefined
  readonly sourcetype: string
  readonly host?: string | undefined
  readonly acknowledge: boolean
  readonly acknowledge_within: number
}

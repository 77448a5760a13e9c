import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, type Hindrance, NetworkSink, type Refusal } from '../delivery/mod.ts'
import {
  answerOf, gzipSchema, type HttpConfig, httpOptions, jsonObject, oddAnswer, orNoAnswer, readSecret, secretSchema, type SecretSource, Transport,
} from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { EcsWriter } from './ecs-line.ts'

const PATH = '/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason'
/** The document is there already: from a try whose answer was lost. */
const THERE = 409
/** Of the index or the credentials, not of the document. */
const NOT_OF_THE_DOCUMENT = new Set([401, 403, 404, 429])

interface Item {
  readonly status?: number
  readonly error?: { readonly type?: string, readonly reason?: string }
}

interface BulkReply { readonly errors?: unknown, readonly items?: readonly { readonly create?: Item }[] }

/**
 * Documents with ECS names into a data stream, by _bulk. Each is created under the record's id, so that one that is sent again is there
 * once. The answer tells of each: taken, refused for good (mapping, size), or to be tried again (429, 5xx, no index, no right).
 */
export class ElasticsearchExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #documents: EcsWriter

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: ElasticsearchOptions) {
    const key = options.api_key === undefined ? undefined : readSecret(options.api_key)
    this.#transport = new Transport(options, key === undefined ? undefined : { headers: { authorization: `ApiKey ${key}` }, secrets: [key] })
    this.target = this.#transport.target
    this.#documents = new EcsWriter(`{"create":{"_index":"${options.data_stream}","_id":"`)
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      this.#documents.clear() // of a try that failed within
      for (const { id, line } of records) this.#documents.add(line, id)
      const reply = await this.#transport.post({ path: PATH, type: 'application/x-ndjson', body: this.#documents.take() }, signal)
      const answer = answerOf(reply, this.#transport)
      return answer.outcome === 'done' ? this.#items(reply.body, records.length) : answer
    })
  }

  close(): void {
    this.#transport.close()
  }

  #items(body: Buffer, count: number): Answer {
    const said = jsonObject(body) as BulkReply | undefined
    if (said?.errors === false) return { outcome: 'done' }
    if (said?.errors !== true || said.items?.length !== count) return oddAnswer(this.#transport, 'a bulk request with something else')
    const refused: Refusal[] = []
    const again: number[] = []
    let hindrance: Hindrance | undefined
    said.items.forEach(({ create }, index) => {
      const { status = 0, error } = create ?? {}
      if ((status >= 200 && status < 300) || status === THERE) return
      const why = this.#transport.clean(`${status} ${error?.type ?? ''}: ${error?.reason ?? ''}`)
      if (status >= 400 && status < 500 && !NOT_OF_THE_DOCUMENT.has(status)) refused.push({ index, reason: why })
      else {
        again.push(index)
        hindrance ??= { reason: `status ${status}`, message: `${this.target} does not take some documents now (${why})` }
      }
    })
    return { outcome: 'done', refused, ...(hindrance === undefined ? {} : { again: { indexes: again, hindrance } }) }
  }
}

export const elasticsearchKind = {
  type: 'elasticsearch',
  schema: z.strictObject({
    type: z.literal('elasticsearch'),
    ...sharedOptions,
    ...httpOptions,
    compression: gzipSchema,
    api_key: secretSchema.optional()
      .describe('API key of Elasticsearch, as it is given (base64): {env: NAME} or {file: PATH}; basic credentials: auth.'),
    data_stream: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'must be lower-case letters, digits, ".", "_" and "-", e.g. logs-lintel-default')
      .default('logs-lintel-default').describe('Data stream, or index, that documents are created in.'),
    ...deliveryOptions,
  }).refine(options => options.api_key === undefined || options.auth === undefined, {
    message: 'must not come with auth: leave one of them out', path: ['api_key'],
  })
    .describe('Elasticsearch or OpenSearch, with the names of ECS (docs/exporters.md); url is the server\'s, e.g. https://search:9200.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new ElasticsearchExporter(options), host),
} satisfies SinkKind<ElasticsearchOptions>

interface ElasticsearchOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'elasticsearch'
  readonly api_key?: SecretSource | undefined
  readonly data_stream: string
}

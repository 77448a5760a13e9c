import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, type Refusal } from '../delivery/mod.ts'
import {
  answerOf, gzipSchema, type HttpConfig, httpOptions, jsonObject, orNoAnswer, readSecret, type Reply, secretSchema, type SecretSource, Transport,
} from '../http/mod.ts'
import { namedText, namedTexts } from '../named-texts.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { LineProtocol } from './line-protocol.ts'

/** A member of `data` in the answer of v3 to a batch that it took in part. */
interface BadLine {
  /** From 1. */
  readonly line_number?: unknown
  readonly error_message?: unknown
}

const TAGS_MAX = 10
const HEADER_FIELDS_MAX = 64
/** Names that records bring, and that InfluxDB keeps for itself. */
const TAKEN = new Set(['kind', 'method', 'status_code', 'time', 'id', 'time_text'])

/**
 * Lines to /write (v1), /api/v2/write (v2) or /api/v3/write_lp (v3), nanoseconds.
 *
 * v1 and v2 take the good lines of a batch and answer 400 or 422 for the others without saying which these are: the batch is then sent
 * in halves until that is known. What is there already is written over by the same. v3 names the lines.
 */
export class InfluxExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #path: string
  readonly #lines: LineProtocol

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: InfluxOptions) {
    const token = options.token === undefined ? undefined : readSecret(options.token)
    const scheme = options.api === 'v3' ? 'Bearer' : 'Token'
    this.#transport = new Transport(options, token === undefined ? undefined : { headers: { authorization: `${scheme} ${token}` }, secrets: [token] })
    this.target = this.#transport.target
    this.#path = writePath(options)
    this.#lines = new LineProtocol({ measurement: options.measurement, tags: options.tags, headerFields: options.header_fields })
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      const body = this.#lines.lines(records)
      const reply = await this.#transport.post({ path: this.#path, type: 'text/plain; charset=utf-8', body }, signal)
      return this.#namedLines(reply, records.length) ?? answerOf(reply, this.#transport)
    })
  }

  close(): void {
    this.#transport.close()
  }

  /** The lines that v3 says it has not taken; undefined where the answer does not name lines of this batch. */
  #namedLines({ status, body }: Reply, count: number): Answer | undefined {
    const data = status === 400 ? jsonObject(body)?.['data'] : undefined
    if (!Array.isArray(data) || data.length === 0) return undefined
    const refused = new Map<number, Refusal>()
    for (const { line_number: line, error_message: message } of data as readonly BadLine[]) {
      if (!Number.isSafeInteger(line) || (line as number) < 1 || (line as number) > count) return undefined
      const index = line as number - 1
      refused.set(index, { index, reason: this.#transport.clean(`400 bad line: ${String(message)}`) })
    }
    return { outcome: 'done', refused: [...refused.values()].sort((a, b) => a.index - b.index) }
  }
}

function writePath({ api, database = '', retention_policy, org = '', bucket = '' }: InfluxOptions): string {
  if (api === 'v2') return `/api/v2/write?${new URLSearchParams({ org, bucket, precision: 'ns' })}`
  if (api === 'v3') return `/api/v3/write_lp?${new URLSearchParams({ db: database, precision: 'nanosecond', accept_partial: 'true' })}`
  return `/write?${new URLSearchParams({ db: database, ...(retention_policy === undefined ? {} : { rp: retention_policy }), precision: 'ns' })}`
}

/** There is no way to write these: line breaks end a line, and a backslash has no escape outside of a field. */
const LINE_TEXT = /^[^\u0000-\u001f\u007f\\]+$/
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

const tagsSchema = namedTexts(TAGS_MAX, 'tags', name => {
  if (!NAME.test(name)) return 'must be letters, digits, "_", "." and "-", a letter first'
  return TAKEN.has(name) ? 'is set by lintel: choose another name' : undefined
}, namedText.regex(LINE_TEXT, 'must not contain line breaks, control characters or "\\"'))

const headerFieldsSchema = z.array(
  z.string().regex(HEADER_NAME, 'must be a header name: letters, digits and "-"').transform(name => name.toLowerCase()))
  .max(HEADER_FIELDS_MAX, `must be ${HEADER_FIELDS_MAX} names at most`)
  .refine(names => new Set(names).size === names.length, 'must not have the same name twice')

const WORD = z.string({ error: 'must be a name' }).min(1, 'must not be empty').max(256, 'must be 256 characters at most')

type ApiKey = 'database' | 'retention_policy' | 'org' | 'bucket' | 'token'
/** Keys by API: those it must have, and those it may have besides. */
const KEYS: Readonly<Record<InfluxOptions['api'], { readonly must: readonly ApiKey[], readonly may: readonly ApiKey[] }>> = {
  v1: { must: ['database'], may: ['retention_policy'] },
  v2: { must: ['org', 'bucket', 'token'], may: [] },
  v3: { must: ['database'], may: ['token'] },
}
const API_KEYS: readonly ApiKey[] = ['database', 'retention_policy', 'org', 'bucket', 'token']

export const influxKind = {
  type: 'influxdb',
  schema: z.strictObject({
    type: z.literal('influxdb'),
    ...sharedOptions,
    ...httpOptions,
    compression: gzipSchema,
    api: z.enum(['v1', 'v2', 'v3'])
      .describe('Which of InfluxDB\'s interfaces: v1 = /write, v2 = /api/v2/write, v3 = /api/v3/write_lp; servers may have several.'),
    database: WORD.optional().describe('Database (v1, v3).'),
    retention_policy: WORD.optional().describe('Retention policy (v1); none = the database\'s own.'),
    org: WORD.optional().describe('Organization (v2).'),
    bucket: WORD.optional().describe('Bucket (v2).'),
    token: secretSchema.optional().describe('Token (v2, v3): {env: NAME} or {file: PATH}; credentials of v1: auth.'),
    measurement: z.string().regex(NAME, 'must be letters, digits, "_", "." and "-", a letter first').default('lintel')
      .describe('Measurement, or table.'),
    tags: tagsSchema.default({}).describe('Tags of every point, beside kind, method and status_code: ten at most.'),
    header_fields: headerFieldsSchema.default([])
      .describe('Headers that have a field of their own, e.g. http.request.header.user-agent, beside the one that holds all as JSON; 64 at most.'),
    ...deliveryOptions,
  }).superRefine((options, context) => {
    const { must, may } = KEYS[options.api]
    for (const key of API_KEYS) {
      if (must.includes(key) && options[key] === undefined) {
        context.addIssue({ code: 'custom', path: [key], message: `must be given with api: ${options.api}` })
      } else if (options[key] !== undefined && !must.includes(key) && !may.includes(key)) {
        const mend = key === 'token' ? '; its credentials are auth' : ''
        context.addIssue({ code: 'custom', path: [key], message: `must be left out with api: ${options.api}${mend}` })
      }
    }
    if (options.token !== undefined && options.auth !== undefined) {
      context.addIssue({ code: 'custom', path: ['auth'], message: 'must be left out: the token says who lintel is' })
    }
  }).describe('InfluxDB, by its line protocol; url is the server\'s, e.g. http://influx:8086. A record is a point; its headers are fields.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new InfluxExporter(options), host),
} satisfies SinkKind<InfluxOptions>

interface InfluxOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'influxdb'
  readonly api: 'v1' | 'v2' | 'v3'
  readonly database?: string | undefined
  readonly retention_policy?: string | undefined
  readonly org?: string | undefined
  readonly bucket?: string | undefined
  readonly token?: SecretSource | undefined
  readonly measurement: string
  readonly tags: Readonly<Record<string, string>>
  readonly header_fields: readonly string[]
}

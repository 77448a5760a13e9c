import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, type Reply, Transport } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { isOfRecords, mendOf } from './clickhouse-trouble.ts'
import { emptyFields, mayHaveEmptyFields } from './empty-fields.ts'
import { hostNameOf, hostNameSchema } from './host-name.ts'
import { ndjson } from './tagged-lines.ts'

/** Whatever the user's profile says: nothing is left out without a word, and times and numbers are read to their last digit. */
const SETTINGS = {
  date_time_input_format: "'best_effort'", precise_float_parsing: 1, input_format_skip_unknown_fields: 0,
  input_format_json_ignore_unknown_keys_in_named_tuple: 0, input_format_json_defaults_for_missing_elements_in_named_tuple: 1,
  input_format_allow_errors_num: 0, input_format_allow_errors_ratio: 0, materialized_views_ignore_errors: 0, max_partitions_per_insert_block: 0,
}

/**
 * NDJSON into the table `incoming` (src/store/clickhouse), by ClickHouse's HTTP interface. An insert is taken as a whole or not at all.
 *
 * A batch that is sent again has the same token: a server that has it already says so by taking it once. One that is cut in another way,
 * after a kill, brings records again that have the same id: they go when parts are merged, and `FINAL` does not show them.
 */
export class ClickHouseExporter implements Exporter {
  readonly target: string
  readonly #transport: Transport
  readonly #options: ClickHouseOptions
  readonly #host: string

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: ClickHouseOptions) {
    this.#transport = new Transport(options)
    this.target = this.#transport.target
    this.#options = options
    this.#host = `,"host":{"name":${JSON.stringify(hostNameOf(options))}}`
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      const path = `/?${new URLSearchParams({ query: this.#statement(records) })}`
      const post = { path, type: 'application/x-ndjson', body: this.#body(records) }
      return this.#answer(await this.#transport.post(post, signal))
    })
  }

  close(): void {
    this.#transport.close()
  }

  /** Few batches have a field that is there and empty, and a search through the whole of one is cheap. */
  #body(records: readonly SpooledRecord[]): Buffer {
    const body = ndjson(records, () => this.#host)
    return mayHaveEmptyFields(body) ? ndjson(records, ({ line }) => this.#host + empty(line)) : body
  }

  /** Ids are hexadecimal digits, a dash and a number: nothing to escape. */
  #statement(records: readonly SpooledRecord[]): string {
    const [first, last] = [records[0], records.at(-1)] as [SpooledRecord, SpooledRecord]
    const once = this.#options.async ? { async_insert: 1, wait_for_async_insert: 1 } : {
      async_insert: 0, insert_deduplicate: 1, insert_deduplication_token: `'${first.id}/${last.id}'`,
      deduplicate_blocks_in_dependent_materialized_views: 1,
    }
    const settings = Object.entries({ ...SETTINGS, ...once }).map(([name, value]) => `${name}=${value}`)
    return `INSERT INTO \`${this.#options.database}\`.incoming SETTINGS ${settings.join(', ')} FORMAT JSONEachRow`
  }

  #answer(reply: Reply): Answer {
    const code = Number(reply.headers['x-clickhouse-exception-code'])
    if (!Number.isInteger(code)) return answerOf(reply, this.#transport)
    const text = reply.body.toString('utf8', 0, 4096)
    const said = this.#transport.clean(text)
    if (isOfRecords(code, text)) return { outcome: 'apart', reason: `${reply.status} bad record: ${said}` }
    const mend = mendOf(code, this.#options.database)
    const message = `${this.target} answers ${reply.status} (${said})${mend === undefined ? '' : `; ${mend}`}`
    return { outcome: 'later', hindrance: { reason: `code ${code}`, message } }
  }
}

/** Lists and maps of ClickHouse are never NULL: which are there and empty is told beside. */
function empty(line: Buffer): string {
  const fields = emptyFields(line)
  return fields.length === 0 ? '' : `,"empty_fields":${JSON.stringify(fields)}`
}

/** Name of a database. */
export const databaseSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'must be letters, digits and "_", no digit first').default('lintel')

export const clickHouseKind = {
  type: 'clickhouse',
  schema: z.strictObject({
    type: z.literal('clickhouse'),
    ...sharedOptions,
    ...httpOptions,
    database: databaseSchema
      .describe('Database with the tables that `lintel clickhouse schema` makes.'),
    host_name: hostNameSchema
      .describe('Put into the column host_name, so that records of many agents can be told apart; none = this machine\'s name.'),
    async: z.boolean().default(false)
      .describe('The server gathers the batches of many agents before it writes (async_insert); one that is sent again may be there twice until ' +
        'parts are merged.'),
    ...deliveryOptions,
  }).describe('ClickHouse, from 24.8 on, by its HTTP interface; url is the server\'s, e.g. http://clickhouse:8123. The tables are made by ' +
    '`lintel clickhouse schema` (docs/scale.md).'),
  needs: ['kind', 'time'],
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new ClickHouseExporter(options), host),
} satisfies SinkKind<ClickHouseOptions>

interface ClickHouseOptions extends SharedOptions, HttpConfig, DeliveryConfig {
  readonly type: 'clickhouse'
  readonly database: string
  readonly host_name?: string | undefined
  readonly async: boolean
}

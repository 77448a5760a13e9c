import type { StoreField } from '../columns.ts'
import { type ClickColumn, clickColumnsOf, EMPTY_FIELDS } from './click-columns.ts'
import { rollupStatements } from './click-rollup-schema.ts'
import { clickName, clickQuote } from './click-text.ts'

export interface ClickSchemaOptions {
  readonly database: string
  /** Days after which records are removed; undefined = never. */
  readonly days?: number | undefined
  /** Name of the cluster whose servers all get the tables, replicated; undefined = this server only. */
  readonly cluster?: string | undefined
  /** Read records from a topic, too. */
  readonly kafka?: { readonly brokers: string, readonly topic: string, readonly group: string } | undefined
}

/** Columns beside the fields: what the exporter puts before each record. */
const ADDED: readonly ClickColumn[] = [
  { name: 'id', field: 'id', fieldType: 'string', inputType: 'String', type: 'String' },
  { name: 'host_name', field: 'host.name', fieldType: 'string', inputType: 'String', type: 'LowCardinality(String)' },
  { name: EMPTY_FIELDS, field: EMPTY_FIELDS, fieldType: 'strings', inputType: 'Array(String)', type: 'Array(LowCardinality(String))' },
]

/** What the output kafka tells in a header of each message: the message itself is what goes to all. */
const BY_HEADER = new Map([['host_name', "_headers.value[indexOf(_headers.name, 'host.name')]"]])

/** While the view is not in its place: what comes is refused, and waits with its agent. */
const CLOSED = 'CONSTRAINT updating CHECK 0'

/** What people look for one record by, over long spans. */
const LOOKED_UP = ['trace_id', 'request_id', 'client_address', 'client_real_address']

/**
 * Statements that make the tables for records, and that bring those of an earlier version up to date; they may be run again and again.
 *
 * `records` keeps them, `rollup` what the page's overview counts of them. `incoming` keeps nothing: NDJSON as the outputs write it is inserted
 * there (`INSERT INTO incoming FORMAT
 * JSONEachRow`), and a view spreads the nested objects over the columns of `records`. With `kafka` the same is read from a topic. No insert
 * falls between: `incoming` is closed until the view is there.
 */
export function clickSchema(fields: readonly StoreField[], options: ClickSchemaOptions): readonly string[] {
  const columns = [...ADDED, ...clickColumnsOf(fields)]
  const { database, days, cluster, kafka } = options
  const on = cluster === undefined ? '' : ` ON CLUSTER ${clickName(cluster)}`
  const at = (table: string): string => `${clickName(database)}.${table}`
  const input = inputColumns(columns)
  const select = spread(columns)
  const incoming = (lines: readonly string[]): string => `CREATE OR REPLACE TABLE ${at('incoming')}${on}\n(\n${list(lines)}\n)\nENGINE = Null`
  return [
    `CREATE DATABASE IF NOT EXISTS ${clickName(database)}${on}`,
    records(columns, at('records'), on, options),
    alter(at('records'), on, columns.map(column => `ADD COLUMN IF NOT EXISTS ${definition(column)}`)),
    ...ttl(at('records'), on, options),
    `CREATE OR REPLACE VIEW ${at('exchanges')}${on} AS SELECT * FROM ${at('records')} WHERE kind = 'exchange'`,
    incoming([...input, CLOSED]),
    ...rollupStatements({ at, on, isReplicated: cluster !== undefined, expiry: days === undefined ? '' : expiry(days, 'slot') }),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${at('incoming_to_records')}${on} TO ${at('records')} AS\n${select} FROM ${at('incoming')}`,
    `ALTER TABLE ${at('incoming_to_records')}${on} MODIFY QUERY\n${select} FROM ${at('incoming')}`,
    incoming(input),
    ...kafka === undefined ? [] : topic({ input, select: spread(columns, BY_HEADER), at, on, kafka }),
  ]
}

/** Duplicates of a record have its id, and are taken out when parts are merged. */
function records(columns: readonly ClickColumn[], table: string, on: string, { cluster, days }: ClickSchemaOptions): string {
  const indexes = LOOKED_UP.map(name => `INDEX by_${name} ${name} TYPE bloom_filter(0.01) GRANULARITY 4`)
  const engine = cluster === undefined ? 'ReplacingMergeTree' : 'ReplicatedReplacingMergeTree'
  const settings = ['ttl_only_drop_parts = 1', ...cluster === undefined ? ['non_replicated_deduplication_window = 1000'] : []]
  return `CREATE TABLE IF NOT EXISTS ${table}${on}\n(\n${list([...columns.map(definition), ...indexes])}\n)\nENGINE = ${engine}\n` +
    `PARTITION BY toDate(time)\nORDER BY (kind, time, id)` + (days === undefined ? '' : `\n${expiry(days)}`) +
    `\nSETTINGS ${settings.join(', ')}`
}

function ttl(table: string, on: string, { days }: ClickSchemaOptions): string[] {
  return days === undefined ? [] : [`ALTER TABLE ${table}${on} MODIFY ${expiry(days)}`]
}

function expiry(days: number, time = 'time'): string {
  return `TTL toDateTime(${time}) + toIntervalDay(${days})`
}

interface Topic {
  readonly input: readonly string[]
  readonly select: string
  readonly at: (table: string) => string
  readonly on: string
  readonly kafka: NonNullable<ClickSchemaOptions['kafka']>
}

/**
 * Made anew, as tables of this engine cannot be changed: what was read is known to the broker, by the group. What is no record is kept
 * apart.
 */
function topic({ input, select, at, on, kafka }: Topic): string[] {
  const settings = [
    `kafka_broker_list = ${clickQuote(kafka.brokers)}`, `kafka_topic_list = ${clickQuote(kafka.topic)}`,
    `kafka_group_name = ${clickQuote(kafka.group)}`,
    "kafka_format = 'JSONEachRow'",
    "kafka_handle_error_mode = 'stream'", "date_time_input_format = 'best_effort'",
  ]
  return [
    ...['kafka_to_records', 'kafka_to_refused', 'kafka'].map(name => `DROP TABLE IF EXISTS ${at(name)}${on}`),
    `CREATE TABLE ${at('kafka')}${on}\n(\n${list(input)}\n)\nENGINE = Kafka\nSETTINGS ${settings.join(', ')}`,
    `CREATE TABLE IF NOT EXISTS ${at('refused')}${on}\n(\n${list([
      `read DateTime DEFAULT now()`, 'topic LowCardinality(String)', 'partition UInt64', 'offset UInt64', 'error String', 'message String',
    ])}\n)\nENGINE = MergeTree\nORDER BY read\nTTL read + toIntervalDay(30)`,
    `CREATE MATERIALIZED VIEW ${at('kafka_to_refused')}${on} TO ${at('refused')} AS\nSELECT _topic AS topic, _partition AS partition, ` +
      `_offset AS offset, _error AS error, _raw_message AS message FROM ${at('kafka')} WHERE length(_error) > 0`,
    `CREATE MATERIALIZED VIEW ${at('kafka_to_records')}${on} TO ${at('records')} AS\n${select} FROM ${at('kafka')} WHERE length(_error) = 0`,
  ]
}

function definition({ name, type }: ClickColumn): string {
  return `${name} ${type} CODEC(${name === 'time' ? 'Delta(8), ' : ''}ZSTD(1))`
}

function alter(table: string, on: string, changes: readonly string[]): string {
  return `ALTER TABLE ${table}${on}\n${list(changes)}`
}

function list(lines: readonly string[]): string {
  return lines.map(line => `  ${line}`).join(',\n')
}

/** `http.request.method` of the input as `http_request_method`. @param instead what some columns are read from, by name */
function spread(columns: readonly ClickColumn[], instead: ReadonlyMap<string, string> = new Map()): string {
  const source = ({ name, field }: ClickColumn): string => instead.get(name) ?? member(field)
  return `SELECT\n${list(columns.map(column => `${source(column)} AS ${column.name}`))}\n`
}

/** Not by dots: beside a message's headers these would be columns that a topic does not have. */
function member(field: string): string {
  const [first, ...below] = field.split('.') as [string, ...string[]]
  return below.reduce((tuple, name) => `tupleElement(${tuple}, ${clickQuote(name)})`, clickName(first))
}

type Tree = Map<string, Tree | string>

/** One column for each first name of the fields; names with dots as tuples within. */
function inputColumns(columns: readonly ClickColumn[]): string[] {
  const root: Tree = new Map()
  for (const { field, inputType } of columns) {
    const groups = field.split('.')
    const last = groups.pop() as string
    let at = root
    for (const group of groups) {
      const next = at.get(group) ?? new Map<string, Tree | string>()
      at.set(group, next)
      at = next as Tree
    }
    at.set(last, inputType)
  }
  return [...root].map(([name, value]) => `${clickName(name)} ${typeOf(value)}`)
}

function typeOf(value: Tree | string): string {
  if (typeof value === 'string') return value
  return `Tuple(${[...value].map(([name, inner]) => `${clickName(name)} ${typeOf(inner)}`).join(', ')})`
}

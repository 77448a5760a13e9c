import { FIELDS } from '../src/exchange/fields.ts'
import { clickSchema, type ClickSchemaOptions } from '../src/store/clickhouse/mod.ts'
import { UsageError } from './exit.ts'

export interface SchemaFlags {
  readonly database: string
  readonly days?: string
  readonly cluster?: string
  readonly kafkaBrokers?: string
  readonly kafkaTopic: string
  readonly kafkaGroup: string
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const BROKERS = /^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/
/** Beyond the year 2106 ClickHouse's times of removal begin anew at 1970, and all would go at once. */
const DAYS_MAX = 3650

/** `lintel clickhouse schema`: the statements that make the tables for records. */
export function schema(flags: SchemaFlags): void {
  process.stdout.write(`${clickSchema(FIELDS, optionsOf(flags)).join(';\n\n')};\n`)
}

function optionsOf({ database, days, cluster, kafkaBrokers, kafkaTopic, kafkaGroup }: SchemaFlags): ClickSchemaOptions {
  check('--database', database, NAME, 'letters, digits and "_", no digit first')
  if (cluster !== undefined) check('--cluster', cluster, /^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, "_", "." and "-"')
  if (days !== undefined && !(/^\d{1,5}$/.test(days) && Number(days) >= 1 && Number(days) <= DAYS_MAX)) {
    throw new UsageError(`Cannot use --days "${days}": it must be a whole number from 1 to ${DAYS_MAX}`)
  }
  const options = { database, days: days === undefined ? undefined : Number(days), cluster }
  if (kafkaBrokers === undefined) return options
  check('--kafka-brokers', kafkaBrokers, BROKERS, 'HOST:PORT, more with commas between them')
  check('--kafka-topic', kafkaTopic, TOPIC, 'letters, digits, ".", "_" and "-"')
  check('--kafka-group', kafkaGroup, TOPIC, 'letters, digits, ".", "_" and "-"')
  return { ...options, kafka: { brokers: kafkaBrokers, topic: kafkaTopic, group: kafkaGroup } }
}

function check(flag: string, text: string, pattern: RegExp, what: string): void {
  if (!pattern.test(text)) throw new UsageError(`Cannot use ${flag} "${text}": it must be ${what}`)
}

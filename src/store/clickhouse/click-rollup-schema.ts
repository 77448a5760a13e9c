import { QUARTER_MS } from '../rollup/cubes.ts'
import { ROLLUP_COLUMNS, rollupSelect } from './click-rollup.ts'

export interface RollupTables {
  at(table: string): string
  /** Behind each table's name: ` ON CLUSTER ...`, or nothing. */
  readonly on: string
  readonly isReplicated: boolean
  /** TTL of a row by its `slot`; empty = none. */
  readonly expiry: string
}

/**
 * Statements that make `rollup` and what fills it from `records`; they may be run again and again. What it is whole from is written down once,
 * when the view is there: of a table without records all, else the next slot but one, as clocks of agents may go ahead.
 */
export function rollupStatements({ at, on, isReplicated, expiry }: RollupTables): readonly string[] {
  const view = at('records_to_rollup')
  const select = rollupSelect(at('records'), 'true')
  const [engine, settings] = isReplicated ? ['Replicated', ''] : ['', ', non_replicated_deduplication_window = 1000']
  const next = `fromUnixTimestamp64Milli((intDiv(toUnixTimestamp64Milli(now64(3)), ${QUARTER_MS}) + 2) * ${QUARTER_MS}, 'UTC')`
  return [
    `CREATE TABLE IF NOT EXISTS ${at('rollup')}${on}\n(\n  ${ROLLUP_COLUMNS.join(',\n  ')}\n)\nENGINE = ${engine}AggregatingMergeTree\n` +
      `PARTITION BY toDate(slot)\nORDER BY (counted_by, slot, key)${expiry === '' ? '' : `\n${expiry}`}\nSETTINGS ttl_only_drop_parts = 1${settings}`,
    ...expiry === '' ? [] : [`ALTER TABLE ${at('rollup')}${on} MODIFY ${expiry}`],
    `CREATE TABLE IF NOT EXISTS ${at('rollup_since')}${on}\n(\n  since DateTime64(3, 'UTC')\n)\nENGINE = ${engine}MergeTree\nORDER BY since`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${view}${on} TO ${at('rollup')} AS\n${select}`,
    `ALTER TABLE ${view}${on} MODIFY QUERY\n${select}`,
    `INSERT INTO ${at('rollup_since')} SELECT if((SELECT count() FROM ${at('records')}) = 0, toDateTime64(0, 3, 'UTC'), ${next})\n` +
      `WHERE (SELECT count() FROM ${at('rollup_since')}) = 0`,
  ]
}

import assert from 'node:assert/strict'
import { recordColumns, recordRow } from '../../../src/store/clickhouse/mod.ts'
import { recordLine } from '../../../src/store/mod.ts'
import { COLUMNS } from '../../store/testing/stored.ts'
import type { ClickHouse } from './clickhouse-server.ts'

/** An answer has a bound: all records come in so many. */
const PARTS = 32

/** Lines of all records of a ClickHouse, by event.sequence, each there once. */
export async function storedRecords(server: ClickHouse): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  const reader = server.reader()
  for (let part = 0; part < PARTS; part++) {
    const { rows } = await reader.ask(`SELECT ${recordColumns(COLUMNS)} FROM records WHERE event_sequence % ${PARTS} = ${part}`)
    for await (const piece of rows) {
      for (const row of piece) {
        const line = recordLine(COLUMNS, recordRow(COLUMNS, row))
        const { event } = JSON.parse(line) as { event: { sequence: number } }
        assert.ok(!found.has(event.sequence), `twice: ${line}`)
        found.set(event.sequence, line)
      }
    }
  }
  reader.close()
  return found
}

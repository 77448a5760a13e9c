import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { rollupName, type SegmentFile, UNFINISHED } from '../../sink/store/mod.ts'
import { quote } from '../columns.ts'
import { checksum, syncFolder } from '../segment.ts'
import { CUBES, type Cube, mergedSql, NO_ROWS, partialSql, rowsOfParts } from './cubes.ts'

/** Rows of a row group: cubes stand one behind the other, and a reader wants one. */
const ROWS = 8192

/**
 * Writes the roll-up of a segment beside it. It is whole before it gets its name, which says which bytes of a segment it is of.
 *
 * @param parts roll-ups that together are of the same records; none = it is made of the segment
 * @throws {Error} of DuckDB or the file system; no roll-up was made
 */
export async function writeRollup(engine: DuckDBConnection, folder: string, segment: SegmentFile, parts: readonly string[] = []): Promise<void> {
  const path = join(folder, `${UNFINISHED}rollup-${segment.first}.parquet`)
  try {
    await engine.run(`CREATE OR REPLACE TEMP TABLE rolled AS ${NO_ROWS}`)
    // One after the other: all in one statement would hold the sums of all at once.
    for (const cube of Object.keys(CUBES) as Cube[]) {
      await engine.run(`INSERT INTO rolled BY NAME WITH given AS MATERIALIZED (${rowsOf(cube, segment, parts)})
        SELECT * FROM (${mergedSql(cube, 'given')})`)
    }
    await engine.run(`COPY (SELECT * FROM rolled ORDER BY cube, slot, n DESC) TO ${quote(path)} ` +
      `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROWS})`)
    renameSync(path, join(folder, rollupName(segment, checksum(path, true))))
    syncFolder(folder)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    await engine.run('DROP TABLE IF EXISTS rolled')
  }
}

function rowsOf(cube: Cube, segment: SegmentFile, parts: readonly string[]): string {
  if (parts.length === 0) return partialSql(cube, `read_parquet(${quote(segment.path)})`, 'true')
  return rowsOfParts(cube, `SELECT * FROM read_parquet([${parts.map(quote).join(', ')}]) WHERE cube = '${cube}'`)
}

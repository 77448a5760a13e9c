import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { rollupName, type SegmentFile, UNFINISHED } from '../../sink/store/mod.ts'
import { quote } from '../columns.ts'
import { checksum, syncFolder } from '../segment.ts'
import { segmentsSelect } from '../header-columns.ts'
import { baseSql, CUBES, type Cube, cubeSql, mergedSql, NO_ROWS, rowsOfParts } from './cubes.ts'

/** Rows of a row group: cubes stand one behind the other, and a reader wants one. */
const ROWS = 8192
/** Of a segment with no more rows than this, what its cubes need is held in memory: read once, and not once for each of them. */
const HELD_ROWS_MAX = 200_000

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
    if (parts.length === 0) await openBase(engine, segment)
    // One after the other: all in one statement would hold the sums of all at once.
    for (const cube of Object.keys(CUBES) as Cube[]) {
      await engine.run(`INSERT INTO rolled BY NAME WITH given AS MATERIALIZED (${rowsOf(cube, parts)})
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
    await engine.run('DROP VIEW IF EXISTS base')
    await engine.run('DROP TABLE IF EXISTS held')
    await engine.run('DROP TABLE IF EXISTS rolled')
  }
}

function rowsOf(cube: Cube, parts: readonly string[]): string {
  if (parts.length === 0) return cubeSql(cube)
  return rowsOfParts(cube, `SELECT * FROM read_parquet([${parts.map(quote).join(', ')}]) WHERE cube = '${cube}'`)
}

/** Makes the table of which cubes are made. */
async function openBase(engine: DuckDBConnection, segment: SegmentFile): Promise<void> {
  const [[rows] = []] = (await engine.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${quote(segment.path)})`)).getRows()
  const select = baseSql(`(${segmentsSelect([segment])})`, 'true')
  const isHeld = Number(rows) <= HELD_ROWS_MAX
  if (isHeld) await engine.run(`CREATE OR REPLACE TEMP TABLE held AS ${select}`)
  await engine.run(`CREATE OR REPLACE TEMP VIEW base AS ${isHeld ? 'FROM held' : select}`)
}

import type { Machine } from './machine.ts'
import type { Table } from './table.ts'

/** What build/bench.json holds. */
export interface BenchResult {
  readonly version: 1
  /** When the run began, RFC 3339. */
  readonly time: string
  readonly machine: Machine
  /** What `make bench` was given as ARGS. */
  readonly arguments: readonly string[]
  readonly tables: readonly Table[]
}

import type { PageStore } from '../sink/mod.ts'
import { clickSource } from '../store/clickhouse/mod.ts'
import { type Column, type RecordSource, storeSource } from '../store/mod.ts'

const BOUNDS = { timeoutMs: 30_000, memoryMiB: 1024 } as const
const THREADS = 2

/** Records as a page asks for them, within its bounds. @throws {Error} with the mend, when a secret or certificate is not to be had */
export function pageSource(store: PageStore, columns: readonly Column[]): RecordSource {
  if ('folder' in store) return storeSource({ ...BOUNDS, threads: THREADS, folder: store.folder, columns })
  const { database, ...server } = store.clickhouse
  return clickSource({ ...BOUNDS, server, database, columns })
}

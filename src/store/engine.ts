import type { DuckDBConnection } from '@duckdb/node-api'

export interface EngineOptions {
  readonly threads: number
  readonly memoryMiB: number
  /** Folder for what the memory does not hold, of this engine alone, made when it is needed; missing = a statement that needs more fails. */
  readonly spillTo?: string
}

/** A folder holds no more than this of what an engine's memory does not hold. */
const SPILL_MAX = '8GiB'

/** A DuckDB in memory, loaded at the first call: it brings 70 MB that only stores need. Nothing is fetched. */
export async function openEngine({ threads, memoryMiB, spillTo = '' }: EngineOptions): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await load()
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads), memory_limit: `${memoryMiB}MiB`, temp_directory: spillTo, max_temp_directory_size: SPILL_MAX,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false', allow_community_extensions: 'false', preserve_insertion_order: 'false',
  })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

async function load(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    throw new Error(`Cannot load DuckDB: ${(error as Error).message}; stores need x86-64 or arm64 and "npm ci" with optional packages`,
      { cause: error })
  }
}

import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../src/config.ts'
import { configSchema } from '../src/config.ts'
import type { PageStore } from '../src/sink/mod.ts'

/** Folder for what the agent keeps: configured, else /var/lib/lintel for root, else below the home folder. */
function dataDirectory(config: Config): string {
  if (config.data_directory !== undefined) return config.data_directory
  if (process.getuid?.() === 0) return '/var/lib/lintel'
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'lintel')
}

/**
 * The configuration with outputs: when none are chosen, readable lines on a terminal (and, with `keep`, a file in the
 * data folder), NDJSON into a pipe or file.
 */
export function withOutputs(config: Config, keep: boolean): Config {
  if (config.outputs.length > 0) return config
  const chosen = process.stdout.isTTY
    ? [{ type: 'pretty' }, ...(keep ? [{ type: 'file', path: join(dataDirectory(config), 'exchanges.ndjson') }] : [])]
    : [{ type: 'stdout' }]
  return { ...config, outputs: configSchema.shape.outputs.parse(chosen) }
}

/** The first store of the outputs. */
function storeOf(config: Config): string | undefined {
  const output = config.outputs.find(entry => entry.type === 'store')
  return output?.type === 'store' ? output.path : undefined
}

/** What a run's page shows over time: what `store` of the config names, else the first store of the outputs. */
export function pageStoreOf(config: Config): PageStore | undefined {
  const folder = storeOf(config)
  return serverOf(config) ?? (folder === undefined ? undefined : { folder })
}

/** The records that are asked: those of a folder that is named, of the config's server, of the default store. */
export function askedStore(config: Config, folder: string | undefined): PageStore {
  return (folder === undefined ? serverOf(config) : undefined) ?? { folder: folder ?? defaultStore(config) }
}

function serverOf({ store: { engine, clickhouse } }: Config): PageStore | undefined {
  return engine === 'clickhouse' && clickhouse !== undefined ? { clickhouse } : undefined
}

/** The store that is read when none is named: the first of the outputs, else the one in the data folder. */
function defaultStore(config: Config): string {
  return storeOf(config) ?? join(dataDirectory(config), 'store')
}

import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../src/config.ts'
import { configSchema } from '../src/config.ts'

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
export function storeOf(config: Config): string | undefined {
  const output = config.outputs.find(entry => entry.type === 'store')
  return output?.type === 'store' ? output.path : undefined
}

/** The store that a query reads when none is named: the first of the outputs, else the one in the data folder. */
export function defaultStore(config: Config): string {
  return storeOf(config) ?? join(dataDirectory(config), 'store')
}

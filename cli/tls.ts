import { globFilter, processFilter, tlsProcesses } from '../src/capture/mod.ts'
import type { TlsProcess } from '../src/capture/mod.ts'
import { configSchema, defaultConfig } from '../src/config.ts'
import type { Config } from '../src/config.ts'
import { readConfig } from '../src/config/read-config.ts'
import { clean } from '../src/sink/mod.ts'
import { UsageError } from './exit.ts'

export interface TlsFlags { readonly config?: string; readonly format: string }

const FORMATS = ['table', 'json']

/** `lintel tls`: the processes that speak TLS; which are read, which are not, and why. Needs root for those of others. */
export function tls(flags: TlsFlags): void {
  if (!FORMATS.includes(flags.format)) throw new UsageError(`Cannot use --format ${JSON.stringify(flags.format)}: it is one of ${FORMATS.join(', ')}`)
  const { tls: wish } = (flags.config === undefined ? defaultConfig() : readConfig(flags.config, configSchema)).capture
  const rows = judged(tlsProcesses(globFilter(wish.paths)), wish)
  process.stdout.write(flags.format === 'json' ? rows.map((row) => `${JSON.stringify(jsonOf(row))}\n`).join('') : tlsTable(rows))
}

/** What `lintel run` with this configuration would do. */
function judged(found: readonly TlsProcess[], wish: Config['capture']['tls']): TlsProcess[] {
  const wants = processFilter(wish.processes)
  return found.map((row) => {
    const left = !wish.enabled || !wants(row.name, row.processId)
    return left && row.isReadable ? { ...row, isReadable: false, reason: 'left out by the configuration' } : row
  })
}

/** A row for each library of each process, then what it comes to. */
function tlsTable(rows: readonly TlsProcess[]): string {
  if (rows.length === 0) return 'No process that can be looked at here speaks TLS by a library that is known.\n'
  const cells = [
    ['PID', 'NAME', 'READ', 'LIBRARY', 'FILE', 'WHY NOT'],
    ...[...rows].sort((a, b) => a.processId - b.processId)
      // What programs call themselves and their files is theirs to choose.
      .map((row) => [String(row.processId), row.name, row.isReadable ? 'yes' : 'no', row.library, row.path, row.reason].map(clean)),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd())
  const read = rows.filter(({ isReadable }) => isReadable).length
  return `${lines.join('\n')}\n\n${read} read, ${rows.length - read} not\n`
}

function jsonOf({ processId, name, executable, path, library, isReadable, reason }: TlsProcess): Record<string, unknown> {
  return { pid: processId, name, executable, library, path, read: isReadable, ...(reason === '' ? {} : { reason }) }
}

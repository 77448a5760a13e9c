import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ToolCommand } from './harness/running-tool.ts'

export const PROGRAM = fileURLToPath(new URL('../bin/lintel', import.meta.url))

/** Folder of a store, in Lintel's own. */
export const STORE = 'store'

export interface LintelOptions {
  /** Address of its metrics; default "off". */
  readonly metrics?: string
  readonly flags?: readonly string[]
  /** What is not as users get it: keys of `capture`, of `limits`, of `rotate` of the log, and a store beside the log, in the folder STORE. */
  readonly config?: { readonly capture?: object; readonly limits?: object; readonly rotate?: object; readonly hasStore?: boolean }
}

type LintelCommand = ToolCommand & { readonly readyFile: string }

/** Lintel as its users run it: everything on, all headers of one port, or a range A-B, on lo to `log.ndjson` of its folder. */
export function lintelCommand(port: number | string, { metrics = 'off', flags = [], config }: LintelOptions = {}): LintelCommand {
  return {
    name: 'lintel',
    readyFile: 'ready',
    command: (out) => [PROGRAM, 'run', '--interface', 'lo', '--port', String(port), '--metrics', metrics, ...flags,
      ...(config === undefined ? ['--output', `file:${out}/log.ndjson`] : ['--config', writeConfig(out, config)]),
      '--ready-file', `${out}/ready`],
  }
}

function writeConfig(out: string, { capture, limits, rotate, hasStore = false }: NonNullable<LintelOptions['config']>): string {
  const path = `${out}/lintel.yaml`
  const outputs = [{ type: 'file', path: `${out}/log.ndjson`, rotate }, ...hasStore ? [{ type: 'store', path: `${out}/${STORE}` }] : []]
  writeFileSync(path, JSON.stringify({ capture, limits, outputs })) // JSON is YAML
  return path
}

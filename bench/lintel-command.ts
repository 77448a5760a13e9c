import { fileURLToPath } from 'node:url'
import type { ToolCommand } from './harness/running-tool.ts'

const PROGRAM = fileURLToPath(new URL('../bin/lintel', import.meta.url))

/** Lintel as its users run it: everything on, all headers of one port on lo to a file. */
export function lintelCommand(port: number, metrics: string = 'off'): ToolCommand & { readonly readyFile: string } {
  return {
    name: 'lintel',
    readyFile: 'ready',
    command: (out) => [PROGRAM, 'run', '--interface', 'lo', '--port', String(port), '--metrics', metrics,
      '--output', `file:${out}/log.ndjson`, '--ready-file', `${out}/ready`],
  }
}

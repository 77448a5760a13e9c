import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled'

/** What one kernel program took since it was loaded, while statistics were on. */
export interface ProgramCost {
  readonly name: string
  readonly runs: number
  readonly nanoseconds: number
}

/** Switches the kernel's program statistics on until `close`. */
export function bpfStats(): { close(): void } {
  const before = readFileSync(SWITCH, 'utf8').trim()
  writeFileSync(SWITCH, '1')
  return { close: () => { writeFileSync(SWITCH, before) } }
}

/** Every loaded program of Lintel that ran, from bpftool. */
export function programCosts(): ProgramCost[] {
  const programs = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' })) as
    { name?: string; run_cnt?: number; run_time_ns?: number }[]
  return programs.filter((program) => program.name?.startsWith('lintel') === true && (program.run_cnt ?? 0) > 0)
    .map((program) => ({ name: program.name!, runs: program.run_cnt!, nanoseconds: program.run_time_ns! }))
}

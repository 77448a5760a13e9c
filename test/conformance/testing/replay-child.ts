/**
 * Replays what it is told to, one message a capture: a process of its own, so that a hang can be ended from outside.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { damaged } from './damage.ts'
import type { Damage } from './damage.ts'
import { Replayer } from './replay.ts'
import type { ReplayOptions, ReplayResult } from './replay.ts'

export interface ReplayJob {
  readonly path: string
  readonly damage?: Damage
}

/** What became of one job; plain data. */
export interface ReplayReport {
  readonly job: ReplayJob
  /** Undefined when it threw. */
  readonly result: ReplayResult | undefined
  /** What was thrown. */
  readonly thrown: string | undefined
  readonly inputBytes: number
  readonly milliseconds: number
  /** Resident bytes of the process after it. */
  readonly residentBytes: number
}

const COLLECT_ABOVE_BYTES = 300 * 1024 * 1024

if (process.send !== undefined) {
  const options = JSON.parse(process.argv[2] ?? '{}') as ReplayOptions
  const replayer = new Replayer(options)
  const folder = mkdtempSync(join(tmpdir(), 'lintel-conformance-'))
  process.on('message', (job: ReplayJob) => { process.send!(replay(replayer, job, join(folder, 'input'))) })
  process.on('disconnect', () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(0)
  })
}

/** What is held by earlier files' garbage is no need of this one: it is collected before a large figure counts. */
function residentBytes(): number {
  const resident = process.memoryUsage.rss()
  if (resident < COLLECT_ABOVE_BYTES) return resident
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

function replay(replayer: Replayer, job: ReplayJob, scratch: string): ReplayReport {
  let path = job.path
  let thrown: string | undefined
  let result: ReplayResult | undefined
  if (job.damage !== undefined) {
    writeFileSync(scratch, damaged(path, job.damage) ?? new Uint8Array(0))
    path = scratch
  }
  const start = performance.now()
  try {
    result = replayer.run(path)
  } catch (error) {
    thrown = error instanceof Error ? error.stack ?? error.message : String(error)
  }
  const milliseconds = performance.now() - start
  return { job, result, thrown, inputBytes: result?.inputBytes ?? 0, milliseconds, residentBytes: residentBytes() }
}

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ReplayJob, ReplayReport } from './replay-child.ts'
import type { ReplayOptions } from './replay.ts'

/** No capture of the corpora needs a hundredth of this: what takes longer hangs. */
const HANG_MS = 30_000

/**
 * Replays captures in a child process and gives a report of each, in order. A replay that hangs or brings the process down is
 * reported as thrown, and the rest goes on in a new process.
 */
export async function* replayBatch(jobs: readonly ReplayJob[], options: ReplayOptions = {}): AsyncGenerator<ReplayReport> {
  let child: ChildProcess | undefined
  try {
    for (const job of jobs) {
      child ??= start(options)
      const report = await replayIn(child, job)
      if (report === undefined) {
        child = undefined
        yield { job, result: undefined, thrown: `the process ended, or no answer within ${HANG_MS} ms`, inputBytes: 0, milliseconds: HANG_MS, residentBytes: 0 }
      } else {
        yield report
      }
    }
  } finally {
    child?.disconnect()
  }
}

function start(options: ReplayOptions): ChildProcess {
  return fork(fileURLToPath(new URL('replay-child.ts', import.meta.url)), [JSON.stringify(options)], {
    serialization: 'advanced', execArgv: ['--expose-gc'],
  })
}

/** @returns undefined when it never answered; the process is gone then */
async function replayIn(child: ChildProcess, job: ReplayJob): Promise<ReplayReport | undefined> {
  const over = new AbortController()
  const timer = setTimeout(() => { child.kill('SIGKILL') }, HANG_MS)
  try {
    const answer = once(child, 'message', { signal: over.signal })
    const end = once(child, 'exit', { signal: over.signal })
    child.send(job)
    const [report] = await Promise.race([answer, end]) as [ReplayReport | number | null]
    return typeof report === 'object' && report !== null ? report : undefined
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}

import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from './session.ts'

const TICKS_PER_SECOND = 100 // USER_HZ, the unit of /proc/PID/stat on every architecture of Linux
const START_MS = 20_000

/** How a tool is started and known to be ready. */
export interface ToolCommand {
  readonly name: string
  /** `out` is a folder of the tool's own. */
  command(out: string): string[]
  /** A file in `out` that the tool writes when it is ready; without it, `readyMs` are waited. */
  readonly readyFile?: string
  readonly readyMs?: number
}

/** A tool that runs, with its cost so far. Its outputs stand in `stdout` and `stderr` of its folder. */
export class RunningTool {
  readonly #session: Session
  readonly #child: ChildProcess

  private constructor(session: Session, child: ChildProcess) {
    this.#session = session
    this.#child = child
  }

  static async start(session: Session, tool: ToolCommand, out: string): Promise<RunningTool> {
    mkdirSync(out, { recursive: true })
    const files = ['stdout', 'stderr'].map((name) => openSync(join(out, name), 'w')) as [number, number]
    const child = await session.start(tool.command(out), { stdio: ['ignore', ...files] })
    files.forEach((file) => { closeSync(file) })
    const failure = (why: string): Error => (
      new Error(`Cannot measure ${tool.name}: ${why}: ${readFileSync(join(out, 'stderr'), 'utf8').slice(-2000)}`))
    if (tool.readyFile === undefined) await session.delay(tool.readyMs ?? 1500)
    else for (let waited = 0; !existsSync(join(out, tool.readyFile)) && child.exitCode === null; waited += 50) {
      if (waited > START_MS) throw failure(`not ready after ${START_MS / 1000} s`)
      await session.delay(50)
    }
    if (child.exitCode !== null) throw failure('it ended at once')
    return new RunningTool(session, child)
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** User and system CPU seconds of the process, its threads and its children so far. */
  cpuSeconds(): number {
    return processTree(this.pid).reduce((sum, pid) => sum + cpuTicks(pid), 0) / TICKS_PER_SECOND
  }

  /**
   * Nanoseconds on the CPU of the threads that live now, from their first moment (proc_pid_schedstat of the kernel's
   * Documentation/scheduler/sched-stats.rst). Fine enough for a few exchanges, where `cpuSeconds` goes by 10 ms. For tools
   * whose threads stay.
   */
  cpuNanoseconds(): number {
    return processTree(this.pid).flatMap((pid) => threadsOf(pid).map((thread) => `/proc/${pid}/task/${thread}/schedstat`))
      .reduce((sum, path) => sum + Number(readText(path).split(' ')[0]), 0)
  }

  residentMiB(): number {
    return processTree(this.pid).reduce((sum, pid) => sum + residentKiB(pid), 0) / 1024
  }

  /** As Ctrl-C would. */
  async stop(): Promise<void> {
    await this.#session.stop(this.#child, 'SIGINT')
  }
}

function processTree(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) => readText(`/proc/${pid}/task/${thread}/children`).split(' '))
  return [pid, ...children.filter((text) => text !== '').flatMap((text) => processTree(Number(text)))]
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // it ended meanwhile
  }
}

function cpuTicks(pid: number): number {
  const fields = readText(`/proc/${pid}/stat`).replace(/^.*\) /, '').split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A way to watch the gateway's port, measured under the same load as every other. */
export interface Tool {
  readonly name: string
  /** Which of the gateway's ports to load: 8081 logs nothing, 8082 keeps nginx's access log. */
  readonly port: 8081 | 8082
  /** The command; undefined = nothing runs beside the gateway. `out` is a folder of its own. */
  command?(out: string): string[]
  /** Written by the tool when it is ready; without it, `readyMs` are waited. */
  readonly readyFile?: string
  readonly readyMs?: number
  /** Exchanges (or the share of packets) kept, from what it left in `out`. */
  kept?(out: string, requests: number): number
}

export const TOOLS: readonly Tool[] = [
  { name: 'nothing', port: 8081 },
  { name: 'nginx access_log', port: 8082 },
  {
    name: 'lintel',
    port: 8081,
    readyFile: 'ready',
    command: (out) => [`${root}bin/lintel`, 'run', '--interface', 'lo', '--port', '8081', '--metrics', 'off',
      '--output', `file:${out}/log.ndjson`, '--ready-file', `${out}/ready`],
    kept: (out, requests) => countRotated(out) / requests,
  },
  {
    name: 'tcpdump -w /dev/null',
    port: 8081,
    readyMs: 1500,
    command: () => ['tcpdump', '-i', 'lo', '-w', '/dev/null', '-B', '65536', 'port', '8081'],
    kept: (out) => {
      const text = readFileSync(join(out, 'stderr'), 'utf8')
      const captured = Number(/(\d+) packets captured/.exec(text)?.[1] ?? Number.NaN)
      const dropped = Number(/(\d+) packets dropped by kernel/.exec(text)?.[1] ?? Number.NaN)
      return captured / (captured + dropped)
    },
  },
  {
    name: 'tshark -T fields',
    port: 8081,
    readyMs: 4000,
    command: () => ['tshark', '-i', 'lo', '-B', '64', '-f', 'port 8081', '-d', 'tcp.port==8081,http', '-l', '-Q', '-T', 'fields',
      '-e', 'http.request.method', '-e', 'http.request.uri', '-e', 'http.host', '-e', 'http.user_agent',
      '-e', 'http.response.code', '-e', 'frame.time_epoch', '-Y', 'http.request'],
    kept: (out, requests) => countLines(join(out, 'stdout')) / requests,
  },
  {
    name: 'httpry',
    port: 8081,
    readyMs: 1500,
    command: (out) => ['httpry', '-i', 'lo', '-F', '-m', 'get', '-f', 'timestamp,source-ip,method,host,request-uri',
      '-o', join(out, 'httpry.log'), 'tcp dst port 8081'],
    kept: (out, requests) => countLines(join(out, 'httpry.log'), /^#/) / requests,
  },
]

/** Lines of the log and of what was rotated away, compressed or not. */
function countRotated(out: string): number {
  return readdirSync(out).filter((name) => name.startsWith('log')).reduce((sum, name) => {
    const path = join(out, name)
    return sum + (name.endsWith('.zst') ? Number(execFileSync('sh', ['-c', 'zstd -dcq "$1" | wc -l', 'sh', path]).toString()) : countLines(path))
  }, 0)
}

/** Lines of a file, streamed; those that match `except` are left out. */
function countLines(path: string, except?: RegExp): number {
  if (!existsSync(path)) return Number.NaN
  if (except !== undefined) return readFileSync(path, 'latin1').split('\n').filter((line) => line !== '' && !except.test(line)).length
  let count = 0
  const chunk = Buffer.alloc(1 << 20)
  const file = openSync(path, 'r')
  try {
    for (let at = 0, size = statSync(path).size; at < size;) {
      const length = readAt(file, chunk, at)
      for (let index = chunk.indexOf(10); index !== -1 && index < length; index = chunk.indexOf(10, index + 1)) count++
      at += length
    }
  } finally {
    closeSync(file)
  }
  return count
}

function readAt(file: number, chunk: Buffer, at: number): number {
  return readSync(file, chunk, 0, chunk.length, at)
}

/** A tool that runs, with its cost so far. */
export class RunningTool {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(tool: Tool, out: string): Promise<RunningTool | undefined> {
    const command = tool.command?.(out)
    if (command === undefined) return undefined
    const stdout = openSync(join(out, 'stdout'), 'w')
    const stderr = openSync(join(out, 'stderr'), 'w')
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', stdout, stderr] })
    child.on('error', (error) => { console.error(`Cannot start ${command[0]}: ${error.message}; run "make bench" for its set-up`) })
    if (tool.readyFile === undefined) await delay(tool.readyMs ?? 1000)
    else while (!existsSync(join(out, tool.readyFile)) && child.exitCode === null) await delay(50)
    if (child.exitCode !== null) throw new Error(`${tool.name} ended at once: ${readFileSync(join(out, 'stderr'), 'utf8')}`)
    return new RunningTool(child)
  }

  /** User and system CPU seconds of the process, its threads and its children so far. */
  cpuSeconds(): number {
    return processTree(this.#child.pid!).reduce((sum, pid) => sum + cpuTicks(pid), 0) / 100
  }

  residentMiB(): number {
    return processTree(this.#child.pid!).reduce((sum, pid) => sum + residentKiB(pid), 0) / 1024
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => { this.#child.once('exit', resolve) })
    this.#child.kill('SIGINT')
    await Promise.race([exited, delay(20_000).then(() => this.#child.kill('SIGKILL'))])
    await exited
  }
}

function processTree(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim()
  return [pid, ...children.split(' ').filter((text) => text !== '').flatMap((text) => processTree(Number(text)))]
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

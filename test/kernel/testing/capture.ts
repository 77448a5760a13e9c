import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { AttachmentChange, AttachmentRefusal, KernelAttachment, KernelFilters, KernelOptions } from '../../../src/capture/kernel/mod.ts'
import type { PacketCounters } from '../../../src/capture/source.ts'
import type { PacketRecord } from './records.ts'

export type CapturedRecord = Omit<PacketRecord, 'data' | 'time'> & { data: string; time: string }

export interface Captured {
  readonly records: CapturedRecord[]
  readonly counters: PacketCounters
  readonly names: Record<string, string>
}

interface Said {
  ready?: boolean; attachments?: KernelAttachment[]; refusals?: AttachmentRefusal[]; seesBothDirections?: boolean; epoch?: string; programs?: number[]
  change?: AttachmentChange; filtered?: boolean
  records?: CapturedRecord[]
  counters?: PacketCounters & { notWanted: Iterable<[string, number]>; lost: Iterable<[string, number]> }
  names?: Record<string, string>
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** The command line that runs `program` in a namespace, or here. `nsenter` leaves the mounts, and so cgroups, in sight. */
function within(namespace: string | undefined, program: string, args: readonly string[], how = 'ip'): [string, string[]] {
  if (namespace === undefined) return [program, [...args]]
  return how === 'nsenter' ? ['nsenter', [`--net=/run/netns/${namespace}`, program, ...args]]
    : ['ip', ['netns', 'exec', namespace, program, ...args]]
}

/** A running capture-child.ts. */
export class Capture {
  readonly child: ChildProcessWithoutNullStreams
  readonly changes: AttachmentChange[] = []
  ready: Said = {}
  #stderr = ''
  #waiting: ((said: Said | undefined) => void)[] = []
  readonly #said: Said[] = []

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child
    child.stderr.on('data', (text: Buffer) => { this.#stderr += String(text) })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Said
      if (said.change !== undefined) this.changes.push(said.change)
      else this.#tell(said)
    })
    child.on('close', () => { for (const resolve of this.#waiting.splice(0)) resolve(undefined) })
  }

  /** Resolves when everything is attached. @throws what the child printed when it could not */
  static async start(options: Omit<KernelOptions, 'memory'>, namespace?: string): Promise<Capture> {
    const [program, args] = within(namespace, process.execPath, [here('capture-child.ts'), JSON.stringify(options)],
      options.attach === 'cgroup' ? 'nsenter' : 'ip')
    const capture = new Capture(spawn(program, args))
    capture.ready = await capture.#next()
    return capture
  }

  async setFilters(filters: KernelFilters): Promise<void> {
    this.child.stdin.write(`${JSON.stringify({ filters })}\n`)
    await this.#next()
  }

  /** Resolves when `done` holds for the changes seen so far. */
  async untilChange(done: (changes: readonly AttachmentChange[]) => boolean): Promise<void> {
    while (!done(this.changes)) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  async stop(): Promise<Captured> {
    this.child.stdin.write(`${JSON.stringify({ stop: true })}\n`)
    const said = await this.#next()
    this.child.stdin.end()
    await once(this.child, 'close')
    const counters = said.counters!
    return {
      records: said.records!,
      counters: { ...counters, notWanted: new Map(counters.notWanted), lost: new Map(counters.lost) },
      names: said.names!,
    }
  }

  #tell(said: Said): void {
    const resolve = this.#waiting.shift()
    if (resolve === undefined) this.#said.push(said)
    else resolve(said)
  }

  async #next(): Promise<Said> {
    const said = this.#said.shift() ?? await new Promise<Said | undefined>((resolve) => this.#waiting.push(resolve))
    if (said === undefined) throw new Error(this.#stderr)
    return said
  }
}

/** A server of http-peer.ts that stops when disposed. */
export async function serve(host: string, port: number, namespace?: string): Promise<AsyncDisposable> {
  const [program, args] = within(namespace, process.execPath, [here('http-peer.ts'), 'serve', host, String(port)])
  const child = spawn(program, args)
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => { stderr += String(text) })
  await Promise.race([once(child.stdout, 'data'), once(child, 'close').then(() => { throw new Error(stderr) })])
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    },
  }
}

export interface Asking { count?: number; headerBytes?: number; bodyBytes?: number; namespace?: string }

/** Sends requests and answers how many came back right. */
export async function ask(url: string, asking: Asking = {}): Promise<number> {
  const { count = 1, headerBytes = 0, bodyBytes = 0, namespace } = asking
  const [program, args] = within(namespace, process.execPath,
    [here('http-peer.ts'), 'get', url, String(count), String(headerBytes), String(bodyBytes)])
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.on('data', (text: Buffer) => { stdout += String(text) })
  await once(child, 'close')
  return Number(stdout)
}

/** The bytes of one direction in order: what TCP sent twice counts once, what is missing throws. */
export function streamOf(records: readonly CapturedRecord[]): string {
  const parts: string[] = []
  let next: number | undefined
  for (const record of records.filter((each) => each.payloadLength > 0)) {
    const ahead = next === undefined ? 0 : (record.sequence - next) | 0
    if (ahead > 0) throw new Error(`${ahead} bytes are missing before sequence number ${record.sequence}`)
    // A byte that was cut on purpose still has its place.
    const payload = record.data.padEnd(record.payloadLength, '\0')
    if (-ahead >= payload.length) continue
    parts.push(payload.slice(-ahead))
    next = (record.sequence + payload.length) >>> 0
  }
  return parts.join('')
}

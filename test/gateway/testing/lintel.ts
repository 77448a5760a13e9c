import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createZstdDecompress } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { Running } from './process.ts'

const LINTEL = fileURLToPath(new URL('../../../bin/lintel', import.meta.url))

/** A record as its JSON says; only what tests read is named. */
export interface LoggedRecord {
  kind: string
  time: string
  event?: { name?: string; sequence?: number }
  client?: { address?: string; port?: number }
  server?: { address?: string; port?: number }
  url?: { path?: string; query?: string }
  network?: { type?: string; interface?: { name?: string }; one_direction?: boolean }
  link?: { vlan?: number[] }
  http?: {
    request?: { method?: string; header?: Record<string, string[]>; body?: { size?: number } }
    response?: { status_code?: number; header?: Record<string, string[]>; body?: { size?: number } }
  }
  marks?: Record<string, string>
  anomalies?: string[]
}

/** A running `lintel run`, writing NDJSON into a folder of its own. */
export class Lintel {
  readonly directory: string
  readonly process: Running

  private constructor(directory: string, process: Running) {
    this.directory = directory
    this.process = process
  }

  /** Resolves when the programs are attached. */
  static async start(args: string[] = [], namespace?: string): Promise<Lintel> {
    const directory = mkdtempSync(join(tmpdir(), 'lintel-test-'))
    const ready = join(directory, 'ready.json')
    const all = ['run', '--metrics', 'off', '--output', `file:${join(directory, 'log.ndjson')}`, '--ready-file', ready, ...args]
    const process = namespace === undefined ? new Running(LINTEL, all)
      : new Running('ip', ['netns', 'exec', namespace, LINTEL, ...all])
    await process.untilFile(ready)
    return new Lintel(directory, process)
  }

  /** SIGTERM, drained; gives what it printed at its end. */
  async stop(): Promise<string> {
    const code = await this.process.stop('SIGTERM')
    if (code !== 0) throw new Error(`lintel ended with ${code}: ${this.process.errors}`)
    return this.process.errors
  }

  /** Every record in the order of the files (rotated ones included), given one by one. */
  async each(take: (record: LoggedRecord) => void): Promise<void> {
    for (const name of readdirSync(this.directory).filter((file) => file.includes('.ndjson')).sort(rotatedFirst)) {
      const file = createReadStream(join(this.directory, name))
      const input = name.endsWith('.zst') ? file.pipe(createZstdDecompress()) : file
      for await (const line of createInterface({ input })) take(JSON.parse(line) as LoggedRecord)
    }
  }

  async records(): Promise<LoggedRecord[]> {
    const records: LoggedRecord[] = []
    await this.each((record) => { records.push(record) })
    return records
  }

  remove(): void {
    if (existsSync(this.directory)) rmSync(this.directory, { recursive: true, force: true })
  }
}

function rotatedFirst(left: string, right: string): number {
  if (left === 'log.ndjson') return 1
  if (right === 'log.ndjson') return -1
  return left < right ? -1 : 1
}

import assert from 'node:assert/strict'
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createZstdDecompress } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { Running } from './process.ts'

export const LINTEL = fileURLToPath(new URL('../../../bin/lintel', import.meta.url))

interface LoggedMessage {
  method?: string
  method_original?: string
  status_code?: number
  reason_phrase?: string
  header?: Record<string, string[]>
  header_bytes?: number
  body?: { size?: number }
  trailer?: Record<string, string[]>
  depth?: number
  interim_status_codes?: number[]
}

interface LoggedSide { bytes?: number; packets?: number }

interface LoggedWebSocketSide {
  messages: number
  compressed_messages?: number
  frames: number
  bytes: number
  pings: number
  pongs: number
}

/** A record as its JSON says; only what tests read is named. */
export interface LoggedRecord {
  kind: string
  time: string
  duration?: number
  time_to_first_byte?: number
  event?: { name?: string; reason?: string; count?: number; sequence?: number }
  client?: { address?: string; port?: number; real_address?: string }
  server?: { address?: string; port?: number }
  source?: { address?: string; port?: number }
  destination?: { address?: string; port?: number }
  url?: { scheme?: string; domain?: string; path?: string; query?: string }
  network?: {
    type?: string
    transport?: string
    interface?: { name?: string }
    protocol?: { name?: string; version?: string }
    io?: { direction?: string }
    connection?: { id?: number }
    one_direction?: boolean
  }
  link?: { source?: { mac?: string }; destination?: { mac?: string }; type?: string; vlan?: number[] }
  ip?: Record<string, number | boolean>
  tcp?: Record<string, number | string>
  icmp?: { type?: number; code?: number }
  http?: { request?: LoggedMessage; response?: LoggedMessage }
  connection?: { client?: LoggedSide; server?: LoggedSide; lost_bytes?: number; exchanges?: number }
  tls?: {
    protocol?: { name?: string; version?: string }
    cipher?: string
    curve?: string
    next_protocol?: string
    resumed?: boolean
    client?: { server_name?: string; alpn?: string[]; ja4?: string; ech?: boolean; subject?: string }
    server?: { subject?: string; issuer?: string; not_after?: string; subject_alternative_names?: string[] }
  }
  proxy?: {
    version?: number
    source?: { address?: string; port?: number }
    destination?: { address?: string; port?: number }
    authority?: string
  }
  message?: {
    request?: { method?: string; path?: string; header?: Record<string, string[]>; body?: { size?: number } }
    response?: { status?: string; header?: Record<string, string[]>; body?: { size?: number } }
  }
  trace?: { id?: string }
  websocket?: {
    subprotocol?: string
    extensions?: string
    close_code?: number
    close_reason?: string
    closed_by?: string
    client: LoggedWebSocketSide
    server: LoggedWebSocketSide
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
  static async start(args: string[] = [], namespace?: string, folder = tmpdir()): Promise<Lintel> {
    const directory = mkdtempSync(join(folder, 'lintel-test-'))
    return await Lintel.#run(directory, ['--metrics', 'off', '--output', `file:${join(directory, 'log.ndjson')}`, ...args], namespace)
  }

  /** With a config file instead of an output: `yaml` is given the folder, in which `log.ndjson` is what is read here. */
  static async configured(yaml: (directory: string) => string, args: string[] = []): Promise<Lintel> {
    const directory = mkdtempSync(join(tmpdir(), 'lintel-test-'))
    writeFileSync(join(directory, 'lintel.yaml'), yaml(directory))
    return await Lintel.#run(directory, ['--metrics', 'off', '--config', join(directory, 'lintel.yaml'), ...args])
  }

  static async #run(directory: string, args: string[], namespace?: string): Promise<Lintel> {
    const ready = join(directory, 'ready.json')
    const all = ['run', '--ready-file', ready, ...args]
    const process = namespace === undefined ? new Running(LINTEL, all)
      : new Running('ip', ['netns', 'exec', namespace, LINTEL, ...all])
    try {
      await process.untilFile(ready)
    } catch (error) {
      await process.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
      throw error
    }
    return new Lintel(directory, process)
  }

  /** SIGTERM, drained; gives what it printed at its end. */
  async stop(): Promise<string> {
    const code = await this.process.stop('SIGTERM')
    if (code !== 0) throw new Error(`lintel ended with ${this.process.child.signalCode ?? code}: ${this.process.errors}`)
    return this.process.errors
  }

  /** Ends the run: its ledgers must add up, and no anomaly may have been told. */
  async stopQuietly(): Promise<void> {
    assert.match(await this.stop(), /adds up/)
    assert.deepEqual(this.now().filter(({ kind }) => kind === 'anomaly').map(({ event }) => event?.name), [])
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

  /** What the newest file holds now, whole lines only. */
  now(): LoggedRecord[] {
    const path = join(this.directory, 'log.ndjson')
    if (!existsSync(path)) return []
    const text = readFileSync(path, 'utf8')
    return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedRecord)
  }

  /** Waits until the records that `choose` picks are at least `count`; gives them. */
  async until(choose: (record: LoggedRecord) => boolean, count: number, msMax = 10_000): Promise<LoggedRecord[]> {
    let chosen: LoggedRecord[] = []
    await this.process.until(() => {
      chosen = this.now().filter(choose)
      return chosen.length >= count
    }, `${count} records that ${choose.toString()}`, msMax)
    return chosen
  }

  /** Exchanges of one path: `count` at least. */
  async exchanges(path: string, count = 1): Promise<LoggedRecord[]> {
    return await this.until((record) => record.kind === 'exchange' && record.url?.path === path, count)
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

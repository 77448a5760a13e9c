import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogRecord, Span } from '../../../src/sink/exporters/testing/otlp-decoder.ts'

/** See tools/engines.sh, and ../otel-collector. */
const FOLDER = process.env['LINTEL_ENGINES'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lintel-engines')
const PROGRAM = join(FOLDER, 'otel-collector')

/** One line of the collector's file exporter: OTLP as JSON. */
interface Line {
  readonly resourceLogs?: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[] }[]
  readonly resourceSpans?: readonly { readonly resource: Resource, readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
}

interface Resource {
  readonly attributes: readonly { readonly key: string, readonly value: { readonly stringValue: string } }[]
}

/** An OpenTelemetry Collector of its own, on loopback ports: what it takes by OTLP it writes to two files. */
export class OtelCollector {
  readonly #http: number
  readonly #grpc: number
  readonly #folder: string
  #process: ChildProcess | undefined

  private constructor(http: number, grpc: number, folder: string) {
    this.#http = http
    this.#grpc = grpc
    this.#folder = folder
  }

  static async start(folder: string): Promise<OtelCollector> {
    if (!existsSync(PROGRAM)) throw new Error(`Cannot find "${PROGRAM}": run tools/engines.sh, or make test-engines`)
    mkdirSync(folder, { recursive: true })
    const collector = new OtelCollector(await freePort(), await freePort(), folder)
    await collector.run()
    return collector
  }

  url(protocol: 'http' | 'grpc'): string {
    return `http://127.0.0.1:${protocol === 'http' ? this.#http : this.#grpc}`
  }

  /** At the same ports, with the same files. */
  async run(): Promise<void> {
    const addresses = [this.#http, this.#grpc].map(port => `127.0.0.1:${port}`)
    this.#process = spawn(PROGRAM, [...addresses, join(this.#folder, 'logs.json'), join(this.#folder, 'traces.json')], { stdio: ['ignore', 'ignore', 'inherit'] })
    for (const port of [this.#http, this.#grpc]) {
      for (let left = 200; !await answers(port); left--) {
        if (left === 0) throw new Error('the collector did not start')
        await sleep(50)
      }
    }
  }

  /** In order: what it has taken stands in its files then. */
  async stop(): Promise<void> {
    const gone = once(this.#process as ChildProcess, 'exit')
    this.#process?.kill('SIGTERM')
    await gone
  }

  logs(): readonly LogRecord[] {
    const found: LogRecord[] = []
    for (const { resourceLogs = [] } of this.#lines('logs.json')) {
      for (const { scopeLogs } of resourceLogs) for (const { logRecords } of scopeLogs) found.push(...logRecords)
    }
    return found
  }

  /** With the service that each is of. */
  spans(): readonly (Span & { readonly service: string | undefined })[] {
    const found: (Span & { readonly service: string | undefined })[] = []
    for (const { resourceSpans = [] } of this.#lines('traces.json')) {
      for (const { resource, scopeSpans } of resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue
        for (const { spans } of scopeSpans) found.push(...spans.map(span => ({ ...span, service })))
      }
    }
    return found
  }

  /** By LF alone: values have other line ends in them. */
  * #lines(name: string): Generator<Line> {
    const bytes = readFileSync(join(this.#folder, name))
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(0x0a, at)
      yield JSON.parse(bytes.toString('utf8', at, end)) as Line
      at = end + 1
    }
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return await new Promise(resolve => {
    socket.once('connect', () => { resolve(true) }).once('error', () => { resolve(false) })
  }).then(is => { socket.destroy(); return is as boolean })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise<void>(resolve => probe.close(() => resolve()))
  return port
}

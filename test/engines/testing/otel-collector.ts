import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogRecord, Span } from '../../../src/sink/exporters/testing/otlp-decoder.ts'
import type { Metric } from '../../../src/sink/exporters/testing/otlp-metrics.ts'
import { accepts } from '../../gateway/testing/gateway.ts'
import { Running } from '../../gateway/testing/process.ts'
import { engine, START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'

/** One line of the collector's file exporter: OTLP as JSON. */
interface Line {
  readonly resourceLogs?: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[] }[]
  readonly resourceSpans?: readonly { readonly resource: Resource, readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
  readonly resourceMetrics?: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[] }[]
}

interface Resource {
  readonly attributes: readonly { readonly key: string, readonly value: { readonly stringValue: string } }[]
}

/** The program of ../otel-collector on its own, on loopback ports: what it takes by OTLP it writes to files, one for each signal. */
export class OtelCollector {
  readonly #http: number
  readonly #grpc: number
  readonly #folder: string
  #process: Running | undefined

  private constructor(http: number, grpc: number, folder: string) {
    this.#http = http
    this.#grpc = grpc
    this.#folder = folder
  }

  static async start(folder: string): Promise<OtelCollector> {
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
    this.#process = new Running(engine('otel-collector'), [...addresses, ...['logs', 'traces', 'metrics'].map(name => join(this.#folder, `${name}.json`))])
    for (const port of [this.#http, this.#grpc]) await this.#process.until(() => accepts(String(port)), `listening port ${port}`, START_MS_MAX)
  }

  /** In order: what it has taken stands in its files then. */
  async stop(): Promise<void> {
    await this.#process?.stop()
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

  /** By push, in order. */
  pushes(): readonly (readonly Metric[])[] {
    return [...this.#lines('metrics.json')].map(({ resourceMetrics = [] }) => {
      return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    })
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

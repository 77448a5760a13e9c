/**
 * What OTLP messages say, read by protobufjs from the official descriptions (./otlp-proto: opentelemetry-proto 1.10, as it is published), so
 * by nothing that the exporter writes with.
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import type { Metric } from './otlp-metrics.ts'

const folder = fileURLToPath(new URL('./otlp-proto/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => folder + target
root.loadSync(['logs', 'trace', 'metrics'].map(name => `opentelemetry/proto/collector/${name}/v1/${name}_service.proto`))

/** AnyValue: one of these. Whole numbers as text. */
export interface AnyValue {
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly intValue?: string
  readonly doubleValue?: number
  readonly arrayValue?: { readonly values?: readonly AnyValue[] }
}

export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

export interface LogRecord {
  readonly timeUnixNano?: string
  readonly observedTimeUnixNano: string
  readonly severityNumber: number
  readonly body: AnyValue
  readonly attributes: readonly KeyValue[]
  readonly flags?: number
  /** Hexadecimal. */
  readonly traceId?: string
  readonly spanId?: string
  readonly eventName?: string
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly status?: { readonly code: number }
  readonly flags?: number
}

export interface Grouped<One> {
  /** Attributes of the resource. */
  readonly resource: Readonly<Record<string, string>>
  readonly scope: string
  readonly ones: readonly One[]
}

interface Raw {
  readonly resource: { readonly attributes: readonly KeyValue[] }
  readonly scopeLogs?: readonly Scoped[]
  readonly scopeSpans?: readonly Scoped[]
  readonly scopeMetrics?: readonly Scoped[]
}

interface Scoped {
  readonly scope: { readonly name: string }
  readonly logRecords?: readonly LogRecord[]
  readonly spans?: readonly Span[]
  readonly metrics?: readonly Metric[]
}

/**
 * Strict: what the descriptions do not have, in another order than they have it, or not in its shortest form, is an error, since the bytes
 * must be those that protobufjs makes of what it has read.
 */
function decode(type: string, bytes: Buffer): unknown {
  const message = root.lookupType(`opentelemetry.proto.collector.${type}`)
  const read = message.decode(bytes)
  const invalid = message.verify(read)
  assert.equal(invalid, null)
  return message.toObject(read, { longs: String, bytes: Buffer, defaults: false })
}

/** The same bytes, made anew of what was read. */
export function encodedAgain(signal: Signal, bytes: Buffer): Buffer {
  const message = root.lookupType(`opentelemetry.proto.collector.${TYPES[signal]}`)
  return Buffer.from(message.encode(message.decode(bytes)).finish())
}

const TYPES = {
  logs: 'logs.v1.ExportLogsServiceRequest', traces: 'trace.v1.ExportTraceServiceRequest', metrics: 'metrics.v1.ExportMetricsServiceRequest',
} as const
type Signal = keyof typeof TYPES

const hex = (value: unknown): { traceId?: string } => Object.fromEntries(Object.entries(value as object)
  .map(([name, part]) => [name, Buffer.isBuffer(part) ? part.toString('hex') : part as unknown]))

function group<One>({ resource, scopeLogs, scopeSpans, scopeMetrics }: Raw): Grouped<One> {
  const scoped = scopeLogs ?? scopeSpans ?? scopeMetrics ?? []
  assert.equal(scoped.length, 1)
  const [{ scope, logRecords, spans, metrics }] = scoped as [Scoped]
  return {
    resource: Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue as string])),
    scope: scope.name, ones: (logRecords ?? spans ?? metrics ?? []).map(one => hex(one) as One),
  }
}

export function decodeLogs(bytes: Buffer): readonly Grouped<LogRecord>[] {
  const { resourceLogs = [] } = decode(TYPES.logs, bytes) as { resourceLogs?: readonly Raw[] }
  return resourceLogs.map(raw => group<LogRecord>(raw))
}

export function decodeSpans(bytes: Buffer): readonly Grouped<Span>[] {
  const { resourceSpans = [] } = decode(TYPES.traces, bytes) as { resourceSpans?: readonly Raw[] }
  return resourceSpans.map(raw => group<Span>(raw))
}

/** All of one resource. */
export function decodeMetrics(bytes: Buffer): Grouped<Metric> {
  assert.ok(encodedAgain('metrics', bytes).equals(bytes), 'as protobufjs writes it')
  const { resourceMetrics = [] } = decode(TYPES.metrics, bytes) as { resourceMetrics?: readonly Raw[] }
  assert.equal(resourceMetrics.length, 1)
  return group<Metric>(resourceMetrics[0] as Raw)
}

const RESPONSES = {
  logs: ['logs.v1.ExportLogsServiceResponse', 'rejectedLogRecords'], traces: ['trace.v1.ExportTraceServiceResponse', 'rejectedSpans'],
  metrics: ['metrics.v1.ExportMetricsServiceResponse', 'rejectedDataPoints'],
} as const

/** A response of a service. */
export function partialSuccess(signal: Signal, rejected: number, errorMessage: string): Buffer {
  const [type, name] = RESPONSES[signal]
  const message = root.lookupType(`opentelemetry.proto.collector.${type}`)
  return Buffer.from(message.encode(message.fromObject({ partialSuccess: { [name as string]: rejected, errorMessage } })).finish())
}

/** Attributes by name; no name is there twice. */
export function byName(attributes: readonly KeyValue[]): Map<string, AnyValue> {
  const names = new Map(attributes.map(({ key, value }) => [key, value]))
  assert.equal(names.size, attributes.length, 'a name is there twice')
  return names
}

const SECONDS = new Set(['duration', 'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration'])

/** What a record must be as attributes: all of its fields but `time`. */
export function expectedAttributes(record: object): Map<string, AnyValue> {
  const found = new Map<string, AnyValue>()
  const walk = (value: object, prefix: string): void => {
    for (const [key, member] of Object.entries(value)) {
      const name = prefix + key
      if (typeof member === 'object' && member !== null && !Array.isArray(member)) walk(member as object, `${name}.`)
      else if (name !== 'time') found.set(name, anyValue(member, SECONDS.has(name)))
    }
  }
  walk(record, '')
  return found
}

function anyValue(value: unknown, isSeconds: boolean): AnyValue {
  if (typeof value === 'string') return { stringValue: value.toWellFormed() }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isInteger(value) && !isSeconds ? { intValue: String(value) } : { doubleValue: value }
  const values = (value as unknown[]).map(item => anyValue(item, false))
  return { arrayValue: values.length === 0 ? {} : { values } }
}

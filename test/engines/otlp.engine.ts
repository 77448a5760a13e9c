/** Records of captures and of a live run, sent to a real OpenTelemetry Collector over HTTP and gRPC, and read back from the files that it writes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Sink } from '../../src/sink/mod.ts'
import { delivery, exchanges, HOSTILE, openOutput, range, until } from '../../src/sink/exporters/exporter.suite.ts'
import { messageText } from '../../src/sink/exporters/message-text.ts'
import { type AnyValue, byName, expectedAttributes, type LogRecord, type Span } from '../../src/sink/exporters/testing/otlp-decoder.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { batchesOf } from '../store/testing/stored.ts'
import { OtelCollector } from './testing/otel-collector.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { CAPTURES, LIVE } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-collector-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function open(options: Record<string, unknown>, host: RecordingHost): Sink {
  const spool = { path: join(folder, `spool-${number++}`) }
  return openOutput({ type: 'otlp', spool, ...PATIENT, batch: { records: 500, age: '10ms' }, ...options }, host)
}

/** Nanoseconds since the epoch; undefined for 0, which OTLP takes for "not known". */
function nanoseconds(time: string): string | undefined {
  const [, second, fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(time) as unknown as [string, string, string?]
  return shown(String(BigInt(`${Date.parse(`${second}Z`) / 1000}${fraction.padEnd(9, '0')}`)))
}

interface Fields {
  readonly kind: string
  readonly time: string
  readonly duration?: number
  readonly event?: { readonly name?: string }
  readonly trace?: { readonly id?: string, readonly sampled?: boolean }
  readonly span?: { readonly id?: string }
}

const entries = (attributes: ReadonlyMap<string, AnyValue>): [string, AnyValue][] => [...attributes].sort(([a], [b]) => a < b ? -1 : 1)
/** The file exporter leaves out what is empty. */
const shown = <V>(value: V | undefined): V | undefined => value === '' || value === 0 || value === '0' ? undefined : value

/** What is said of a record as a log, and as a span, in one form for both sides. */
function expectedLog(line: string): unknown {
  const { kind, time, event } = JSON.parse(line) as Fields
  const body = kind === 'websocket' ? `websocket ${event?.name}` : messageText(Buffer.from(line))
  return [nanoseconds(time), body, `lintel.${kind}`, entries(expectedAttributes(JSON.parse(line) as object))]
}

function storedLog({ timeUnixNano, body, eventName, attributes }: LogRecord): unknown {
  const found = byName(attributes)
  found.delete('log.record.uid')
  return [shown(timeUnixNano), body.stringValue, eventName, entries(found)]
}

function expectedSpan(line: string): unknown {
  const { time, duration = 0, trace, span } = JSON.parse(line) as Fields
  const attributes = expectedAttributes(JSON.parse(line) as object)
  const start = nanoseconds(time) ?? '0'
  const end = String(BigInt(start) + BigInt(Math.round(duration * 1e9)))
  const flags = (trace?.sampled === true ? 1 : 0) | (span?.id === undefined ? 0 : 0x300)
  if (trace?.id === undefined) attributes.set('lintel.trace.generated', { boolValue: true })
  return [trace?.id, span?.id, shown(flags), shown(start), shown(end), entries(attributes)]
}

function storedSpan({ traceId, parentSpanId, flags, startTimeUnixNano, endTimeUnixNano, attributes }: Span): unknown {
  const found = byName(attributes)
  const isMade = found.has('lintel.trace.generated')
  assert.match(traceId, /^[0-9a-f]{32}$/)
  return [isMade ? undefined : traceId, shown(parentSpanId), shown(flags), shown(startTimeUnixNano), shown(endTimeUnixNano), entries(found)]
}

function assertSame(there: readonly unknown[], wanted: readonly unknown[]): void {
  const [found, sought] = [there, wanted].map(all => all.map(one => JSON.stringify(one)).sort()) as [string[], string[]]
  const odd = sought.findIndex((text, index) => text !== found[index])
  assert.equal(found[odd], sought[odd], `${found.length} and ${sought.length} records`)
  assert.equal(found.length, sought.length)
}

const WAYS = [
  ['http', 'gzip', CAPTURES], ['http', 'zstd', CAPTURES], ['grpc', 'gzip', CAPTURES], ['http', 'gzip', LIVE], ['grpc', 'gzip', LIVE],
] as const

for (const [protocol, compression, source] of WAYS) {
  test(`OpenTelemetry Collector over ${protocol}, ${compression}: ${source.name}: each is there, field by field`, async context => {
    const lines = await source.lines(context)
    if (lines === undefined) return
    const exchangeLines = lines.filter(line => {
      const { kind, event } = JSON.parse(line) as Fields
      return kind === 'exchange' && event?.name !== 'open'
    })
    const collector = await OtelCollector.start(join(folder, `collector-${number++}`))
    try {
      await sendAll(host => open({ protocol, compression, url: collector.url(protocol) }, host), lines)
    } finally {
      await collector.stop()
    }
    const [logs, spans] = [collector.logs(), collector.spans()]
    assertSame(logs.map(storedLog), lines.map(expectedLog))
    assertSame(spans.map(storedSpan), exchangeLines.map(expectedSpan))
    assert.equal(new Set(logs.map(({ attributes }) => byName(attributes).get('log.record.uid')?.stringValue)).size, lines.length)
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, exchangeLines.length)
    const spanOfLog = new Set(logs.filter(({ spanId }) => shown(spanId) !== undefined).map(({ traceId, spanId }) => `${traceId} ${spanId}`))
    assert.ok(spans.every(({ traceId, spanId }) => spanOfLog.has(`${traceId} ${spanId}`)), 'each span has its log')
    context.diagnostic(`${logs.length} log records, ${spans.length} spans`)
  })
}

for (const protocol of ['http', 'grpc'] as const) {
  test(`Collector over ${protocol}, stopped and started again midway: all is there, a batch at most twice, nothing is forged`, async context => {
    const collector = await OtelCollector.start(join(folder, `restarted-${protocol}`))
    const host = new RecordingHost()
    const sink = open({ protocol, url: collector.url(protocol), retry: { max_wait: '100ms' } }, host)
    const [batches, records] = [100, 200]
    try {
      for (let index = 0; index < batches; index++) {
        sink.write(exchanges(index * records, records))
        await sink.flush()
        if (index === 30) await collector.stop()
        if (index === 60) await until('it is told', () => sink.health().lastError !== undefined, host)
        if (index === 70) await collector.run()
      }
      await sink.close()
      assert.equal(delivery(sink).sent, batches * records, host.logs.join('\n'))
    } finally {
      await sink.close()
      await collector.stop()
    }
    for (const [ones, key] of [[collector.logs(), 'log.record.uid'], [collector.spans(), 'event.sequence']] as const) {
      const found = ones.map(({ attributes }) => byName(attributes))
      const unique = [...new Map(found.map(one => [JSON.stringify(one.get(key)), one])).values()]
      assert.deepEqual(unique.map(one => Number(one.get('event.sequence')?.intValue)).sort((a, b) => a - b), range(0, batches * records))
      assert.ok(found.length - unique.length <= 500, `${found.length - unique.length} twice`)
      const hostile = unique.flatMap(one => one.get('http.request.header.x-hostile') ?? [])
      assert.equal(hostile.length, batches)
      for (const value of hostile) assert.deepEqual(value.arrayValue?.values?.map(({ stringValue }) => stringValue), HOSTILE)
      context.diagnostic(`${found.length} of ${unique.length} records`)
    }
  })
}

test('OpenTelemetry Collector: spans stand in the traces of their callers, by their services; long and hostile values are whole', async () => {
  const [trace, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  const values = [...HOSTILE, '\0', `${'x'.repeat(65_535)}\n`, 'é'.repeat(40_000), '']
  const base = {
    kind: 'exchange', time: '2026-05-28T20:26:40.123456789Z', duration: 1.000000001,
    http: { request: { method: 'GET', header: { 'x-hostile': values } }, response: { status_code: 404 } },
  }
  const program = (name: string): object => ({ process: { pid: 7, executable: { name } } })
  const records = [
    { ...base, event: { sequence: 0 }, trace: { id: trace, sampled: true }, span: { id: parent }, server: program('nginx') },
    { ...base, event: { sequence: 1 }, trace: { id: trace }, span: { id: parent }, client: program('nginx') },
    { ...base, event: { sequence: 2 }, trace: { id: `${trace}00` }, span: { id: parent } },
  ]
  for (const protocol of ['http', 'grpc'] as const) {
    const collector = await OtelCollector.start(join(folder, `traces-${protocol}`))
    const host = new RecordingHost()
    const sink = open({ protocol, url: collector.url(protocol) }, host)
    for (const batch of batchesOf(records.map(record => JSON.stringify(record)))) sink.write(batch)
    try {
      await until('all sent', () => delivery(sink).sent === 3, host)
    } finally {
      await sink.close()
      await collector.stop()
    }
    const place = (span: Span): number => Number(byName(span.attributes).get('event.sequence')?.intValue)
    const spans = [...collector.spans()].sort((a, b) => place(a) - place(b))
    const said = spans.map(({ service, kind, name, parentSpanId, status, flags }) => [service, kind, name, shown(parentSpanId), status?.code, flags])
    assert.deepEqual(said, [
      ['nginx', 2, 'GET', parent, undefined, 0x301], ['nginx', 3, 'GET', parent, 2, 0x300], ['lintel', 2, 'GET', undefined, undefined, undefined],
    ])
    assert.deepEqual(spans.map(({ traceId }) => traceId === trace), [true, true, false])
    for (const { attributes, startTimeUnixNano, endTimeUnixNano } of spans) {
      assert.deepEqual([startTimeUnixNano, endTimeUnixNano], ['1780000000123456789', '1780000001123456790'])
      assert.deepEqual(byName(attributes).get('http.request.header.x-hostile')?.arrayValue?.values?.map(({ stringValue }) => stringValue), values)
    }
  }
})

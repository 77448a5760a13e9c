import assert from 'node:assert/strict'
import { join } from 'node:path'
import { exchanges, openOutput } from '../../../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../../../src/sink/sink.suite.ts'
import type { Sink } from '../../../src/sink/sink.ts'
import { batchesOf } from '../../store/testing/stored.ts'
import type { InfluxServer } from './influx-server.ts'
import { PATIENT } from './send-all.ts'

type Json = Readonly<Record<string, unknown>>

const HEADER_FIELDS = ['host', 'x-hostile', 'set-cookie', 'user-agent']
/** Fields of docs/fields.md that hold an object. */
const OBJECTS = /^(http|message)\.(request|response)\.(header|trailer)$|^marks$/

/** The line of a record as a row of InfluxDB, but for its id and time. */
function expected(record: Json, prefix = ''): [string, unknown][] {
  return Object.entries(record).flatMap(([key, value]): [string, unknown][] => {
    const name = prefix + key
    if (name === 'time') return [['time_text', value]]
    if (typeof value !== 'object' || value === null) return [[name, value]]
    if (Array.isArray(value)) return [[name, JSON.stringify(value)]]
    if (!OBJECTS.test(name)) return expected(value as Json, `${name}.`)
    const own = /^http\.(request|response)\.header$/.test(name) ? HEADER_FIELDS : []
    return [[name, JSON.stringify(value)],
      ...own.filter(header => header in value).map(header => [`${name}.${header}`, (value as Record<string, string[]>)[header]?.join(', ')] as [string, unknown])]
  })
}

function tagsOf({ kind, http }: Json): [string, unknown][] {
  const { request, response } = (http ?? {}) as { readonly request?: { readonly method?: string }, readonly response?: { readonly status_code?: number } }
  return ([['kind', kind], ['method', request?.method], ['status_code', response?.status_code?.toString()]] as [string, unknown][]).filter(([, value]) => value !== undefined)
}

const text = (entries: Iterable<readonly [string, unknown]>): string => JSON.stringify([...entries].sort(([a], [b]) => a < b ? -1 : 1))

export function hostileLine(): string {
  return Buffer.from(exchanges(0, 1).bytes).toString().trimEnd()
}

export function openInflux(server: InfluxServer, folder: string, more: Readonly<Record<string, unknown>>, host: RecordingHost): Sink {
  return openOutput({
    type: 'influxdb', url: server.url, header_fields: HEADER_FIELDS, tags: { host: 'gw 1,a=b' }, spool: { path: join(folder, 'spool') }, ...PATIENT,
    batch: { age: '10ms' }, retry: { max_wait: '50ms' }, ...more,
  }, host)
}

/** Sends the lines, reads the points back, and compares them field by field. */
export async function influxRoundTrip(server: InfluxServer, folder: string, more: Readonly<Record<string, unknown>>, lines: readonly string[]): Promise<void> {
  await server.query('CREATE DATABASE lintel')
  const host = new RecordingHost()
  const sink = openInflux(server, folder, more, host)
  for (const batch of batchesOf(lines)) {
    sink.write(batch)
    await sink.flush()
  }
  await sink.close()
  const { sent, refused, waitingRecords } = sink.health().delivery as NonNullable<ReturnType<Sink['health']>['delivery']>
  assert.deepEqual({ sent, refused, waitingRecords }, { sent: lines.length, refused: 0, waitingRecords: 0 }, host.logs.join('\n'))
  const rows = await server.query('SELECT * FROM lintel', 'lintel')
  assert.equal(rows.length, lines.length)
  assert.equal(new Set(rows.map(row => row.get('id'))).size, lines.length)
  const there = new Map(rows.map(row => [row.get('event.sequence'), row]))
  for (const line of lines) {
    const record = JSON.parse(line) as Json & { readonly event: { readonly sequence: number } }
    const { time, id, ...row } = Object.fromEntries(there.get(record.event.sequence) ?? assert.fail(`not there: ${line}`))
    assert.equal(typeof id, 'string')
    assert.ok(String(time).endsWith(String(record.event.sequence)), String(time))
    const wanted = new Map([...expected(record), ...tagsOf(record), ['host', 'gw 1,a=b'] as const])
    assert.equal(text(Object.entries(row)), text(wanted))
  }
}

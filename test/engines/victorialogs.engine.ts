/** Records of real captures and of a live run, sent to a real VictoriaLogs by each protocol that it speaks, and read back by its query API. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { configSchema } from '../../src/config.ts'
import { ecsDocument } from '../../src/sink/exporters/ecs.ts'
import { openSink, type Sink } from '../../src/sink/mod.ts'
import { exchanges, HOSTILE, until } from '../../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { type Source, SOURCES } from './testing/sources.ts'
import { VictoriaLogs } from './testing/victorialogs-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-victorialogs-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.env['LINTEL_TEST_HEC'] = 'any'
let number = 0

function open(options: Record<string, unknown>, host: RecordingHost): Sink {
  const shared = { spool: { path: join(folder, `spool-${number++}`) }, ...PATIENT, batch: { records: 500, age: '10ms' } }
  const [checked] = configSchema.shape.outputs.parse([{ ...shared, ...options }])
  return openSink(checked as NonNullable<typeof checked>, host)
}

/** As VictoriaLogs has it: names with dots, all values text, arrays as JSON, empty values and objects not there. */
function flat(value: unknown, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, member] of Object.entries(value as Record<string, unknown>)) {
    const name = prefix === '' ? key : `${prefix}.${key}`
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      for (const [below, text] of flat(member, name)) found.set(below, text)
    } else {
      const text = Array.isArray(member) ? JSON.stringify(member) : String(member)
      if (text !== '') found.set(name, text)
    }
  }
  return found
}

/** Nanoseconds since the epoch. */
function nanoseconds(time: string): string {
  const [, seconds, fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(time) as unknown as [string, string, string?]
  return `${Date.parse(`${seconds}Z`) / 1000}${fraction.padEnd(9, '0')}`
}

/** Fields of an entry that are the record's own, its time first. */
function ownFields(entry: ReadonlyMap<string, string>, time: string, without: readonly string[]): string {
  const fields = [...entry].filter(([name]) => !without.includes(name)).sort(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify([nanoseconds(time), fields.map(([name, text]) => [name, plain(text)])])
}

/** Packets of captures without times, which VictoriaLogs takes for "now", and for seconds. */
const EPOCH = '"time":"1970-01-01T'

/** Fractions to 12 digits (the server keeps some an ulp off), arrays by what is in them: their text may be written in more than one way. */
function plain(text: string): string {
  if (/^-?\d+\.\d+$/.test(text)) return String(Number(Number(text).toPrecision(12)))
  return text.startsWith('[') ? JSON.stringify(JSON.parse(text)) : text
}

const ADDED = ['_time', '_msg', '_stream', '_stream_id', 'id', 'event.id', 'time', '@timestamp']

function expected(line: string, { add = {}, document = record => record }: Protocol): string {
  const record = JSON.parse(line) as { time: string }
  return ownFields(new Map([...flat(document(record)), ...Object.entries(add)]), record.time, ADDED)
}

/** @param prefix what this protocol puts before the names of a record's fields */
function stored(entry: Record<string, string>, prefix: string): string {
  const fields = Object.entries(entry).map(([name, text]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, text] as const)
  return ownFields(new Map(fields), entry['_time'] as string, ADDED)
}

interface Protocol {
  readonly type: string
  readonly path: string
  readonly more?: Record<string, unknown>
  /** Fields that the protocol brings besides. */
  readonly add?: Record<string, string>
  readonly prefix?: string
  /** What it makes of a record. */
  readonly document?: (record: object) => object
}

const PROTOCOLS: readonly Protocol[] = [
  { type: 'victorialogs', path: '' },
  { type: 'webhook', path: '/insert/jsonline?_time_field=time&_stream_fields=kind' },
  { type: 'loki', path: '/insert', add: { service_name: 'lintel' } },
  { type: 'splunk_hec', path: '/insert/splunk', more: { token: { env: 'LINTEL_TEST_HEC' } }, add: { sourcetype: 'lintel' }, prefix: 'event.' },
  {
    type: 'elasticsearch', path: '/insert/elasticsearch?_time_field=%40timestamp&_stream_fields=event.dataset',
    document: record => ecsDocument(record as Record<string, unknown>, ''),
  },
]

async function roundTrip(protocol: Protocol, source: Source, context: TestContext): Promise<void> {
  const { type, path, more, prefix = '' } = protocol
  const lines = (await source.lines(context))?.filter(line => !line.includes(EPOCH))
  if (lines === undefined) return
  const server = await VictoriaLogs.start(join(folder, `data-${number++}`))
  try {
    await sendAll(host => open({ type, url: `${server.url}${path}`, ...more }, host), lines)
    const entries = await server.shows(lines.length)
    const [there, wanted] = [entries.map(entry => stored(entry, prefix)).sort(), lines.map(line => expected(line, protocol)).sort()]
    const odd = there.findIndex((text, index) => text !== wanted[index])
    assert.equal(there[odd], wanted[odd], `${there.length} and ${wanted.length} records`)
    assert.equal(there.length, wanted.length)
    assert.equal(new Set(entries.map(entry => entry[type === 'elasticsearch' ? 'event.id' : `${prefix}id`])).size, lines.length)
    context.diagnostic(`${lines.length} records`)
  } finally {
    await server.stop()
  }
}

for (const protocol of PROTOCOLS) {
  for (const source of SOURCES) {
    test(`VictoriaLogs by ${protocol.type}: ${source.name}: each is there, field by field`, async context => {
      await roundTrip(protocol, source, context)
    })
  }
}

test('VictoriaLogs stopped and started again midway: everything is there, a batch at most twice, and nothing is forged', async context => {
  const server = await VictoriaLogs.start(join(folder, 'data-restarted'))
  try {
    const host = new RecordingHost()
    const sink = open({ type: 'victorialogs', url: server.url, retry: { max_wait: '100ms' } }, host)
    const [batches, records] = [100, 200]
    for (let index = 0; index < batches; index++) {
      sink.write(exchanges(index * records, records))
      await sink.flush()
      if (index === 30) await server.stop()
      if (index === 60) await until('it is told', () => sink.health().lastError !== undefined, host)
      if (index === 70) await server.run()
    }
    await until('all sent', () => sink.health().delivery?.sent === batches * records, host)
    await sink.close()
    const entries = await server.shows(batches * records)
    const unique = new Map(entries.map(entry => [entry['id'], entry]))
    assert.equal(unique.size, batches * records)
    assert.ok(entries.length - unique.size <= 500, `${entries.length - unique.size} twice`)
    const numbers = [...unique.values()].map(entry => Number(entry['event.sequence'])).sort((a, b) => a - b)
    assert.deepEqual(numbers, Array.from({ length: batches * records }, (_, index) => index))
    const hostile = [...unique.values()].filter(entry => entry['http.request.header.x-hostile'] !== undefined)
    assert.equal(hostile.length, batches)
    for (const entry of hostile) assert.deepEqual(JSON.parse(entry['http.request.header.x-hostile'] as string), HOSTILE)
    context.diagnostic(`${entries.length} entries of ${unique.size} records`)
  } finally {
    await server.stop()
  }
})

/**
 * How long does each view of the page take over a store?
 *
 *     node bench/page.ts [records] [rounds]
 *
 * So many generated exchanges (default 1,000,000) of an hour go into a store: 20 hosts, 1,750 clients, paths with numbers, words and
 * identifiers, 11 headers each. Every view is then asked as the page asks it, all of the hour and with a filter; the median of the rounds
 * (default 3).
 *
 * @module
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configSchema } from '../src/config.ts'
import { FIELDS } from '../src/exchange/fields.ts'
import { openSink, type SafeBatch, type SinkHost } from '../src/sink/mod.ts'
import { listStore } from '../src/sink/store/mod.ts'
import { columnsOf } from '../src/store/mod.ts'
import { questionOf } from '../src/web/question.ts'
import { newestSql } from '../src/web/records-sql.ts'
import { StoreDesk } from '../src/web/store-desk.ts'
import { VIEWS } from '../src/web/views/registry.ts'
import { medianOf } from './harness/figure.ts'

const BATCH = 1000
const BATCHES_WAITING = 20
const HOUR_MS = 3_600_000
const START_MS = Date.parse('2026-05-01T10:00:00Z')
const FILTER = 'http.response.status_code >= 500 && "authorization" in http.request.header'
const COLUMNS = columnsOf(FIELDS)

const [records = '1000000', rounds = '3'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
try {
  await fill(join(folder, 'store'), Number(records))
  await measure(join(folder, 'store'), Number(records), Number(rounds))
} finally {
  rmSync(folder, { recursive: true })
}

async function fill(path: string, count: number): Promise<void> {
  let waiting = 0
  const settled: (() => void)[] = []
  const host: SinkHost = {
    settled: (batch, written, reason) => {
      if (written < batch.count) throw new Error(`Cannot fill the store: ${reason}`)
      waiting--
      settled.shift()?.()
    },
    ended: () => {}, log: (level, message) => { console.error(`${level}: ${message}`) },
  }
  const [options] = configSchema.shape.outputs.parse([{ type: 'store', path }])
  const store = openSink(options as NonNullable<typeof options>, host)
  for (let first = 0; first < count; first += BATCH) {
    waiting++
    store.write(batchOf(first, Math.min(BATCH, count - first), count))
    if (waiting >= BATCHES_WAITING) await new Promise<void>(resolve => settled.push(resolve))
  }
  await store.close()
  // What did not get packed within the 5 s of the end is packed by the next that opens the store.
  for (let left = 100; listStore(path).journals.length > 0 && left > 0; left--) await openSink(options as NonNullable<typeof options>, host).close()
}

function batchOf(first: number, count: number, all: number): SafeBatch {
  const lines = Array.from({ length: count }, (_, index) => line(first + index, all))
  return { bytes: new Uint8Array(Buffer.from(lines.join(''))), count, kinds: [count, 0, 0, 0, 0, 0], outputs: 1 }
}

function line(index: number, all: number): string {
  const at = new Date(START_MS + Math.floor(index / all * HOUR_MS)).toISOString()
  const word = (index * 7919 % 5000).toString(36)
  const path = [
    `/users/${index % 30_000}`, '/orders', `/orders/${index}/items`, `/articles/${word}x`, `/files/${(index * 2_654_435_761).toString(16)}ab0123`,
  ][index % 5]
  const host = `api${index % 20}.example`
  return `${JSON.stringify({
    kind: 'exchange', time: at.replace('Z', '000000Z'), duration: (index * 31 % 1000) / 10_000, time_to_first_byte: 0.001,
    event: { sequence: index + 1 },
    client: { address: `10.0.${index % 7}.${index % 250}`, port: 40_000 + index % 500 },
    server: { address: '10.0.0.99', port: 443, process: { executable: { name: 'nginx' } } },
    network: { type: 'ipv4', transport: 'tcp', protocol: { name: 'http', version: '1.1' }, connection: { id: index % 500 } },
    url: { scheme: 'https', domain: host, path },
    http: {
      request: {
        method: index % 5 === 0 ? 'POST' : 'GET', header_bytes: 300,
        header: {
          host: [host], 'user-agent': [`client/${index % 40}`], accept: ['*/*'], 'x-request-id': [`${index}`], 'x-tenant-id': [`t${index % 90}`],
          ...(index % 3 === 0 ? { authorization: ['Bearer REDACTED'] } : {}),
        },
      },
      response: {
        status_code: index % 50 === 0 ? 503 : index % 20 === 0 ? 404 : 200, header_bytes: 200, body: { size: 512 + index % 1000 },
        header: { server: ['nginx'], date: [at], 'content-type': ['application/json'], 'content-length': ['512'], 'cache-control': ['no-store'] },
      },
    },
    user_agent: { original: `client/${index % 40}` },
  })}\n`
}

async function measure(path: string, count: number, times: number): Promise<void> {
  const bytes = listStore(path).segments.reduce((sum, segment) => sum + statSync(segment.path).size, 0)
  console.log(`${count} records, ${(bytes / 1024 / 1024).toFixed(1)} MiB in ${listStore(path).segments.length} segments\n`)
  console.log('| view | all, ms | filtered, ms |\n| --- | --- | --- |')
  const desk = new StoreDesk({ folder: path, columns: COLUMNS, threads: 2, memoryMiB: 1024, timeoutMs: 120_000 })
  const span = { from: String(START_MS), to: String(START_MS + HOUR_MS) }
  const [all, filtered] = [new URLSearchParams(span), new URLSearchParams({ ...span, filter: FILTER })].map(each => questionOf(each, COLUMNS))
  if (all === undefined || filtered === undefined) return
  const newest = async (question: typeof all): Promise<void> => {
    const steps = newestSql(question.where, 1000)
    const [first, last] = (await desk.ask(steps.times)).rows[0] ?? []
    await desk.ask(steps.records(String(first), String(last)))
  }
  await newest(all) // loads the engine
  for (const view of VIEWS) await row(view.name, times, () => desk.ask(view.sql(all)), () => desk.ask(view.sql(filtered)))
  await row('records', times, () => newest(all), () => newest(filtered))
  await desk.close()
}

async function row(name: string, times: number, ...askers: (() => Promise<unknown>)[]): Promise<void> {
  const medians: number[] = []
  for (const ask of askers) {
    const took: number[] = []
    for (let round = 0; round < times; round++) {
      const start = performance.now()
      await ask()
      took.push(performance.now() - start)
    }
    medians.push(medianOf(took))
  }
  console.log(`| ${name} | ${medians.map(ms => Math.round(ms)).join(' | ')} |`)
}

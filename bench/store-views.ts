/**
 * What do ten million records take in a store, how fast do they get there, and how long does each view of the page, and each of some
 * queries, take over them?
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, statSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configSchema } from '../src/config.ts'
import { FIELDS } from '../src/exchange/fields.ts'
import { openSink, type Sink, type SinkHost } from '../src/sink/mod.ts'
import { listStore } from '../src/sink/store/mod.ts'
import { columnsOf, storeSource } from '../src/store/mod.ts'
import { answerOf, newestRecords } from '../src/web/desk-answers.ts'
import { headerView } from '../src/web/header-view.ts'
import { type Question as Asked, questionOf } from '../src/web/question.ts'
import { StoreDesk } from '../src/web/store-desk.ts'
import { VIEWS } from '../src/web/views/registry.ts'
import { figure } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { DAY_MS, DAY_START_MS, generatedBatch } from './harness/generated-records.ts'
import type { Question, Settings } from './harness/question.ts'
import type { Table } from './harness/table.ts'

const LINTEL = fileURLToPath(new URL('../bin/lintel', import.meta.url))
const COLUMNS = columnsOf(FIELDS)
const BATCH = 1000
const BATCHES_WAITING = 20
/** Journals that wait to be packed among them. */
const BYTES_PER_RECORD_MAX = 300
const BYTES_MIN = 3e9
const PACKED_SECONDS_MAX = 3600
const TOLD_EVERY = 500_000
const ROUNDS_MAX = 3
const HOUR_MS = 3_600_000
/** What a page asks: all of the day; some hours that begin and end between two slots; the hour of most; with filters. */
const SPANS: readonly { readonly title: string, readonly fromMs: number, readonly toMs: number, readonly filter: string }[] = [
  { title: 'the day', fromMs: 0, toMs: DAY_MS, filter: '' },
  { title: '6 h', fromMs: 9.09 * HOUR_MS, toMs: 15.09 * HOUR_MS, filter: '' },
  { title: '1 h', fromMs: 12.09 * HOUR_MS, toMs: 13.09 * HOUR_MS, filter: '' },
  { title: 'the day, status >= 500', fromMs: 0, toMs: DAY_MS, filter: 'http.response.status_code >= 500' },
  { title: 'the day, one tenant', fromMs: 0, toMs: DAY_MS, filter: 'http.request.header["x-tenant-id"][0] == "t-250"' },
]
const QUERIES: readonly (readonly [name: string, query: string])[] = [
  ['newest 100 with a status', 'http.response.status_code == 503'],
  ['newest 100 with a header', 'http.request.header["x-tenant-id"][0] == "t-250"'],
  ['newest 100 with two conditions', 'url.path.startsWith("/api/v1/orders") && duration > 0.2'],
  ['one record by its request id', 'trace.id == "00000000000000000000000000000000"'],
  ['count by status', 'SELECT http_response_status_code, count(*) FROM exchanges GROUP BY 1 ORDER BY 2 DESC'],
  ['p99 by host', 'SELECT url_domain, quantile_cont(duration, 0.99) FROM exchanges GROUP BY 1 ORDER BY 2 DESC'],
  ['tenants, most first', "SELECT http_request_header['x-tenant-id'][1], count(*) FROM exchanges GROUP BY 1 ORDER BY 2 DESC LIMIT 20"],
]

interface Filled {
  readonly settledSeconds: number
  readonly packedSeconds: number
  readonly ndjsonBytes: number
}

export const store: Question = {
  name: 'store',
  asks: 'a store of 10 million records: sizes, ingest, the time of every view and of queries',
  minutes: 15,
  needs: () => [],
  async measure(session, settings) {
    const { records } = settings
    const needed = Math.max(BYTES_MIN, records * BYTES_PER_RECORD_MAX)
    const { bavail, bsize } = statfsSync(session.folder)
    if (bavail * bsize < needed) throw new Error(`Cannot measure without ${needed / 1e9} GB in "${session.folder}"; set TMPDIR, or --records`)
    const path = join(session.folder, 'store')
    const filled = await fill(path, settings)
    const rounds = Math.min(settings.rounds, ROUNDS_MAX)
    return [sizes(path, records, filled), await views(path, records, rounds, settings), await queries(path, records, rounds, settings)]
  },
}

async function fill(path: string, { records, progress }: Settings): Promise<Filled> {
  let waiting = 0
  let ndjsonBytes = 0
  const settled: (() => void)[] = []
  const host: SinkHost = {
    settled: (batch, written, reason) => {
      if (written < batch.count) throw new Error(`Cannot fill the store: ${reason}`)
      waiting--
      settled.shift()?.()
    },
    ended: () => {}, log: (level, message) => { progress(`${level}: ${message}`) },
  }
  const open = (): Sink => {
    const [options] = configSchema.shape.outputs.parse([{ type: 'store', path }])
    return openSink(options as NonNullable<typeof options>, host)
  }
  const start = performance.now()
  const sink = open()
  for (let first = 0; first < records; first += BATCH) {
    const batch = generatedBatch(first, Math.min(BATCH, records - first), records)
    ndjsonBytes += batch.bytes.length
    waiting++
    sink.write(batch)
    if (waiting >= BATCHES_WAITING) await new Promise<void>(resolve => settled.push(resolve))
    if ((first + BATCH) % TOLD_EVERY === 0) progress(`store: ${first + BATCH} records after ${((performance.now() - start) / 1000).toFixed(0)} s`)
  }
  while (waiting > 0) await new Promise<void>(resolve => settled.push(resolve))
  const settledSeconds = (performance.now() - start) / 1000
  while (!isPacked(path)) {
    if ((performance.now() - start) / 1000 > settledSeconds + PACKED_SECONDS_MAX) throw new Error('Cannot measure: the store was not packed in time')
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  const packedSeconds = (performance.now() - start) / 1000
  await sink.close()
  return { settledSeconds, packedSeconds, ndjsonBytes }
}

/** Nothing waits: all in segments, each with its roll-up, none to be merged or removed. */
function isPacked(path: string): boolean {
  const { journals, segments, rollups, covered, unfinished } = listStore(path)
  return journals.every(journal => statSync(journal.path, { throwIfNoEntry: false })?.size === 0) && segments.length === rollups.size &&
    covered.length + unfinished.length === 0
}

function sizes(path: string, records: number, { settledSeconds, packedSeconds, ndjsonBytes }: Filled): Table {
  const { segments, rollups } = listStore(path)
  const sum = (paths: readonly string[]): number => paths.reduce((bytes, each) => bytes + statSync(each).size, 0)
  const row = (what: string, files: string, bytes: number): Cell[] => [what, files, figure([bytes / 1e6], 'MB'), figure([bytes / records], 'B')]
  return {
    name: 'store-sizes',
    title: `A store of ${records} records`,
    about: [
      'Generated exchanges of a day: 24 hosts, 20,000 clients, 11 routes with millions of paths, 12 headers a request and 7 an answer with ids',
      `that do not repeat. All were settled (survive kill -9) after ${settledSeconds.toFixed(1)} s,`,
      `${Math.round(records / settledSeconds)} records/s,`,
      `and in finished segments after ${packedSeconds.toFixed(1)} s, ${Math.round(records / packedSeconds)} records/s.`,
      'Making them, in the same process, is in it, and in the latter up to 60 s in which the last journal waits for more.',
    ],
    columns: ['what', 'files', 'size', 'a record'],
    rows: [
      row('NDJSON, as logged', '-', ndjsonBytes),
      row('segments', String(segments.length), sum(segments.map(segment => segment.path))),
      row('roll-ups', String(rollups.size), sum([...rollups.values()].map(rollup => rollup.path))),
      row('all of the folder', String(readdirSync(path).length), Number(execFileSync('du', ['-sb', path], { encoding: 'utf8' }).split('\t')[0])),
    ],
    plots: [],
  }
}

async function views(path: string, records: number, rounds: number, { progress }: Settings): Promise<Table> {
  const desk = new StoreDesk(storeSource({ folder: path, columns: COLUMNS, threads: 2, memoryMiB: 1024, timeoutMs: 120_000 }))
  const questions = SPANS.map(({ fromMs, toMs, filter }) => questionOf(
    new URLSearchParams({ from: String(Math.floor(DAY_START_MS + fromMs)), to: String(Math.floor(DAY_START_MS + toMs)), filter }), COLUMNS))
  const asked: readonly (readonly [name: string, ask: (question: Asked) => Promise<unknown>])[] = [
    ...[...VIEWS, headerView('x-tenant-id'), headerView('x-upstream')].map(view =>
      [view.name === 'by-header' ? `by-header ${view.columns[0]?.title}` : view.name, (question: Asked) => answerOf(desk, view, question)] as const),
    ['records', question => newestRecords(desk, question, 1000)],
  ]
  await desk.ask('SELECT 1') // loads the engine
  const rows: Cell[][] = []
  for (const [name, ask] of asked) {
    const cells: Cell[] = []
    for (const question of questions) {
      const took: number[] = []
      for (let round = 0; round < rounds; round++) took.push(await timed(() => ask(question)))
      cells.push(figure(took, 'ms'))
    }
    progress(`store: ${name}: ${cells.map(cell => typeof cell === 'string' ? cell : `${Math.round(cell.median)} ms`).join(', ')}`)
    rows.push([name, ...cells])
  }
  await desk.close()
  return {
    name: 'store-views',
    title: `The page over ${records} records: the time of each view`,
    about: [
      `Asked as the page asks, by two threads, ${rounds} rounds; opening the store is in it whenever two seconds have passed since the last time.`,
      'Without a filter most are answered from roll-ups; the 6 h and the 1 h begin and end between two of their slots.',
      'With a filter all come from the records.',
    ],
    columns: ['view', ...SPANS.map(({ title }) => title)],
    rows, plots: [],
  }
}

async function queries(path: string, records: number, rounds: number, { progress }: Settings): Promise<Table> {
  const rows: Cell[][] = []
  for (const [name, query] of QUERIES) {
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      took.push(await timed(async () => {
        const { status, stderr } = spawnSync(LINTEL, ['query', '--store', path, '--limit', '100', '--format', 'ndjson', query], { encoding: 'utf8' })
        if (status !== 0) throw new Error(`Cannot ask "${query}": ${stderr}`)
        await Promise.resolve()
      }))
    }
    progress(`store: ${name}: ${took.map(ms => Math.round(ms)).join(', ')} ms`)
    rows.push([name, `\`${query.replaceAll('|', '\\|')}\``, figure(took, 'ms')])
  }
  return {
    name: 'store-queries',
    title: `\`lintel query\` over ${records} records`,
    about: [`From the start of the command to its end, ${rounds} rounds; the whole day is asked.`],
    columns: ['what', 'query', 'time'],
    rows, plots: [],
  }
}

async function timed(ask: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await ask()
  return performance.now() - start
}

import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure, medianOf } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import type { Question, Settings } from './harness/question.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const RECORDS_PER_SECOND = 20_000
const LINES = 200

interface Ports {
  readonly http: number
  readonly tcp: number
}

/** An output to measure; its options without spool. */
interface Subject {
  readonly name: string
  options(ports: Ports): Record<string, unknown>
}

/** One over HTTP, uncompressed unless said otherwise. */
function http(name: string, type: string, more: Record<string, unknown> = {}): Subject {
  return { name, options: ports => ({ type, url: `http://127.0.0.1:${ports.http}`, compression: 'none', ...more }) }
}

function syslog(format: string): Subject {
  return { name: `syslog, ${format}`, options: ports => ({ type: 'syslog', url: `tcp://127.0.0.1:${ports.tcp}`, format }) }
}

const FILE: Subject = { name: 'file (no spool)', options: () => ({ type: 'file' }) }
const SPOOL: Subject = { name: 'spool alone', options: () => ({ type: 'module', path: here('harness/instant-exporter.ts') }) }
/** A new exporter is a line here, and its server's answer in harness/instant-receiver.ts. */
const SUBJECTS: readonly Subject[] = [
  FILE, SPOOL,
  http('clickhouse', 'clickhouse'),
  http('elasticsearch', 'elasticsearch'),
  http('influxdb', 'influxdb', { api: 'v1', database: 'bench' }),
  http('loki', 'loki'),
  {
    name: 'module (the example)',
    options: ports => ({
      type: 'module', path: here('../examples/own-exporter/exporter.ts'),
      options: { source: 'gw-1', http: { url: `http://127.0.0.1:${ports.http}/events`, compression: 'none' } },
    }),
  },
  http('otlp, logs', 'otlp', { signals: ['logs'] }),
  http('otlp, traces', 'otlp', { signals: ['traces'] }),
  http('otlp, both', 'otlp'),
  http('splunk_hec', 'splunk_hec', { token: { env: 'LINTEL_BENCH_TOKEN' } }),
  syslog('json'), syslog('cef'), syslog('leef'),
  http('victorialogs', 'victorialogs'),
  http('webhook', 'webhook'),
  http('webhook, gzip', 'webhook', { compression: 'gzip' }),
  http('webhook, zstd', 'webhook', { compression: 'zstd' }),
  http('webhook, without headers (`fields`)', 'webhook', { fields: { exclude: ['http.*.header'] } }),
]

interface Sample {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly bytes: number
}

export const exporters: Question = {
  name: 'exporters',
  asks: 'cost of each exporter, and of the spool',
  minutes: 5,
  isOffline: true,
  needs: () => [],
  async measure(session, settings) {
    const ports = await startReceiver(session)
    const count = Math.ceil(settings.seconds * RECORDS_PER_SECOND / LINES) * LINES
    const samples = new Map(SUBJECTS.map(subject => [subject, [] as Sample[]]))
    for (let round = 0; round < settings.rounds; round++) {
      for (const subject of round % 2 === 0 ? SUBJECTS : SUBJECTS.toReversed()) {
        const sample = await measureOne(session, subject, ports, count, `${round}-${SUBJECTS.indexOf(subject)}`)
        samples.get(subject)!.push(sample)
        settings.progress(`exporters, round ${round + 1}/${settings.rounds}, ${subject.name}: ${micros(sample, count).toFixed(2)} µs a record`)
      }
    }
    return [table(settings, count, samples)]
  },
}

async function startReceiver(session: Session): Promise<Ports> {
  const child = await session.start([process.execPath, here('harness/instant-receiver.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout!, 'data') as [Buffer]
  const [httpPort, tcpPort] = said.toString().split(' ').map(Number) as [number, number]
  return { http: httpPort, tcp: tcpPort }
}

async function measureOne(session: Session, subject: Subject, ports: Ports, count: number, name: string): Promise<Sample> {
  const folder = join(session.folder, name)
  const options = subject.options(ports)
  const place = options['type'] === 'file' ? { path: join(folder, 'exchanges.ndjson') } : { spool: { path: folder } }
  const node = ['env', 'LINTEL_BENCH_TOKEN=token', process.execPath, '--disable-warning=ExperimentalWarning', '--max-semi-space-size=2']
  const said = await session.run([...node, here('harness/output-child.ts'), JSON.stringify({ ...options, ...place }), String(count)])
  await session.run(['rm', '-r', folder])
  return JSON.parse(said.trimEnd().split('\n').at(-1) as string) as Sample
}

function micros({ cpuSeconds }: Sample, count: number): number {
  return cpuSeconds / count * 1e6
}

function table({ rounds }: Settings, count: number, samples: ReadonlyMap<Subject, readonly Sample[]>): Table {
  const rate = (runs: readonly Sample[]): number[] => runs.map(({ seconds }) => count / seconds)
  const cost = (runs: readonly Sample[]): number[] => runs.map(sample => micros(sample, count))
  const spool = samples.get(SPOOL)!
  const bytes = spool[0]!.bytes
  const spoolRate = medianOf(rate(spool)) / medianOf(rate(samples.get(FILE)!))
  return {
    name: 'exporters',
    title: 'Cost of the exporters',
    about: [
      `Records: ${count} generated exchanges of ${Math.round(bytes)} bytes, given to the output as fast as it takes them; the server is a process`,
      'of its own on this machine that answers at once. Time and CPU: from the first record to the last that the server has acknowledged; CPU',
      'is that of all threads of the sending process, which does nothing else (user and system). "Beyond the spool": less the median of the row',
      '"spool alone": what the exporter itself takes. Sent uncompressed where not said otherwise. Default batches: 2,000 records, 2 MiB.',
      `Rounds: ${rounds}, in turn, every second one the other way round. Medians, in brackets the least and the most.`,
      `The spool alone takes ${(spoolRate * 100).toFixed(0)} % of the records/s of a file.`,
    ],
    columns: ['output', 'records/s', 'CPU a record', 'beyond the spool'],
    rows: SUBJECTS.map((subject): Cell[] => {
      const runs = samples.get(subject)!
      const own = subject === FILE || subject === SPOOL ? '-' : figure(cost(runs).map(value => value - medianOf(cost(spool))), 'µs')
      return [subject.name, figure(rate(runs), '/s'), figure(cost(runs), 'µs'), own]
    }),
    plots: [{ title: 'CPU of an output, µs a record', column: 'CPU a record' }],
  }
}

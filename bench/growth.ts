/**
 * What does Lintel cost, in time and memory, as one thing grows: open connections, headers, heads, bodies?
 *
 * @module
 */
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOGGING_PORT as PARKING_PORT, QUIET_PORT } from './field.ts'
import { AgentCounts } from './harness/agent-counts.ts'
import { figure } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { runWrk } from './harness/generator.ts'
import { countExchanges, showMissing } from './harness/kept.ts'
import { OpenConnections } from './harness/open-connections.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Plot, Table } from './harness/table.ts'
import { lintelCommand } from './lintel-command.ts'

const CONNECTIONS = 32
/** Few, since those that are cut when the load stops are to weigh little among the few exchanges of large bodies. */
const BODY_CONNECTIONS = 8
/** More than the largest point, so that what is measured is following them, not giving them up. */
const FOLLOWED_MAX = 131_072
const METRICS = '127.0.0.1:9469'
const DRAIN_MS = 500
const WARM_UP_SECONDS = 1
/** Many points: each for a short time. */
const SECONDS_MAX = 1
const ROUNDS_MAX = 2

interface Point {
  readonly label: string
  /** What growth.lua sends. */
  readonly send: readonly [kind: 'plain' | 'headers' | 'bytes', count: number]
  /** Connections held open beside the load. */
  readonly open?: number
  /** Bytes of the answer's body, from a file; without it a dozen. */
  readonly body?: number
}

interface Series {
  readonly name: string
  readonly title: string
  readonly grows: string
  readonly about: readonly string[]
  readonly points: readonly Point[]
  readonly plots: readonly Plot[]
}

const CPU_PLOT: Plot = { title: 'CPU of the agent per exchange', column: 'agent CPU per exchange' }
const SHARE_PLOT: Plot = { title: 'Throughput of the gateway with Lintel ÷ without', column: '÷ without' }
const MEMORY_PLOT: Plot = { title: 'Resident memory of the agent', column: 'resident memory' }

const SERIES: readonly Series[] = [
  {
    name: 'growth-connections',
    title: 'Growth: open connections',
    grows: 'open connections',
    about: ['Open connections: each has had one exchange and is kept alive, by another nginx; the load goes beside them. Each request has',
      'Host alone.',
      `Lintel follows up to ${FOLLOWED_MAX.toLocaleString('en')} connections here (limits.connections; its default is 65,536).`],
    points: [1, 100, 1000, 10_000, 100_000].map((open) => ({ label: open.toLocaleString('en'), send: ['plain', 0], open })),
    plots: [CPU_PLOT, MEMORY_PLOT],
  },
  {
    name: 'growth-headers',
    title: 'Growth: headers of a request',
    grows: 'headers',
    about: ['Headers: lines of about 35 bytes, Host among them; the answer has five.'],
    points: [1, 20, 100, 200].map((count) => ({ label: `${count}`, send: ['headers', count] })),
    plots: [CPU_PLOT, SHARE_PLOT],
  },
  {
    name: 'growth-heads',
    title: 'Growth: bytes of a request\'s head',
    grows: 'head',
    about: ['Head: nine header lines, of which eight grow.'],
    points: ([['200 B', 200], ['2 KiB', 2048], ['16 KiB', 16_384], ['64 KiB', 65_536]] as const)
      .map(([label, bytes]) => ({ label, send: ['bytes', bytes] })),
    plots: [CPU_PLOT, SHARE_PLOT],
  },
  {
    name: 'growth-bodies',
    title: 'Growth: bytes of a response\'s body',
    grows: 'body',
    about: ['Body: of the response, a file that nginx sends by sendfile. Each request has Host alone. Exchanges that are cut when the load',
      'stops, one a connection at most, count as exchanges.'],
    points: ([['0 B', 0], ['10 kB', 10_000], ['100 kB', 100_000], ['1 MB', 1_000_000], ['10 MB', 10_000_000]] as const)
      .map(([label, body]) => ({ label, send: ['plain', 0], body })),
    plots: [CPU_PLOT, SHARE_PLOT, { title: 'Bytes that left the kernel per exchange', column: 'delivered per exchange' }],
  },
]

interface Sample {
  readonly perSecond: number
  /** Requests: of the load, as nginx counted them, and of the connections that were opened before it. */
  readonly sent: number
  readonly cpuMicroseconds: number
  /** Bytes of payload per exchange, from kernel to agent. */
  readonly delivered: number
  readonly residentMiB: number
  /** What the agent counted meanwhile; undefined = there was none. */
  readonly counted: AgentCounts | undefined
}

interface Watched extends Sample {
  readonly logged: number
}

/** Of each point. */
interface Round {
  readonly bare: readonly Sample[]
  readonly watched: readonly Watched[]
}

export const growth: Question = {
  name: 'growth',
  asks: 'cost and memory as connections, headers, heads and bodies grow',
  minutes: 6,
  needs: () => ['nginx', 'wrk', 'zstd'],
  async measure(session, settings) {
    const short = { ...settings, seconds: Math.min(settings.seconds, SECONDS_MAX), rounds: Math.min(settings.rounds, ROUNDS_MAX) }
    await using gateway = await Gateway.start(session, 'growth.conf', [QUIET_PORT])
    await using _parking = await Gateway.start(session, 'parking.conf', [PARKING_PORT])
    makeBodies(join(gateway.folder, 'bodies'))
    const rounds = new Map(SERIES.map((series) => [series, [] as Round[]]))
    for (let round = 0; round < short.rounds; round++) {
      for (const series of SERIES) {
        const measured = await measureRound(session, gateway, series, short, round % 2 === 0)
        rounds.get(series)!.push(measured)
        short.progress(`${series.name}, round ${round + 1}/${short.rounds}: ${series.points.map(({ label }, point) => (
          `${label} ${measured.watched[point]!.cpuMicroseconds.toFixed(1)} µs`)).join(', ')}`)
      }
    }
    return [...rounds].map(([series, of]) => table(series, of, short))
  },
}

function makeBodies(folder: string): void {
  mkdirSync(folder)
  for (const { points } of SERIES) {
    for (const [point, { body }] of points.entries()) {
      if (body === undefined) continue
      writeFileSync(join(folder, `p${point}`), '')
      truncateSync(join(folder, `p${point}`), body)
    }
  }
}

/** All points without Lintel, and all points with it: it is started once, and what grows grows before its eyes. */
async function measureRound(session: Session, gateway: Gateway, series: Series, settings: Settings, isBareFirst: boolean): Promise<Round> {
  const first = isBareFirst ? await allPoints(session, gateway, series, settings) : undefined
  const out = join(session.folder, 'lintel')
  // Packing rotated logs is measured elsewhere: here it would fall to whichever point comes next.
  const config = { limits: { connections: FOLLOWED_MAX }, rotate: { bytes: '256GiB' } }
  const running = await RunningTool.start(session, lintelCommand(`${QUIET_PORT}-${PARKING_PORT}`, { metrics: METRICS, config }), out)
  await load(session, gateway, '/warm', series.points[0]!, WARM_UP_SECONDS)
  const samples = await allPoints(session, gateway, series, settings, running)
  await running.stop()
  const watched: Watched[] = []
  for (const [point, sample] of samples.entries()) {
    const { open } = series.points[point]!
    const opened = open === undefined ? 0 : await countExchanges(session, out, `/open-${open}`)
    watched.push({ ...sample, logged: opened + await countExchanges(session, out, pathOf(series, point)) })
  }
  rmSync(out, { recursive: true, force: true })
  return { bare: first ?? await allPoints(session, gateway, series, settings), watched }
}

function pathOf({ points }: Series, point: number): string {
  return points[point]!.body === undefined ? `/p${point}` : `/bodies/p${point}`
}

async function allPoints(
  session: Session, gateway: Gateway, series: Series, { seconds }: Settings, lintel?: RunningTool,
): Promise<Sample[]> {
  const samples: Sample[] = []
  await using open = series.points.some((point) => point.open !== undefined) ? new OpenConnections(session, PARKING_PORT) : undefined
  for (const [index, point] of series.points.entries()) {
    const start = await agentCounts(lintel)
    const opened = (point.open ?? 0) - (series.points[index - 1]?.open ?? 0)
    if (point.open !== undefined) await open!.openUpTo(point.open)
    await session.delay(DRAIN_MS)
    const before = { sent: await gateway.requests(), counts: await agentCounts(lintel), cpu: lintel?.cpuNanoseconds() ?? Number.NaN }
    const { perSecond } = await load(session, gateway, pathOf(series, index), point, seconds)
    await session.delay(DRAIN_MS)
    const cpu = (lintel?.cpuNanoseconds() ?? Number.NaN) - before.cpu
    const after = await agentCounts(lintel)
    const exchanges = await gateway.requests() - before.sent
    samples.push({
      perSecond,
      sent: exchanges + opened,
      cpuMicroseconds: cpu / 1000 / exchanges,
      delivered: (after?.since(before.counts!).bytes ?? Number.NaN) / exchanges,
      residentMiB: lintel?.residentMiB() ?? Number.NaN,
      counted: after?.since(start!),
    })
  }
  return samples
}

async function load(session: Session, gateway: Gateway, path: string, { send, body }: Point, seconds: number): Promise<{ perSecond: number }> {
  const url = `http://127.0.0.1:${QUIET_PORT}${path}`
  const connections = connectionsOf(body)
  const result = await runWrk(session, { url, seconds, connections, folder: gateway.folder }, 'growth.lua', send.map(String))
  if (result.failed > 0) throw new Error(`Cannot measure: ${result.failed} of ${result.requests} requests to ${url} failed`)
  return result
}

function connectionsOf(body: number | undefined): number {
  return body === undefined ? CONNECTIONS : BODY_CONNECTIONS
}

async function agentCounts(lintel: RunningTool | undefined): Promise<AgentCounts | undefined> {
  return lintel === undefined ? undefined : await AgentCounts.read(METRICS)
}

function table(series: Series, rounds: readonly Round[], { seconds }: Settings): Table {
  return {
    name: series.name,
    title: series.title,
    about: [
      `Load: wrk with one thread and ${connectionsOf(series.points[0]!.body)} connections on lo, as fast as it goes, against nginx with`,
      'one worker.', ...series.about,
      `Rounds: ${rounds.length}, all points from small to large without Lintel and then with one Lintel, every second round the`,
      `other way round; ${seconds} s a point. With Lintel ${WARM_UP_SECONDS} s of the smallest load goes before. Figures are medians, in`,
      'brackets the least and the most. "÷ without": requests/s with Lintel ÷ without in the same round. "CPU": of all its threads.',
      '"Delivered": bytes of payload that the kernel gave to the agent. "Resident memory": after the point and those before it.',
      '"Missing": requests that nginx counted, those that opened connections too, and Lintel did not log, in the worst round.',
      '"Counted as": what the agent itself counted in that round: packets that it did not get, records that went no further, the most',
      'frequent anomalies. An exchange can lack several packets; more missing than counted stands there as "not counted".',
      'The log is not rotated. One worker.',
    ],
    columns: [series.grows, 'without Lintel', 'with Lintel', '÷ without', 'agent CPU per exchange', 'delivered per exchange',
      'resident memory', 'missing', 'counted as'],
    rows: series.points.map(({ label }, point) => {
      const bare = rounds.map((round) => round.bare[point]!)
      const watched = rounds.map((round) => round.watched[point]!)
      const counts = watched.map(({ logged, sent }) => ({ logged, counted: sent, inFlight: 0 }))
      return [
        label,
        figure(bare.map(({ perSecond }) => perSecond), '/s'),
        figure(watched.map(({ perSecond }) => perSecond), '/s'),
        figure(watched.map(({ perSecond }, round) => perSecond / bare[round]!.perSecond), ''),
        figure(watched.map(({ cpuMicroseconds }) => cpuMicroseconds), 'µs'),
        figure(watched.map(({ delivered }) => delivered), 'B'),
        figure(watched.map(({ residentMiB }) => residentMiB), 'MiB'),
        `${showMissing(counts)} of ${Math.min(...watched.map(({ sent }) => sent))}`,
        showCounted(watched),
      ]
    }),
    plots: series.plots,
  }
}

/** Of the round that lacks most. */
function showCounted(watched: readonly Watched[]): string {
  const missing = (of: Watched): number => Math.max(0, of.sent - of.logged)
  const worst = watched.reduce((one, other) => (missing(other) > missing(one) ? other : one))
  return worst.counted?.show(missing(worst)) ?? '-'
}

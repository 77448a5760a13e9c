/**
 * What do the gateway's clients feel when Lintel logs all headers: throughput, and the latency of each protocol?
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { figure, medianOf } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, SETTLE_MS, WARM_UP_SECONDS, runH2load, runWrk } from './harness/generator.ts'
import type { H2loadOptions, LoadResult } from './harness/generator.ts'
import { countExchanges, showMissing } from './harness/kept.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'
import { lintelCommand } from './lintel-command.ts'

const IN_FLIGHT = 32
const STREAMS = 4
const DRAIN_MS = 500
const PERCENTILES = ['p50', 'p99', 'p999'] as const

interface Protocol {
  readonly name: string
  readonly origin: string
  readonly port: number
  /** HTTP/1: wrk at saturation, h2load at a rate. HTTP/2: h2load. */
  readonly http1: boolean
}

const PROTOCOLS: readonly Protocol[] = [
  { name: 'HTTP/1.1', origin: 'http://127.0.0.1:8081', port: 8081, http1: true },
  { name: 'HTTP/2, clear text', origin: 'http://127.0.0.1:8083', port: 8083, http1: false },
  { name: 'HTTPS, HTTP/1.1', origin: 'https://127.0.0.1:8443', port: 8443, http1: true },
  { name: 'HTTPS, HTTP/2', origin: 'https://127.0.0.1:8443', port: 8443, http1: false },
]

/** The same load without Lintel and with it, one right after the other. */
interface Pair {
  readonly bare: LoadResult
  readonly watched: LoadResult
  /** Requests of the warm-up and of the load. */
  readonly sent: number
  readonly logged: number
  /** Of the agent, all its threads, for each exchange. */
  readonly cpuMicroseconds: number
}

interface Pairs {
  readonly protocol: Protocol
  readonly saturated: Pair[]
  readonly half: Pair[]
}

export const latency: Question = {
  name: 'latency',
  asks: 'throughput and latency of each protocol with and without Lintel',
  minutes: 22,
  needs: () => ['nginx', 'wrk', 'h2load', 'openssl', 'zstd'],
  async measure(session, settings) {
    await using gateway = await Gateway.start(session, 'protocols.conf', [8081, 8083, 8443])
    const all: Pairs[] = PROTOCOLS.map((protocol) => ({ protocol, saturated: [], half: [] }))
    for (let round = 0; round < settings.rounds; round++) {
      for (const pairs of all) {
        const isBareFirst = round % 2 === 0
        pairs.saturated.push(await measurePair(session, gateway, pairs.protocol, settings, isBareFirst, undefined))
        pairs.half.push(await measurePair(session, gateway, pairs.protocol, settings, isBareFirst, halfRate(pairs)))
        settings.progress(`latency, round ${round + 1}/${settings.rounds}, ${pairs.protocol.name}: `
          + `${pairs.saturated.at(-1)!.bare.perSecond.toFixed(0)}/s bare, `
          + `${pairs.saturated.at(-1)!.watched.perSecond.toFixed(0)}/s with Lintel`)
      }
    }
    return [saturatedTable(settings, all), halfTable(settings, all)]
  },
}

/** Half of what the bare gateway answered in the first round, the same for all rounds. */
function halfRate({ saturated }: Pairs): number {
  return Math.round(saturated[0]!.bare.perSecond / 2 / IN_FLIGHT) * IN_FLIGHT
}

/** `rate` undefined: as fast as it goes. */
async function measurePair(
  session: Session, gateway: Gateway, protocol: Protocol, { seconds }: Settings, isBareFirst: boolean, rate: number | undefined,
): Promise<Pair> {
  const load = (): Promise<LoadResult> => runLoad(session, gateway, protocol, seconds, rate)
  const first = isBareFirst ? await load() : undefined
  const out = join(session.folder, 'lintel')
  const running = await RunningTool.start(session, lintelCommand(protocol.port), out)
  const warmUp = await runLoad(session, gateway, protocol, WARM_UP_SECONDS, rate, { timed: false })
  const before = running.cpuSeconds()
  let after = before
  const watched = await runLoad(session, gateway, protocol, seconds, rate, {
    ended: async () => {
      await session.delay(SETTLE_MS)
      after = running.cpuSeconds()
    },
  })
  const cpuMicroseconds = ((after - before) / watched.requests) * 1e6
  await session.delay(DRAIN_MS)
  await running.stop()
  const logged = await countExchanges(session, out)
  rmSync(out, { recursive: true, force: true })
  return { bare: first ?? await load(), watched, sent: warmUp.requests + watched.requests, logged, cpuMicroseconds }
}

async function runLoad(
  session: Session, gateway: Gateway, protocol: Protocol, seconds: number, rate: number | undefined,
  more: Pick<H2loadOptions, 'timed' | 'ended'> = {},
): Promise<LoadResult> {
  const connections = protocol.http1 ? IN_FLIGHT : IN_FLIGHT / STREAMS
  const load = { url: `${protocol.origin}${PATH}`, seconds, connections, folder: gateway.folder }
  const options = { http1: protocol.http1, streams: protocol.http1 ? 1 : STREAMS, ...(rate === undefined ? {} : { rate }), ...more }
  const isWrk = protocol.http1 && rate === undefined
  const result = isWrk ? await runWrk(session, load, 'latency.lua') : await runH2load(session, load, options)
  if (isWrk) await more.ended?.()
  if (result.failed > 0) throw new Error(`Cannot measure: ${result.failed} of ${result.requests} requests to ${load.url} failed`)
  return result
}

const LOAD = [
  `${IN_FLIGHT} requests in flight at most, nine request headers, on lo, against nginx with one worker that answers from memory:`,
  `HTTP/1.1 on ${IN_FLIGHT} connections, HTTP/2 on ${IN_FLIGHT / STREAMS} connections with ${STREAMS} streams each.`,
]

function pairsOf({ rounds, seconds }: Settings): string {
  return `Pairs: ${rounds} of ${seconds} s without and with Lintel, in turn, every second pair the other way round; `
    + `medians, in brackets the least and the most. ${WARM_UP_SECONDS} s of the same load with Lintel go right before, of which only "missing" tells.`
}

const MISSING = '"Missing": requests that the generator counted and Lintel did not log, in the worst round; '
  + '"not read" = none was logged.'

function saturatedTable(settings: Settings, all: readonly Pairs[]): Table {
  return {
    name: 'latency-saturated',
    title: 'Throughput and latency at saturation, without Lintel and with all headers logged',
    about: [
      'Load: wrk (HTTP/1.1) or h2load (HTTP/2), one thread, each connection or stream sending its next request when the last',
      'is answered;', ...LOAD,
      pairsOf(settings), '"÷ without": requests/s with Lintel ÷ without in the same pair.',
      `Latency at saturation is mostly waiting: on average ${IN_FLIGHT} ÷ requests/s.`,
      'wrk corrects its percentiles for requests it could not send in time, h2load does not: compare rows in pairs only.',
      MISSING,
    ],
    columns: ['protocol', 'Lintel', 'requests', '÷ without', 'agent CPU per exchange', 'p50', 'p99', 'p99.9', 'missing'],
    rows: all.flatMap(({ protocol, saturated }) => {
      const share = figure(saturated.map(({ bare, watched }) => watched.perSecond / bare.perSecond), '')
      return [
        [protocol.name, 'no', rateOf(saturated, 'bare'), '-', '-', ...latencies(saturated, 'bare'), '-'],
        [protocol.name, 'yes', rateOf(saturated, 'watched'), share, cpuOf(saturated), ...latencies(saturated, 'watched'), missing(saturated)],
      ]
    }),
    plots: [{ title: 'Throughput of the gateway at saturation with Lintel ÷ without', column: '÷ without' }],
  }
}

function halfTable(settings: Settings, all: readonly Pairs[]): Table {
  return {
    name: 'latency-half',
    title: 'Latency at half of saturation, without Lintel and with all headers logged',
    about: [
      'Load: h2load, one thread, at a constant rate: half of what the same gateway answered without Lintel in the first round',
      'above;', ...LOAD,
      'h2load\'s clock ticks for all connections together: requests come in bursts of up to 32, and half of a burst waits',
      'for the other half.',
      'Time counts from the moment a request is sent: one that its connection had to keep waiting is not longer for it.',
      pairsOf(settings), '"Added": the difference within each pair.', MISSING,
    ],
    columns: ['protocol', 'Lintel', 'requests', 'p50', 'p99', 'p99.9', 'added p50', 'added p99', 'added p99.9', 'missing'],
    rows: all.flatMap(({ protocol, half }) => {
      const added = PERCENTILES.map((key) => figure(half.map(({ bare, watched }) => watched[key] - bare[key]), 'µs'))
      return [
        [protocol.name, 'no', rateOf(half, 'bare'), ...latencies(half, 'bare'), '-', '-', '-', '-'],
        [protocol.name, 'yes', rateOf(half, 'watched'), ...latencies(half, 'watched'), ...added, missing(half)],
      ]
    }),
    plots: [
      { title: 'Median latency at half of saturation', column: 'p50' },
      { title: '99th percentile at half of saturation', column: 'p99' },
    ],
  }
}

function rateOf(pairs: readonly Pair[], which: 'bare' | 'watched'): Cell {
  return figure(pairs.map((pair) => pair[which].perSecond), '/s')
}

function cpuOf(pairs: readonly Pair[]): Cell {
  return figure(pairs.map(({ cpuMicroseconds }) => cpuMicroseconds), 'µs')
}

function latencies(pairs: readonly Pair[], which: 'bare' | 'watched'): Cell[] {
  return PERCENTILES.map((key) => figure(pairs.map((pair) => pair[which][key]), 'µs'))
}

function missing(pairs: readonly Pair[]): string {
  const counted = medianOf(pairs.map(({ sent }) => sent))
  const text = showMissing(pairs.map(({ sent, logged }) => ({ logged, counted: sent, inFlight: 2 * IN_FLIGHT })))
  return text === 'not read' ? text : `${text} of ${Math.round(counted)}`
}

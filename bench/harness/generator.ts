import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { percentile } from './figure.ts'
import type { Session } from './session.ts'

/** What a load generator counted. */
export interface LoadResult {
  /** Requests that were answered. */
  readonly requests: number
  readonly perSecond: number
  /** Answers that were not 2xx, and requests that got none. */
  readonly failed: number
  /** Microseconds from request to the end of its response; NaN when not asked for. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export interface Load {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  /** The folder of the gateway, with the scripts of bench/load. */
  readonly folder: string
}

/**
 * Load before the figures are taken: a gateway runs for months, and what is compiled as it runs is slow at first. No pause
 * follows: what a tool puts off until the load is over (Lintel packs rotated files then) is not a cost of the load.
 */
export const WARM_UP_SECONDS = 10
/** After a load, until what it left behind has been written; shorter than it takes Lintel to find the machine quiet. */
export const SETTLE_MS = 150

/** The path that is asked for, with a query. */
export const PATH = '/api/v1/users/42?expand=orders'

/** As fast as wrk's one thread can: each connection sends its next request when the last one is answered. */
export async function runWrk(
  session: Session, load: Load, script: 'headers.lua' | 'latency.lua' | 'varied.lua' | 'growth.lua' = 'headers.lua',
  scriptArguments: readonly string[] = [],
): Promise<LoadResult> {
  const command = ['wrk', '-t1', `-c${load.connections}`, `-d${load.seconds}`, '-s', script, load.url, '--', ...scriptArguments]
  const output = await session.run(command, { cwd: load.folder })
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN)
  const requests = number(/(\d+) requests in/)
  if (!(requests > 0)) throw new Error(`Cannot read what wrk printed: ${output}`)
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? []
  const bad = number(/Non-2xx or 3xx responses: (\d+)/)
  const [p50, p99, p999] = (/percentiles: (\d+) (\d+) (\d+)/.exec(output)?.slice(1) ?? []).map(Number)
  return {
    requests,
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    failed: (Number.isNaN(bad) ? 0 : bad) + errors.reduce((sum, text) => sum + Number(text), 0),
    p50: p50 ?? Number.NaN, p99: p99 ?? Number.NaN, p999: p999 ?? Number.NaN,
  }
}

export interface H2loadOptions {
  readonly http1: boolean
  /** Streams at once on one connection. */
  readonly streams: number
  /** Requests per second over all connections; without it as fast as it goes. */
  readonly rate?: number
  /** False: no latencies, which spares h2load writing a line for each request. */
  readonly timed?: boolean
  /** Called right when it has ended: its log of all requests takes a second or more to read, in which a tool finds the machine quiet. */
  readonly ended?: () => Promise<void>
}

/** h2load's one thread, HTTP/2 or HTTP/1. Latencies come from its log of each request. */
export async function runH2load(session: Session, load: Load, options: H2loadOptions): Promise<LoadResult> {
  const log = join(session.folder, 'h2load.log')
  const isTimed = options.timed ?? true
  const output = await session.run(['h2load', '-t1', `-c${load.connections}`, `-m${options.streams}`, `-D${load.seconds}`,
    ...(isTimed ? [`--log-file=${log}`] : []), ...(options.http1 ? ['--h1'] : []),
    ...(options.rate === undefined ? [] : [`--rps=${options.rate / load.connections}`]),
    ...requestHeaders(load.folder).flatMap((header) => ['-H', header]), load.url])
  await options.ended?.()
  const counts = /requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded/.exec(output)?.slice(1).map(Number) ?? []
  const [, , done = 0, succeeded = 0] = counts
  if (!(succeeded > 0)) throw new Error(`Cannot read what h2load printed: ${output}`)
  const times = isTimed ? requestTimes(readFileSync(log, 'latin1')) : []
  return {
    requests: done,
    perSecond: Number(/finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(output)?.[1] ?? Number.NaN),
    failed: done - succeeded,
    p50: percentile(times, 0.5), p99: percentile(times, 0.99), p999: percentile(times, 0.999),
  }
}

/** The headers of headers.lua as h2load takes them, so that both send the same. */
function requestHeaders(folder: string): string[] {
  const script = readFileSync(join(folder, 'headers.lua'), 'utf8')
  return [...script.matchAll(/^wrk\.headers\["([^"]+)"\] = "([^"]+)"$/gm)].map(([, name, value]) => `${name}: ${value}`)
}

/** Microseconds of each request that was answered, sorted. A line: start, status, microseconds. */
function requestTimes(log: string): Uint32Array {
  const times = new Uint32Array(log.length / 8)
  let count = 0
  for (let at = 0, end = log.indexOf('\n'); end !== -1; at = end + 1, end = log.indexOf('\n', at)) {
    const [, status, microseconds] = log.slice(at, end).split('\t')
    if (status?.startsWith('2') === true) times[count++] = Number(microseconds)
  }
  return times.subarray(0, count).sort()
}

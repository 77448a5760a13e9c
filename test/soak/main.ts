/**
 * `make soak`: an hour of HTTPS in which clients and servers start and die all the time, read by one agent.
 *
 *     make soak ARGS='--minutes 60 --clients-per-second 3 --seed 1 --port 29641'
 *
 * Every request that a client completed must stand in the log once; the agent, its descriptors and its kernel maps must not
 * grow once warm (judged from 30 minutes up; the first half is warm-up: until then tables fill that have a bound); its
 * ledgers must add up; the kernel must have nothing to complain of; and nothing may stay attached. Exits with 1 when one of
 * these does not hold. The tables, the verdict last, go to standard output, a line a sample to standard error, all samples
 * to build/soak.json. Needs root; listens on 127.0.0.1, on nine ports from the first on. SIGINT ends it early, with its
 * tables.
 *
 * @module
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Running, run } from '../gateway/testing/process.ts'
import { goServer, nodeServer, TlsFolder } from '../gateway/testing/tls-peers.ts'
import { Agent, leftOf } from './agent.ts'
import type { Held } from './agent.ts'
import { growthOf } from './growth.ts'
import type { Growth, GrowthBound, Sample } from './growth.ts'
import { KernelLog } from './kernel-log.ts'
import { LIVE_HEAPS } from './live-heap.ts'
import { Load } from './load.ts'
import { RotatedLog } from './rotated-log.ts'
import { NginxServer, SingleServer } from './servers.ts'
import type { MortalServer } from './servers.ts'
import { Tally } from './tally.ts'
import { checksOf, lossesOf } from './verdict.ts'
import type { Check, Outcome } from './verdict.ts'

/** Of the servers and of the agent's figures, from the first one on. */
const PORTS = { nginx: 0, node: 1, go: 2, python: 3, metrics: 8 }
const NICENESS = 10
const SETTLE_MS = 45_000
const READ_MS = 2_000
const MEMORY_LOOK_SECONDS = 2
const HEAP_LOOK_SECONDS = 240
const JUDGED_MINUTES_MIN = 30
/** A death of each server about so often; the nginx reload too. */
const DEATH_SECONDS = { nginx: 7, reload: 23, node: 11, go: 9, python: 20 }

/** What may grow by so much an hour: noise of the garbage collector, and of how many connections happen to be open. */
const BOUNDS: readonly GrowthBound[] = [
  { name: 'rss_kib', perHour: 12 * 1024, unit: 'KiB' },
  { name: 'threads', perHour: 1, unit: '' },
  { name: 'fds', perHour: 6, unit: '' },
  { name: 'programs', perHour: 0, unit: '' },
  { name: 'links', perHour: 6, unit: '' },
  { name: 'map_bytes', perHour: 64 * 1024, unit: 'bytes' },
  { name: 'connections_open', perHour: 30, unit: '' },
  { name: 'records_queued', perHour: 30, unit: '' },
  { name: 'entries_goroutines', perHour: 40, unit: '' },
  { name: 'entries_go_processes', perHour: 4, unit: '' },
  { name: 'entries_interfaces', perHour: 0, unit: '' },
]
/** What V8 compiles of code that is seldom run is part of it: some 300 KiB an hour. A leak of 100 bytes a client process would be more. */
const HEAP_BOUNDS: readonly GrowthBound[] = Object.values(LIVE_HEAPS).map((name) => ({ name, perHour: 1 << 20, unit: 'bytes' }))
/** Least recently used tables fill up to their bound by design: shown, not judged. */
const SHOWN = ['entries_connections', 'entries_sessions', 'entries_processes']

interface Options { readonly minutes: number; readonly perSecond: number; readonly seed: number; readonly port: number }

const options = readOptions()
if (process.getuid?.() !== 0) throw new Error('Cannot load programs into the kernel without root; run: sudo make soak')
process.exitCode = await soak(options)

async function soak({ minutes, perSecond, seed, port }: Options): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { stop.abort() })
  const random = generator(seed)
  const folder = await TlsFolder.make()
  const programs = {
    python: (await run('python3', ['-c', 'import sys; print(sys.executable)'])).trim(),
    go: join(folder.path, 'go-client'), folder: folder.path,
  }
  await run('go', ['build', '-o', programs.go, '.'], { cwd: fileURLToPath(new URL('peers/go-client', import.meta.url)) })
  const goBinary = await folder.buildGo('go-server')
  const kernelLog = new KernelLog()
  const agent = await Agent.start(`${port}-${port + PORTS.metrics - 1}`, port + PORTS.metrics, folder.path)
  setPriority(NICENESS) // what this process starts from here on inherits it; the agent keeps its own
  const tally = new Tally(SETTLE_MS)
  const log = new RotatedLog(agent.directory, (record) => {
    if (record.kind === 'exchange') tally.logged(record)
    else others.set(record.kind, (others.get(record.kind) ?? 0) + 1)
  })
  const others = new Map<string, number>()
  const servers: MortalServer[] = []
  const samples: Sample[] = []
  const heaps: Sample[] = []
  let load: Load | undefined
  const over = AbortSignal.any([stop.signal, AbortSignal.timeout(minutes * 60_000)])
  let libraries = 0
  try {
    const nginx = await NginxServer.start(port + PORTS.nginx, folder)
    servers.push(nginx)
    servers.push(await new SingleServer('node', port + PORTS.node, () => nodeServer(folder, port + PORTS.node)).start())
    servers.push(await new SingleServer('go', port + PORTS.go, () => goServer(folder, goBinary, port + PORTS.go)).start())
    // Each of its lives maps a copy of OpenSSL that no process had before, and that is gone from the disk once it is mapped.
    servers.push(await new SingleServer('python', port + PORTS.python, async () => {
      const copy = await folder.copyOpenssl(`openssl${libraries++}`)
      const server = new Running(programs.python, [fileURLToPath(new URL('peers/server.py', import.meta.url)), String(port + PORTS.python),
        folder.certificate, folder.key], { env: { ...process.env, LD_LIBRARY_PATH: copy } })
      await server.until(() => server.output.includes('listening'), 'listening port')
      rmSync(copy, { recursive: true })
      return server
    }).start())
    load = new Load(tally, servers, programs, random)
    const startedAt = performance.now()
    const secondsApart = minutes >= JUDGED_MINUTES_MIN ? 60 : 10
    const ways = [
      load.run(perSecond, over),
      ...servers.map((server) => every(DEATH_SECONDS[server.name as keyof typeof DEATH_SECONDS], random, over, () => server.kill())),
      every(DEATH_SECONDS.reload, random, over, () => nginx.reload()),
      every(READ_MS / 1000, () => 0.5, over, async () => {
        log.read()
        tally.settle(performance.now())
        await Promise.resolve()
      }),
      every(MEMORY_LOOK_SECONDS, () => 0.5, over, async () => {
        agent.lookAtMemory()
        await Promise.resolve()
      }),
      every(HEAP_LOOK_SECONDS, () => 0.5, over, async () => {
        const heap = await agent.liveHeap()
        heaps.push(heap)
        console.error(`soak: live heap ${JSON.stringify(Object.fromEntries(heap))}`)
      }),
      every(secondsApart, () => 0.5, over, async () => {
        const sample = await agent.sample()
        samples.push(sample)
        kernelLog.follow()
        const { completed, logged, missing, withoutResponse, twice, wrong, failed, stray } = tally.counts
        console.error(`soak: ${((performance.now() - startedAt) / 60_000).toFixed(1)} min ` +
          JSON.stringify({ ...Object.fromEntries(sample), completed, logged, missing, withoutResponse, twice, wrong, failed, stray,
            waiting: tally.waiting, badKernelLines: kernelLog.bad.length }))
      }),
    ]
    await Promise.all(ways)
    await delay(3000)
    const metrics = await agent.metrics()
    const held = agent.held()
    const code = await agent.stop()
    log.read(true)
    tally.settle(Infinity)
    kernelLog.follow()
    const left = await leftOf(held)
    const summary = agent.process.errors.trim().split('\n')
    const totals = summary.findLast((line) => line.includes('totals after')) ?? ''
    const growths = judgedGrowths(samples, heaps, minutes)
    const isLong = minutes >= JUDGED_MINUTES_MIN
    const checks = checksOf({
      isLong, lines: log.lines, tally, load, growths, kernelLog, left, code, totals, metrics: metrics.samples,
    })
    print({
      minutes: (performance.now() - startedAt) / 60_000, seed, tally, load, nginx, servers, libraries, growths, samples, heaps, kernelLog,
      left, held, totals, checks, others, metrics: metrics.samples, logBytes: log.bytes,
    })
    return checks.every(({ faults }) => faults.length === 0) ? 0 : 1
  } finally {
    load?.abandon()
    await agent.process.stop('SIGKILL')
    for (const server of servers) await server.stop()
    agent.remove()
    folder.remove()
  }
}

/** Calls `action` about each `seconds` (from half to one and a half of it) until the signal. */
async function every(seconds: number, random: () => number, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  for (;;) {
    await delay((0.5 + random()) * seconds * 1000, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    await action()
  }
}

/** At this load the agent's table of 4,096 processes, 3 KB each, takes half an hour to fill: in the second half growth would be a leak. */
function judgedGrowths(samples: readonly Sample[], heaps: readonly Sample[], minutes: number): Growth[] {
  const bounds = [...BOUNDS, ...SHOWN.map((name) => ({ name, perHour: Infinity, unit: '' }))]
  const growths = [
    ...bounds.map((bound) => growthOf(secondHalf(samples), bound)),
    ...HEAP_BOUNDS.map((bound) => growthOf(secondHalf(heaps), bound)),
  ]
  return growths.map((growth) => minutes >= JUDGED_MINUTES_MIN ? growth : { ...growth, isBroken: false })
}

function secondHalf(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.ceil(samples.length / 2))
}

interface Report extends Omit<Outcome, 'code' | 'isLong' | 'lines'> {
  readonly minutes: number
  readonly seed: number
  readonly nginx: NginxServer
  readonly servers: readonly MortalServer[]
  readonly libraries: number
  readonly samples: readonly Sample[]
  readonly heaps: readonly Sample[]
  readonly held: Held
  readonly checks: readonly Check[]
  readonly others: ReadonlyMap<string, number>
  readonly logBytes: number
}

function print(report: Report): void {
  const { tally, load, nginx, servers, samples, kernelLog, metrics } = report
  const cpu = (samples.at(-1)?.get('cpu_seconds') ?? NaN) - (samples[0]?.get('cpu_seconds') ?? NaN)
  const rows: (readonly [string, string | number])[] = [
    ['minutes, seed', `${report.minutes.toFixed(1)}, ${report.seed}`],
    ['client processes started, killed', `${load.started}, ${load.killed}`],
    ...servers.map(({ name, started, killed }) => [`${name} processes started, killed`, `${started}, ${killed}`] as const),
    ['nginx reloads', nginx.reloads],
    ['copies of OpenSSL mapped', report.libraries],
    ...Object.entries(tally.counts).map(([name, count]) => [`requests ${name}`, count] as const),
    ...[...report.others].map(([kind, count]) => [`records ${kind}`, count] as const),
    ['losses counted', [...lossesOf(metrics)].map(([name, count]) => `${name} ${count}`).join('; ') || 'none'],
    ['anomalies counted', [...metrics].filter(([name, count]) => name.startsWith('lintel_anomalies') && count > 0)
      .map(([name, count]) => `${name.replace(/.*name="([^"]*)".*/, '$1')} ${count}`).join(', ') || 'none'],
    ['agent CPU seconds between first and last sample', cpu.toFixed(1)],
    ['megabytes logged', (report.logBytes / 1e6).toFixed(1)],
    ['held at the end: programs, links, maps', `${report.held.programs.size}, ${report.held.links.size}, ${report.held.maps.size}`],
    ['left in the kernel', report.left.join(', ') || 'nothing'],
    ['new lines of the kernel, bad ones', `${kernelLog.lines}, ${kernelLog.bad.length}`],
    ['the agent\'s last word', report.totals],
  ]
  const table = (columns: readonly string[], lines: readonly (readonly (string | number)[])[]): string => (
    [columns, columns.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n'))
  console.log(table(['figure', 'value'], rows))
  console.log(`\n${table(['after the warm-up', 'least', 'most', 'last', 'growth an hour', 'at least', 'bound'], report.growths.map((growth) => [
    growth.name, growth.least, growth.most, growth.last, growth.grewPerHour.toFixed(1), growth.grewPerHourAtLeast.toFixed(1),
    growth.perHour === Infinity ? 'shown only' : growth.perHour,
  ]))}`)
  const marks = [...tally.marks].sort((left, right) => right[1] - left[1]).slice(0, 20)
  if (marks.length > 0) console.log(`\n${table(['marks of completed requests', 'count'], marks)}`)
  console.log(`\n${table(['clients', 'processes'], [...load.byKind])}`)
  for (const example of tally.examples) console.log(`example: ${example}`)
  const verdictOf = ({ name, faults, isJudged = true }: Check): string[] => [
    name, faults.length > 0 ? `FAILED: ${faults.join('; ')}` : isJudged ? 'holds' : 'not judged: too short',
  ]
  console.log(`\n${table(['check', 'verdict'], report.checks.map(verdictOf))}`)
  const file = fileURLToPath(new URL('../../build/soak.json', import.meta.url))
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `${JSON.stringify({
    rows, checks: report.checks, examples: tally.examples, growths: report.growths, samples: samples.map((sample) => Object.fromEntries(sample)),
    heaps: report.heaps.map((heap) => Object.fromEntries(heap)),
  }, null, 1)}\n`)
}

/** The same sequence for the same seed: a soak can be run again, as far as its processes are as fast. (Mulberry32) */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      'minutes': { type: 'string', default: '60' },
      'clients-per-second': { type: 'string', default: '3' },
      'seed': { type: 'string', default: '1' },
      'port': { type: 'string', default: '29641' },
    },
  })
  const number = (flag: 'minutes' | 'clients-per-second' | 'seed' | 'port'): number => {
    const value = Number(values[flag])
    if (!(value > 0)) throw new Error(`Cannot use --${flag} "${values[flag]}"; it is a number above 0`)
    return value
  }
  return { minutes: number('minutes'), perSecond: number('clients-per-second'), seed: number('seed'), port: number('port') }
}

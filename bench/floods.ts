/**
 * What floods of connections do to the agent's memory, under a cap, and to the records of real traffic beside them.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { QUIET_PORT } from './field.ts'
import { figure } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, runH2load } from './harness/generator.ts'
import { countExchanges } from './harness/kept.ts'
import type { Question } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'
import { lintelCommand } from './lintel-command.ts'

const CONNECTIONS = 32
/** Requests a second of the real traffic: what it loses must be the flood's doing, not want of cores. */
const RATE = 1000
/** Real connections are new each time. */
const SECONDS = 3
const CAP_MIB = 220
/** About what a gateway can accept a second. */
const SLOW_RATE = 20_000
const LOOK_MS = 200
const DRAIN_MS = 1000

interface Flood {
  readonly kind: 'syn' | 'slow' | 'open'
  readonly what: string
  readonly count: number
  /** Connections a second; 0 = as fast as it goes. */
  readonly rate: number
}

const FLOODS: readonly Flood[] = [
  { kind: 'syn', what: 'SYNs', count: 1_000_000, rate: 0 },
  { kind: 'slow', what: 'slow: a handshake, a piece of a head', count: 1_000_000, rate: SLOW_RATE },
  { kind: 'open', what: 'open: a handshake, one exchange', count: 100_000, rate: SLOW_RATE },
]

interface Sample {
  readonly flood: Flood
  readonly seconds: number
  readonly sent: number
  readonly kept: number
  readonly residentMiB: number
  readonly said: string
}

export const floods: Question = {
  name: 'floods',
  asks: 'memory under a cap, and the records of real traffic, beside floods of connections',
  minutes: 5,
  needs: () => ['nginx', 'h2load', 'python3', 'zstd'],
  async measure(session, { progress }) {
    await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT])
    const samples: Sample[] = []
    for (const flood of FLOODS) {
      const sample = await measure(session, gateway, flood)
      samples.push(sample)
      progress(`floods, ${flood.kind}: ${sample.kept} of ${sample.sent} kept, ${sample.residentMiB.toFixed(0)} MiB; ${sample.said}`)
    }
    return [table(samples)]
  },
}

async function measure(session: Session, gateway: Gateway, flood: Flood): Promise<Sample> {
  const out = join(session.folder, 'lintel')
  // All of the open ones are to be followed.
  const config = { limits: { memory: `${CAP_MIB}MiB`, connections: 131_072 } }
  const running = await RunningTool.start(session, lintelCommand(QUIET_PORT, { config }), out)
  const start = await gateway.requests()
  await ask(session, gateway)
  const before = await gateway.requests()
  let residentMiB = 0
  const since = performance.now()
  const child = await session.start(['python3', join(gateway.folder, 'flood.py'), flood.kind, String(flood.count),
    String(QUIET_PORT), String(flood.rate)], { stdio: ['ignore', 'inherit', 'inherit'] })
  const looks = setInterval(() => { residentMiB = Math.max(residentMiB, running.residentMiB()) }, LOOK_MS)
  let seconds = 0
  child.once('exit', () => { seconds = (performance.now() - since) / 1000 })
  try {
    do await ask(session, gateway)
    while (!hasEnded(child))
    await session.delay(DRAIN_MS)
  } finally {
    clearInterval(looks)
  }
  const sent = await gateway.requests() - before
  await running.stop()
  const kept = await countExchanges(session, out, PATH.replace(/\?.*/, '')) - (before - start)
  const said = /totals after.*/.exec(readFileSync(join(out, 'stderr'), 'utf8'))?.[0] ?? ''
  rmSync(out, { recursive: true, force: true })
  if (child.exitCode !== 0) throw new Error(`Cannot send a flood: flood.py ended with ${child.exitCode}; see above`)
  return { flood, seconds, sent, kept, residentMiB, said }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function ask(session: Session, gateway: Gateway): Promise<void> {
  const load = { url: `http://127.0.0.1:${QUIET_PORT}${PATH}`, seconds: SECONDS, connections: CONNECTIONS, folder: gateway.folder }
  await runH2load(session, load, { http1: true, streams: 1, rate: RATE, timed: false })
}

function table(samples: readonly Sample[]): Table {
  return {
    name: 'floods',
    title: 'Floods of connections, with a cap on memory',
    about: [
      `Load: h2load at ${RATE}/s, every ${SECONDS} s on ${CONNECTIONS} new connections, as long as the flood lasts. The flood: frames that a raw`,
      'socket sends into lo, each connection from an address and port of its own; nobody ends one of them. SYNs as fast as it goes,',
      `the others at ${SLOW_RATE}/s.`,
      `The agent has limits.memory: ${CAP_MIB}MiB, limits.connections: 131072. "Resident, most": of looks ${LOOK_MS} ms apart.`,
      '"Kept": of the real traffic, exchanges logged ÷ requests that nginx counted.',
    ],
    columns: ['flood', 'connections', 'a second', 'cap', 'resident, most', 'real requests', 'kept'],
    rows: samples.map(({ flood, seconds, sent, kept, residentMiB }) => [
      flood.what, String(flood.count), figure([flood.count / seconds], '/s'), `${CAP_MIB} MiB`, figure([residentMiB], 'MiB'), String(sent),
      figure([100 * kept / sent], '%'),
    ]),
    plots: [],
  }
}

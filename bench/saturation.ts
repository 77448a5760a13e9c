/**
 * What does watching the gateway cost when it is as busy as it can be, and how much is kept?
 *
 * @module
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { COLLECTOR_PORT, LOGGING_PORT, QUIET_PORT, chosenTools } from './field.ts'
import type { FieldTool, ToolKept } from './field.ts'
import { figure } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, SETTLE_MS, WARM_UP_SECONDS, runWrk } from './harness/generator.ts'
import type { LoadResult } from './harness/generator.ts'
import { showMissing } from './harness/kept.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'

const CONNECTIONS = 32
const DRAIN_MS = 500

interface Sample {
  readonly load: LoadResult
  /** Requests of the warm-up and of the load. */
  readonly sent: number
  /** Requests per second ÷ the mean of the rounds without a tool just before and after. */
  readonly share: number
  readonly cpuMicroseconds: number
  readonly residentMiB: number
  readonly kept: ToolKept
}

export const saturation: Question = {
  name: 'saturation',
  asks: 'what watching a busy gateway costs, and how much is kept',
  minutes: 22,
  needs: ({ tools }) => ['nginx', 'wrk', ...chosenTools(tools).flatMap((tool) => tool.needs)],
  async measure(session, settings) {
    await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT, LOGGING_PORT])
    const collector = createSocket('udp4').bind(COLLECTOR_PORT, '127.0.0.1')
    await once(collector, 'listening')
    try {
      return [await rounds(session, gateway, settings)]
    } finally {
      collector.close()
    }
  },
}

/** In each round the tools take turns, with a load of the bare gateway before and after each of them. */
async function rounds(session: Session, gateway: Gateway, settings: Settings): Promise<Table> {
  const tools = chosenTools(settings.tools)
  const bare: number[] = []
  const samples = new Map<FieldTool, Sample[]>(tools.map((tool) => [tool, []]))
  for (let round = 0; round < settings.rounds; round++) {
    let before = (await wrk(session, gateway, QUIET_PORT, settings)).perSecond
    bare.push(before)
    for (const tool of tools) {
      const sample = await measure(session, gateway, tool, settings)
      const after = (await wrk(session, gateway, QUIET_PORT, settings)).perSecond
      bare.push(after)
      samples.get(tool)!.push({ ...sample, share: sample.load.perSecond / ((before + after) / 2) })
      before = after
      settings.progress(`saturation, round ${round + 1}/${settings.rounds}, ${tool.key}: ${sample.load.perSecond.toFixed(0)}/s, `
        + `bare ${after.toFixed(0)}/s`)
    }
  }
  return table(settings, bare, samples)
}

async function measure(session: Session, gateway: Gateway, tool: FieldTool, settings: Settings): Promise<Omit<Sample, 'share'>> {
  const out = join(gateway.folder, 'out')
  if (tool.port === LOGGING_PORT) truncateSync(join(gateway.folder, 'access.log'))
  const running = tool.process && await RunningTool.start(session, tool.process, out)
  const warmUp = await wrk(session, gateway, tool.port, { ...settings, seconds: WARM_UP_SECONDS })
  const before = running?.cpuSeconds() ?? Number.NaN
  const load = await wrk(session, gateway, tool.port, settings)
  await session.delay(SETTLE_MS) // what is still on its way to the tool belongs to the round
  const cpu = (running?.cpuSeconds() ?? Number.NaN) - before
  const residentMiB = running?.residentMiB() ?? Number.NaN
  await session.delay(DRAIN_MS)
  await tool.beforeStop?.(session, out)
  await running?.stop()
  const kept = await tool.kept(session, out, gateway.folder)
  rmSync(out, { recursive: true, force: true })
  return { load, sent: warmUp.requests + load.requests, cpuMicroseconds: (cpu / load.requests) * 1e6, residentMiB, kept }
}

async function wrk(session: Session, gateway: Gateway, port: number, { seconds }: Settings): Promise<LoadResult> {
  const url = `http://127.0.0.1:${port}${PATH}`
  const load = await runWrk(session, { url, seconds, connections: CONNECTIONS, folder: gateway.folder })
  if (load.failed > 0) throw new Error(`Cannot measure: ${load.failed} of ${load.requests} requests on port ${port} failed`)
  return load
}

function table(settings: Settings, bare: readonly number[], samples: ReadonlyMap<FieldTool, readonly Sample[]>): Table {
  const log = [...samples].find(([tool]) => tool.key === 'access_log')?.[1]
  return {
    name: 'saturation',
    title: 'Cost at saturation',
    about: [
      `Load: wrk with one thread and ${CONNECTIONS} connections on lo, nine request headers, against nginx with one worker that`,
      'answers from memory;',
      `rounds: ${settings.rounds} of ${settings.seconds} s for each tool, in turn, with a round of the bare gateway before and`,
      `after each; ${WARM_UP_SECONDS} s of the same load go right before, of which only "kept" and "missing" tell.`,
      'Figures are medians, in brackets the least and the most.',
      '"÷ bare": requests/s with the tool divided by the mean of its two neighbours without.',
      '"÷ access_log": the same divided by that of nginx\'s access log in the same round.',
      '"CPU": user and system time of the tool\'s processes and threads. What a tool makes the kernel do in the time of',
      'nginx and wrk is not in it and shows in the requests/s. Lintel packs rotated files when the load is lower: that is not in it either.',
      '"Kept": exchanges written ÷ requests that wrk counted; up to 32 more are answered and written when each wrk stops. For',
      'tools that know no exchanges: packets not dropped ÷ all packets. "Missing": exchanges, in the worst round.',
    ],
    columns: ['tool', 'writes', 'requests', '÷ bare', '÷ access_log', 'CPU per exchange', 'kept', 'missing', 'resident memory'],
    rows: [
      ['nothing', '-', figure(bare, '/s'), '-', '-', '-', '-', '-', '-'],
      ...[...samples].map(([tool, runs]) => row(tool, runs, log)),
    ],
    plots: [
      { title: 'Throughput of the gateway with the tool ÷ without', column: '÷ bare' },
      { title: 'CPU of the tool per exchange', column: 'CPU per exchange' },
      { title: 'Kept', column: 'kept' },
    ],
  }
}

function row(tool: FieldTool, runs: readonly Sample[], log: readonly Sample[] | undefined): Cell[] {
  const kept = runs.map(({ kept, sent }) => 100 * ('exchanges' in kept ? kept.exchanges / sent : kept.packetShare))
  const counts = runs.map(({ kept, sent }) => (
    { logged: 'exchanges' in kept ? kept.exchanges : Number.NaN, counted: sent, inFlight: 2 * CONNECTIONS }))
  return [
    tool.name, tool.writes,
    figure(runs.map(({ load }) => load.perSecond), '/s'),
    figure(runs.map(({ share }) => share), ''),
    figure(runs.map(({ share }, round) => share / (log?.[round]?.share ?? Number.NaN)), ''),
    figure(runs.map(({ cpuMicroseconds }) => cpuMicroseconds), 'µs'),
    figure(kept, '%'), showMissing(counts),
    figure(runs.map(({ residentMiB }) => residentMiB), 'MiB'),
  ]
}

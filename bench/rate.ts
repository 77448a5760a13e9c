/**
 * How much does each tool keep of a load that grows from a thousand requests a second to all that the gateway answers?
 *
 * @module
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { COLLECTOR_PORT, LOGGING_PORT, QUIET_PORT, chosenTools } from './field.ts'
import type { FieldTool } from './field.ts'
import { figure } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, runH2load } from './harness/generator.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'

const CONNECTIONS = 32
/** Requests per second; undefined: as many as the gateway answers. */
const RATES = [1000, 5000, 10_000, 20_000, 40_000, undefined] as const
const COLUMNS = RATES.map((rate) => (rate === undefined ? 'saturating' : `${rate.toLocaleString('en')} /s`))
const DRAIN_MS = 500
/** Many tools at many rates: each for a short time. */
const SECONDS_MAX = 2
const ROUNDS_MAX = 3

interface Sample {
  /** Percent. */
  readonly kept: number
  /** Requests per second that were answered. */
  readonly perSecond: number
}

export const rate: Question = {
  name: 'rate',
  asks: 'how much is kept at each rate from 1,000/s up',
  minutes: 15,
  needs: ({ tools }) => ['nginx', 'h2load', ...chosenTools(tools).flatMap((tool) => tool.needs)],
  async measure(session, settings) {
    const short = { ...settings, seconds: Math.min(settings.seconds, SECONDS_MAX), rounds: Math.min(settings.rounds, ROUNDS_MAX) }
    await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT, LOGGING_PORT])
    const collector = createSocket('udp4').bind(COLLECTOR_PORT, '127.0.0.1')
    await once(collector, 'listening')
    try {
      return tables(short, await rounds(session, gateway, short))
    } finally {
      collector.close()
    }
  },
}

/** Of each tool, for each rate, a sample a round. At each rate the tools take turns. */
async function rounds(session: Session, gateway: Gateway, settings: Settings): Promise<Map<FieldTool, Sample[][]>> {
  const samples = new Map(chosenTools(settings.tools).map((tool) => [tool, RATES.map((): Sample[] => [])]))
  for (let round = 0; round < settings.rounds; round++) {
    for (const [index, offered] of RATES.entries()) {
      for (const [tool, ofTool] of samples) {
        const sample = await measure(session, gateway, tool, offered, settings)
        ofTool[index]!.push(sample)
        settings.progress(`rate, round ${round + 1}/${settings.rounds}, ${COLUMNS[index]}, ${tool.key}: `
          + `${sample.perSecond.toFixed(0)}/s, ${sample.kept.toFixed(2)} % kept`)
      }
    }
  }
  return samples
}

async function measure(
  session: Session, gateway: Gateway, tool: FieldTool, offered: number | undefined, { seconds }: Settings,
): Promise<Sample> {
  const out = join(session.folder, 'out')
  if (tool.port === LOGGING_PORT) truncateSync(join(gateway.folder, 'access.log'))
  const running = tool.process && await RunningTool.start(session, tool.process, out)
  const before = await gateway.requests()
  const url = `http://127.0.0.1:${tool.port}${PATH}`
  const load = await runH2load(session, { url, seconds, connections: CONNECTIONS, folder: gateway.folder },
    { http1: true, streams: 1, timed: false, ...(offered === undefined ? {} : { rate: offered }) })
  if (load.failed > 0) throw new Error(`Cannot measure: ${load.failed} of ${load.requests} requests to ${url} failed`)
  await session.delay(DRAIN_MS) // what is still on its way to the tool belongs to the round
  const sent = await gateway.requests() - before
  await tool.beforeStop?.(session, out)
  await running?.stop()
  const kept = await tool.kept(session, out, gateway.folder)
  rmSync(out, { recursive: true, force: true })
  return { kept: 100 * ('exchanges' in kept ? kept.exchanges / sent : kept.packetShare), perSecond: load.perSecond }
}

function tables({ rounds, seconds }: Settings, samples: ReadonlyMap<FieldTool, Sample[][]>): Table[] {
  const load = [
    `Load: h2load with one thread and ${CONNECTIONS} connections on lo, nine request headers, against nginx with one worker that`,
    `answers from memory; at a constant rate, at last as fast as it goes. Rounds: ${rounds} of ${seconds} s for each tool at each rate,`,
    'the tools in turn. No load goes before: each tool meets it as it starts. Figures are medians, in brackets the least and the most.',
  ]
  const rows = (value: (sample: Sample) => number, unit: string): Table['rows'] => (
    [...samples].map(([tool, ofTool]) => [tool.name, ...ofTool.map((ofRate) => figure(ofRate.map(value), unit))]))
  return [
    {
      name: 'rate',
      title: 'Kept at each offered rate',
      about: [...load,
        '"Kept": exchanges written ÷ requests that nginx counted; for tools that know no exchanges (tcpdump, softflowd) packets not',
        'dropped ÷ all packets. What a tool has not written half a second after the load does not count.'],
      columns: ['tool', ...COLUMNS],
      rows: rows(({ kept }) => kept, '%'),
      plots: [{ title: 'Kept at each offered rate', columns: COLUMNS }],
    },
    {
      name: 'rate-reached',
      title: 'Requests answered at each offered rate',
      about: ['From the rounds of the table above: where the tool, the gateway and the load share the cores, fewer requests may be',
        'answered than were offered.'],
      columns: ['tool', ...COLUMNS],
      rows: rows(({ perSecond }) => perSecond, '/s'),
      plots: [{ title: 'Requests answered at each offered rate', columns: COLUMNS }],
    },
  ]
}

import { readFileSync } from 'node:fs'
import type { AgentContract, Attachment } from '../src/agent-contract.ts'
import type { Config } from '../src/config.ts'
import { pageStoreOf, withOutputs } from './data-directory.ts'
import { say } from './exit.ts'
import { configFrom, durationFrom } from './flag-config.ts'
import type { CaptureFlags, OutputFlags } from './flags.ts'
import { requireInterfaces } from './interfaces.ts'
import { requireDecoders } from './decoders.ts'
import { RunPage } from './page.ts'
import { session } from './session.ts'

/** `lintel run`: logs live traffic until it is told to stop. */
export async function run(flags: CaptureFlags & OutputFlags): Promise<void> {
  const read = () => withOutputs(configFrom(flags), true)
  const config = read()
  requireInterfaces(config.capture.interfaces)
  requireDecoders(config.decoders)
  const page = config.web.enabled ? await RunPage.start(config) : undefined
  try {
    await session({
      config, reread: read, durationMs: durationFrom(flags), readyFile: flags.readyFile, metricsAsked: flags.metrics !== undefined,
      ...(page === undefined ? {} : { outputs: [page.output] }),
      started: (attachments, metrics, agent) => {
        tellStarted(config, attachments, metrics, agent)
        page?.follow(agent, attachments, pageStoreOf(config) !== undefined)
      },
    })
  } finally {
    await page?.stop()
  }
}

/** What is captured where, where it goes, what to try, how to stop. */
function tellStarted(config: Config, attachments: readonly Attachment[], metrics: string | undefined, agent: AgentContract): void {
  const counts = config.capture.mode === 'metrics'
  const hooks = new Map<string, string[]>()
  for (const { hook, where } of attachments) hooks.set(hook, [...hooks.get(hook) ?? [], where])
  for (const [hook, places] of hooks) {
    const ports = config.capture.ports.map(({ first, last }) => first === last ? first : `${first}-${last}`).join(', ')
    const on = [...new Set(places)].join(', ')
    const what = counts ? 'counting requests of HTTP/1 in the clear' : `logging ${config.kinds.join(', ')} records`
    say('info', `${what} on ${on} (${hook})${ports === '' ? ', all ports' : `, ports ${ports}`}`)
  }
  if (attachments.some(({ bothDirections }) => !bothDirections)) {
    say('warn', `${config.capture.attach} sees one direction only: requests are logged without their responses; use --attach tcx for both`)
  }
  if (!counts) {
    say('info', `records go to ${agent.stats().outputs.map(output => output.name).join(', ')}; secrets are hidden before anything is written`)
  }
  if (metrics !== undefined) say('info', `figures: http://${metrics}/metrics`)
  else if (counts) say('warn', 'what is counted is served nowhere: only totals are told; set metrics.enabled: true and a free metrics.address')
  say('info', `try, in another terminal: ${sampleCommand(config)}`)
  say('info', 'stop with Ctrl-C; the last line tells what became of every packet and record')
}

const LISTEN_STATE = '0A'
const LIKELY_PORTS = [80, 8080, 8000, 3000, 5000, 8081, 8888, 9080, 8001]

/** A request that this configuration would log: to a server that listens here, else to the world. */
function sampleCommand(config: Config): string {
  const [range] = config.capture.ports
  if (range !== undefined) return `curl http://127.0.0.1:${range.first}/`
  const open = listeningPorts()
  const port = LIKELY_PORTS.find(likely => open.has(likely))
  return port === undefined ? 'curl http://example.com/' : `curl http://127.0.0.1:${port}/`
}

/** Ports that somebody listens on, IPv4 and IPv6; see proc_net_tcp in the kernel's documentation. */
function listeningPorts(): Set<number> {
  const ports = new Set<number>()
  for (const path of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch {
      continue // no IPv6 here
    }
    for (const line of text.split('\n').slice(1)) {
      const [, local, , state] = line.trim().split(/\s+/)
      if (state === LISTEN_STATE) ports.add(Number.parseInt(local?.split(':')[1] ?? '0', 16))
    }
  }
  return ports
}

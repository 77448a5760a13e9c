import type { AgentContract, AgentHooks, Attachment } from '../src/agent-contract.ts'
import type { Config } from '../src/config.ts'
import { agentFamilies } from '../src/exposition.ts'
import { addsUp, deliveryLines, outputLines, outputsLost, statsLine, totalsLine, type Stats } from '../src/ledger.ts'
import { tallyFamilies } from '../src/tally-families.ts'
import { MetricsServer } from '../src/metrics.ts'
import { RequestMetrics, RequestMetricsSink } from '../src/sink/mod.ts'
import { EXIT, outliveReader, say } from './exit.ts'
import { ReadyFile } from './ready-file.ts'
import { version } from './version.ts'

export interface SessionOptions {
  readonly config: Config
  /** Reads flags and config file anew, for SIGHUP. */
  readonly reread: () => Config
  readonly durationMs?: number | undefined
  readonly readyFile?: string | undefined
  /** True when metrics were asked for by a flag: not being able to serve them is an error then. */
  readonly metricsAsked?: boolean
  /** Besides the outputs of the configuration. */
  readonly outputs?: AgentHooks['outputs']
  /** Everything is attached. */
  readonly started?: (attachments: readonly Attachment[], metrics: string | undefined, agent: AgentContract) => void
  /** Called before the totals are printed, whatever happened. */
  readonly ending?: () => void
  /** Ends the session from inside, e.g. by a key. */
  readonly quit?: AbortSignal
}

/**
 * One run of the agent from start to totals line: signals, duration, statistics, metrics, ready file.
 *
 * @throws {Error} when it cannot start; nothing stays attached then
 */
export async function session(options: SessionOptions): Promise<void> {
  const ready = options.readyFile === undefined ? undefined : new ReadyFile(options.readyFile)
  const stop = new Stop(options.quit)
  outliveReader()
  let metrics: MetricsServer | undefined
  try {
    const { Agent } = await import('../src/agent.ts')
    const requests = requestMetrics(options.config)
    const counting: AgentHooks['outputs'] = requests === undefined ? [] : [host => new RequestMetricsSink(requests, host)]
    const hooks: AgentHooks = { log: say, ended: error => stop.now(error), outputs: [...options.outputs ?? [], ...counting] }
    const agent: AgentContract = new Agent(options.config, hooks)
    const attachments = await agent.start()
    const telling = tellStats(options.config, agent)
    let failed = false
    try {
      const served = await serveMetrics(options, agent, requests)
      metrics = served?.server
      const outputs = agent.stats().outputs.map(output => output.name)
      ready?.write({ pid: process.pid, version: version(), attachments, outputs, ...(served ? { metrics: served.address } : {}) })
      options.started?.(attachments, served?.address, agent)
      stop.after(options.durationMs)
      stop.onReload(() => reload(options, agent))
      void agent.finished.then(() => stop.now())
      const error = await stop.reached
      if (error !== undefined) {
        say('error', error)
        failed = true
      }
    } finally {
      clearInterval(telling)
      const totals = await agent.stop()
      options.ending?.()
      say('info', totalsLine(totals))
      for (const line of outputLines(totals)) say('warn', line)
      for (const line of deliveryLines(totals)) say('info', line)
      failed ||= !addsUp(totals) || outputsLost(totals) || totals.failures > 0
      process.exitCode = failed ? EXIT.failure : EXIT.ok
    }
  } finally {
    stop.dispose()
    await metrics?.stop()
    ready?.remove()
  }
}

/** What a running agent cannot change. */
const FIXED: readonly (readonly [name: string, of: (config: Config) => unknown])[] = [
  ['capture.mode', config => config.capture.mode],
  ['capture.interfaces', config => config.capture.interfaces], ['capture.attach', config => config.capture.attach],
  ['capture.transport', config => config.capture.transport], ['capture.ring_bytes', config => config.capture.ring_bytes],
  ['capture.processes', config => config.capture.processes],
  // Their processes are looked at in user space, and change at once.
  ['capture.tls.enabled', config => config.capture.tls.enabled], ['capture.tls.paths', config => config.capture.tls.paths],
  // Neither their order nor their filters: those of outputs that are open are taken over.
  ['outputs', config => config.outputs.map(output => JSON.stringify({ ...output, filter: undefined })).toSorted()],
  ['limits', config => config.limits], ['workers', config => config.workers], ['decoders', config => config.decoders],
  ['metrics', config => config.metrics], ['web', config => config.web], ['stats', config => config.stats],
]

async function reload(options: SessionOptions, agent: AgentContract): Promise<void> {
  try {
    const next = options.reread()
    await agent.reload(next)
    say('info', 'configuration read anew')
    const fixed = FIXED.filter(([, of]) => JSON.stringify(of(next)) !== JSON.stringify(of(options.config))).map(([name]) => name)
    if (fixed.length > 0) say('warn', `${fixed.join(', ')} changed: these are taken at the start only; restart to change them`)
  } catch (error) {
    say('error', `${(error as Error).message}\nthe configuration before stays in force`)
  }
}

function tellStats(config: Config, agent: AgentContract): NodeJS.Timeout | undefined {
  if (config.stats.interval === undefined) return undefined
  let before: Stats | undefined
  return setInterval(() => {
    const now = agent.stats()
    say('info', statsLine(now, before))
    before = now
  }, config.stats.interval)
}

/** Nobody scrapes a replay. */
function isServing({ metrics, files }: Config): boolean {
  return metrics.enabled && files.length === 0
}

function requestMetrics(config: Config): RequestMetrics | undefined {
  const { enabled, ...options } = config.metrics.requests
  // Without records there are none of them; the kernel's counts have some of the same names.
  return isServing(config) && config.capture.mode === 'records' && enabled ? new RequestMetrics(options) : undefined
}

type Served = { server: MetricsServer, address: string }

async function serveMetrics(options: SessionOptions, agent: AgentContract, requests: RequestMetrics | undefined): Promise<Served | undefined> {
  if (!isServing(options.config)) return undefined
  const startSeconds = Date.now() / 1000 - process.uptime()
  const server = new MetricsServer(options.config.metrics.address, () => {
    const { user, system } = process.cpuUsage()
    const figures = { version: version(), cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), startSeconds }
    const stats = agent.stats()
    return [...agentFamilies(stats, figures), ...tallyFamilies(stats.tallies), ...requests?.families() ?? []]
  })
  try {
    return { server, address: await server.start() }
  } catch (error) {
    if (options.metricsAsked === true) throw error
    say('warn', `${(error as Error).message}; going on without`)
    return undefined
  }
}

/** Terminals and timeout(1) may send a signal twice; only one that comes later than this is a second wish. */
const TWICE_MS = 1000

/** The first thing that ends a session: signal, time, key, or the agent itself. */
class Stop {
  readonly reached: Promise<string | undefined>
  readonly #resolve: (error: string | undefined) => void
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#signal(signal)
  readonly #onHangUp = (): void => void this.#reload?.()
  #reload: (() => Promise<void>) | undefined
  #timer: NodeJS.Timeout | undefined
  #signalledAtMs: number | undefined

  constructor(quit: AbortSignal | undefined) {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.reached = promise
    this.#resolve = resolve
    quit?.addEventListener('abort', () => this.now(), { once: true })
    process.on('SIGINT', this.#onSignal)
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGHUP', this.#onHangUp)
  }

  now(error?: string): void {
    this.#resolve(error)
  }

  after(ms: number | undefined): void {
    if (ms !== undefined) this.#timer = setTimeout(() => this.now(), ms)
  }

  /** Until then SIGHUP does nothing. */
  onReload(reload: () => Promise<void>): void {
    this.#reload = reload
  }

  dispose(): void {
    clearTimeout(this.#timer)
    process.off('SIGINT', this.#onSignal)
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGHUP', this.#onHangUp)
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#signalledAtMs === undefined) {
      this.#signalledAtMs = performance.now()
      if (process.stderr.isTTY) process.stderr.write('\n')
      say('info', `${signal}: taking what was captured to its outputs; once more to stop at once`)
      return this.now()
    }
    if (performance.now() - this.#signalledAtMs < TWICE_MS) return
    say('warn', `${signal} again: stopped at once; what was not written is lost, the totals are not known`)
    // exit() would wait for a write that hangs; the kernel frees every link of a killed process as well.
    process.kill(process.pid, 'SIGKILL')
  }
}

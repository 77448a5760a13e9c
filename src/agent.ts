/**
 * The agent: capture workers on one side, the outputs on the other, one ledger over both.
 *
 * @module
 */
import { setPriority } from 'node:os'
// Not by mod.ts: a replay needs nothing else of it, and starts sooner.
import { forbidCoreDumps } from '../lib/ebpf/core-dump.ts'
import { releaseStartupPages } from '../lib/ebpf/startup-pages.ts'
import type { KernelShard } from './capture/mod.ts'
import type { FlowShare } from './capture/flow-share.ts'
import type { AgentContract, AgentHooks, Attachment } from './agent-contract.ts'
import { CaptureThread } from './capture-thread.ts'
import type { Config } from './config.ts'
import { openOutput } from './config/output.ts'
import { ContainerDirectory } from './exchange/container-directory.ts' // not by mod.ts: this thread does without the stage
import type { ContainerQuestion } from './exchange/mod.ts'
import { kindsSeen, recordLedger } from './ledger.ts'
import type { Stats, Totals } from './ledger.ts'
import { shareEphemeralKey } from './privacy/hash-key.ts' // not by mod.ts: this thread does without the wall and the stages before it
import { Outlets } from './sink/mod.ts'
import type { LogLevel, SafeBatch } from './sink/mod.ts'
import type { TallyFigures } from './tally-series.ts'
import { ToldOnce } from './told-once.ts'
import { chooseWorkers } from './worker-choice.ts'
import type { FromWorker, WorkerStart, WorkerStats } from './worker-message.ts'
import { addStats, NO_STATS } from './worker-stats.ts'

/** What a worker has at least of the limits, however many share them: the least that the configuration takes. */
const WORKER_MESSAGES_MIN = 16 * 1024 * 1024
const WORKER_CONNECTIONS_MIN = 16
/** Nice value of a live capture. */
const PRIORITY = -5

export class Agent implements AgentContract {
  readonly #config: Config
  /** The outputs stay those of the start; their filters may change. */
  #outputFilters: readonly (string | undefined)[]
  readonly #hooks: AgentHooks
  readonly #outlets: Outlets
  readonly #startedAt = performance.now()
  readonly #finished = Promise.withResolvers<void>()
  readonly #workerDone = Promise.withResolvers<void>()
  #reloading: Reloading | undefined
  /** The last of the reloads that were asked for: one at a time, in order. */
  #reloads: Promise<void> = Promise.resolve()
  #threads: readonly CaptureThread[] = []
  /** How many there are once the first of a live capture is attached. */
  #threadCount = 0
  #attachments: readonly Attachment[] = []
  /** Every thread is attached, or the start has failed. */
  readonly #attached = Promise.withResolvers<readonly Attachment[]>()
  readonly #toldOnce = new ToldOnce()
  /** Why the workers take no message any more. */
  #over: string | undefined
  #failures = 0
  #tallies: TallyFigures | undefined
  readonly #containers = new ContainerDirectory()
  #totals: Promise<Totals> | undefined

  constructor(config: Config, hooks: AgentHooks) {
    this.#config = config
    this.#hooks = hooks
    this.#outputFilters = config.outputs.map((output) => output.filter)
    this.#outlets = new Outlets({
      log: (level, message) => { hooks.log(level, message) },
      ended: (name, error) => { hooks.ended(error === undefined ? undefined : `${name}: ${error}`) },
      released: (batch) => { this.#recycle(batch) },
    })
  }

  get finished(): Promise<void> {
    return this.#finished.promise
  }

  async start(): Promise<readonly Attachment[]> {
    if (this.#isLive) raisePriority()
    // What is captured holds secrets until it has passed the wall; they must not reach a disk by way of a crash either.
    const dumpable = forbidCoreDumps()
    if (dumpable !== undefined) this.#hooks.log('warn', `Cannot forbid core files of this process: ${dumpable}; keep "ulimit -c 0"`)
    for (const output of this.#config.outputs) this.#outlets.add((host) => openOutput(output, host))
    for (const open of this.#hooks.outputs ?? []) this.#outlets.add(open)
    if (this.#config.privacy.hash_key_ephemeral) shareEphemeralKey() // before the workers start, so that they have the same
    this.#startThreads()
    try {
      const attachments = await this.#attached.promise
      if (this.#isLive) releaseStartupPages()
      return attachments
    } catch (error) {
      if (this.#isLive) await this.#threads[0]?.ended // until then programs may be attached
      await this.#outlets.close()
      throw error
    }
  }

  async stop(): Promise<Totals> {
    this.#totals ??= this.#stop()
    return await this.#totals
  }

  async reload(config: Config): Promise<void> {
    const done = this.#reloads.then(() => this.#reload(config))
    this.#reloads = done.catch(() => {}) // told to whoever asked for it; the next starts all the same
    await done
  }

  stats(): Stats {
    const outlets = this.#outlets.counts()
    const told = this.#told()
    return {
      uptimeMs: performance.now() - this.#startedAt,
      packets: told.packets,
      tlsCalls: told.tlsCalls,
      tlsSessions: told.tlsSessions,
      records: recordLedger([told.records], outlets, this.#isFinal),
      kinds: kindsSeen(told.kinds, told.records, outlets, this.#isFinal),
      anomalies: this.#anomalies(told),
      connectionsOpen: told.connectionsOpen,
      connectionsShare: told.connectionsShare,
      tallies: this.#tallies,
      outputs: this.#outlets.health(),
      failures: this.#failures,
    }
  }

  /** Figures of all workers. */
  #told(): WorkerStats {
    return this.#threads.map(({ stats }) => stats).reduce(addStats, NO_STATS)
  }

  /** Every worker told its last figures. */
  get #isFinal(): boolean {
    return this.#threads.length > 0 && this.#threads.every(({ isFinished }) => isFinished)
  }

  /** Those of the workers, and what was not asked of the container runtimes. */
  #anomalies({ anomalies }: WorkerStats): ReadonlyMap<string, number> {
    const { refused } = this.#containers
    return refused === 0 ? anomalies : new Map([...anomalies, ['container_not_asked', refused]])
  }

  /** Those of a replay at once; of a live capture the first, which opens what the others read. */
  #startThreads(): void {
    const { count, notice } = chooseWorkers(this.#config)
    if (notice !== undefined) this.#hooks.log('warn', notice)
    this.#threadCount = count
    const first = this.#isLive ? 1 : count
    for (let index = 0; index < first; index++) this.#startThread({ index, count })
  }

  #startThread(share: FlowShare, shard?: KernelShard): void {
    const start = this.#workerStart(this.#config, this.#outputFilters, share)
    this.#threads = [...this.#threads, new CaptureThread(shard === undefined ? start : { ...start, shard }, {
      receive: (thread, message) => { this.#receive(thread, share.index, message) },
      broken: (thread, message) => { this.#broken(thread, message) },
    })]
  }

  get #isLive(): boolean {
    return this.#config.files.length === 0
  }

  /** Outputs of the hooks are given everything that passes the common filter. What a worker may hold is its part of the limits. */
  #workerStart(config: Config, filters: readonly (string | undefined)[], share: FlowShare): WorkerStart {
    const part = (limit: number, least: number): number => Math.max(least, Math.ceil(limit / share.count))
    const { messages, connections } = config.limits
    const limits = { ...config.limits, messages: part(messages, WORKER_MESSAGES_MIN), connections: part(connections, WORKER_CONNECTIONS_MIN) }
    return { config: { ...config, limits }, outputFilters: [...filters, ...(this.#hooks.outputs ?? []).map(() => undefined)], share }
  }

  async #reload(config: Config): Promise<void> {
    if (this.#threads.length === 0 || this.#over !== undefined) throw new Error(`Cannot reload: ${this.#over ?? 'the agent is not running'}`)
    const filters = filtersFor(this.#config.outputs, this.#outputFilters, config.outputs)
    // What only the first of a live capture can refuse, it refuses before another has taken anything.
    const [first, ...others] = this.#threads
    if (this.#isLive) await this.#reloadThreads([first!], config, filters)
    await this.#reloadThreads(this.#isLive ? others : this.#threads, config, filters)
    this.#outputFilters = filters
    await this.#outlets.reload()
  }

  async #reloadThreads(threads: readonly CaptureThread[], config: Config, filters: readonly (string | undefined)[]): Promise<void> {
    const running = threads.filter(({ isFinished }) => !isFinished)
    if (running.length === 0) return
    if (this.#over !== undefined) throw new Error(`Cannot reload: ${this.#over}`)
    this.#reloading = new Reloading(running)
    for (const thread of threads) {
      const index = this.#threads.indexOf(thread)
      thread.send({ type: 'reload', start: this.#workerStart(config, filters, { index, count: this.#threadCount }) })
    }
    await this.#reloading.done
  }

  /** The workers answer no more. */
  #end(why: string): void {
    this.#over = why
    this.#reloading?.fail(new Error(`Cannot reload: ${why}`))
    this.#workerDone.resolve()
    this.#finished.resolve()
  }

  #receive(thread: CaptureThread, index: number, message: FromWorker): void {
    if (this.#over !== undefined) return // another one broke: what comes now is not counted any more
    switch (message.type) {
      case 'opened':
        this.#startOthers(message.shards)
        break
      case 'attached':
        this.#attach(thread, message)
        break
      case 'renew':
        this.#threads[0]!.send({ type: 'renew' })
        break
      case 'failed':
        this.#broken(thread, message.message)
        break
      case 'batch':
        this.#outlets.write(thread.batches.receive(message.batch))
        break
      case 'container':
        void this.#nameContainer(thread, message.question)
        break
      case 'stats':
        thread.stats = message.stats
        break
      case 'tallies':
        this.#tallies = message.figures
        break
      case 'log':
        this.#log(index, message.level, message.message)
        break
      case 'reloaded':
        this.#reloading?.answer(thread, message.error)
        break
      case 'finished':
        thread.stats = message.stats
        thread.isFinished = true
        this.#reloading?.answer(thread)
        if (this.#isFinal) this.#end('the run is over')
        // Programs that are off fill no ring any more.
        else if (this.#isLive && index === 0) for (const other of this.#threads.slice(1)) other.send({ type: 'stop' })
        break
    }
  }

  #startOthers(shards: readonly KernelShard[]): void {
    try {
      for (const shard of shards) this.#startThread(shard.share, shard)
    } catch (error) {
      this.#broken(undefined, `Cannot start a capture thread: ${(error as Error).message}`)
    }
  }

  #attach(thread: CaptureThread, { attachments }: Extract<FromWorker, { type: 'attached' }>): void {
    const [first, ...others] = this.#threads
    thread.isAttached = true
    // Of files each has all; of a live capture the first, which waits for the others.
    if (thread === first) this.#attachments = attachments
    if (this.#isAttached) this.#attached.resolve(this.#attachments)
    else if (this.#isLive && others.length === this.#threadCount - 1 && others.every(({ isAttached }) => isAttached)) first!.send({ type: 'start' })
  }

  #log(index: number, level: LogLevel, message: string): void {
    if (this.#threadCount > 1 && !this.#toldOnce.isNew(index, message)) return
    if (level === 'error') this.#failures++
    this.#hooks.log(level, message)
  }

  async #nameContainer(thread: CaptureThread, question: ContainerQuestion): Promise<void> {
    const names = await this.#containers.namesOf(question)
    if (names !== undefined) thread.send({ type: 'container', containerId: question.containerId, names })
  }

  get #isAttached(): boolean {
    return this.#threads.length === this.#threadCount && this.#threads.every(({ isAttached }) => isAttached)
  }

  /**
   * One worker broke: the run is over for all. Before the start is over the caller of `start` gets the error; after it, whoever runs the
   * agent is told.
   */
  #broken(broken: CaptureThread | undefined, message: string): void {
    if (this.#over !== undefined) return
    this.#attached.reject(new Error(message))
    if (this.#isAttached) this.#hooks.ended(`the capture broke: ${message}`) // before 'finished', which is an ordinary end
    this.#end(message)
    for (const thread of this.#threads) {
      if (thread === broken) continue
      // The first of a live capture takes its programs off: a filter of clsact would stay.
      if (this.#isLive && thread === this.#threads[0]) thread.send({ type: 'stop' })
      else thread.terminate()
    }
  }

  #recycle(batch: SafeBatch): void {
    const thread = this.#threads.find(({ batches }) => batches.has(batch))
    if (thread === undefined) throw new Error('Cannot give a batch back: no worker has sent it')
    thread.send({ type: 'recycle', batch: thread.batches.give(batch) })
  }

  async #stop(): Promise<Totals> {
    // The first of a live capture takes the programs off; the others drain what they have left behind when that is done. One that is
    // about to open what the first holds must have done so by then.
    if (this.#isLive) await this.#attached.promise.catch(() => {})
    for (const thread of this.#isLive ? this.#threads.slice(0, 1) : this.#threads) thread.send({ type: 'stop' })
    await this.#workerDone.promise
    if (this.#isLive) await this.#threads[0]?.ended
    this.#containers.close()
    await this.#outlets.close()
    this.#finished.resolve()
    return { ...this.stats(), known: this.#isFinal }
  }
}

/** A reload that each worker has to answer; the first refusal is its error. */
class Reloading {
  readonly done: Promise<void>
  readonly #outcome = Promise.withResolvers<void>()
  readonly #left: Set<CaptureThread>
  #refusal: string | undefined

  constructor(threads: readonly CaptureThread[]) {
    this.#left = new Set(threads)
    this.done = this.#outcome.promise
  }

  answer(thread: CaptureThread, refusal?: string): void {
    this.#refusal ??= refusal
    this.#left.delete(thread)
    if (this.#left.size > 0) return
    if (this.#refusal === undefined) this.#outcome.resolve()
    else this.#outcome.reject(new Error(this.#refusal))
  }

  fail(error: Error): void {
    this.#outcome.reject(error)
  }
}

type Output = Config['outputs'][number]

/** The filters of the outputs that are open, as a new configuration has them; an output it does not name keeps its own. */
export function filtersFor(
  open: readonly Output[], filters: readonly (string | undefined)[], wanted: readonly Output[],
): readonly (string | undefined)[] {
  const left = [...wanted]
  return open.map((output, index) => {
    const found = left.findIndex((other) => sameDestination(output, other))
    // Each entry once: two outputs to one place are told apart by their order.
    return found < 0 ? filters[index] : left.splice(found, 1)[0]?.filter
  })
}

function sameDestination(a: Output, b: Output): boolean {
  return a.type === b.type && placeOf(a) === placeOf(b)
}

function placeOf(output: Output): string | undefined {
  if ('spool' in output && output.spool !== undefined) return output.spool.path
  if ('path' in output) return output.path
  return 'url' in output ? `${output.url} ${output.name ?? ''}` : undefined
}

/**
 * On a machine that is full, those who empty the ring and write must not wait behind those who fill it. The capture thread
 * and the writers are started after this and inherit it. Without the right to raise it, the priority stays as it is.
 */
function raisePriority(): void {
  try {
    setPriority(PRIORITY)
  } catch {
    // EACCES or EPERM: no CAP_SYS_NICE.
  }
}

/**
 * The agent: a capture worker on one side, the outputs on the other, one ledger over both.
 *
 * @module
 */
import { setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
// Not by mod.ts: a replay needs nothing else of it, and starts sooner.
import { forbidCoreDumps } from '../lib/ebpf/core-dump.ts'
import { releaseStartupPages } from '../lib/ebpf/startup-pages.ts'
import type { AgentContract, AgentHooks, Attachment } from './agent-contract.ts'
import { BatchReceiver } from './batch-post.ts'
import type { Config } from './config.ts'
import { ContainerDirectory } from './exchange/container-directory.ts' // not by mod.ts: this thread does without the stage
import type { ContainerQuestion } from './exchange/mod.ts'
import { kindsSeen, recordLedger } from './ledger.ts'
import type { Stats, Totals } from './ledger.ts'
import { shareEphemeralKey } from './privacy/hash-key.ts' // not by mod.ts: this thread does without the wall and the stages before it
import { BATCH_KINDS, openSink, Outlets } from './sink/mod.ts'
import type { FromWorker, ToWorker, WorkerStart, WorkerStats } from './worker-message.ts'

const NO_STATS: WorkerStats = {
  packets: { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 },
  tlsSessions: new Map(),
  records: { seen: 0, emitted: 0, emittedKinds: BATCH_KINDS.map(() => 0), filtered: 0, sampled: 0, dropped: new Map() },
  kinds: new Map(BATCH_KINDS.map((kind) => [kind, 0])),
  anomalies: new Map(),
  connectionsOpen: 0,
}

/** Nice value of a live capture. */
const PRIORITY = -5

export class Agent implements AgentContract {
  readonly #config: Config
  /** The outputs stay those of the start; their filters may change. */
  #outputFilters: readonly (string | undefined)[]
  readonly #hooks: AgentHooks
  readonly #outlets: Outlets
  readonly #batches = new BatchReceiver()
  readonly #startedAt = performance.now()
  readonly #finished = Promise.withResolvers<void>()
  readonly #workerDone = Promise.withResolvers<void>()
  #reloading: PromiseWithResolvers<void> | undefined
  /** The last of the reloads that were asked for: one at a time, in order. */
  #reloads: Promise<void> = Promise.resolve()
  #worker: Worker | undefined
  #attached = false
  /** Why the worker takes no message any more. */
  #over: string | undefined
  /** The worker told its last figures. */
  #final = false
  #failures = 0
  readonly #containers = new ContainerDirectory()
  #stats: WorkerStats = NO_STATS
  #totals: Promise<Totals> | undefined

  constructor(config: Config, hooks: AgentHooks) {
    this.#config = config
    this.#hooks = hooks
    this.#outputFilters = config.outputs.map((output) => output.filter)
    this.#outlets = new Outlets({
      log: (level, message) => { hooks.log(level, message) },
      ended: (name, error) => { hooks.ended(error === undefined ? undefined : `${name}: ${error}`) },
      released: (batch) => { this.#send({ type: 'recycle', batch: this.#batches.give(batch) }) },
    })
  }

  get finished(): Promise<void> {
    return this.#finished.promise
  }

  async start(): Promise<readonly Attachment[]> {
    if (this.#config.files.length === 0) raisePriority()
    // What is captured holds secrets until it has passed the wall; they must not reach a disk by way of a crash either.
    const dumpable = forbidCoreDumps()
    if (dumpable !== undefined) this.#hooks.log('warn', `Cannot forbid core files of this process: ${dumpable}; keep "ulimit -c 0"`)
    for (const output of this.#config.outputs) this.#outlets.add((host) => openSink(output, host))
    for (const open of this.#hooks.outputs ?? []) this.#outlets.add(open)
    if (this.#config.privacy.hash_key_ephemeral) shareEphemeralKey() // before the worker starts, so that it has the same
    const attached = Promise.withResolvers<readonly Attachment[]>()
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: this.#workerStart(this.#config, this.#outputFilters),
      // What the record path allocates dies at once: a small nursery costs no more and stays resident less.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    })
    this.#worker.on('message', (message: FromWorker) => { this.#receive(message, attached) })
    this.#worker.on('error', (error) => { this.#broken(error.message, attached) })
    this.#worker.on('exit', (code) => { this.#broken(`the capture thread ended (${code}) before it was told to`, attached) })
    try {
      const attachments = await attached.promise
      if (this.#config.files.length === 0) releaseStartupPages()
      return attachments
    } catch (error) {
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
    return {
      uptimeMs: performance.now() - this.#startedAt,
      packets: this.#stats.packets,
      tlsCalls: this.#stats.tlsCalls,
      tlsSessions: this.#stats.tlsSessions,
      records: recordLedger([this.#stats.records], outlets, this.#final),
      kinds: kindsSeen(this.#stats.kinds, this.#stats.records, outlets, this.#final),
      anomalies: this.#anomalies(),
      connectionsOpen: this.#stats.connectionsOpen,
      outputs: this.#outlets.health(),
      failures: this.#failures,
    }
  }

  /** Those of the worker, and what was not asked of the container runtimes. */
  #anomalies(): ReadonlyMap<string, number> {
    const { refused } = this.#containers
    return refused === 0 ? this.#stats.anomalies : new Map([...this.#stats.anomalies, ['container_not_asked', refused]])
  }

  /** Outputs of the hooks are given everything that passes the common filter. */
  #workerStart(config: Config, filters: readonly (string | undefined)[]): WorkerStart {
    return { config, outputFilters: [...filters, ...(this.#hooks.outputs ?? []).map(() => undefined)] }
  }

  async #reload(config: Config): Promise<void> {
    if (this.#worker === undefined || this.#over !== undefined) throw new Error(`Cannot reload: ${this.#over ?? 'the agent is not running'}`)
    const filters = filtersFor(this.#config.outputs, this.#outputFilters, config.outputs)
    this.#reloading = Promise.withResolvers()
    this.#send({ type: 'reload', start: this.#workerStart(config, filters) })
    await this.#reloading.promise
    this.#outputFilters = filters
    await this.#outlets.reload()
  }

  /** The worker answers no more. */
  #end(why: string): void {
    this.#over = why
    this.#reloading?.reject(new Error(`Cannot reload: ${why}`))
    this.#workerDone.resolve()
    this.#finished.resolve()
  }

  #receive(message: FromWorker, attached: PromiseWithResolvers<readonly Attachment[]>): void {
    switch (message.type) {
      case 'attached':
        this.#attached = true
        attached.resolve(message.attachments)
        break
      case 'failed':
        this.#broken(message.message, attached)
        break
      case 'batch':
        this.#outlets.write(this.#batches.receive(message.batch))
        break
      case 'container':
        void this.#nameContainer(message.question)
        break
      case 'stats':
        this.#stats = message.stats
        break
      case 'log':
        if (message.level === 'error') this.#failures++
        this.#hooks.log(message.level, message.message)
        break
      case 'reloaded':
        if (message.error === undefined) this.#reloading?.resolve()
        else this.#reloading?.reject(new Error(message.error))
        break
      case 'finished':
        this.#stats = message.stats
        this.#final = true
        this.#end('the run is over')
        break
    }
  }

  async #nameContainer(question: ContainerQuestion): Promise<void> {
    const names = await this.#containers.namesOf(question)
    if (names !== undefined) this.#send({ type: 'container', containerId: question.containerId, names })
  }

  /** Before the start is over the caller of `start` gets the error; after it, whoever runs the agent is told. */
  #broken(message: string, attached: PromiseWithResolvers<readonly Attachment[]>): void {
    if (this.#over !== undefined) return
    attached.reject(new Error(message))
    if (this.#attached) this.#hooks.ended(`the capture broke: ${message}`) // before 'finished', which is an ordinary end
    this.#end(message)
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  async #stop(): Promise<Totals> {
    this.#send({ type: 'stop' })
    await this.#workerDone.promise
    this.#containers.close()
    await this.#outlets.close()
    this.#finished.resolve()
    return { ...this.stats(), known: this.#final }
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
  return 'path' in output ? output.path : 'spool' in output ? output.spool.path : undefined
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

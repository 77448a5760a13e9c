/**
 * The agent: a capture worker on one side, the outputs on the other, one ledger over both.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
// Not by mod.ts: a replay needs nothing else of it, and starts sooner.
import { forbidCoreDumps } from '../lib/ebpf/core-dump.ts'
import type { AgentContract, AgentHooks, Attachment } from './agent-contract.ts'
import type { Config } from './config.ts'
import { recordLedger } from './ledger.ts'
import type { Stats, Totals } from './ledger.ts'
import { shareEphemeralKey } from './privacy/mod.ts'
import { openSink, Outlets } from './sink/mod.ts'
import type { FromWorker, ToWorker, WorkerStart, WorkerStats } from './worker-message.ts'

const NO_STATS: WorkerStats = {
  packets: { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 },
  records: { seen: 0, emitted: 0, filtered: 0, sampled: 0, dropped: new Map() },
  kinds: new Map(),
  anomalies: new Map(),
  connectionsOpen: 0,
}

export class Agent implements AgentContract {
  #config: Config
  readonly #hooks: AgentHooks
  readonly #outlets: Outlets
  readonly #startedAt = performance.now()
  readonly #finished = Promise.withResolvers<void>()
  readonly #workerDone = Promise.withResolvers<void>()
  #reloading: PromiseWithResolvers<void> | undefined
  #worker: Worker | undefined
  #stats: WorkerStats = NO_STATS
  #totals: Promise<Totals> | undefined

  constructor(config: Config, hooks: AgentHooks) {
    this.#config = config
    this.#hooks = hooks
    this.#outlets = new Outlets({
      log: (level, message) => { hooks.log(level, message) },
      ended: (name, error) => { hooks.ended(error === undefined ? undefined : `${name}: ${error}`) },
      released: (batch) => { this.#send({ type: 'recycle', buffer: batch.bytes.buffer as SharedArrayBuffer }) },
    })
  }

  get finished(): Promise<void> {
    return this.#finished.promise
  }

  async start(): Promise<readonly Attachment[]> {
    // What is captured holds secrets until it has passed the wall; they must not reach a disk by way of a crash either.
    const dumpable = forbidCoreDumps()
    if (dumpable !== undefined) this.#hooks.log('warn', `Cannot forbid core files of this process: ${dumpable}; keep "ulimit -c 0"`)
    for (const output of this.#config.outputs) this.#outlets.add((host) => openSink(output, host))
    for (const open of this.#hooks.outputs ?? []) this.#outlets.add(open)
    if (this.#config.privacy.hash_key_ephemeral) shareEphemeralKey() // before the worker starts, so that it has the same
    const attached = Promise.withResolvers<readonly Attachment[]>()
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: this.#workerStart(this.#config),
      // What the record path allocates dies at once: a small nursery costs no more and stays resident less.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    })
    this.#worker.on('message', (message: FromWorker) => { this.#receive(message, attached) })
    this.#worker.on('error', (error) => { this.#broken(error.message, attached) })
    this.#worker.on('exit', () => { this.#workerDone.resolve() })
    try {
      return await attached.promise
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
    if (this.#worker === undefined) throw new Error('Cannot reload: the agent is not running')
    this.#reloading = Promise.withResolvers()
    this.#send({ type: 'reload', start: this.#workerStart(config) })
    await this.#reloading.promise
    this.#config = config
    await this.#outlets.reload()
  }

  stats(): Stats {
    return {
      uptimeMs: performance.now() - this.#startedAt,
      packets: this.#stats.packets,
      records: recordLedger([this.#stats.records], this.#outlets.counts()),
      kinds: this.#stats.kinds,
      anomalies: this.#stats.anomalies,
      connectionsOpen: this.#stats.connectionsOpen,
      outputs: this.#outlets.health(),
    }
  }

  /** Outputs of the hooks are given everything that passes the common filter. */
  #workerStart(config: Config): WorkerStart {
    const filters = [...this.#config.outputs.map((output) => output.filter), ...(this.#hooks.outputs ?? []).map(() => undefined)]
    return { config, outputFilters: filters }
  }

  #receive(message: FromWorker, attached: PromiseWithResolvers<readonly Attachment[]>): void {
    switch (message.type) {
      case 'attached':
        attached.resolve(message.attachments)
        break
      case 'failed':
        this.#broken(message.message, attached)
        break
      case 'batch':
        this.#outlets.write(message.batch)
        break
      case 'stats':
        this.#stats = message.stats
        break
      case 'log':
        this.#hooks.log(message.level, message.message)
        break
      case 'reloaded':
        if (message.error === undefined) this.#reloading?.resolve()
        else this.#reloading?.reject(new Error(message.error))
        break
      case 'finished':
        this.#stats = message.stats
        this.#workerDone.resolve()
        this.#finished.resolve()
        break
    }
  }

  /** Before the start is over the caller of `start` gets the error; after it, whoever runs the agent is told. */
  #broken(message: string, attached: PromiseWithResolvers<readonly Attachment[]>): void {
    attached.reject(new Error(message))
    this.#workerDone.resolve()
    this.#finished.resolve()
    if (this.#stats !== NO_STATS) this.#hooks.ended(message)
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  async #stop(): Promise<Totals> {
    this.#send({ type: 'stop' })
    await this.#workerDone.promise
    await this.#outlets.close()
    this.#finished.resolve()
    return this.stats()
  }
}


import type { FlowShare, KernelShard, PacketCounters } from './capture/mod.ts'
import type { Config } from './config.ts'
import type { ContainerNames, ContainerQuestion } from './exchange/mod.ts'
import type { WorkerCounts } from './ledger.ts'
import type { Attachment } from './agent-contract.ts'
import type { PostedBatch, ReturnedBatch } from './batch-post.ts'
import type { LogLevel } from './sink/mod.ts'
import type { TallyFigures } from './tally-series.ts'

/** What a capture worker is started with. */
export interface WorkerStart {
  readonly config: Config
  /** Outputs by their number: the filter of each, if it has one; outputs without are given everything. */
  readonly outputFilters: readonly (string | undefined)[]
  /** Of the workers that share the flows this one. */
  readonly share: FlowShare
  /** Of a live capture, for the workers beside the first. */
  readonly shard?: KernelShard
}

/** Figures of a worker, sent now and then and at its end. */
export interface WorkerStats {
  readonly packets: PacketCounters
  /** Calls of TLS libraries; missing when none is read. */
  readonly tlsCalls?: PacketCounters | undefined
  /** What became of TLS sessions read in the clear, by name. */
  readonly tlsSessions: ReadonlyMap<string, number>
  readonly records: WorkerCounts
  readonly kinds: ReadonlyMap<string, number>
  readonly anomalies: ReadonlyMap<string, number>
  readonly connectionsOpen: number
  /** Of the connections that are wanted the share that is read; under 1 while the agent cannot keep up. */
  readonly connectionsShare: number
}

/** Worker → main thread. */
export type FromWorker =
  /** Of a live capture that is shared: what the other workers are to be started with; it attaches when it is told to `start`. */
  | { readonly type: 'opened', readonly shards: readonly KernelShard[] }
  | { readonly type: 'attached', readonly attachments: readonly Attachment[] }
  /** For the first worker: what is told of processes is to be renewed. */
  | { readonly type: 'renew' }
  | { readonly type: 'failed', readonly message: string }
  | { readonly type: 'batch', readonly batch: PostedBatch }
  | { readonly type: 'stats', readonly stats: WorkerStats }
  | { readonly type: 'tallies', readonly figures: TallyFigures }
  | { readonly type: 'log', readonly level: LogLevel, readonly message: string }
  | { readonly type: 'container', readonly question: ContainerQuestion }
  | { readonly type: 'reloaded', readonly error?: string }
  | { readonly type: 'finished', readonly stats: WorkerStats }

/** Main thread → worker. */
export type ToWorker =
  | { readonly type: 'stop' }
  | { readonly type: 'start' }
  | { readonly type: 'renew' }
  | { readonly type: 'reload', readonly start: WorkerStart }
  | { readonly type: 'recycle', readonly batch: ReturnedBatch }
  | { readonly type: 'container', readonly containerId: string, readonly names: ContainerNames }

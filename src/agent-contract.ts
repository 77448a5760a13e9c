import type { Config } from './config.ts'
import type { Stats, Totals } from './ledger.ts'
import type { LogLevel, Sink, SinkHost } from './sink/mod.ts'

/** One place where packets are taken. */
export interface Attachment {
  /** Interface name, cgroup path, or file name for a replay. */
  readonly where: string
  /** tcx, clsact, xdp, socket, cgroup, or file. */
  readonly hook: string
  /** False when this hook sees one direction only, so that requests and responses cannot be paired. */
  readonly bothDirections: boolean
}

/** What the agent asks of whoever runs it. */
export interface AgentHooks {
  log(level: LogLevel, message: string): void
  /** Nothing more can be written (a reader went away), or the capture broke; `error` is missing for an ordinary end. */
  ended(error?: string): void
  /** Outputs besides those of the configuration: they get every record that passes the common filter. */
  readonly outputs?: readonly ((host: SinkHost) => Sink)[]
}

/** The agent as the command line sees it. */
export interface AgentContract {
  /** Resolves when everything is attached. @throws {Error} with what to mend; nothing stays attached then */
  start(): Promise<readonly Attachment[]>
  /** Resolves when a replay has come to its end, or when the agent was stopped. Never for a live capture. */
  readonly finished: Promise<void>
  /** Takes what was captured to its outputs, detaches everything. A second call gives the same totals. */
  stop(): Promise<Totals>
  /** @throws {Error} when the new configuration cannot be used; the old one stays in force */
  reload(config: Config): Promise<void>
  stats(): Stats
}

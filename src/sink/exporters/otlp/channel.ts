import type { Answer } from '../../delivery/mod.ts'

export const SIGNALS = ['logs', 'traces', 'metrics'] as const
export type Signal = (typeof SIGNALS)[number]

/** How requests of OTLP get to the server. */
export interface Channel {
  /** Without secrets. */
  readonly target: string
  /**
   * @param request an ExportLogsServiceRequest, ExportTraceServiceRequest or ExportMetricsServiceRequest
   * @returns the response message when the server has taken it; else what that means for the batch
   * @throws {NoAnswer} when none came by the time limit, or until `abort` is aborted
   */
  export(signal: Signal, request: Buffer, abort: AbortSignal): Promise<Buffer | Exclude<Answer, { outcome: 'done' }>>
  /** Text of the server, fit for a message. */
  clean(text: string): string
  close(): void
}

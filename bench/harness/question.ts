import type { Session } from './session.ts'
import type { Table } from './table.ts'

export interface Settings {
  readonly rounds: number
  /** Of each load. */
  readonly seconds: number
  /** In the store. */
  readonly records: number
  /** Keys of the tools to compare; undefined = all. */
  readonly tools: readonly string[] | undefined
  /** Tells the person who waits what was just measured. */
  progress(line: string): void
}

/** A question to measure: one or more tables that come from the same rounds. */
export interface Question {
  /** Its name for `--tables`. */
  readonly name: string
  /** In a few words, for `--help`. */
  readonly asks: string
  /** About how long it takes with the default settings. */
  readonly minutes: number
  /** It needs neither the kernel nor root, and other work on `lo` does not matter. */
  readonly isOffline?: boolean
  /** Commands that must be installed. */
  needs(settings: Settings): readonly string[]
  measure(session: Session, settings: Settings): Promise<Table[]>
}

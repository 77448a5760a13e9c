import type { Reader } from './answer.ts'
import type { Column } from './columns.ts'
import type { Words } from './view-sql/mod.ts'

/** Where records are, whichever engine holds them: how it is asked, and in which words. */
export interface RecordSource {
  /** For people: `store "/var/lib/lintel/store"`. */
  readonly title: string
  readonly columns: readonly Column[]
  readonly words: Words
  open(): Promise<Reader>
}

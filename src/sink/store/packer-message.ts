/** What a store's output tells the process that packs its journals. */
export type ToPacker =
  /** Journals with a smaller number are finished: make segments of them, merge, remove what is too old or too much. */
  { readonly type: 'pack', readonly before: number }

/** What it answers. */
export type FromPacker =
  | { readonly type: 'packed', readonly number: number }
  /** A round is over; `trouble` = why something could not be done. */
  | { readonly type: 'done', readonly before: number, readonly trouble?: { readonly reason: string, readonly message: string } }
  | { readonly type: 'log', readonly level: 'error' | 'warn' | 'info', readonly message: string }

/** The packer's argument, as JSON. */
export interface PackerOptions {
  readonly folder: string
  /** Segments stored longer ago than this are removed. */
  readonly keepMs: number
  /** The oldest segments are removed when all take more than this. */
  readonly keepBytes: number
}

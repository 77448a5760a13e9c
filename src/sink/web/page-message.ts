/** What the agent tells the page's process; records come by its standard input, as NDJSON. */
export type ToPage =
  /** The first: by this way, and not by an argument, because everybody on a machine may read arguments. */
  | { readonly type: 'start', readonly access: PageAccess }
  /** The agent's own figures, as JSON that the page shows. */
  | { readonly type: 'health', readonly health: unknown }
  /** Records that were not handed over, because more came than the page takes. */
  | { readonly type: 'missed', readonly count: number }

/** What it answers. */
export type FromPage =
  | { readonly type: 'listening', readonly url: string }
  | { readonly type: 'failed', readonly message: string }
  | { readonly type: 'log', readonly level: 'warn' | 'info', readonly message: string }

/** Who may look: see src/web/sessions.ts. */
export type PageAccess = { readonly token: string } | { readonly users: readonly { readonly name: string, readonly password: string }[] }

/** Its argument, as JSON. */
export interface PageProcessOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly tls?: { readonly certificate: string, readonly key: string } | undefined
  readonly names?: readonly string[]
  /** Folder of the store whose records it shows over time. */
  readonly store?: string
}

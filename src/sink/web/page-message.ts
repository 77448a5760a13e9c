import type { HttpConfig, SecretSource } from '../http/mod.ts'

/** What the agent tells the page's process; records come by its standard input, as NDJSON. */
export type ToPage =
  /** The first: by this way, and not by an argument, because everybody on a machine may read arguments. */
  | { readonly type: 'start', readonly access: PageAccess, readonly shown: PageShown }
  /** The agent's own figures, as JSON that the page shows. */
  | { readonly type: 'health', readonly health: unknown }
  /** Records that were not handed over, because more came than the page takes. */
  | { readonly type: 'missed', readonly count: number }

/** What it answers. */
export type FromPage =
  | { readonly type: 'listening', readonly url: string }
  | { readonly type: 'failed', readonly message: string }
  | { readonly type: 'log', readonly level: 'warn' | 'info', readonly message: string }

/** Who may look: whoever has the token, or users, whose passwords are given as `hashPassword` of src/web/password.ts makes them. */
export type PageAccess = { readonly token: string } | { readonly users: readonly PageUser[] }

export interface PageUser {
  readonly name: string
  readonly password: string
  /** None = operator: see src/web/role.ts. */
  readonly role?: 'viewer' | 'operator'
}

/** What a model costs, in money for a million tokens (web.prices). */
export interface Price {
  /** Name of the model; * stands for any characters. */
  readonly model: string
  readonly input: number
  readonly output: number
  /** Input tokens that come from a cache, and that go into one; undefined = as other input. */
  readonly cache_read?: number | undefined
  readonly cache_creation?: number | undefined
}

export interface Prices {
  /** Shown beside costs. */
  readonly currency?: string | undefined
  /** The first one whose name fits counts. */
  readonly models: readonly Price[]
}

/** How a page is served; its process gets it as its argument, as JSON. */
export interface PageProcessOptions {
  /** 0 as port = any. Whoever binds it elsewhere than to the loopback gives `tls` and users: see src/config/web.ts. */
  readonly host: string
  readonly port: number
  readonly version: string
  /** PEM files. */
  readonly tls?: { readonly certificate: string, readonly key: string } | undefined
  /** Names under which it may be asked for, besides its own. */
  readonly names?: readonly string[]
}

/** Where the records are that a page shows over time: a store's folder, or tables of a ClickHouse. */
export type PageStore = { readonly folder: string } | { readonly clickhouse: ClickServer }

export interface ClickServer extends Omit<HttpConfig, 'compression' | 'timeout'> {
  readonly database: string
}

/** What a page shows beside live records. */
export interface PageShown {
  /** None = no views over time. */
  readonly store?: PageStore | undefined
  /** None = no costs. */
  readonly prices?: Prices | undefined
}

/** The environment's variables that it takes to ask there. */
export function variablesOf(store: PageStore | undefined): readonly string[] {
  if (store === undefined || 'folder' in store) return []
  const { auth, headers } = store.clickhouse
  const sources: readonly (string | SecretSource | undefined)[] = [auth?.basic?.password, auth?.bearer, ...Object.values(headers)]
  return sources.flatMap(source => typeof source === 'object' && 'env' in source ? [source.env] : [])
}

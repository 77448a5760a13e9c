import type { Value } from './ask.ts'
import type { Unit } from './format.ts'

/** Answer of /api/about. */
export interface About {
  readonly version: string
  readonly hasStore: boolean
  readonly isLive: boolean
  /** Costs of AI calls can be told. */
  readonly hasPrices: boolean
  readonly role: 'viewer' | 'operator'
  readonly fields: readonly { readonly name: string, readonly type: string, readonly doc: string }[]
  readonly views: readonly ViewAbout[]
}

export interface ViewAbout {
  readonly name: string
  readonly title: string
  readonly columns: readonly { readonly title: string, readonly unit: Unit }[]
  readonly narrow?: string
}

/** The filter of a view's row, laid over the one there is; undefined where a row leads nowhere. */
export function narrowed(view: ViewAbout, value: Value | undefined, filter: string): string | undefined {
  if (view.narrow === undefined || value === null || value === undefined) return undefined
  // As a function: in a text of its own "$&" would mean something.
  const condition = view.narrow.replaceAll('%', () => JSON.stringify(value))
  return filter === '' ? condition : `(${filter}) && (${condition})`
}

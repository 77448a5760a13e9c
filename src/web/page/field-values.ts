import { useEffect, useState } from 'preact/hooks'
import type { About } from './about.ts'
import { ask, type ViewAnswer } from './ask.ts'
import type { Compared } from './completion.ts'

const VALUES_MAX = 200
const LENGTH_MAX = 200
/** So many fields' values are kept. */
const FIELDS_MAX = 50
/** Views that begin with the values of a field: open to viewers, and of all the store. */
const VIEWS: ReadonlyMap<string, string> = new Map([
  ['url.domain', 'hosts'], ['http.request.method', 'methods'], ['http.response.status_code', 'statuses'],
])
const NONE: readonly string[] = []

/** Values seen of what is compared, the most frequent first: asked once a visit. */
export function useFieldValues(compared: Compared | undefined, { hasStore, role }: About): readonly string[] {
  const [known, setKnown] = useState<ReadonlyMap<string, readonly string[]>>(new Map())
  const path = compared === undefined || !hasStore ? undefined : pathOf(compared, role === 'operator')
  useEffect(() => {
    if (path === undefined || known.has(path)) return
    const abort = new AbortController()
    const keep = (values: readonly string[]): void => {
      if (!abort.signal.aborted) setKnown(before => new Map([...[...before].slice(1 - FIELDS_MAX), [path, values]]))
    }
    // A field without values that can be told completes nothing; whoever writes on is not interrupted by that.
    ask<ViewAnswer>(path, abort.signal).then(({ rows }) => { keep(textsOf(rows.map(([value]) => value))) }, () => { keep(NONE) })
    return () => { abort.abort() }
  }, [path, known])
  return path === undefined ? NONE : known.get(path) ?? NONE
}

function pathOf({ field, header }: Compared, isOperator: boolean): string | undefined {
  const limit = String(VALUES_MAX)
  const view = VIEWS.get(field)
  if (view !== undefined) return `/api/view/${view}?limit=${limit}`
  if (!isOperator) return undefined
  if (header === undefined) return `/api/view/values?${new URLSearchParams({ field, limit })}`
  return `/api/view/by-header?${new URLSearchParams({ header, limit })}`
}

function textsOf(values: readonly unknown[]): readonly string[] {
  return values.filter(value => typeof value === 'string' || typeof value === 'number').map(String).filter(text => text.length <= LENGTH_MAX)
}

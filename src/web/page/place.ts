import { useEffect, useState } from 'preact/hooks'

/** Where the page is: each view, and all that it shows, has an address. */
export interface Place {
  readonly path: string
  readonly parameters: URLSearchParams
}

/** What goes along from view to view. */
const KEPT = ['range', 'from', 'to', 'filter', 'compare', 'header', 'again']
const listeners = new Set<() => void>()

function here(): Place {
  return { path: location.pathname, parameters: new URLSearchParams(location.search) }
}

/** An address with range and filter of where the page is; `changes`: null takes a parameter away. */
export function linkTo(path: string, changes: Readonly<Record<string, string | null>> = {}): string {
  const before = here().parameters
  const parameters = new URLSearchParams()
  for (const name of KEPT) {
    const value = before.get(name)
    if (value !== null) parameters.set(name, value)
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') parameters.delete(name)
    else parameters.set(name, value)
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Goes to an address of this page without loading it anew. */
export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
  for (const listener of listeners) listener()
}

/** The place, and anew whenever it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here)
  useEffect(() => {
    const changed = (): void => { setPlace(here()) }
    listeners.add(changed)
    addEventListener('popstate', changed)
    return () => {
      listeners.delete(changed)
      removeEventListener('popstate', changed)
    }
  }, [])
  return place
}

/** Plain clicks on links of this page do not load it anew; all others are the browser's. */
export function catchLinks(): void {
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.origin !== location.origin || link.hasAttribute('download') || link.target !== '') return
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.defaultPrevented) return
    event.preventDefault()
    go(link.pathname + link.search)
  })
}

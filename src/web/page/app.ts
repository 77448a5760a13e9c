import type { VNode } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { About } from './about.ts'
import { AiCallsView } from './ai-calls-view.ts'
import { useAnswer, type ViewAnswer } from './ask.ts'
import type { Vocabulary } from './completion.ts'
import { ConnectionsView } from './connections-view.ts'
import { FilterBar } from './filter-bar.ts'
import { HeaderTable } from './header-table.ts'
import { HealthView } from './health-view.ts'
import { html } from './html.ts'
import { useKeys } from './keys.ts'
import { LiveView } from './live-view.ts'
import { Overview, questionText } from './overview.ts'
import { go, linkTo, type Place, usePlace } from './place.ts'
import { RangePicker } from './range-picker.ts'
import { ExchangeView, RecordsView } from './records-view.ts'
import { currentTheme, nextTheme, useTheme } from './theme.ts'
import { rangeOf, type StoreSpan, type TimeRange } from './time-range.ts'
import { ViewTable } from './view-table.ts'

interface Tab {
  readonly path: string
  readonly title: string
  readonly needs: 'store' | 'live' | 'any'
  /** Shows single records or values of headers. */
  readonly isForOperators?: boolean
}

const TABS: readonly Tab[] = [
  { path: '/live', title: 'Live', needs: 'live', isForOperators: true }, { path: '/overview', title: 'Overview', needs: 'store' },
  { path: '/routes', title: 'Routes', needs: 'store' }, { path: '/inventory', title: 'Inventory', needs: 'store' },
  { path: '/consumers', title: 'Consumers', needs: 'store', isForOperators: true },
  { path: '/records', title: 'Records', needs: 'store', isForOperators: true }, { path: '/connections', title: 'Connections', needs: 'store' },
  { path: '/ai-calls', title: 'AI calls', needs: 'store' }, { path: '/health', title: 'Health', needs: 'any' },
]
const ROWS = 100
const CONSUMERS = { name: 'by-header', path: '/consumers', like: 'methods', keys: 1 }
const ROUTE_TABLES = ['routes', 'slow-routes', 'failing-routes', 'rpc-statuses']

export function App(): VNode {
  const { answer: about, error } = useAnswer<About>('/api/about')
  if (error !== undefined) return html`<pre class="error" role="alert">${error}</pre>`
  return about === undefined ? html`<p class="muted">...</p>` : html`<${Page} about=${about} />`
}

function Page({ about }: { readonly about: About }): VNode {
  const place = usePlace()
  const [asked, setAsked] = useState(0)
  const tabs = TABS.filter(({ needs, isForOperators }) => (needs === 'any' || (needs === 'store' ? about.hasStore : about.isLive)) &&
    (isForOperators !== true || about.role === 'operator'))
  const path = place.path === '/' ? (tabs[0]?.path ?? '/health') : place.path
  const filter = place.parameters.get('filter') ?? ''
  const check = useAnswer<object>(`/api/filter?filter=${encodeURIComponent(filter)}`)
  const span = useSpan(about, asked)
  useKeys({
    ...Object.fromEntries(tabs.map((tab, index) => [String(index + 1), () => { go(linkTo(tab.path)) }])),
    r: () => { setAsked(asked + 1) }, t: nextTheme, c: () => { go(linkTo(path, { compare: place.parameters.has('compare') ? null : '1' })) },
  })
  useTheme()
  useEffect(() => { document.title = `Lintel: ${tabs.find(tab => tab.path === path)?.title ?? 'record'}` }, [path])
  const vocabulary = useVocabulary(about, asked)
  return html`<header><h1>Lintel</h1>
    <nav aria-label="Views">${tabs.map((tab, index) => html`<a href=${linkTo(tab.path)} aria-current=${tab.path === path ? 'page' : undefined}
      title=${`key ${index + 1}`}>${tab.title}</a>`)}</nav>
    <span class="spring"></span>
    <button type="button" onClick=${nextTheme} title="key t">Theme: ${currentTheme()}</button>
    <form method="post" action="/logout"><button>Close session</button></form></header>
  ${path === '/exchange' ? null : html`<${FilterBar} filter=${filter} error=${check.error} about=${about} vocabulary=${vocabulary}
    onFilter=${(next: string) => { go(linkTo(path, { filter: next })) }} />`}
  ${path === '/exchange' || path === '/live' || !about.hasStore ? null : html`<${RangePicker} place=${place} path=${path} span=${span}
    onAgain=${() => { setAsked(asked + 1) }} />`}
  <main>${check.error !== undefined || check.isWaiting && check.answer === undefined ? null
    : html`<${Shown} about=${about} path=${path} place=${place} span=${span} filter=${filter} asked=${asked}
      headers=${vocabulary.headers} />`}</main>
  <footer class="muted">lintel ${about.version}. Keys: 1 to ${tabs.length} views, / filter, r ask again, c compare, t theme; in lists of
    records up and down; live: space pauses.</footer>`
}

interface ShownOptions {
  readonly about: About
  readonly path: string
  readonly place: Place
  readonly span: StoreSpan | undefined | 'asking'
  readonly filter: string
  readonly asked: number
  readonly headers: readonly string[]
}

function Shown({ about, path, place, span, filter, asked, headers }: ShownOptions): VNode {
  const known = span === 'asking' ? undefined : span
  // The same as long as nothing is asked anew: an answer that draws the page again must not move the range.
  const range = useMemo(() => rangeOf(place.parameters, known, Date.now()), [place, known?.firstMs, known?.lastMs, asked])
  if (path === '/live') return html`<${LiveView} filter=${filter} hasStore=${about.hasStore} />`
  const parameter = (name: string): string => place.parameters.get(name) ?? ''
  if (path === '/exchange') return html`<${ExchangeView} time=${parameter('time')} sequence=${parameter('sequence')} />`
  if (span === 'asking') return html`<p class="muted">asking the store ...</p>`
  switch (path) {
    case '/overview': return html`<${Overview} about=${about} range=${range} filter=${filter} isCompared=${place.parameters.has('compare')} />`
    case '/routes': return html`<${Tables} about=${about} names=${ROUTE_TABLES} range=${range} filter=${filter} />`
    case '/inventory': return html`<${Tables} about=${about} names=${['inventory']} range=${range} filter=${filter} />`
    case '/consumers': return html`<${HeaderTable} about=${about} groups=${CONSUMERS} question=${questionText(range, filter)} filter=${filter}
      header=${parameter('header')} known=${headers} />
      <${Tables} about=${about} names=${['clients', 'connections']} range=${range} filter=${filter} />`
    case '/connections': return html`<${ConnectionsView} about=${about} range=${range} filter=${filter} />`
    case '/ai-calls': return html`<${AiCallsView} about=${about} range=${range} filter=${filter} isCompared=${place.parameters.has('compare')}
      header=${parameter('header')} headers=${headers} />`
    case '/records': return html`<${RecordsView} range=${range} filter=${filter} />`
    default: return html`<${HealthView} about=${about} range=${range} filter=${filter} />`
  }
}

interface TablesOptions {
  readonly about: About
  readonly names: readonly string[]
  readonly range: TimeRange
  readonly filter: string
}

function Tables({ about, names, range, filter }: TablesOptions): VNode {
  return html`<div class="grid">${about.views.filter(({ name }) => names.includes(name)).map(view =>
    html`<${ViewTable} key=${view.name} view=${view} question=${questionText(range, filter)} filter=${filter} rows=${ROWS} isWide=${true}
      hidesEmpty=${view.name === 'rpc-statuses'} />`)}</div>`
}

/** From when to when the store has anything; undefined when it has nothing, or cannot be asked. */
function useSpan(about: About, asked: number): StoreSpan | undefined | 'asking' {
  const { answer, error } = useAnswer<ViewAnswer>(about.hasStore ? `/api/view/span?limit=1&asked=${asked}` : undefined)
  if (!about.hasStore || error !== undefined) return undefined
  if (answer === undefined) return 'asking'
  const [firstMs, lastMs] = answer.rows[0] ?? []
  return typeof firstMs === 'number' && typeof lastMs === 'number' ? { firstMs, lastMs } : undefined
}

/** Words for the filter: fields of the agent, headers of the store. */
function useVocabulary(about: About, asked: number): Vocabulary {
  const headers = useAnswer<ViewAnswer>(about.hasStore ? `/api/view/header-names?limit=200&asked=${asked}` : undefined).answer
  return useMemo(() => ({ fields: about.fields, headers: (headers?.rows ?? []).map(([value]) => String(value)) }), [about, headers])
}

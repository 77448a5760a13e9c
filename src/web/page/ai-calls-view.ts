import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { About } from './about.ts'
import { useAnswer, type ViewAnswer } from './ask.ts'
import { Chart, type ChartLine } from './chart.ts'
import { cost, format } from './format.ts'
import { HeaderTable } from './header-table.ts'
import { html } from './html.ts'
import { questionText } from './overview.ts'
import { go, linkTo } from './place.ts'
import { pointTimes, rangeBefore, rowsByTime, type TimeRange } from './time-range.ts'
import { Totals } from './totals.ts'
import { ViewTable } from './view-table.ts'

export interface AiCallsViewOptions {
  readonly about: About
  readonly range: TimeRange
  readonly filter: string
  readonly isCompared: boolean
  /** The header that names a tenant; empty = none is chosen. */
  readonly header: string
  readonly headers: readonly string[]
}

const TABLES = ['ai-models', 'ai-clients']
const ROWS = 100
const TENANTS = { name: 'ai-by-header', path: '/ai-calls', like: 'ai-clients', keys: 2 }
/** Columns of the view ai-calls. */
const [CALLS, REFUSED, FAILED, INPUT, CACHED, OUTPUT, COST] = [1, 2, 3, 4, 5, 6, 7]

/** Calls of models, their tokens and what they cost: over time, by model, by tenant, by client. */
export function AiCallsView({ about, range, filter, isCompared, header, headers }: AiCallsViewOptions): VNode {
  const question = questionText(range, filter)
  const before = isCompared ? questionText(rangeBefore(range), filter) : undefined
  const now = useAnswer<ViewAnswer>(`/api/view/ai-calls?${question}`)
  const past = useAnswer<ViewAnswer>(before === undefined ? undefined : `/api/view/ai-calls?${before}`)
  const earlier = before === undefined ? undefined : past.answer
  const charts = useMemo(() => now.answer === undefined ? undefined : chartsOf(now.answer, earlier, range), [now.answer, earlier])
  const select = (fromMs: number, toMs: number): void => { go(linkTo('/ai-calls', { from: String(fromMs), to: String(toMs), range: null })) }
  const count = (value: number): string => format(value, 'count')
  return html`<div class="grid">
    <${Totals} about=${about} name="ai-totals" overTime="ai-calls" question=${question} before=${before} />
    ${charts === undefined ? html`<section class="card wide">${now.error ?? 'asking the store ...'}</section>` : html`
      <${Chart} title="Calls" times=${charts.times} lines=${charts.calls} show=${count} onSelect=${select} />
      <${Chart} title="Tokens" times=${charts.times} lines=${charts.tokens} show=${count} onSelect=${select} />
      ${about.hasPrices ? html`<${Chart} title="Cost" times=${charts.times} lines=${charts.costs} show=${cost} onSelect=${select} />` : null}`}
    ${hint(now.answer, about)}
    ${about.views.filter(({ name }) => TABLES.includes(name)).map(view =>
      html`<${ViewTable} key=${view.name} view=${view} question=${question} filter=${filter} rows=${ROWS} isWide=${true} />`)}
  </div>
  ${about.role === 'operator' ? html`<${HeaderTable} about=${about} groups=${TENANTS} question=${question} filter=${filter} header=${header}
    known=${headers} />` : null}`
}

/** What has to be configured for this, where it is not. */
function hint(answer: ViewAnswer | undefined, about: About): VNode | null {
  if (answer === undefined) return null
  if (answer.rows.length === 0) {
    return html`<section class="card wide"><p class="note">No call in this range. Models and tokens stand in bodies, which are read where
      capture.body_fields says so (preset: gen_ai).</p></section>`
  }
  if (about.hasPrices) return null
  return html`<section class="card wide"><p class="note">Costs are shown for models that have a price in web.prices.</p></section>`
}

interface Charts { readonly times: number[], readonly calls: ChartLine[], readonly tokens: ChartLine[], readonly costs: ChartLine[] }

function chartsOf(now: ViewAnswer, past: ViewAnswer | undefined, range: TimeRange): Charts {
  const times = pointTimes(now.bucketMs, range)
  const rows = rowsByTime(now)
  const line = (title: string, colour: string, column: number): ChartLine =>
    ({ title, colour, values: times.map(time => Number(rows.get(time)?.[column] ?? 0)) })
  // Points of both lie at multiples of one width, the range may not: the one before is shifted by whole points.
  const shift = Math.round((range.toMs - range.fromMs) / now.bucketMs) * now.bucketMs
  const earlier = past === undefined ? undefined : rowsByTime(past)
  const before = (column: number): ChartLine[] => earlier === undefined ? []
    : [{ title: 'before', colour: 'muted', isDashed: true, values: times.map(time => Number(earlier.get(time - shift)?.[column] ?? 0)) }]
  return {
    times,
    calls: [line('all', 'accent', CALLS), line('4xx', 'refused', REFUSED), line('5xx', 'failed', FAILED), ...before(CALLS)],
    tokens: [line('input', 'accent', INPUT), line('of them cached', 'moved', CACHED), line('output', 'ok', OUTPUT)],
    costs: [line('cost', 'accent', COST), ...before(COST)],
  }
}

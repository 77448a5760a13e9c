import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { About } from './about.ts'
import { type Row, useAnswer, type ViewAnswer } from './ask.ts'
import { Chart, type ChartLine } from './chart.ts'
import { seconds } from './format.ts'
import { html } from './html.ts'
import { go, linkTo } from './place.ts'
import { pointTimes, rangeBefore, rowsByTime, type TimeRange } from './time-range.ts'
import { Totals } from './totals.ts'
import { TrafficMap } from './traffic-map.ts'
import { ViewTable } from './view-table.ts'

export interface OverviewOptions {
  readonly about: About
  readonly range: TimeRange
  readonly filter: string
  readonly isCompared: boolean
}

const TABLES = ['methods', 'statuses', 'hosts', 'clients', 'user-agent-classes', 'user-agents', 'connections']
const ROWS = 12
const CLASS_COLOURS = ['ok', 'moved', 'refused', 'failed', 'other', 'muted']

/** The range as parameters of a question. */
export function questionText({ fromMs, toMs }: TimeRange, filter: string): string {
  return new URLSearchParams({ from: String(fromMs), to: String(toMs), ...(filter === '' ? {} : { filter }) }).toString()
}

/** What went through in a range of time, and how it went. */
export function Overview({ about, range, filter, isCompared }: OverviewOptions): VNode {
  const question = questionText(range, filter)
  const before = isCompared ? questionText(rangeBefore(range), filter) : undefined
  return html`<div class="grid">
    <${Totals} about=${about} name="totals" overTime="traffic" question=${question} before=${before} />
    <${Traffic} question=${question} before=${before} range=${range} />
    <${TrafficMap} question=${question} />
    ${about.views.filter(({ name }) => TABLES.includes(name))
      .map(view => html`<${ViewTable} key=${view.name} view=${view} question=${question} filter=${filter} rows=${ROWS}
        isWide=${view.name === 'connections'} />`)}
  </div>`
}

interface TrafficOptions {
  readonly question: string
  readonly before: string | undefined
  readonly range: TimeRange
}

function Traffic({ question, before, range }: TrafficOptions): VNode {
  const now = useAnswer<ViewAnswer>(`/api/view/traffic?${question}`)
  const past = useAnswer<ViewAnswer>(before === undefined ? undefined : `/api/view/traffic?${before}`)
  const classes = useAnswer<ViewAnswer>(`/api/view/status-classes?${question}`)
  const earlier = before === undefined ? undefined : past.answer
  const charts = useMemo(() => now.answer === undefined ? undefined : chartsOf(now.answer, earlier, classes.answer, range),
    [now.answer, earlier, classes.answer])
  const select = (fromMs: number, toMs: number): void => { go(linkTo('/overview', { from: String(fromMs), to: String(toMs), range: null })) }
  if (charts === undefined) return html`<section class="card wide">${now.error ?? 'asking the store ...'}</section>`
  const { times, rates, durations, stack } = charts
  return html`<div class="charts"><${Chart} title="Requests per second" times=${times} lines=${rates} show=${rate} onSelect=${select} />
    <${Chart} title="Durations" times=${times} lines=${durations} show=${seconds} onSelect=${select} />
    <${Chart} title="Status classes, requests per second" times=${times} lines=${stack} show=${rate} isStacked=${true} onSelect=${select} /></div>`
}

function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value === 0 ? '0' : value.toPrecision(2)
}

function chartsOf(now: ViewAnswer, past: ViewAnswer | undefined, classes: ViewAnswer | undefined, range: TimeRange):
  { times: number[], rates: ChartLine[], durations: ChartLine[], stack: ChartLine[] } {
  const { bucketMs } = now
  const times = pointTimes(bucketMs, range)
  const at = rowsByTime(now)
  const perSecond = (rows: ReadonlyMap<number, Row>, column: number, shiftMs = 0): number[] =>
    times.map(time => Number(rows.get(time - shiftMs)?.[column] ?? 0) / (bucketMs / 1000))
  const span = (column: number): (number | null)[] => times.map(time => at.get(time)?.[column] as number | null | undefined ?? null)
  const rates: ChartLine[] = [
    { title: 'all', colour: 'accent', values: perSecond(at, 1) }, { title: '4xx', colour: 'refused', values: perSecond(at, 2) },
    { title: '5xx', colour: 'failed', values: perSecond(at, 3) },
  ]
  if (past !== undefined) {
    // Points of both lie at multiples of one width, the range may not: the one before is shifted by whole points.
    const shift = Math.round((range.toMs - range.fromMs) / bucketMs) * bucketMs
    rates.push({ title: 'before', colour: 'muted', isDashed: true, values: perSecond(rowsByTime(past), 1, shift) })
  }
  const stacked = classes === undefined ? new Map<number, Row>() : rowsByTime(classes)
  return {
    times, rates,
    durations: [
      { title: 'p50', colour: 'ok', values: span(4) }, { title: 'p95', colour: 'refused', values: span(5) },
      { title: 'p99', colour: 'failed', values: span(6) },
    ],
    stack: ['2xx', '3xx', '4xx', '5xx', 'other', 'none'].map((title, index) =>
      ({ title, colour: CLASS_COLOURS[index] as string, values: perSecond(stacked, index + 1) })),
  }
}

import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { About } from './about.ts'
import { type Row, useAnswer, type ViewAnswer } from './ask.ts'
import { Chart, type ChartLine } from './chart.ts'
import { format } from './format.ts'
import { html } from './html.ts'
import { questionText } from './overview.ts'
import { go, linkTo } from './place.ts'
import { pointTimes, rowsByTime, type TimeRange } from './time-range.ts'
import { ViewTable } from './view-table.ts'

export interface ConnectionsViewOptions {
  readonly about: About
  readonly range: TimeRange
  readonly filter: string
}

const TABLES = ['troubled-hosts', 'troubled-clients']
const ROWS = 100
/** Columns of the view connection-troubles. */
const [RESET, REFUSED, TIMED_OUT, RESETS_SENT, RETRANSMISSIONS] = [2, 3, 4, 5, 6]
const LINES = [
  { title: 'reset', colour: 'failed', column: RESET }, { title: 'refused', colour: 'refused', column: REFUSED },
  { title: 'timed out', colour: 'other', column: TIMED_OUT },
] as const
const SEGMENTS = [
  { title: 'retransmissions', colour: 'refused', column: RETRANSMISSIONS }, { title: 'resets sent', colour: 'failed', column: RESETS_SENT },
] as const

/** How connections fared: over time, by host, by client. */
export function ConnectionsView({ about, range, filter }: ConnectionsViewOptions): VNode {
  const question = questionText(range, filter)
  const { answer, error } = useAnswer<ViewAnswer>(`/api/view/connection-troubles?${question}`)
  const charts = useMemo(() => answer === undefined ? undefined : chartsOf(answer, range), [answer])
  const select = (fromMs: number, toMs: number): void => { go(linkTo('/connections', { from: String(fromMs), to: String(toMs), range: null })) }
  const count = (value: number): string => format(value, 'count')
  return html`<div class="grid">
    ${charts === undefined ? html`<section class="card wide">${error ?? 'asking the store ...'}</section>` : html`<div class="charts">
      <${Chart} title="Connections that ended badly" times=${charts.times} lines=${charts.ends} show=${count} onSelect=${select} />
      <${Chart} title="Retransmitted segments and resets" times=${charts.times} lines=${charts.segments} show=${count} onSelect=${select} /></div>`}
    ${hint(answer)}
    ${about.views.filter(({ name }) => TABLES.includes(name)).map(view =>
      html`<${ViewTable} key=${view.name} view=${view} question=${question} filter=${filter} rows=${ROWS} isWide=${true} />`)}
  </div>`
}

/** What has to be logged for this, where it is not. */
function hint(answer: ViewAnswer | undefined): VNode | null {
  if (answer === undefined) return null
  if (answer.rows.length === 0) {
    return html`<section class="card wide"><p class="note">No connection in this range. Records of connections are logged with
      kinds: [connection] beside the others (--kind connection).</p></section>`
  }
  const hasSegments = answer.rows.some(row => row[RETRANSMISSIONS] !== null || row[RESETS_SENT] !== null)
  return hasSegments ? null : html`<section class="card wide"><p class="note">Retransmissions and resets sent are logged with the fields
    tcp.retransmissions and tcp.resets (--field 'tcp.*').</p></section>`
}

interface LinePlan { readonly title: string, readonly colour: string, readonly column: number }

function chartsOf(answer: ViewAnswer, range: TimeRange): { times: number[], ends: ChartLine[], segments: ChartLine[] } {
  const times = pointTimes(answer.bucketMs, range)
  const rows = rowsByTime(answer)
  const line = ({ title, colour, column }: LinePlan): ChartLine => ({ title, colour, values: times.map(time => valueOf(rows.get(time), column)) })
  return { times, ends: LINES.map(line), segments: SEGMENTS.map(line) }
}

/** Where no connection began there was no trouble; where it was not logged nobody knows. */
function valueOf(row: Row | undefined, column: number): number | null {
  return row === undefined ? 0 : row[column] as number | null
}

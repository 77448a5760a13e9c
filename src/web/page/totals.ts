import type { VNode } from 'preact'
import type { About } from './about.ts'
import { useAnswer, type ViewAnswer } from './ask.ts'
import { change, format } from './format.ts'
import { html } from './html.ts'

export interface TotalsOptions {
  readonly about: About
  /** The view. */
  readonly name: string
  /** The view of the same over time. */
  readonly overTime: string
  /** Range and filter as parameters. */
  readonly question: string
  /** The same of the range before; undefined = it is not compared. */
  readonly before: string | undefined
}

/** A view of one row, with how much more or less it is than before. */
export function Totals({ about, name, overTime, question, before }: TotalsOptions): VNode {
  const now = useAnswer<ViewAnswer>(`/api/view/${name}?${question}`)
  const past = useAnswer<ViewAnswer>(before === undefined ? undefined : `/api/view/${name}?${before}`)
  const columns = about.views.find(view => view.name === name)?.columns ?? []
  const [row] = now.answer?.rows ?? []
  const [earlier] = (before === undefined ? undefined : past.answer?.rows) ?? []
  return html`<section class=${`card wide totals${now.isWaiting ? ' waiting' : ''}`} data-view=${name} aria-busy=${String(now.isWaiting)}>
    ${now.error === undefined ? null : html`<pre class="error" role="alert">${now.error}</pre>`}
    <a class="csv aside" href=${`/api/view/${overTime}?${question}&format=csv`} download>CSV over time</a>
    ${row === undefined ? null : html`<dl>${columns.map(({ title, unit }, index) => html`<div><dt>${title}</dt>
      <dd class=${title === '5xx' && Number(row[index]) > 0 ? 'failed' : ''}>${format(row[index], unit)}
      ${typeof row[index] === 'number' && typeof earlier?.[index] === 'number'
        ? html`<small title=${`before: ${format(earlier[index], unit)}`}>${change(row[index], earlier[index])}</small>` : null}</dd></div>`)}</dl>`}
  </section>`
}

import type { VNode } from 'preact'
import { narrowed, type ViewAbout } from './about.ts'
import { type Row, useAnswer, type Value, type ViewAnswer } from './ask.ts'
import { format } from './format.ts'
import { html } from './html.ts'
import { linkTo } from './place.ts'

/** Columns of which any number is bad news. */
const FAILURES = ['5xx', 'Reset', 'Refused', 'Timed out']

export interface ViewTableOptions {
  readonly view: ViewAbout
  /** Range and filter as parameters. */
  readonly question: string
  readonly filter: string
  readonly rows: number
  readonly isWide?: boolean
  /** Nothing is shown where there is nothing: not everybody has it. */
  readonly hidesEmpty?: boolean
  /** More parameters of the question, e.g. `&header=x-tenant-id`. */
  readonly more?: string
}

/** A view as a table: its first column narrows the filter where it can, and all of it can be had as CSV. */
export function ViewTable({ view, question: asked, filter, rows, isWide, hidesEmpty, more }: ViewTableOptions): VNode | null {
  const question = `${asked}${more ?? ''}`
  const { answer, error, isWaiting } = useAnswer<ViewAnswer>(`/api/view/${view.name}?${question}&limit=${rows}`)
  if (hidesEmpty === true && error === undefined && (answer?.rows.length ?? 0) === 0) return null
  const counted = view.columns.findIndex(({ title }) => title === 'Requests')
  const most = Math.max(1, ...(answer?.rows ?? []).map(row => Number(row[counted] ?? 0)))
  const names = `card${isWide === true ? ' wide' : ''}${isWaiting ? ' waiting' : ''}`
  return html`<section class=${names} data-view=${view.name} aria-busy=${String(isWaiting)}>
    <h2>${view.title} <a class="csv" href=${`/api/view/${view.name}?${question}&format=csv`} download>CSV</a></h2>
    ${error === undefined ? null : html`<pre class="error" role="alert">${error}</pre>`}
    ${answer === undefined ? null : html`<div class="scroll" tabindex="0" role="region" aria-label=${view.title}><table>
      <thead><tr>${view.columns.map(({ title, unit }) => html`<th scope="col" class=${unit}>${title}</th>`)}</tr></thead>
      <tbody>${answer.rows.map(row => html`<tr>${view.columns.map(({ unit }, index) => html`<td class=${unit}>
        ${index === counted ? html`<span class="meter" style=${{ width: `${Number(row[index] ?? 0) / most * 100}%` }}></span>` : null}
        ${index === 0 ? first(view, row, filter) : html`<span class=${toneOf(view, index, row[index])}>${format(row[index], unit)}</span>`}
      </td>`)}</tr>`)}</tbody></table></div>
      ${answer.rows.length === 0 ? html`<p class="muted">Nothing in this range.</p>` : null}
      ${answer.notes.map(note => html`<p class="note">${note}</p>`)}`}
  </section>`
}

/** What failed is to be seen at once, and that nothing did is not. */
function toneOf({ columns }: ViewAbout, index: number, value: Value | undefined): string {
  if (value === 0 || value === null) return 'muted'
  return FAILURES.includes(columns[index]?.title ?? '') ? 'failed' : ''
}

function first(view: ViewAbout, row: Row, filter: string): VNode | string {
  const text = format(row[0], view.columns[0]?.unit ?? 'text')
  const next = narrowed(view, row[0], filter)
  return next === undefined ? text : html`<a href=${linkTo(location.pathname, { filter: next })} title="only these">${text}</a>`
}

import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { time } from './format.ts'
import { html } from './html.ts'
import { go, linkTo, type Place } from './place.ts'
import { ALL, OWN, rangeName, rangeOf, RANGES, type StoreSpan } from './time-range.ts'

const AGAIN_S = 30

export interface RangePickerOptions {
  readonly place: Place
  readonly path: string
  readonly span: StoreSpan | undefined | 'asking'
  readonly onAgain: () => void
}

/** Of which time; and whether it is compared with the time before. A span drawn in a chart stands here as well. */
export function RangePicker({ place, path, span, onAgain }: RangePickerOptions): VNode {
  const known = span === 'asking' ? undefined : span
  const name = rangeName(place.parameters, known, Date.now())
  const { fromMs, toMs } = rangeOf(place.parameters, known, Date.now())
  const isCompared = place.parameters.has('compare')
  const isAgain = place.parameters.has('again')
  useEffect(() => {
    if (!isAgain) return
    const timer = setInterval(() => { if (!document.hidden) onAgain() }, AGAIN_S * 1000)
    return () => { clearInterval(timer) }
  })
  return html`<div class="bar-line range">
    <div role="group" aria-label="Time range">${[...RANGES.keys(), ALL].map(word => html`<a role="button"
      href=${linkTo(path, { range: word, from: null, to: null })} aria-pressed=${String(word === name)}>${word}</a>`)}</div>
    <span>${name === OWN || name === ALL ? `${time(fromMs)} to ${time(toMs)}` : `the last ${name}`}</span>
    <label><input type="checkbox" checked=${isCompared} onChange=${() => { go(linkTo(path, { compare: isCompared ? null : '1' })) }} />
      ${' '}compare with the time before</label>
    <label><input type="checkbox" checked=${isAgain} onChange=${() => { go(linkTo(path, { again: isAgain ? null : '1' })) }} />
      ${' '}every ${AGAIN_S} s</label>
    <button type="button" onClick=${onAgain} title="key r">Ask again</button></div>`
}

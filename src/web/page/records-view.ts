import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { useAnswer } from './ask.ts'
import { html } from './html.ts'
import { addressOf, keyOf, type LogRecord } from './log-record.ts'
import { questionText } from './overview.ts'
import { go, linkTo } from './place.ts'
import { RecordDetail } from './record-detail.ts'
import { RecordList } from './record-list.ts'
import type { TimeRange } from './time-range.ts'

const RECORDS = 1000

/** The newest records of a range. */
export function RecordsView({ range, filter }: { readonly range: TimeRange, readonly filter: string }): VNode {
  const [selected, setSelected] = useState<string>()
  const path = `/api/records?${questionText(range, filter)}&limit=${RECORDS}`
  const { answer, error, isWaiting } = useAnswer<{ records: LogRecord[], notes: string[] }>(path)
  const count = answer?.records.length ?? 0
  return html`<div class="live"><div class="bar-line"><span role="status">${isWaiting ? 'asking the store ...'
    : count === RECORDS ? `the newest ${RECORDS} records` : `${count} records`}</span></div>
    ${error === undefined ? null : html`<pre class="error" role="alert">${error}</pre>`}
    ${(answer?.notes ?? []).map(note => html`<p class="note">${note}</p>`)}
    <${RecordList} records=${answer?.records ?? []} isFollowing=${false} selected=${selected}
      onSelect=${(record: LogRecord) => { setSelected(keyOf(record)) }}
      onOpen=${(record: LogRecord) => { go(linkTo('/exchange', addressOf(record))) }} /></div>`
}

/** One record of the store, by its address. */
export function ExchangeView({ time, sequence }: { readonly time: string, readonly sequence: string }): VNode {
  const path = `/api/exchange?${new URLSearchParams({ time, sequence })}`
  const { answer, error } = useAnswer<{ record: LogRecord, neighbours: LogRecord[], trace: LogRecord[] }>(path)
  if (error !== undefined) return html`<pre class="error" role="alert">${error}</pre>`
  if (answer === undefined) return html`<p class="muted">asking the store ...</p>`
  return html`<${RecordDetail} record=${answer.record} neighbours=${answer.neighbours} trace=${answer.trace} hasStore=${true} />`
}

import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { seconds } from './format.ts'
import { html } from './html.ts'
import { clock, host, keyOf, type LogRecord, statusClass, target, verb } from './log-record.ts'

export interface RecordListOptions {
  readonly records: readonly LogRecord[]
  /** Stays at the end as records come. */
  readonly isFollowing: boolean
  readonly selected: string | undefined
  readonly onSelect: (record: LogRecord) => void
  /** By a click, or Enter on the selected one; missing = selecting is all. */
  readonly onOpen?: (record: LogRecord) => void
  /** The reader scrolled away from the end. */
  readonly onLeave?: () => void
}

const ROW_PX = 24
/** Rows beyond what is seen, above and below. */
const SPARE = 10

/** Records a row each, however many: only what is seen is in the document. Arrow keys move, Enter opens. */
export function RecordList({ records, isFollowing, selected, onSelect, onOpen, onLeave }: RecordListOptions): VNode {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const resize = new ResizeObserver(() => { setHeight(element.clientHeight) })
    resize.observe(element)
    return () => { resize.disconnect() }
  }, [])
  useLayoutEffect(() => {
    const element = box.current
    if (element !== null && isFollowing) element.scrollTop = element.scrollHeight
  }, [records, isFollowing])
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE)
  const shown = records.slice(first, first + Math.ceil(height / ROW_PX) + 2 * SPARE)
  const scrolled = (event: Event): void => {
    const element = event.currentTarget as HTMLElement
    setTop(element.scrollTop)
    if (isFollowing && element.scrollHeight - element.scrollTop - element.clientHeight > 3 * ROW_PX) onLeave?.()
  }
  const move = (event: KeyboardEvent): void => {
    const chosen = records.find(record => keyOf(record) === selected)
    if (event.key === 'Enter' && chosen !== undefined) return onOpen?.(chosen)
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 20, PageUp: -20 }[event.key]
    if (step === undefined || records.length === 0) return
    event.preventDefault()
    const at = records.findIndex(record => keyOf(record) === selected)
    const next = Math.min(records.length - 1, Math.max(0, (at === -1 ? first : at + step)))
    onSelect(records[next] as LogRecord)
    const element = box.current
    if (element === null) return
    if (next * ROW_PX < element.scrollTop) element.scrollTop = next * ROW_PX
    else if ((next + 1) * ROW_PX > element.scrollTop + element.clientHeight - ROW_PX) element.scrollTop = (next + 2) * ROW_PX - element.clientHeight
  }
  return html`<div class="records" ref=${box} tabindex="0" role="grid" aria-label="Records" aria-rowcount=${records.length}
    onScroll=${scrolled} onKeyDown=${move}>
    <div class="record head" role="row">${['Time', 'Status', 'Method', 'Host', 'Path', 'Duration', 'Client', 'Process']
      .map(title => html`<span role="columnheader">${title}</span>`)}</div>
    <div class="rows" role="rowgroup" style=${{ height: `${records.length * ROW_PX}px` }}>
      ${shown.map((record, index) => html`<${RecordRow} key=${keyOf(record)} record=${record} at=${first + index}
        isSelected=${keyOf(record) === selected} onSelect=${onOpen ?? onSelect} />`)}
    </div></div>`
}

interface RecordRowOptions {
  readonly record: LogRecord
  readonly at: number
  readonly isSelected: boolean
  readonly onSelect: (record: LogRecord) => void
}

function RecordRow({ record, at, isSelected, onSelect }: RecordRowOptions): VNode {
  const cells = [
    clock(record), record.http?.response?.status_code ?? '', verb(record), host(record), target(record),
    record.duration === undefined ? '' : seconds(record.duration), record.client?.real_address ?? record.client?.address ?? '',
    record.server?.process?.executable?.name ?? '',
  ]
  const names = `record ${statusClass(record)}${isSelected ? ' selected' : ''}`
  return html`<div class=${names} role="row" aria-rowindex=${at + 2} aria-selected=${String(isSelected)} style=${{ top: `${at * ROW_PX}px` }}
    onClick=${() => { onSelect(record) }}>${cells.map(cell => html`<span role="gridcell">${cell}</span>`)}</div>`
}

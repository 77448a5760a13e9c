import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask } from './ask.ts'
import { html } from './html.ts'
import { useKeys } from './keys.ts'
import { keyOf, type LogRecord } from './log-record.ts'
import { RecordDetail } from './record-detail.ts'
import { RecordList } from './record-list.ts'

/** Records that the page keeps; the oldest go first. */
const RECORDS_MAX = 20_000
/** Records that wait while the page is paused. */
const WAITING_MAX = 20_000

/** A stream that was refused is asked for again after this. */
const AGAIN_MS = 5000

interface Following {
  readonly records: readonly LogRecord[]
  readonly missed: number
  readonly isConnected: boolean
}

/** Records as they are logged. */
export function LiveView({ filter, hasStore }: { readonly filter: string, readonly hasStore: boolean }): VNode {
  const [isPaused, setPaused] = useState(false)
  const [isFollowing, setFollowing] = useState(true)
  const [selected, setSelected] = useState<LogRecord>()
  const waiting = useRef<LogRecord[]>([])
  const [waits, setWaits] = useState(0)
  const following = useLive(filter, isPaused, waiting, setWaits)
  const toggle = (): void => {
    setPaused(!isPaused)
    setFollowing(true)
  }
  useKeys({ ' ': toggle, Escape: () => { setSelected(undefined) } })
  const connection = selected?.network?.connection?.id
  const neighbours = connection === undefined ? [] : following.records.filter(record => record.network?.connection?.id === connection).slice(-200)
  return html`<div class=${selected === undefined ? 'live' : 'live split'}>
    <div class="bar-line">
      <button type="button" aria-pressed=${String(isPaused)} onClick=${toggle}>${isPaused ? `Go on (${waits} wait)` : 'Pause'}</button>
      ${isFollowing ? null : html`<button type="button" onClick=${() => { setFollowing(true) }}>To the newest</button>`}
      <span role="status">${following.isConnected ? `${following.records.length} records` : 'not connected, trying again ...'}</span>
      ${following.missed === 0 ? null : html`<strong class="missed">${following.missed} not shown: more came than a page can show${
        hasStore ? '; the store has them' : ''}</strong>`}</div>
    <${RecordList} records=${following.records} isFollowing=${isFollowing && !isPaused}
      selected=${selected === undefined ? undefined : keyOf(selected)} onSelect=${(record: LogRecord) => {
        setSelected(record)
        setFollowing(false)
      }} onLeave=${() => { setFollowing(false) }} />
    ${selected === undefined ? null : html`<aside><button type="button" class="close" onClick=${() => { setSelected(undefined) }}>Close</button>
      <${RecordDetail} record=${selected} neighbours=${neighbours} hasStore=${hasStore} /></aside>`}
  </div>`
}

/** Follows the server's stream; what comes while paused waits in `waiting`, bounded, and what does not fit is missed. */
function useLive(filter: string, isPaused: boolean, waiting: { current: LogRecord[] }, setWaits: (count: number) => void): Following {
  const [records, setRecords] = useState<readonly LogRecord[]>([])
  const [missed, setMissed] = useState(0)
  const [isConnected, setConnected] = useState(false)
  const [tries, setTries] = useState(0)
  const paused = useRef(isPaused)
  paused.current = isPaused
  useEffect(() => {
    const source = new EventSource(`/api/live${filter === '' ? '' : `?filter=${encodeURIComponent(filter)}`}`)
    source.addEventListener('open', () => { setConnected(true) })
    let timer: number | undefined
    const again = (): void => {
      // Leads to the form when the session is over.
      void ask('/api/about').catch(() => {}).then(() => { setTries(tries + 1) })
    }
    source.addEventListener('error', () => {
      setConnected(false)
      // A browser tries again by itself when a stream breaks off, but not when it was refused (too many pages, a session that is over).
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(again, AGAIN_MS)
    })
    source.addEventListener('start', () => {
      setRecords([])
      setMissed(0)
      waiting.current = []
    })
    source.addEventListener('records', event => {
      const lines = (event as MessageEvent<string>).data.split('\n').map(line => JSON.parse(line) as LogRecord)
      if (!paused.current) return setRecords(before => [...before, ...lines].slice(-RECORDS_MAX))
      const room = lines.slice(0, WAITING_MAX - waiting.current.length)
      waiting.current.push(...room)
      setWaits(waiting.current.length)
      if (room.length < lines.length) setMissed(before => before + lines.length - room.length)
    })
    source.addEventListener('missed', event => { setMissed(before => before + Number((event as MessageEvent<string>).data)) })
    return () => {
      source.close()
      clearTimeout(timer)
    }
  }, [filter, tries])
  useEffect(() => {
    if (isPaused || waiting.current.length === 0) return
    const late = waiting.current
    waiting.current = []
    setWaits(0)
    setRecords(before => [...before, ...late].slice(-RECORDS_MAX))
  }, [isPaused])
  return { records, missed, isConnected }
}

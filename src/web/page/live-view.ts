import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask } from './ask.ts'
import { html } from './html.ts'
import { useKeys } from './keys.ts'
import { keyOf, type LogRecord } from './log-record.ts'
import { RecordDetail } from './record-detail.ts'
import { RecordWindow, WaitingLines } from './record-window.ts'
import { RecordList } from './record-list.ts'


/** A stream that was refused is asked for again after this. */
const AGAIN_MS = 5000

interface Following {
  readonly records: readonly LogRecord[]
  readonly missed: number
  /** Records that came while paused. */
  readonly waits: number
  readonly isConnected: boolean
}

/** Records as they are logged. */
export function LiveView({ filter, hasStore }: { readonly filter: string, readonly hasStore: boolean }): VNode {
  const [isPaused, setPaused] = useState(false)
  const [isFollowing, setFollowing] = useState(true)
  const [selected, setSelected] = useState<LogRecord>()
  const following = useLive(filter, isPaused)
  const { waits } = following
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

/** Follows the server's stream; what comes while paused waits, bounded, and what does not fit is missed. */
function useLive(filter: string, isPaused: boolean): Following {
  const [records, setRecords] = useState<readonly LogRecord[]>([])
  const [missed, setMissed] = useState(0)
  const [waits, setWaits] = useState(0)
  const [isConnected, setConnected] = useState(false)
  const [tries, setTries] = useState(0)
  const kept = useRef(new RecordWindow())
  const waiting = useRef(new WaitingLines())
  const paused = useRef(isPaused)
  paused.current = isPaused
  const begin = (): void => {
    kept.current = new RecordWindow()
    waiting.current = new WaitingLines()
    setRecords([])
    setMissed(0)
    setWaits(0)
  }
  const take = (lines: readonly string[]): void => {
    if (!paused.current) return setRecords(kept.current.add(lines))
    const left = waiting.current.add(lines)
    setWaits(waiting.current.count)
    setMissed(before => before + left)
  }
  useEffect(() => followStream(filter, {
    connected: setConnected, begin, take, missed: count => { setMissed(before => before + count) }, again: () => { setTries(tries + 1) },
  }), [filter, tries])
  useEffect(() => {
    if (isPaused || waiting.current.count === 0) return
    setRecords(kept.current.add(waiting.current.take()))
    setWaits(0)
  }, [isPaused])
  return { records, missed, waits, isConnected }
}

interface Follower {
  connected(isConnected: boolean): void
  begin(): void
  take(lines: readonly string[]): void
  missed(count: number): void
  /** The stream was refused some time ago. */
  again(): void
}

/** @returns ends it */
function followStream(filter: string, follower: Follower): () => void {
  const source = new EventSource(`/api/live${filter === '' ? '' : `?filter=${encodeURIComponent(filter)}`}`)
  const data = (event: Event): string => (event as MessageEvent<string>).data
  let timer: number | undefined
  // The question leads to the form when the session is over.
  const again = (): void => { void ask('/api/about').catch(() => {}).then(() => { follower.again() }) }
  source.addEventListener('open', () => { follower.connected(true) })
  source.addEventListener('error', () => {
    follower.connected(false)
    // A browser tries again by itself when a stream breaks off, but not when it was refused (too many pages, a session that is over).
    if (source.readyState === EventSource.CLOSED) timer = setTimeout(again, AGAIN_MS)
  })
  source.addEventListener('start', () => { follower.begin() })
  source.addEventListener('records', event => { follower.take(data(event).split('\n')) })
  source.addEventListener('missed', event => { follower.missed(Number(data(event))) })
  return () => {
    source.close()
    clearTimeout(timer)
  }
}

import { clean, cut, type SafeBatch } from '../src/sink/mod.ts'

/** Records that are parsed in a second at most; more are counted, and the shares are taken from those parsed. */
const PARSED_PER_SECOND = 2000
const WINDOW_SECONDS = 10
/** Different values counted per second and list; the rest is one line. */
const NAMES_MAX = 500
const OTHER = '(others)'
const LF = 10

interface Second {
  exchanges: number
  parsed: number
  readonly targets: Map<string, number>
  readonly clients: Map<string, number>
  readonly statuses: Map<string, number>
  readonly durations: number[]
}

/** What happened in the last ten seconds, for a screen: rates, times, the most asked for. */
export class Summary {
  readonly #seconds: Second[] = [emptySecond()]
  readonly #now: () => number
  #began: number

  /** @param now milliseconds that never go back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#began = now()
  }

  /** Reads the batch before it is given on; keeps nothing of its bytes. */
  add(batch: SafeBatch): void {
    const second = this.#second()
    second.exchanges += batch.kinds[0]
    let start = 0
    while (start < batch.bytes.length && second.parsed < PARSED_PER_SECOND) {
      const end = batch.bytes.indexOf(LF, start)
      const line = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, end - start)
      start = end + 1
      const record = JSON.parse(line.toString('utf8')) as ExchangeRecord
      if (record.kind !== 'exchange') continue
      if (record.event?.name === 'open') second.exchanges-- // it comes again, whole
      else count(second, record)
    }
  }

  /** Rows for a screen of that size. */
  lines(where: string, columns: number, rows: number): string[] {
    this.#second()
    const seconds = this.#seconds
    const exchanges = total(seconds, second => second.exchanges)
    const parsed = total(seconds, second => second.parsed)
    const elapsed = Math.max(1, Math.min(WINDOW_SECONDS, (this.#now() - this.#began) / 1000 + seconds.length - 1))
    const scale = parsed === 0 ? 0 : exchanges / parsed / elapsed
    const durations = seconds.flatMap(second => second.durations).sort((a, b) => a - b)
    const share = parsed < exchanges ? `, shares from ${parsed} of ${exchanges}` : ''
    const head = [
      cut(`lintel watch  ${where}`, columns),
      `${(exchanges / elapsed).toFixed(1)} exchanges/s over the last ${Math.round(elapsed)} s${share}`,
      `p50 ${milliseconds(quantile(durations, 0.5))}  p90 ${milliseconds(quantile(durations, 0.9))}  ` +
        `p99 ${milliseconds(quantile(durations, 0.99))}  max ${milliseconds(durations.at(-1))}`,
      '',
    ]
    const foot = ['', 't back to lines   space pause   q quit']
    const room = Math.max(3, rows - head.length - foot.length - 6)
    const statuses = list('STATUS', merged(seconds, second => second.statuses), scale, 5, columns)
    const targets = list('REQUEST', merged(seconds, second => second.targets), scale, Math.ceil((room - statuses.length) * 0.65), columns)
    const clients = list('CLIENT', merged(seconds, second => second.clients), scale, room - statuses.length - targets.length, columns)
    return [...head, ...statuses, '', ...targets, '', ...clients, ...foot].slice(0, rows).map(line => cut(line, columns))
  }

  #second(): Second {
    const now = this.#now()
    while (now - this.#began >= 1000) {
      this.#began += 1000
      this.#seconds.unshift(emptySecond())
      if (this.#seconds.length > WINDOW_SECONDS) this.#seconds.length = WINDOW_SECONDS
      // After a long rest there is no sense in walking through every second of it.
      if (now - this.#began > WINDOW_SECONDS * 2000) this.#began = now - WINDOW_SECONDS * 1000
    }
    return this.#seconds[0] as Second
  }
}

interface ExchangeRecord {
  readonly kind?: string
  readonly duration?: number
  readonly client?: { readonly address?: string, readonly real_address?: string }
  readonly url?: { readonly domain?: string, readonly path?: string }
  readonly event?: { readonly name?: string }
  readonly http?: { readonly request?: { readonly method?: string }, readonly response?: { readonly status_code?: number } }
  /** Of a decoder of one's own. */
  readonly message?: { readonly request?: { readonly method?: string, readonly path?: string }, readonly response?: { readonly status?: string } }
}

function emptySecond(): Second {
  return { exchanges: 0, parsed: 0, targets: new Map(), clients: new Map(), statuses: new Map(), durations: [] }
}

function count(second: Second, record: ExchangeRecord): void {
  second.parsed++
  const { http, message, url } = record
  const target = `${url?.domain ?? ''}${url?.path ?? ''}${message?.request?.path ?? ''}`
  bump(second.targets, `${http?.request?.method ?? message?.request?.method ?? '-'} ${target}`)
  bump(second.clients, record.client?.real_address ?? record.client?.address ?? '-')
  bump(second.statuses, String(http?.response?.status_code ?? message?.response?.status ?? 'no response'))
  if (record.duration !== undefined) second.durations.push(record.duration)
}

function bump(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < NAMES_MAX ? name : OTHER
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function total(seconds: readonly Second[], of: (second: Second) => number): number {
  return seconds.reduce((sum, second) => sum + of(second), 0)
}

function merged(seconds: readonly Second[], of: (second: Second) => Map<string, number>): [string, number][] {
  const all = new Map<string, number>()
  for (const second of seconds) for (const [name, times] of of(second)) all.set(name, (all.get(name) ?? 0) + times)
  return [...all].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

/** A heading and the largest entries, `rows` lines in all. */
function list(title: string, entries: readonly [string, number][], scale: number, rows: number, columns: number): string[] {
  const shown = entries.slice(0, Math.max(0, rows - 1))
  return [`${'PER SECOND'.padStart(10)}  ${title}`, ...shown.map(([name, times]) =>
    `${(times * scale).toFixed(1).padStart(10)}  ${cut(clean(name), columns - 12)}`)]
}

/** Value below which the share `q` lies; undefined when there is none. */
function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}

function milliseconds(seconds: number | undefined): string {
  return seconds === undefined ? '-' : `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)} ms`
}

/**
 * Compares what clients completed with what was logged, request by request, in memory that stays small: a run of a client is
 * judged some time after its end, and only counts are kept.
 *
 * @module
 */
import type { LoggedRecord } from '../gateway/testing/lintel.ts'

/** One process of a client, which sends `count` requests at most; ids are its prefix and a number from 0 or 1 upwards. */
export interface Run {
  readonly client: string
  readonly prefix: string
  readonly port: number
  /** Whether the client sends a request anew, of itself, on a connection that died. */
  readonly asksAgain: boolean
  /** Its process: what records must name as the client's. 0 = not to be compared. */
  processId: number
  /** Why some of its requests may have failed; '' = none may. */
  excuse: string
  /** Its server was killed meanwhile: a call under way then ends without a return. */
  serverDied: boolean
}

/** A request by its client's word and by the log's. */
interface Sent { done: boolean; whole: number; halves: number; marks: string; readonly records: LoggedRecord[] }

interface Open { readonly run: Run; readonly sent: Map<string, Sent>; endedAt: number }

/** Counts of one soak. `missing` and `withoutResponse` are to have a loss that explains them, what follows `askedAgain` is to stay 0. */
export interface TallyCounts {
  /** Read whole by a client that says so. */
  completed: number
  /** Of those: logged with the response's status. */
  logged: number
  /** Not read whole by the client: it, or its server, was ended meanwhile. */
  unfinished: number
  /** Of those: logged, whole or as what there was. */
  unfinishedLogged: number
  /** Completed, and logged without its response, while the server was killed: the call that told it never returned. */
  cutByKill: number
  /** Completed, not logged at all. */
  missing: number
  /** Completed, logged only without its response. */
  withoutResponse: number
  /** Logged whole, and once more without its response: the client asks again by itself when its server dies. */
  askedAgain: number
  /** Logged more than once, or whole and once more without its response. */
  twice: number
  /** With a wrong port, scheme or client process. */
  wrong: number
  /** Failed with nothing to excuse it. */
  failed: number
  /** Logged with an id that no client that runs has, or after its run was judged. */
  stray: number
}

const ID = /^(k\d+-)(\d+)$/
/** Examples of each fault that are kept for the report; of what stands beside one, more. */
const EXAMPLES_MAX = 5
const BESIDE_MAX = 60

export class Tally {
  readonly counts: TallyCounts = {
    completed: 0, logged: 0, unfinished: 0, unfinishedLogged: 0, cutByKill: 0, missing: 0, withoutResponse: 0,
    askedAgain: 0, twice: 0, wrong: 0, failed: 0, stray: 0,
  }
  /** Reasons that stand in `marks` of completed requests, with their counts. */
  readonly marks = new Map<string, number>()
  readonly examples: string[] = []
  readonly #open = new Map<string, Open>()
  readonly #settleMs: number
  #runs = 0

  /** @param settleMs how long after the end of a run its records are waited for */
  constructor(settleMs: number) {
    this.#settleMs = settleMs
  }

  /** A new client. */
  begin(client: string, port: number, asksAgain: boolean): Run {
    const run: Run = {
      client, prefix: `k${this.#runs++}-`, port, asksAgain, processId: 0, excuse: '', serverDied: false,
    }
    this.#open.set(run.prefix, { run, sent: new Map(), endedAt: Infinity })
    return run
  }

  /** Requests that wait to be judged. */
  get waiting(): number {
    let sum = 0
    for (const { sent } of this.#open.values()) sum += sent.size
    return sum
  }

  /** The client read the whole response of this request. */
  done(id: string): void {
    const [, sent] = this.#find(id)
    if (sent === undefined) throw new Error(`A client completed a request "${id}" of no run`)
    if (sent.done) throw new Error(`A client completed "${id}" twice: it asks again by itself`)
    sent.done = true
  }

  /** The client has ended; `failures` = what it says of requests that failed. */
  end(run: Run, now: number, failures: readonly string[]): void {
    this.#open.get(run.prefix)!.endedAt = now
    if (run.excuse !== '') return
    this.counts.failed += failures.length
    for (const failure of failures) this.#example(`failed: ${failure}`)
  }

  logged(record: LoggedRecord): void {
    const id = record.http?.request?.header?.['x-request-id']?.[0] ?? record.url?.path?.replace(/^\/h2load\//, '')
    const [run, sent] = id === undefined ? [] : this.#find(id)
    if (run === undefined || sent === undefined) {
      this.counts.stray++
      this.#example(`stray: ${shortly(record)}`)
      return
    }
    const isWhole = record.http?.response?.status_code !== undefined
    sent.records.push(record)
    if (isWhole) sent.whole++
    else sent.halves++
    for (const [field, reason] of Object.entries(record.marks ?? {})) sent.marks += `${sent.marks === '' ? '' : '; '}${field}: ${reason}`
    if (isWhole && !isRight(record, run)) {
      this.counts.wrong++
      this.#example(`wrong: ${shortly(record)}`)
    }
  }

  /** Judges the runs that have ended long enough ago. */
  settle(now: number): void {
    for (const [prefix, { run, sent, endedAt }] of this.#open) {
      if (now - endedAt < this.#settleMs) continue
      for (const [number, one] of sent) this.#judge(run, `${prefix}${number}`, one, sent)
      this.#open.delete(prefix)
    }
  }

  #judge(run: Run, id: string, sent: Sent, all: ReadonlyMap<string, Sent>): void {
    const { counts } = this
    const isTwice = sent.whole > 1 || sent.halves > 1 || (sent.whole === 1 && sent.halves === 1)
    if (isTwice) {
      if (run.asksAgain && run.serverDied && sent.whole === 1) counts.askedAgain++
      else this.#fault('twice', id, sent, run)
    }
    if (!sent.done) {
      counts.unfinished++
      if (sent.whole + sent.halves > 0) counts.unfinishedLogged++
      return
    }
    counts.completed++
    if (sent.marks !== '') this.marks.set(sent.marks, (this.marks.get(sent.marks) ?? 0) + 1)
    if (sent.whole > 0) {
      counts.logged++
    } else if (sent.halves === 0) {
      this.#fault('missing', id, sent, run)
      // Its neighbours tell where: on which connections they were, and what is marked in them.
      for (const [number, { records }] of all) for (const record of records) this.#example(`beside ${id}: ${number} ${shortly(record)}`)
    }
    else if (run.serverDied) counts.cutByKill++
    else this.#fault('withoutResponse', id, sent, run)
  }

  #fault(name: 'twice' | 'missing' | 'withoutResponse', id: string, sent: Sent, run: Run): void {
    this.counts[name]++
    const { records, ...counts } = sent
    this.#example(`${name}: ${id} ${JSON.stringify(counts)} ${JSON.stringify(run)} ${records.map(shortly).join(' ')}`)
  }

  #find(id: string): [Run, Sent] | [] {
    const match = ID.exec(id)
    const open = match === null ? undefined : this.#open.get(match[1]!)
    if (match === null || open === undefined) return []
    let sent = open.sent.get(match[2]!)
    if (sent === undefined) open.sent.set(match[2]!, sent = { done: false, whole: 0, halves: 0, marks: '', records: [] })
    return [open.run, sent]
  }

  #example(text: string): void {
    const kind = text.slice(0, text.indexOf(':'))
    if (this.examples.filter((other) => other.startsWith(kind)).length >= (kind.startsWith('beside') ? BESIDE_MAX : EXAMPLES_MAX)) return
    this.examples.push(text)
    console.error(`soak: ${text}`)
  }
}

type Named = LoggedRecord & { client?: { process?: { pid?: number } } }

function isRight(record: Named, run: Run): boolean {
  const processId = record.client?.process?.pid
  return record.url?.scheme === 'https' && (record.server?.port ?? run.port) === run.port &&
    (processId === undefined || run.processId === 0 || processId === run.processId)
}

function shortly(record: LoggedRecord): string {
  const { time, duration, client, server, url, http, network, marks } = record
  return JSON.stringify({
    time, duration, client, server, path: url?.path, id: http?.request?.header?.['x-request-id'], status: http?.response?.status_code,
    connection: network?.connection?.id, interface: network?.interface?.name, marks,
  }).slice(0, 1200)
}

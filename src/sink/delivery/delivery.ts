import { explain, reasonOf } from '../disk-trouble.ts'
import { Redaction } from '../http/secret.ts'
import type { DeliveryHealth, LogLevel } from '../sink.ts'
import type { Spool, SpoolBatch, SpooledRecord } from '../spool/mod.ts'
import { type Trouble, TroubleTeller } from '../trouble.ts'
import { type BackoffOptions, waitMs } from './backoff.ts'
import type { DeadLetters, Refused } from './dead-letters.ts'
import type { Answer, Exporter, Hindrance, Unnamed } from './exporter.ts'
import { pause } from './pause.ts'
import { timeMs } from './record-time.ts'

export interface DeliveryOptions {
  /** A batch has at most so many records and bytes, and is sent when its first record has waited so long. */
  readonly batch: { readonly records: number, readonly bytes: number, readonly ageMs: number }
  readonly retry: BackoffOptions
}

/** Reason that refused records are lost for. */
export const LETTERS_FULL = 'dead-letter file full'

/** A record for which an exporter throws so often, alone, is refused. */
const THROWS_MAX = 3
const IDLE_MS = 600_000
const LOOK_MS = 100

type Taken = Extract<Answer, { outcome: 'done' }>

/** What became of the records of the batch under way; counted once the batch is through as a whole. */
interface Fates {
  sent: number
  refused: number
  lost: number
}

/**
 * Takes records out of a spool and sends them by an exporter: one batch at a time, in order, again and again until the server says
 * that it has them. The spool's position moves only then: what a kill interrupts is sent again, a batch at most.
 *
 * What a server refuses for good goes to the dead letters, and so does a record that cannot be made ready to be sent. Nothing here is
 * waited for by anybody but `stop`.
 */
export class Delivery {
  readonly #spool: Spool
  readonly #exporter: Exporter
  readonly #letters: DeadLetters
  readonly #options: DeliveryOptions
  readonly #trouble: TroubleTeller
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #isDraining = false
  #state: DeliveryHealth['state'] = 'idle'
  #oldestMs: number | undefined
  #sent = 0
  #retried = 0
  #refused = 0
  #lost = 0

  constructor(spool: Spool, exporter: Exporter, letters: DeadLetters, options: DeliveryOptions, log: (level: LogLevel, message: string) => void) {
    this.#spool = spool
    this.#exporter = exporter
    this.#letters = letters
    this.#options = options
    this.#trouble = new TroubleTeller(log)
  }

  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => { // a fault of this program: nobody else is to end of it
      const message = `Cannot go on sending to ${this.#exporter.target}: ${(error as Error).message}`
      this.#trouble.tell({ reason: 'delivery failed', message }, 'what comes waits in the spool until lintel is started anew')
    })
  }

  /** Sends what waits for `limitMs` at most; the rest stays in the spool. To be called once. */
  async stop(limitMs: number): Promise<void> {
    this.#isDraining = true
    const deadline = setTimeout(() => { this.#end() }, limitMs)
    this.#spool.wake()
    await this.#running
    clearTimeout(deadline)
    this.#end()
    this.#state = 'stopped'
    this.#exporter.close()
    this.#letters.close()
  }

  /** What hinders it now. */
  get trouble(): Trouble | undefined {
    return this.#trouble.current
  }

  health(): DeliveryHealth {
    const { spooled, found, dropped, waitingRecords, waitingBytes } = this.#spool.figures()
    return {
      state: this.#state, spooled, found, sent: this.#sent, retried: this.#retried, refused: this.#refused,
      dropped: this.#lost === 0 ? dropped : new Map([...dropped, [LETTERS_FULL, this.#lost]]), waitingRecords, waitingBytes,
      lagSeconds: this.#oldestMs === undefined ? 0 : Math.max(0, (Date.now() - this.#oldestMs) / 1000),
    }
  }

  #end(): void {
    this.#stop.abort()
    this.#spool.wake()
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted
  }

  async #run(): Promise<void> {
    for (let batch = await this.#gather(); batch !== undefined; batch = await this.#gather()) {
      this.#oldestMs = timeMs((batch.records[0] as SpooledRecord).line)
      const fates: Fates = { sent: 0, refused: 0, lost: 0 }
      if (!await this.#deliver(batch.records, fates)) {
        this.#spool.release(batch)
        break
      }
      this.#acknowledge(batch, fates)
    }
    this.#oldestMs = undefined
  }

  #acknowledge(batch: SpoolBatch, { sent, refused, lost }: Fates): void {
    this.#sent += sent
    this.#refused += refused
    this.#lost += lost
    this.#oldestMs = undefined
    this.#state = 'idle'
    try {
      this.#spool.acknowledge(batch)
    } catch (error) {
      this.#tellDisk('note what was delivered', error) // written with the next batch; a kill before it sends this one again
    }
  }

  /** The next batch: when there is enough for one, or its first record has waited long enough. Undefined at the end. */
  async #gather(): Promise<SpoolBatch | undefined> {
    const { records, bytes, ageMs } = this.#options.batch
    let sinceMs: number | undefined
    let isFirst = this.#sent + this.#refused + this.#lost === 0 // what a run before has left is not counted yet
    while (!this.#isOver) {
      const { waitingRecords, waitingBytes } = this.#spool.figures()
      if (waitingRecords > 0) sinceMs ??= Date.now()
      const waitedMs = sinceMs === undefined ? 0 : Date.now() - sinceMs
      const isDue = sinceMs !== undefined && (waitingRecords >= records || waitingBytes >= bytes || waitedMs >= ageMs)
      if (!isDue && !isFirst && !this.#isDraining) {
        await this.#spool.grown(sinceMs === undefined ? IDLE_MS : ageMs - waitedMs)
        continue
      }
      const batch = await this.#next(records, bytes)
      if (batch !== undefined || this.#isDraining) return batch
      isFirst = false
      sinceMs = undefined
      await this.#spool.grown(LOOK_MS)
    }
    return undefined
  }

  async #next(records: number, bytes: number): Promise<SpoolBatch | undefined> {
    for (let tries = 1; !this.#isOver; tries++) {
      try {
        return await this.#spool.next(records, bytes)
      } catch (error) {
        this.#tellDisk('read the spool', error)
        await this.#pause(tries)
      }
    }
    return undefined
  }

  /** @returns false when it was stopped before all of them were through */
  async #deliver(records: readonly SpooledRecord[], fates: Fates): Promise<boolean> {
    let [left, throws] = [records, 0]
    for (let tries = 1; !this.#isOver; tries++) {
      const answer = await this.#send(left, () => ++throws)
      if (answer.outcome === 'apart') return await this.#deliverApart(left, answer.reason, fates)
      if (answer.outcome === 'done') {
        const refused = (answer.refused ?? []).map(({ index, reason }) => ({ record: left[index] as SpooledRecord, reason }))
        const again = answer.again?.indexes ?? []
        fates.sent += left.length - refused.length - again.length
        if (!await this.#refuse(refused, fates)) return false
        if (answer.unnamed !== undefined && !await this.#refuseUnnamed(left, answer, fates)) return false
        if (again.length === 0) {
          this.#trouble.over(`sending to ${this.#exporter.target} works again`)
          return true
        }
        if (again.length < left.length) tries = 1
        left = again.map(index => left[index] as SpooledRecord)
      }
      const hindrance = answer.outcome === 'later' ? answer.hindrance : (answer.again as { hindrance: Hindrance }).hindrance
      if (this.#isOver) return false
      this.#trouble.tell(hindrance, 'trying again, what comes waits in the spool')
      await this.#pause(tries, hindrance.afterMs)
      if (!this.#isOver) this.#retried += left.length
    }
    return false
  }

  /** In halves, down to the records that are refused. */
  async #deliverApart(records: readonly SpooledRecord[], reason: string, fates: Fates): Promise<boolean> {
    if (records.length === 1) return await this.#refuse([{ record: records[0] as SpooledRecord, reason }], fates)
    const middle = Math.ceil(records.length / 2)
    this.#retried += records.length
    return await this.#deliver(records.slice(0, middle), fates) && await this.#deliver(records.slice(middle), fates)
  }

  /**
   * What an exporter throws is about a record: the batch's halves tell which. Alone it is tried again before it is refused, lest it was of the
   * moment.
   */
  async #send(records: readonly SpooledRecord[], countThrow: () => number): Promise<Answer> {
    this.#state = 'sending'
    try {
      return await this.#exporter.send(records, this.#stop.signal)
    } catch (error) {
      const said = new Redaction([]).clean((error as Error).message)
      if (records.length > 1 || countThrow() >= THROWS_MAX) return { outcome: 'apart', reason: `cannot be made ready to be sent: ${said}` }
      const message = `Cannot make a record ready for ${this.#exporter.target}: ${said}`
      return { outcome: 'later', hindrance: { reason: 'exporter failed', message } }
    }
  }

  async #refuse(refused: readonly Refused[], fates: Fates): Promise<boolean> {
    let left = refused
    for (let tries = 1; left.length > 0; tries++) {
      if (this.#isOver) return false
      try {
        const { written, lost } = await this.#letters.add(left)
        fates.refused += written
        fates.lost += lost
        left = left.slice(written + lost)
      } catch (error) {
        this.#tellDisk('write to the dead-letter file', error)
        await this.#pause(tries)
      }
    }
    return true
  }

  /** Counts as many as the server has refused; since it is not known which, a letter is written for each that may be one of them. */
  async #refuseUnnamed(records: readonly SpooledRecord[], { refused = [], again, unnamed }: Taken, fates: Fates): Promise<boolean> {
    const { count, reason } = unnamed as Unnamed
    const known = new Set([...refused.map(({ index }) => index), ...again?.indexes ?? []])
    const letters: Fates = { sent: 0, refused: 0, lost: 0 }
    const may = records.filter((_, index) => !known.has(index)).map(record => ({ record, reason }))
    if (!await this.#refuse(may, letters)) return false
    const lost = Math.min(count, letters.lost)
    fates.sent -= count
    fates.lost += lost
    fates.refused += count - lost
    return true
  }

  #tellDisk(what: string, error: unknown): void {
    this.#trouble.tell({ reason: reasonOf(error), message: `Cannot ${what} of ${this.#exporter.target}: ${explain(error)}` }, 'trying again')
  }

  /** Ends early when the delivery is stopped. */
  async #pause(tries: number, askedMs?: number): Promise<void> {
    this.#state = 'waiting'
    await pause(waitMs(tries, askedMs, this.#options.retry), this.#stop.signal)
  }
}

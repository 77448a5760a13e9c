import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ReassemblySpace } from './reassembly-space.ts'
import { RecordNumbers } from './record-numbers.ts'
import { distance } from './sequence.ts'
import { GAP } from './stream.ts'
import type { Gap } from './stream.ts'

/**
 * What explains a hole in one side's stream: lost records, the peer's acknowledgement, or nothing but time.
 */
export class HoleEvidence {
  readonly #space: ReassemblySpace
  #numbers: RecordNumbers | undefined
  /** Record that brought the byte before the hole. */
  #recordAtNext = -1
  /** Since when the present hole is waited for, and where it begins. */
  time = 0
  next = 0
  /** Since when the peer is known to have the bytes before `#acknowledged`; -1 = it is not. */
  #packetsAtAcknowledgement = -1
  #acknowledgedTime = 0
  #acknowledged = 0

  constructor(space: ReassemblySpace) {
    this.#space = space
  }

  /** Notes a record number of this direction. */
  number(record: number, time: number): void {
    this.#numbers ??= new RecordNumbers()
    this.#count(this.#numbers.see(record, time))
  }

  /** The number that the next record bears when nothing is lost; undefined = they bear none, NaN = some are late. */
  get nextNumber(): number | undefined {
    return this.#numbers?.isWaiting === true ? NaN : this.#numbers?.next
  }

  /** The record that brought the byte before what comes next. */
  get reached(): number {
    return this.#recordAtNext
  }

  /** All records before `next` have come, and all that they brought: the last bytes in `reached`. */
  catchUp(next: number, reached: number): void {
    if (this.#numbers === undefined) return
    this.#numbers.next = next
    this.#recordAtNext = reached
  }

  /** Writes into a row (side-rest.ts) what it knows while nothing is waited for. @returns whether records bear numbers */
  sleep(view: DataView, at: number): boolean {
    view.setInt32(at, this.#recordAtNext, true)
    view.setInt32(at + 4, this.#packetsAtAcknowledgement, true)
    view.setFloat64(at + 8, this.#acknowledgedTime, true)
    view.setInt32(at + 16, this.#acknowledged, true)
    view.setInt32(at + 20, this.#numbers?.next ?? 0, true)
    view.setInt32(at + 24, this.#numbers?.lastLost ?? -1, true)
    return this.#numbers !== undefined
  }

  /** Any evidence, while nothing is waited for, becomes that of a row. */
  wake(view: DataView, at: number, isNumbered: boolean): void {
    this.#recordAtNext = view.getInt32(at, true)
    this.#packetsAtAcknowledgement = view.getInt32(at + 4, true)
    this.#acknowledgedTime = view.getFloat64(at + 8, true)
    this.#acknowledged = view.getInt32(at + 16, true)
    if (!isNumbered) {
      this.#numbers = undefined
      return
    }
    // A connection that closed may have waited for some still.
    if (this.#numbers === undefined || this.#numbers.isWaiting) this.#numbers = new RecordNumbers()
    this.#numbers.next = view.getInt32(at + 20, true)
    this.#numbers.lastLost = view.getInt32(at + 24, true)
  }

  /** The kernel counts anew. */
  resetNumbers(): void {
    this.#numbers = undefined
    this.#recordAtNext = -1
  }

  /** The stream has come to the end of what `record` brought. */
  reach(record: number): void {
    if (distance(record, this.#recordAtNext) > 0) this.#recordAtNext = record
  }

  /** A hole begins at `next`. */
  begin(next: number, time: number): void {
    this.next = next
    this.time = time
  }

  /**
   * Why the hole need not be waited for any longer; undefined = it may still fill.
   *
   * @param end          sequence after the hole
   * @param acknowledged what the peer acknowledged last, `undefined` = nothing
   * @param packets      packets of the connection so far
   */
  explain(end: number, acknowledged: number | undefined, packets: number, time: number): Gap | undefined {
    const { acknowledgedNs, waitNs, recordNs, limits } = this.#space
    if (this.#isRecordLost(time - recordNs)) return GAP.lost
    const isAcknowledged = acknowledged !== undefined && distance(acknowledged, end) >= 0
    if (!isAcknowledged) this.#packetsAtAcknowledgement = -1
    else if (this.#packetsAtAcknowledgement < 0 || distance(this.#acknowledged, end) < 0) {
      this.#packetsAtAcknowledgement = packets
      this.#acknowledgedTime = time
      this.#acknowledged = acknowledged
    } else if (packets - this.#packetsAtAcknowledgement >= limits.acknowledgedPacketsMax) return GAP.unseen
    else if (time - this.#acknowledgedTime >= acknowledgedNs) return GAP.unseen
    return time - this.time >= waitNs ? GAP.bound : undefined
  }

  /** What explains a hole that is given up now: a bound is reached, or the stream ends. */
  causeNow(isAcknowledged: boolean): Gap {
    if (this.#isRecordLost(-Infinity)) return GAP.lost
    return isAcknowledged ? GAP.unseen : GAP.bound
  }

  /** Numbers that are missing now will not come any more: the stream ends. */
  expireNumbers(): void {
    this.#isRecordLost(Infinity)
  }

  /** A record was lost after the one that brought the byte before the hole. */
  #isRecordLost(before: number): boolean {
    if (this.#numbers === undefined) return false
    if (this.#numbers.isWaiting) this.#count(this.#numbers.expire(before))
    return distance(this.#numbers.lastLost, this.#recordAtNext) > 0
  }

  #count(lost: number): void {
    if (lost > 0) this.#space.counters.add(COUNT.records_lost, lost)
  }
}

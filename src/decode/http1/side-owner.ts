import type { StreamControl } from '../../connection/mod.ts'
import type { MessageEnd } from '../message.ts'
import type { Http1Anomaly } from './anomaly.ts'
import type { Http1Message } from './http1-message.ts'
import type { Http1Side } from './http1-side.ts'

/** What the head says of what follows it: the side's own, filled by its owner for each message. */
export interface BodyPlan {
  body: 'none' | 'length' | 'chunked' | 'until close' | 'malformed' | 'tunnel'
  /** Bytes, for 'length'. */
  length: number
  /** The body may be missing: it is not known whether the request was HEAD, or the client asks first (Expect: 100-continue). */
  isUnsure: boolean
  /** What follows is to be held until its meaning is known: after CONNECT, and after a request to upgrade. */
  hold: 'no' | 'connect' | 'upgrade'
  /** This is the last message of its side. */
  isLast: boolean
}

/** What a side tells its connection. */
export interface SideOwner {
  readonly control: StreamControl
  /**
   * A head was scanned: the scanner holds it. `startTime` is that of its first byte; `plan` and `message` are to be filled;
   * `isCut`: its end is not known.
   */
  head(side: Http1Side, startTime: number, message: Http1Message, plan: BodyPlan, isCut?: boolean): void
  /** A message whose plan is unsure: nothing says that its body comes. */
  mayLackBody(message: Http1Message): boolean
  over(side: Http1Side, message: Http1Message, ended: MessageEnd): void
  /** Framing is lost. */
  lost(side: Http1Side): void
  /** Bytes went by, the first one at `position`, that belong to no message; `mayBegin`: they could be a piece of a first line. */
  dropped(side: Http1Side, position: number, mayBegin: boolean): void
  anomaly(side: Http1Side, name: Http1Anomaly, time: number): void
  /** The very first bytes could not be read, or are a response without head. True = the side is given up. */
  refused(side: Http1Side, anomaly: Http1Anomaly, time: number): boolean
}

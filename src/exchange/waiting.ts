import type { StreamControl } from '../connection/mod.ts'
import type { BodyFindings } from '../decode/mod.ts'
import { INTERIM_MAX } from './interim.ts'

/** Pending exchanges that are looked through one by one. */
const FEW = 8

/** An exchange that is not yet over. Its object is used again for a later one. */
export interface Pending {
  number: number
  /** Of a response: the request that it answers, if that turns out to be so. Neither is given on before that is known. */
  likely: Pending | undefined
  /** Given on with its other half, or apart from it, once that is known. */
  isHeld: boolean
  /** Of a held response: it is joined with its request once both are over. */
  isSettled: boolean
  /** Interim responses were noted that only likely belong to it. */
  hasLikelyInterim: boolean
  block: number
  startTime: number
  requestOver: boolean
  responseOver: boolean
  hasResponse: boolean
  /** What the bodies were read for, where that was asked for. */
  asked: BodyFindings | undefined
  answered: BodyFindings | undefined
}

/** Objects of exchanges that are over, of any connection: the next ones'. No more are kept, the rest goes. */
const SPARE_MAX = 1024
const spare: Pending[] = []
/** In place of a list that most connections never have. */
const NONE: never[] = []

/** What the pairer keeps of one connection, as its companion: with nothing pending, this object and no more. */
export class Waiting {
  readonly connection: StreamControl
  /** Exchanges that are not over: the oldest, and those after it. */
  #first: Pending | undefined
  #more: Pending[] = NONE
  depth = 0
  /** Held responses, oldest first. */
  held: Pending[] = NONE
  /** Statuses of the interim responses of an exchange that its final response opens. */
  #interim: number[] = NONE
  #interimNumber = 0
  /** When the last message of a held pair was over. */
  heldTime = 0

  constructor(connection: StreamControl) {
    this.connection = connection
  }

  /** The same by number, once there are more than FEW; undefined = there are not. */
  #byNumber: Map<number, Pending> | undefined

  get count(): number {
    if (this.#byNumber !== undefined) return this.#byNumber.size
    return this.#first === undefined ? 0 : this.#more.length + 1
  }

  /** The one that began first. */
  get oldest(): Pending | undefined {
    return this.#byNumber === undefined ? this.#first : this.#byNumber.values().next().value
  }

  /** Usually one is pending; a pipeline holds a few, the streams of HTTP/2 may be thousands. */
  find(number: number): Pending | undefined {
    if (this.#byNumber !== undefined) return this.#byNumber.get(number)
    if (this.#first === undefined || this.#first.number === number) return this.#first
    for (const candidate of this.#more) if (candidate.number === number) return candidate
    return undefined
  }

  /** One more begins. @param likely of a held response: the request that it may answer */
  begin(number: number, block: number, startTime: number, likely: Pending | undefined): Pending {
    const pending = spare.pop() ?? newPending()
    pending.number = number
    pending.likely = likely
    pending.isHeld = likely !== undefined
    pending.isSettled = false
    pending.hasLikelyInterim = false
    pending.block = block
    pending.startTime = startTime
    pending.requestOver = false
    pending.responseOver = false
    pending.hasResponse = false
    pending.asked = pending.answered = undefined
    this.#append(pending)
    return pending
  }

  #append(pending: Pending): void {
    if (this.#byNumber !== undefined) this.#byNumber.set(pending.number, pending)
    else if (this.#first === undefined) this.#first = pending
    else if (this.#more === NONE) this.#more = [pending]
    else if (this.#more.length < FEW - 1) this.#more.push(pending)
    else {
      this.#byNumber = new Map([this.#first, ...this.#more, pending].map((each) => [each.number, each]))
      this.#first = undefined
      this.#more = NONE
    }
  }

  /** One is over. Its object is another one's from the next `begin` on. */
  take(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.delete(pending.number)
      if (this.#byNumber.size === 0) this.#byNumber = undefined
    } else if (pending === this.#first) this.#first = this.#more.shift()
    else this.#more.splice(this.#more.indexOf(pending), 1)
    pending.likely = undefined
    if (spare.length < SPARE_MAX) spare.push(pending)
  }

  /** The held response of the pair to which `pending` belongs. */
  heldResponse(pending: Pending): Pending | undefined {
    return pending.likely === undefined ? this.held.find(({ likely }) => likely === pending) : pending
  }

  /** Neither is given on from here until `release`. */
  hold(response: Pending, request: Pending): void {
    request.isHeld = true
    if (this.held === NONE) this.held = [response]
    else this.held.push(response)
  }

  release(response: Pending): void {
    response.isHeld = false
    response.likely!.isHeld = false
    this.held.splice(this.held.indexOf(response), 1)
  }

  /** Statuses of the interim responses of exchange `number`, which is not open yet; over the sixth they are not kept. */
  keepInterim(number: number, status: number): void {
    if (this.#interimNumber !== number) this.#interim = []
    this.#interimNumber = number
    if (this.#interim.length < INTERIM_MAX) this.#interim.push(status)
  }

  interimOf(number: number): readonly number[] {
    return this.#interimNumber === number ? this.#interim : []
  }
}

/** Of a held response: it is over, and so is its request. */
export function isWhole({ responseOver, likely }: Pending): boolean {
  return responseOver && likely?.requestOver === true
}

function newPending(): Pending {
  return {
    number: 0, likely: undefined, isHeld: false, isSettled: false, hasLikelyInterim: false, block: 0, startTime: 0,
    requestOver: false, responseOver: false, hasResponse: false, asked: undefined, answered: undefined,
  }
}

import type { StreamControl } from '../connection/mod.ts'
import { INTERIM_MAX } from './block.ts'

/** Pending exchanges that are looked through one by one. */
const FEW = 8

/** An exchange that is not yet over. Its object is used again for a later one of the connection. */
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
}

/** What the pairer keeps of one connection, as its companion. */
export class Waiting {
  readonly connection: StreamControl
  /** Exchanges that are not over, oldest first; behind the first `#fewCount`, objects that wait for the next ones. */
  readonly #few: Pending[] = []
  #fewCount = 0
  depth = 0
  /** Held responses, oldest first. */
  readonly held: Pending[] = []
  /** Statuses of the interim responses of an exchange that its final response opens. */
  readonly #interim: number[] = []
  #interimNumber = 0
  /** When the last message of a held pair was over. */
  heldTime = 0

  constructor(connection: StreamControl) {
    this.connection = connection
  }

  /** The same by number, once there are more than FEW; undefined = there are not. */
  #byNumber: Map<number, Pending> | undefined

  get count(): number {
    return this.#byNumber?.size ?? this.#fewCount
  }

  /** The one that began first. */
  get oldest(): Pending | undefined {
    if (this.#byNumber !== undefined) return this.#byNumber.values().next().value
    return this.#fewCount === 0 ? undefined : this.#few[0]
  }

  /** Usually one is pending; a pipeline holds a few, the streams of HTTP/2 may be thousands. */
  find(number: number): Pending | undefined {
    if (this.#byNumber !== undefined) return this.#byNumber.get(number)
    for (let index = 0; index < this.#fewCount; index++) {
      const candidate = this.#few[index]!
      if (candidate.number === number) return candidate
    }
    return undefined
  }

  /** One more begins. @param likely of a held response: the request that it may answer */
  begin(number: number, block: number, startTime: number, likely: Pending | undefined): Pending {
    const pending = this.#make()
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
    this.#byNumber?.set(number, pending)
    return pending
  }

  /** The object of the one that begins, in its place but for the map. */
  #make(): Pending {
    if (this.#byNumber === undefined && this.#fewCount < FEW) {
      const index = this.#fewCount++
      return this.#few[index] ?? (this.#few[index] = newPending())
    }
    if (this.#byNumber === undefined) {
      this.#byNumber = new Map(this.#few.map((each) => [each.number, each]))
      this.#few.length = 0
      this.#fewCount = 0
    }
    return newPending()
  }

  take(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.delete(pending.number)
      if (this.#byNumber.size === 0) this.#byNumber = undefined
      return
    }
    const last = --this.#fewCount
    let index = this.#few.indexOf(pending)
    for (; index < last; index++) this.#few[index] = this.#few[index + 1]!
    this.#few[last] = pending
  }

  /** The held response of the pair to which `pending` belongs. */
  heldResponse(pending: Pending): Pending | undefined {
    return pending.likely === undefined ? this.held.find(({ likely }) => likely === pending) : pending
  }

  /** Neither is given on from here until `release`. */
  hold(response: Pending, request: Pending): void {
    request.isHeld = true
    this.held.push(response)
  }

  release(response: Pending): void {
    response.isHeld = false
    response.likely!.isHeld = false
    this.held.splice(this.held.indexOf(response), 1)
  }

  /** Statuses of the interim responses of exchange `number`, which is not open yet; over the sixth they are not kept. */
  keepInterim(number: number, status: number): void {
    if (this.#interimNumber !== number) this.#interim.length = 0
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
    requestOver: false, responseOver: false, hasResponse: false,
  }
}

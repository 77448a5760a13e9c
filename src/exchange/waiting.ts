import type { StreamControl } from '../connection/mod.ts'
import { INTERIM_MAX } from './block.ts'

/** Pending exchanges that are looked through one by one. */
const FEW = 8

/** An exchange that is not yet over. */
export interface Pending {
  readonly number: number
  /** Of a response: the request that it answers, if that turns out to be so. Neither is given on before that is known. */
  readonly likely: Pending | undefined
  /** Given on with its other half, or apart from it, once that is known. */
  isHeld: boolean
  /** Of a held response: it is joined with its request once both are over. */
  isSettled: boolean
  /** Interim responses were noted that only likely belong to it. */
  hasLikelyInterim: boolean
  readonly block: number
  readonly startTime: number
  requestOver: boolean
  responseOver: boolean
  hasResponse: boolean
}

/** What the pairer keeps of one connection, as its companion. */
export class Waiting {
  readonly connection: StreamControl
  /** Exchanges that are not over, oldest first. */
  readonly #few: Pending[] = []
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
    return this.#byNumber?.size ?? this.#few.length
  }

  /** The one that began first. */
  get oldest(): Pending | undefined {
    return this.#byNumber === undefined ? this.#few[0] : this.#byNumber.values().next().value
  }

  /** Usually one is pending; a pipeline holds a few, the streams of HTTP/2 may be thousands. */
  find(number: number): Pending | undefined {
    if (this.#byNumber !== undefined) return this.#byNumber.get(number)
    for (let index = 0; index < this.#few.length; index++) {
      const candidate = this.#few[index]!
      if (candidate.number === number) return candidate
    }
    return undefined
  }

  add(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.set(pending.number, pending)
      return
    }
    this.#few.push(pending)
    if (this.#few.length <= FEW) return
    this.#byNumber = new Map(this.#few.map((each) => [each.number, each]))
    this.#few.length = 0
  }

  take(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.delete(pending.number)
      if (this.#byNumber.size === 0) this.#byNumber = undefined
      return
    }
    if (this.#few.length === 1) this.#few.pop()
    else this.#few.splice(this.#few.indexOf(pending), 1)
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

import { distance } from './sequence.ts'

/** Records of a direction that may overtake each other between two CPUs. */
const WINDOW = 64
/** While no number is missing, as nearly always. */
const NONE: number[] = []

/**
 * Which records of one direction never came: numbers are claimed before space is reserved, so a number that
 * stays out was lost on the way from the kernel.
 *
 * Bound: 64 missing numbers; older ones are lost at once.
 */
export class RecordNumbers {
  #missing = NONE
  #times = NONE
  /** The number after the highest one seen. */
  #next = 0
  /** The highest number that was lost; -1 = none. */
  lastLost = -1

  /** The number that comes next when none is lost or late. Set to skip those that went by in order, while none is waited for. */
  get next(): number {
    return this.#next
  }

  set next(number: number) {
    this.#next = number
  }

  get isWaiting(): boolean {
    return this.#missing.length > 0
  }

  /** Notes one record. @returns records found lost by it */
  see(number: number, time: number): number {
    const ahead = distance(number, this.#next)
    if (ahead === 0 && this.#missing.length === 0) {
      this.#next = (number + 1) | 0
      return 0
    }
    if (ahead < 0) {
      const index = this.#missing.indexOf(number | 0)
      if (index >= 0) {
        this.#missing.splice(index, 1)
        this.#times.splice(index, 1)
      }
      return 0
    }
    let lost = 0
    if (ahead > WINDOW) {
      lost = this.#loseAll() + ahead - WINDOW
      this.lastLost = (number - WINDOW - 1) | 0
    }
    if (this.#missing === NONE) {
      this.#missing = []
      this.#times = []
    }
    for (let missing = Math.min(ahead, WINDOW); missing > 0; missing--) {
      this.#missing.push((number - missing) | 0)
      this.#times.push(time)
    }
    this.#next = (number + 1) | 0
    while (this.isWaiting && distance(this.#next, this.#missing[0]!) > WINDOW) lost += this.#loseFirst()
    return lost
  }

  /** Gives up numbers that have been missing since before `before`. @returns how many */
  expire(before: number): number {
    let lost = 0
    while (this.#missing.length > 0 && this.#times[0]! <= before) lost += this.#loseFirst()
    return lost
  }

  #loseAll(): number {
    let lost = 0
    while (this.#missing.length > 0) lost += this.#loseFirst()
    return lost
  }

  #loseFirst(): number {
    this.lastLost = this.#missing.shift()!
    this.#times.shift()
    return 1
  }
}

import { ODDITY_NAMES } from '../decode/mod.ts'

/** How many exchanges had each oddity of their messages. Bound: the names of the bits. */
export class OddityCounts {
  readonly #counts = new Float64Array(ODDITY_NAMES.length)

  /** @param oddities bits of one exchange (EXCHANGE_ODDITIES) */
  add(oddities: number): void {
    for (let left = oddities >>> 0; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left)
      if (bit < this.#counts.length) this.#counts[bit]!++
    }
  }

  /** By name, those that were met. */
  * entries(): Generator<[name: string, count: number]> {
    for (const [bit, name] of ODDITY_NAMES.entries()) {
      const count = this.#counts[bit]!
      if (count > 0) yield [name, count]
    }
  }
}

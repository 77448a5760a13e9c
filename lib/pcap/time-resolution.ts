/** Largest divisors for which every step stays exact in a double: rest * 65,536 < 2^53, and rest * 5^9 < 2^53. */
const TENS_MAX = 1e11
const TWOS_MAX = 2 ** 32
const FIVE_TO_9 = 1953125

/**
 * Turns a pcapng timestamp (a 64-bit count of units) into seconds and nanoseconds, without a BigInt for the
 * resolutions that tools write (10^0 to 10^11, 2^0 to 2^32 a second).
 */
export class TimeResolution {
  seconds = 0
  nanoseconds = 0
  readonly #unitsPerSecond: number
  readonly #unitsPerSecondExact: bigint
  readonly #isBinary: boolean
  readonly #offsetSeconds: number

  /**
   * @param resolution    if_tsresol: a power of ten, or of two when the top bit is set
   * @param offsetSeconds if_tsoffset
   */
  constructor(resolution: number, offsetSeconds: number) {
    const base = resolution & 0x80 ? 2n : 10n
    // Over 2^63 or 10^19 units a second a 64-bit count is a fraction of a second: such a file has no time to
    // tell.
    const exponent = Math.min(resolution & 0x7f, base === 2n ? 63 : 19)
    this.#unitsPerSecondExact = base ** BigInt(exponent)
    this.#unitsPerSecond = Number(this.#unitsPerSecondExact)
    this.#isBinary = base === 2n
    this.#offsetSeconds = offsetSeconds
  }

  /** Sets `seconds` and `nanoseconds` from the two halves of the count. */
  convert(high: number, low: number): void {
    const units = this.#unitsPerSecond
    if (units > (this.#isBinary ? TWOS_MAX : TENS_MAX)) return this.#convertExactly(high, low)
    let rest = high % units
    let seconds = Math.floor(high / units) * 4294967296
    rest = rest * 65536 + (low >>> 16)
    seconds += Math.floor(rest / units) * 65536
    rest = (rest % units) * 65536 + (low & 0xffff)
    seconds += Math.floor(rest / units)
    rest %= units
    this.seconds = seconds + this.#offsetSeconds
    // 10^9 is 5^9 * 2^9, and a power of two divides a double exactly.
    if (this.#isBinary) this.nanoseconds = Math.floor((rest * FIVE_TO_9) / (units / 512))
    else this.nanoseconds = Math.floor(units > 1e9 ? rest / (units / 1e9) : rest * (1e9 / units))
  }

  #convertExactly(high: number, low: number): void {
    const count = (BigInt(high) << 32n) | BigInt(low)
    const units = this.#unitsPerSecondExact
    this.seconds = Number(count / units) + this.#offsetSeconds
    this.nanoseconds = Number(((count % units) * 1_000_000_000n) / units)
  }
}

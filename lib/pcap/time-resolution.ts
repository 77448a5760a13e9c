/** Largest divisor for which the steps of the long division stay exact in a double: r * 65,536 < 2^53. */
const EXACT_DIVISOR_MAX = 1e11

/**
 * Turns a pcapng timestamp (a 64-bit count of units) into seconds and nanoseconds, without a BigInt for the
 * resolutions that tools write (10^0 to 10^11 a second).
 */
export class TimeResolution {
  seconds = 0
  nanoseconds = 0
  readonly #unitsPerSecond: number
  readonly #unitsPerSecondExact: bigint
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
    this.#offsetSeconds = offsetSeconds
  }

  /** Sets `seconds` and `nanoseconds` from the two halves of the count. */
  convert(high: number, low: number): void {
    const units = this.#unitsPerSecond
    if (units > EXACT_DIVISOR_MAX) return this.#convertExactly(high, low)
    let rest = high % units
    let seconds = Math.floor(high / units) * 4294967296
    rest = rest * 65536 + (low >>> 16)
    seconds += Math.floor(rest / units) * 65536
    rest = (rest % units) * 65536 + (low & 0xffff)
    seconds += Math.floor(rest / units)
    rest %= units
    this.seconds = seconds + this.#offsetSeconds
    this.nanoseconds = Math.floor(units > 1e9 ? rest / (units / 1e9) : (rest * 1e9) / units)
  }

  #convertExactly(high: number, low: number): void {
    const count = (BigInt(high) << 32n) | BigInt(low)
    const units = this.#unitsPerSecondExact
    this.seconds = Number(count / units) + this.#offsetSeconds
    this.nanoseconds = Number(((count % units) * 1_000_000_000n) / units)
  }
}

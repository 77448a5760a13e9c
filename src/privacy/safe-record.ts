/**
 * A record behind the privacy wall. Only `Wall` makes one, so whoever takes a SafeRecord cannot be given raw
 * values; the class is exported as a type alone.
 */
export class SafeRecord {
  /** Makes the type nominal: nothing else has this member. */
  readonly #brand = true
  /**
   * Address of the RECORD in shared memory (wasm/layout.ts); valid until the wall is asked for another one.
   */
  readonly pointer: number
  /** Its bytes; 0 when there is no record because it did not fit (counted). */
  readonly length: number

  constructor(pointer: number, length: number) {
    this.pointer = pointer
    this.length = length
  }

  /** Whether something is a SafeRecord, whatever its type says. */
  static isSafe(value: object): boolean {
    return #brand in value && value.#brand
  }
}

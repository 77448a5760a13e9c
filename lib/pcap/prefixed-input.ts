import type { ByteInput } from './byte-input.ts'

/** A stream whose first bytes were read already: gives them back first. */
export class PrefixedInput implements ByteInput {
  readonly name: string
  readonly size: number | undefined
  readonly #rest: ByteInput
  #prefix: Uint8Array | undefined

  constructor(rest: ByteInput, prefix: Uint8Array) {
    this.name = rest.name
    this.size = rest.size
    this.#rest = rest
    this.#prefix = prefix.length > 0 ? prefix : undefined
  }

  get damage(): ByteInput['damage'] {
    return this.#rest.damage
  }

  read(bytes: Uint8Array, at: number, length: number): number {
    const prefix = this.#prefix
    if (prefix === undefined) return this.#rest.read(bytes, at, length)
    const count = Math.min(prefix.length, length)
    bytes.set(prefix.subarray(0, count), at)
    this.#prefix = count < prefix.length ? prefix.subarray(count) : undefined
    return count
  }

  close(): void {
    this.#rest.close()
  }
}

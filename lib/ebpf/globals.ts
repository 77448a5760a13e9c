import type { BtfField } from './btf.ts'

/** Where the bytes of a section are right now. */
export interface GlobalsMemory {
  /** Live memory, or a copy when `writable` is false. */
  readonly bytes: Uint8Array
  readonly writable: boolean
}

/**
 * The global variables of one data section, by name. Before `load` they are the initial values; after
 * it `.data` and `.bss` are the live memory the program works on, and `.rodata` is read-only.
 */
export class Globals {
  readonly section: string
  readonly #fields: ReadonlyMap<string, BtfField>
  readonly #memory: () => GlobalsMemory

  constructor(section: string, fields: readonly BtfField[], memory: () => GlobalsMemory) {
    this.section = section
    this.#fields = new Map(fields.map((field) => [field.name, field]))
    this.#memory = memory
  }

  get names(): readonly string[] {
    return [...this.#fields.keys()]
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  /** A scalar: `bigint` for 8 bytes, `boolean` for bool, else `number`. @throws TypeError for others. */
  get(name: string): number | bigint | boolean {
    const { kind, sizeBytes } = this.#scalar(name)
    const view = this.view(name)
    if (kind === 'boolean') return view.getUint8(0) !== 0
    const isSigned = kind === 'signed'
    switch (sizeBytes) {
      case 1: return isSigned ? view.getInt8(0) : view.getUint8(0)
      case 2: return isSigned ? view.getInt16(0, true) : view.getUint16(0, true)
      case 4: return isSigned ? view.getInt32(0, true) : view.getUint32(0, true)
      default: return isSigned ? view.getBigInt64(0, true) : view.getBigUint64(0, true)
    }
  }

  /**
   * Sets a scalar. Constants (`.rodata`) can only be set before `load`, since the verifier reads them.
   * @throws RangeError when `value` does not fit, TypeError for an array or struct (write to `bytes`).
   */
  set(name: string, value: number | bigint | boolean): void {
    const { kind, sizeBytes } = this.#scalar(name)
    const wide = BigInt(value)
    const bits = sizeBytes * 8
    const fits = kind === 'boolean' ? wide === 0n || wide === 1n
      : kind === 'signed' ? BigInt.asIntN(bits, wide) === wide : BigInt.asUintN(bits, wide) === wide
    if (!fits) throw new RangeError(`Cannot set "${name}" to ${value}: it is ${kind} with ${bits} bits`)
    this.#requireWritable(name)
    const view = this.view(name)
    switch (sizeBytes) {
      case 1: view.setUint8(0, Number(BigInt.asUintN(8, wide))); break
      case 2: view.setUint16(0, Number(BigInt.asUintN(16, wide)), true); break
      case 4: view.setUint32(0, Number(BigInt.asUintN(32, wide)), true); break
      default: view.setBigUint64(0, BigInt.asUintN(64, wide), true)
    }
  }

  /** Copies `value` into an array or struct; a shorter value leaves the rest as it is. */
  setBytes(name: string, value: Uint8Array): void {
    const target = this.bytes(name)
    if (value.length > target.length) {
      throw new RangeError(`Cannot set "${name}" to ${value.length} bytes: it has ${target.length}`)
    }
    this.#requireWritable(name)
    target.set(value)
  }

  /** The variable's bytes: live memory, a copy for constants once loaded. Emptied by `load` and `close`. */
  bytes(name: string): Uint8Array {
    const { offsetBytes, sizeBytes } = this.#field(name)
    return this.#memory().bytes.subarray(offsetBytes, offsetBytes + sizeBytes)
  }

  /** The variable's bytes as a DataView; BPF objects are little-endian here. */
  view(name: string): DataView {
    const bytes = this.bytes(name)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #field(name: string): BtfField {
    const field = this.#fields.get(name)
    if (field !== undefined) return field
    throw new RangeError(
      `Cannot find the global variable "${name}" in "${this.section}": it has ${listed(this.names)}`)
  }

  #scalar(name: string): BtfField {
    const field = this.#field(name)
    if (field.kind !== 'bytes') return field
    throw new TypeError(
      `Cannot treat "${name}" as a scalar: it is ${field.sizeBytes} bytes of an array or struct; use bytes()`)
  }

  #requireWritable(name: string): void {
    if (this.#memory().writable) return
    throw new TypeError(
      `Cannot set "${name}": "${this.section}" is frozen once the object is loaded; set it before load()`)
  }
}

/** `"a", "b"` or `none`: what a message lists after "there are". */
export function listed(names: Iterable<string>): string {
  const quoted = [...names].map((name) => `"${name}"`)
  return quoted.length === 0 ? 'none' : quoted.join(', ')
}

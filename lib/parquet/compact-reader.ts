import { binary, bool, type Fields, i32, i64, type Thrift } from './compact-writer.ts'

/** Types on the wire; of the others Parquet's footers have none that this writer writes. */
const [TRUE, FALSE, I32, I64, BINARY, LIST, STRUCT] = [1, 2, 5, 6, 8, 9, 12]
const SHORT_LIST = 15
const DEPTH_MAX = 16

/** What is not in the compact protocol, or has types that `Thrift` does not. */
export class CompactError extends Error {
  override readonly name = 'CompactError'
}

/** Reads a struct of Thrift's compact protocol: what `compact` writes. @throws {CompactError} */
export function readCompact(bytes: Uint8Array): Fields {
  return new CompactReader(bytes).struct(0)
}

class CompactReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(depth: number): Fields {
    if (depth > DEPTH_MAX) throw new CompactError('structs stand in each other too deep')
    const fields: [number, Thrift][] = []
    for (let id = 0; ;) {
      const head = this.#byte()
      if (head === 0) return fields
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4)
      fields.push([id, this.#value(head & 15, depth)])
    }
  }

  #value(type: number, depth: number): Thrift {
    switch (type) {
      case TRUE: case FALSE: return bool(type === TRUE)
      case I32: return i32(this.#zigzag())
      case I64: return i64(this.#zigzag())
      case BINARY: return binary(this.#piece(this.#varint()))
      case STRUCT: return { type: 'struct', value: this.struct(depth + 1) }
      case LIST: return this.#list(depth)
      default: throw new CompactError(`type ${type} is not known`)
    }
  }

  #list(depth: number): Thrift {
    if (depth > DEPTH_MAX) throw new CompactError('lists stand in each other too deep')
    const head = this.#byte()
    const of = head & 15
    const count = head >> 4 === SHORT_LIST ? this.#varint() : head >> 4
    // An element takes a byte at least.
    if (count > this.#bytes.length - this.#at || of === TRUE || of === FALSE) throw new CompactError('a list is not whole')
    return { type: 'list', of, value: Array.from({ length: count }, () => this.#value(of, depth + 1)) }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new CompactError('it ends too early')
    return byte
  }

  #piece(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new CompactError('it ends too early')
    return this.#bytes.subarray(this.#at, this.#at += length)
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (!Number.isSafeInteger(value)) throw new CompactError('a number is too large')
      if (byte < 128) return value
    }
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

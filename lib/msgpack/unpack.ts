/** A value of a peer: texts and binaries are both bytes, since old peers do not tell them apart; names of maps are text. */
export type Unpacked = null | boolean | number | Buffer | readonly Unpacked[] | ReadonlyMap<string, Unpacked>

const DEPTH_MAX = 16

class Incomplete extends Error {}

/**
 * The first value of `bytes`, for the short answers of servers.
 *
 * @param bytes bounded by the caller; no more is allocated than it holds
 * @returns undefined when more is to come
 * @throws {SyntaxError} when it is no MessagePack, has an extension or a name that is no text, or is deeper than 16
 */
export function unpack(bytes: Buffer): { readonly value: Unpacked, readonly used: number } | undefined {
  const reader = new Reader(bytes)
  try {
    return { value: reader.value(0), used: reader.at }
  } catch (error) {
    if (error instanceof Incomplete) return undefined
    throw error
  }
}

class Reader {
  at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  value(depth: number): Unpacked {
    if (depth > DEPTH_MAX) throw new SyntaxError('Cannot unpack: too deep')
    const code = this.#unsigned(1)
    if (code < 0x80) return code
    if (code < 0x90) return this.#map(code & 0x0f, depth)
    if (code < 0xa0) return this.#array(code & 0x0f, depth)
    if (code < 0xc0) return this.#take(code & 0x1f)
    if (code >= 0xe0) return code - 0x100
    return this.#coded(code, depth)
  }

  #coded(code: number, depth: number): Unpacked {
    switch (code) {
      case 0xc0: return null
      case 0xc2: return false
      case 0xc3: return true
      case 0xc4: case 0xd9: return this.#take(this.#unsigned(1))
      case 0xc5: case 0xda: return this.#take(this.#unsigned(2))
      case 0xc6: case 0xdb: return this.#take(this.#unsigned(4))
      case 0xca: return this.#take(4).readFloatBE()
      case 0xcb: return this.#take(8).readDoubleBE()
      case 0xcc: case 0xcd: case 0xce: return this.#unsigned(1 << (code - 0xcc))
      case 0xcf: return Number(this.#take(8).readBigUInt64BE())
      case 0xd0: case 0xd1: case 0xd2: return this.#take(1 << (code - 0xd0)).readIntBE(0, 1 << (code - 0xd0))
      case 0xd3: return Number(this.#take(8).readBigInt64BE())
      case 0xdc: case 0xdd: return this.#array(this.#unsigned(code === 0xdc ? 2 : 4), depth)
      case 0xde: case 0xdf: return this.#map(this.#unsigned(code === 0xde ? 2 : 4), depth)
      default: throw new SyntaxError(`Cannot unpack: code 0x${code.toString(16)} at byte ${this.at - 1}`)
    }
  }

  #array(count: number, depth: number): readonly Unpacked[] {
    this.#need(count)
    const values: Unpacked[] = []
    for (let left = count; left > 0; left--) values.push(this.value(depth + 1))
    return values
  }

  #map(count: number, depth: number): ReadonlyMap<string, Unpacked> {
    this.#need(count * 2)
    const pairs = new Map<string, Unpacked>()
    for (let left = count; left > 0; left--) {
      const name = this.value(depth + 1)
      if (!Buffer.isBuffer(name)) throw new SyntaxError('Cannot unpack: a name that is no text')
      pairs.set(name.toString(), this.value(depth + 1))
    }
    return pairs
  }

  #unsigned(size: number): number {
    return this.#take(size).readUIntBE(0, size)
  }

  #take(size: number): Buffer {
    this.#need(size)
    this.at += size
    return this.#bytes.subarray(this.at - size, this.at)
  }

  #need(size: number): void {
    if (this.at + size > this.#bytes.length) throw new Incomplete()
  }
}

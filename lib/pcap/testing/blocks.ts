/** Blocks of a pcapng file, in either byte order, for tests. */
export class BlockWriter {
  readonly #parts: Uint8Array[] = []
  readonly #bigEndian: boolean

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  /** Any bytes, right or wrong. */
  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  block(type: number, body: Uint8Array, lengths: { before?: number; after?: number } = {}): this {
    const padded = Buffer.concat([body, new Uint8Array(-body.length & 3)])
    const total = padded.length + 12
    return this.raw(Buffer.concat([
      this.u32(type), this.u32(lengths.before ?? total), padded, this.u32(lengths.after ?? total),
    ]))
  }

  section(major = 1): this {
    return this.block(0x0a0d0d0a, Buffer.concat([
      this.u32(0x1a2b3c4d), this.u16(major), this.u16(0), this.u32(0xffffffff), this.u32(0xffffffff),
    ]))
  }

  interface(linkType: number, options: ReadonlyArray<readonly [number, Uint8Array]> = [], snapLength = 0): this {
    return this.block(1, Buffer.concat([
      this.u16(linkType), this.u16(0), this.u32(snapLength), this.options(options),
    ]))
  }

  enhanced(
    id: number,
    time: bigint,
    data: Uint8Array,
    more: { captured?: number; wire?: number; options?: ReadonlyArray<readonly [number, Uint8Array]> } = {},
  ): this {
    return this.block(6, Buffer.concat([
      this.u32(id), this.u32(Number(time >> 32n)), this.u32(Number(time & 0xffffffffn)),
      this.u32(more.captured ?? data.length), this.u32(more.wire ?? data.length),
      data, new Uint8Array(-data.length & 3), this.options(more.options ?? []),
    ]))
  }

  options(options: ReadonlyArray<readonly [number, Uint8Array]>): Uint8Array {
    if (options.length === 0) return new Uint8Array(0)
    const parts = options.flatMap(([code, value]) => [
      this.u16(code), this.u16(value.length), value, new Uint8Array(-value.length & 3),
    ])
    return Buffer.concat([...parts, new Uint8Array(4)])
  }

  u16(value: number): Uint8Array {
    const bytes = Buffer.alloc(2)
    if (this.#bigEndian) bytes.writeUInt16BE(value)
    else bytes.writeUInt16LE(value)
    return bytes
  }

  u32(value: number): Uint8Array {
    const bytes = Buffer.alloc(4)
    if (this.#bigEndian) bytes.writeUInt32BE(value >>> 0)
    else bytes.writeUInt32LE(value >>> 0)
    return bytes
  }
}

/** Fields of a message of Protocol Buffers: number to values in order; doubles and bytes raw. */
export function fields(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
  const found = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const length = (key & 7) === 1 ? 8 : (key & 7) === 2 ? Number(varint()) : 0
    const value = (key & 7) === 0 ? varint() : bytes.subarray(at, at += length)
    if (at > bytes.length) throw new Error('a message that is cut')
    found.set(key >> 3, [...found.get(key >> 3) ?? [], value])
  }
  return found
}

export function sint(value: unknown): number {
  const number = value as bigint
  return Number(number & 1n ? -((number + 1n) / 2n) : number / 2n)
}

export function double(value: unknown): number {
  return (value as Buffer).readDoubleLE()
}

/** What Snappy's block format holds. @throws {Error} on what is not that */
export function unsnappy(bytes: Buffer): Buffer {
  let [at, size, to] = [0, 0, 0]
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++] as number
    size += (byte & 0x7f) * shift
    if (byte < 0x80) break
  }
  const out = Buffer.alloc(size)
  while (at < bytes.length) {
    const tag = bytes[at++] as number
    if ((tag & 3) === 0) {
      const wide = (tag >> 2) - 59
      const length = 1 + (wide <= 0 ? tag >> 2 : bytes.readUIntLE(at, wide))
      at += Math.max(0, wide)
      if (to + length > size || at + length > bytes.length) throw new Error('a literal that is too long')
      bytes.copy(out, to, at, at += length)
      to += length
    } else {
      if ((tag & 3) !== 2) throw new Error('a copy that is not written here')
      const offset = bytes.readUInt16LE(at)
      at += 2
      if (offset === 0 || offset > to || to + (tag >> 2) + 1 > size) throw new Error('a copy from nowhere')
      for (let left = (tag >> 2) + 1; left > 0; left--, to++) out[to] = out[to - offset] as number
    }
  }
  if (to !== size) throw new Error(`${to} bytes of ${size}`)
  return out
}

/** Field number to what stands there last: bytes, or a varint as a number (beyond 2^53 the nearest). Fixed-size fields are left out. */
export type WireFields = ReadonlyMap<number, Buffer | number>

/** A message of protocol buffers; undefined when it is none. Fields that are not known are no trouble. */
export function wireFields(bytes: Buffer): WireFields | undefined {
  const fields = new Map<number, Buffer | number>()
  let at = 0
  /** Negative when there is none. */
  const varint = (): number => {
    let [value, scale] = [0n, 0n]
    for (let byte = 0x80; byte > 0x7f; scale += 7n) {
      if (at >= bytes.length || scale > 63n) return -1
      byte = bytes[at++] as number
      value |= BigInt(byte & 0x7f) << scale
    }
    return Number(BigInt.asUintN(63, value))
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    if (number < 1) return undefined
    const type = tag % 8
    const size = type === 0 ? 0 : type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : -1
    if (size < 0 || at + size > bytes.length) return undefined
    if (type === 0) {
      const value = varint()
      if (value < 0) return undefined
      fields.set(number, value)
    }
    if (type === 2) fields.set(number, bytes.subarray(at, at + size))
    at += size
  }
  return fields
}

/** The text of a field; '' when it is not there. */
export function textOf(fields: WireFields | undefined, number: number): string {
  const value = fields?.get(number)
  return Buffer.isBuffer(value) ? value.toString() : ''
}

/** The message in a field. */
export function messageOf(fields: WireFields | undefined, number: number): WireFields | undefined {
  const value = fields?.get(number)
  return Buffer.isBuffer(value) ? wireFields(value) : undefined
}

/** The number in a field; 0 when it is not there. */
export function numberOf(fields: WireFields | undefined, number: number): number {
  const value = fields?.get(number)
  return typeof value === 'number' ? value : 0
}

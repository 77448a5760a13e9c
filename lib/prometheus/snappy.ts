/** Each block is compressed by itself, so that offsets have two bytes. */
const BLOCK_BYTES = 65_536
const HASH_BITS = 14
const MATCH_MIN = 4
const COPY_MAX = 64
/** The last bytes of a block are literals: a match is looked for by four bytes. */
const TAIL_BYTES = 4

/** Snappy's block format: https://github.com/google/snappy/blob/main/format_description.txt */
export function snappy(bytes: Buffer): Buffer {
  // Literals cost a tag of 3 bytes a block and of 1 between copies, which take the place of 4 bytes at least.
  const out = Buffer.allocUnsafe(16 + bytes.length + Math.ceil(bytes.length / 6))
  let at = 0
  for (let left = bytes.length; ; left = Math.floor(left / 128)) {
    out[at++] = left > 127 ? left % 128 | 0x80 : left
    if (left <= 127) break
  }
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) at = block(bytes, start, Math.min(bytes.length, start + BLOCK_BYTES), out, at)
  return out.subarray(0, at)
}

/** @returns the end of what was written */
function block(bytes: Buffer, start: number, end: number, out: Buffer, outAt: number): number {
  const places = new Int32Array(1 << HASH_BITS).fill(-1)
  let [at, literal, to] = [start, start, outAt]
  while (at + TAIL_BYTES <= end) {
    const word = bytes.readUInt32LE(at)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS)
    const before = places[slot] as number
    places[slot] = at
    if (before === -1 || bytes.readUInt32LE(before) !== word) {
      at++
      continue
    }
    to = literals(bytes, literal, at, out, to)
    let length = MATCH_MIN
    while (at + length < end && bytes[before + length] === bytes[at + length]) length++
    to = copies(at - before, length, out, to)
    at += length
    literal = at
  }
  return literals(bytes, literal, end, out, to)
}

function literals(bytes: Buffer, start: number, end: number, out: Buffer, outAt: number): number {
  const length = end - start
  if (length === 0) return outAt
  let to = outAt
  if (length <= 60) out[to++] = (length - 1) << 2
  else if (length <= 256) {
    out[to++] = 60 << 2
    out[to++] = length - 1
  } else {
    out[to++] = 61 << 2
    to = out.writeUInt16LE(length - 1, to)
  }
  return to + bytes.copy(out, to, start, end)
}

/** Copies with offsets of two bytes. */
function copies(offset: number, length: number, out: Buffer, outAt: number): number {
  let to = outAt
  for (let left = length; left > 0; left -= COPY_MAX) {
    out[to++] = (Math.min(left, COPY_MAX) - 1) << 2 | 2
    to = out.writeUInt16LE(offset, to)
  }
  return to
}

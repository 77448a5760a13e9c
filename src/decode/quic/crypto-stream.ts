/** RFC 9000 7.5 asks for 4,096 bytes at least; a ClientHello with post-quantum keys has some 2,000. */
const CRYPTO_BYTES_MAX = 65_536
const PIECES_MAX = 256
const BYTES_MIN = 2048
const MESSAGE_HEADER_BYTES = 4

/**
 * The stream of CRYPTO frames of one direction, put in order: pieces in any order, twice, overlapping (the first bytes win);
 * and the messages in it, one after the other.
 *
 * Bound: CRYPTO_BYTES_MAX and PIECES_MAX holes.
 */
export class CryptoStream {
  #bytes = new Uint8Array(0)
  /** What is there, as pairs of first and end, in order and apart. */
  readonly #pieces: [number, number][] = []
  /** Where the next message begins. */
  #next = 0

  /** @returns false when it is over the bound, with nothing changed */
  add(offset: number, data: Uint8Array): boolean {
    const end = offset + data.length
    if (end > CRYPTO_BYTES_MAX || this.#pieces.length >= PIECES_MAX) return false
    if (data.length === 0) return true
    if (end > this.#bytes.length) this.#grow(end)
    let at = offset
    for (const [first, last] of this.#pieces) {
      if (at >= end) break
      if (last <= at) continue
      if (first > at) this.#bytes.set(data.subarray(at - offset, Math.min(first, end) - offset), at)
      at = last
    }
    if (at < end) this.#bytes.set(data.subarray(at - offset), at)
    this.#join(offset, end)
    return true
  }

  /** The next message, header included, once it is whole: each is given once. */
  message(): Uint8Array | undefined {
    const at = this.#next
    const [first, end] = this.#pieces[0] ?? [0, 0]
    if (first !== 0 || end < at + MESSAGE_HEADER_BYTES) return undefined
    const size = MESSAGE_HEADER_BYTES + this.#bytes[at + 1]! * 0x10000 + this.#bytes[at + 2]! * 0x100 + this.#bytes[at + 3]!
    if (end < at + size) return undefined
    this.#next = at + size
    return this.#bytes.subarray(at, at + size)
  }

  #grow(needed: number): void {
    let size = Math.max(BYTES_MIN, this.#bytes.length)
    while (size < needed) size *= 2
    const grown = new Uint8Array(size)
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  #join(first: number, end: number): void {
    let index = 0
    while (index < this.#pieces.length && this.#pieces[index]![1] < first) index++
    let last = index
    let [from, to] = [first, end]
    while (last < this.#pieces.length && this.#pieces[last]![0] <= end) {
      from = Math.min(from, this.#pieces[last]![0])
      to = Math.max(to, this.#pieces[last]![1])
      last++
    }
    this.#pieces.splice(index, last - index, [from, to])
  }
}

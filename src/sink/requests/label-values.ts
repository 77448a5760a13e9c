/** What a label says of values beyond its bound. */
export const OTHER = 'other'

/** Ids of the value that is not there, and of OTHER. */
export const ABSENT_ID = 0
export const OTHER_ID = 1
const FIRST_ID = 2

const VALUE_BYTES_MAX = 128

/** The values of one label, each by a small number: what is known is found by its bytes. Bound: values; those beyond it are OTHER, counted. */
export class LabelValues {
  readonly #valuesMax: number
  readonly #texts: string[] = ['', OTHER]
  readonly #bytes: Uint8Array[] = [new Uint8Array(0), new Uint8Array(0)]
  /** Ids by hash, 0 = free. */
  readonly #slots: Uint16Array
  #others = 0

  constructor(valuesMax: number) {
    this.#valuesMax = valuesMax
    this.#slots = new Uint16Array(2 ** Math.ceil(Math.log2(valuesMax * 4)))
  }

  /** How many of them are told apart: ids are below. */
  get idsMax(): number {
    return this.#valuesMax + FIRST_ID
  }

  /** How often a value was OTHER for want of room. */
  get others(): number {
    return this.#others
  }

  text(id: number): string {
    return this.#texts[id] as string
  }

  /** @param bytes the value stands in [start, end), escaped as JSON texts are */
  id(bytes: Buffer, start: number, end: number): number {
    if (end <= start) return ABSENT_ID
    let hash = 0x811c9dc5 // FNV-1a
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
    const mask = this.#slots.length - 1
    for (let slot = (hash >>> 0) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] as number
      if (id === 0) return this.#add(slot, bytes, start, end)
      if (this.#isSame(id, bytes, start, end)) return id
    }
  }

  #isSame(id: number, bytes: Buffer, start: number, end: number): boolean {
    const known = this.#bytes[id] as Uint8Array
    if (known.length !== end - start) return false
    for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false
    return true
  }

  #add(slot: number, bytes: Buffer, start: number, end: number): number {
    if (this.#texts.length === this.idsMax || end - start > VALUE_BYTES_MAX) {
      this.#others++
      return OTHER_ID
    }
    const text = JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string
    if (text === OTHER) return OTHER_ID // two ids of one text would be one series twice
    this.#slots[slot] = this.#texts.length
    this.#bytes.push(Uint8Array.prototype.slice.call(bytes, start, end))
    return this.#texts.push(text) - 1
  }
}

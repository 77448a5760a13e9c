import type { LineArea } from '../../../lib/record/mod.ts'

/** Values of one list; a record with more keeps its headers under their own name. */
const VALUES_MAX = 1000
/** Bytes of the list: names stand in it once for each value. */
const BYTES_MAX = 1024 * 1024
/** What stands around a name and a value. */
const AROUND = ',{"name":,"value":}'.length
const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d]

/** Headers of a record, `{"name":["value",...],...}`, as pairs: where they stand in the area's memory, quotes with them. */
export class HeaderList {
  readonly #u8: Uint8Array
  readonly #places = new Uint32Array(VALUES_MAX * 4)
  count = 0
  #at = 0

  constructor(area: LineArea) {
    this.#u8 = area.memory.u8
  }

  /** @returns false when it is not in that form, or is beyond a bound */
  read(start: number, end: number): boolean {
    const u8 = this.#u8
    this.count = 0
    if (u8[start] !== OPEN) return false
    let bytes = 0
    this.#at = start + 1
    while (u8[this.#at] === QUOTE) {
      const nameAt = this.#at
      const nameEnd = this.#endOfText(end)
      if (u8[nameEnd] !== COLON || u8[nameEnd + 1] !== OPEN_ARRAY) return false
      this.#at = nameEnd + 2
      while (u8[this.#at] === QUOTE) {
        const valueAt = this.#at
        const valueEnd = this.#endOfText(end)
        bytes += AROUND + nameEnd - nameAt + valueEnd - valueAt
        if (this.count === VALUES_MAX || bytes > BYTES_MAX) return false
        const place = this.count++ * 4
        this.#places[place] = nameAt
        this.#places[place + 1] = nameEnd
        this.#places[place + 2] = valueAt
        this.#places[place + 3] = valueEnd
        this.#at = u8[valueEnd] === COMMA ? valueEnd + 1 : valueEnd
      }
      if (u8[this.#at] !== CLOSE_ARRAY) return false
      this.#at++
      if (u8[this.#at] === COMMA) this.#at++
    }
    return u8[this.#at] === CLOSE && this.#at === end - 1
  }

  place(index: number, which: 0 | 1 | 2 | 3): number {
    return this.#places[index * 4 + which] as number
  }

  /** Behind the closing quote of the text that begins here. */
  #endOfText(end: number): number {
    const u8 = this.#u8
    let at = this.#at + 1
    while (at < end && u8[at] !== QUOTE) at += u8[at] === BACKSLASH ? 2 : 1
    return at + 1
  }
}

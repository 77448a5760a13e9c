/**
 * Several doubly linked rings over the slots 0 ... count - 1, each slot in at most one: oldest first, every
 * step O(1), no object per entry.
 */
export class SlotLists {
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #slotCount: number

  /** @param slotCount slots; @param listCount lists, named 0 ... listCount - 1 */
  constructor(slotCount: number, listCount: number) {
    this.#slotCount = slotCount
    this.#next = new Int32Array(slotCount + listCount)
    this.#previous = new Int32Array(slotCount + listCount)
    // A list's anchor is a node of its own: no case for the empty list.
    for (let anchor = slotCount; anchor < slotCount + listCount; anchor++) {
      this.#next[anchor] = this.#previous[anchor] = anchor
    }
  }

  /** Appends a slot that is in no list. */
  append(list: number, slot: number): void {
    this.insert(this.#slotCount + list, slot)
  }

  /** Puts a slot that is in no list before `younger`. */
  insert(younger: number, slot: number): void {
    const previous = this.#previous[younger]!
    this.#next[previous] = slot
    this.#previous[slot] = previous
    this.#next[slot] = younger
    this.#previous[younger] = slot
  }

  /** Takes a slot out of the list it is in. */
  remove(slot: number): void {
    const previous = this.#previous[slot]!
    const next = this.#next[slot]!
    this.#next[previous] = next
    this.#previous[next] = previous
  }

  /** Makes a slot of `list` its youngest. */
  touch(list: number, slot: number): void {
    if (this.#next[slot] === this.#slotCount + list) return
    this.remove(slot)
    this.append(list, slot)
  }

  /** The oldest slot of a list, -1 = the list is empty. */
  first(list: number): number {
    const slot = this.#next[this.#slotCount + list]!
    return slot >= this.#slotCount ? -1 : slot
  }

  /** The youngest slot of a list, -1 = the list is empty. */
  last(list: number): number {
    const slot = this.#previous[this.#slotCount + list]!
    return slot >= this.#slotCount ? -1 : slot
  }

  /** The slot before `slot` in its list, -1 = none. */
  before(slot: number): number {
    const previous = this.#previous[slot]!
    return previous >= this.#slotCount ? -1 : previous
  }

  /** The slot after `slot` in its list, -1 = none. */
  after(slot: number): number {
    const next = this.#next[slot]!
    return next >= this.#slotCount ? -1 : next
  }
}

/** Counts over a closed set: an object of names to small indexes. */
export class Counts<Name extends string> {
  readonly #names: Readonly<Record<Name, number>>
  readonly #values: Float64Array

  constructor(names: Readonly<Record<Name, number>>) {
    this.#names = names
    this.#values = new Float64Array(Object.keys(names).length)
  }

  add(index: number): void {
    this.#values[index]! += 1
  }

  addMany(index: number, count: number): void {
    this.#values[index]! += count
  }

  of(index: number): number {
    return this.#values[index]!
  }

  /** What is not 0, by name in lower case. */
  entries(): Map<string, number> {
    const entries = new Map<string, number>()
    for (const name of Object.keys(this.#names) as Name[]) {
      const value = this.#values[this.#names[name]]!
      if (value !== 0) entries.set(name.toLowerCase(), value)
    }
    return entries
  }
}

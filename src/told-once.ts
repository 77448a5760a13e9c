/** Messages that are remembered; one beyond them is told by each worker. */
const MESSAGES_MAX = 4096

/**
 * Workers that read the same file meet the same faults of it: what one has said the others need not say again. A message that one worker
 * says twice is told twice.
 */
export class ToldOnce {
  /** How often each worker said it, and how often it was told. */
  readonly #said = new Map<string, { readonly byWorker: Map<number, number>, told: number }>()

  /** @returns whether it is to be told */
  isNew(worker: number, message: string): boolean {
    const entry = this.#said.get(message) ?? { byWorker: new Map<number, number>(), told: 0 }
    if (entry.told === 0) {
      if (this.#said.size >= MESSAGES_MAX) return true
      this.#said.set(message, entry)
    }
    const count = (entry.byWorker.get(worker) ?? 0) + 1
    entry.byWorker.set(worker, count)
    if (count <= entry.told) return false
    entry.told = count
    return true
  }
}

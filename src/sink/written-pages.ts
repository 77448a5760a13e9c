import { dropFilePages } from '../../lib/ebpf/file-pages.ts'

/** So much is written between two calls. */
const STEP_BYTES = 8 << 20
/** So far back a call reaches: what the disk had not taken at the last ones. */
const REACH_BYTES = 64 << 20

/**
 * Keeps a file that is only appended to out of the page cache, but for its last few MiB. A log at saturation is 50 MB/s: without
 * this it fills the machine's memory, or that of its container, with pages that nobody reads, in place of what the gateway has
 * cached; and each page of it is a new one, which costs the machine several times what the writing does.
 *
 * Nothing waits for it: a disk that is slower than the log has its pages dropped later.
 */
export class WrittenPages {
  readonly #fd: number
  #size: number
  #running: Promise<void> | undefined

  /** @param size bytes in the file now; those stay as they are */
  constructor(fd: number, size: number) {
    this.#fd = fd
    this.#size = size
  }

  /** True when no call is under way: the descriptor can be closed. */
  get idle(): boolean {
    return this.#running === undefined
  }

  /** To be told after each append. */
  grownTo(size: number): void {
    if (this.#running !== undefined || size - this.#size < STEP_BYTES) return
    this.#size = size
    const from = Math.max(0, size - REACH_BYTES)
    this.#running = dropFilePages(this.#fd, from, size - from).then(() => {}, () => {}) // then they stay, which harms nothing
      .finally(() => { this.#running = undefined })
  }

  /** Waits for the call that is under way. */
  async settled(): Promise<void> {
    await this.#running
  }
}

import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

const STAT = '/proc/stat'
/** `cpu  user nice system idle iowait ...`: ticks of all processors together since the boot (proc_stat(5)). */
const NICE = 1
const IDLE = 3
const IOWAIT = 4

/** How many processors of the host had nothing to do, or only what is niced and gives way, as a mean since the last look. */
export class IdleCpus {
  readonly #cpus = cpus().length
  readonly #path: string
  #idle = 0
  #total = 0

  /** @param path file in the form of /proc/stat */
  constructor(path = STAT) {
    this.#path = path
    this.look()
  }

  /**
   * Ticks are 10 ms of one processor: looks less than 100 ms apart tell little.
   *
   * @returns processors, 0 to all; all where the kernel does not tell, or no tick went by
   */
  look(): number {
    const ticks = this.#ticks()
    const total = ticks.reduce((sum, tick) => sum + tick, 0)
    const idle = [NICE, IDLE, IOWAIT].reduce((sum, column) => sum + (ticks[column] ?? 0), 0)
    const share = (idle - this.#idle) / (total - this.#total)
    this.#idle = idle
    this.#total = total
    return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) * this.#cpus : this.#cpus
  }

  #ticks(): number[] {
    try {
      // Columns behind the eighth (guest) are in the first two already.
      return readFileSync(this.#path, 'latin1').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number)
    } catch {
      return []
    }
  }
}

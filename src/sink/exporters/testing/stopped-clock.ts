import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const STEP_MS = 20

/**
 * The clock of timers and of Date stands still, until it is set forward; sockets, files and the waiting of tests go on. To be stopped before
 * what it is for begins: a timer of the time before runs on, and cannot be cleared.
 */
export class StoppedClock {
  constructor() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now() })
  }

  /** Sets it forward; what is due by then happens. */
  async forward(ms: number): Promise<void> {
    mock.timers.tick(ms)
    await sleep(0)
  }

  /** Sets it forward, little by little, until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let left = 3000; !isSo(); left--) {
      if (left === 0) assert.fail(`waited in vain: ${what}`)
      await this.forward(STEP_MS)
      await sleep(STEP_MS)
    }
  }

  /** It goes on; timers that were not due never are. */
  go(): void {
    mock.timers.reset()
  }
}

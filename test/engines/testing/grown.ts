import { setTimeout as sleep } from 'node:timers/promises'

const [POLL_MS, POLLS_MAX] = [500, 600]

/**
 * Waits until there are so many, as long as there are ever more of them: a slow machine needs its time, a server that stands still has failed.
 * Looks are counted, not seconds: a machine that was halted has not waited.
 */
export async function grown(what: string, wanted: number, count: () => number | Promise<number>): Promise<void> {
  let [found, left] = [NaN, POLLS_MAX]
  for (;;) {
    const now = await count()
    if (now >= wanted) return
    if (now !== found) [found, left] = [now, POLLS_MAX]
    if (left-- === 0) throw new Error(`${what}: ${found} of ${wanted}, and no more in ${POLL_MS * POLLS_MAX / 1000} s`)
    await sleep(POLL_MS)
  }
}

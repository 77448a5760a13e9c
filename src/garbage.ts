import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A collection that gives pages back takes some 100 ms, one that does not a third of that. */
const THOROUGH_MS = 5_000

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'regular' | 'last-resort' }) => void

let collect: Collect | undefined
let thoroughAt = -Infinity

/**
 * Collects what this thread's heap no longer needs. V8 by itself waits until there is as much garbage as the heap may hold, which is
 * counted with the 256 MiB of address space of the shared memory: 150 MB and more, where little else is left.
 *
 * @param now milliseconds of any clock that goes on; every THOROUGH_MS the pages that are free go back to the system
 */
export function collectGarbage(now: number): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  const isThorough = now - thoroughAt >= THOROUGH_MS
  if (isThorough) thoroughAt = now
  collect({ type: 'major', execution: 'sync', flavor: isThorough ? 'last-resort' : 'regular' })
}

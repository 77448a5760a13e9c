import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { releaseFreeMemory } from '../lib/ebpf/free-memory.ts'

/** A collection that gives pages back takes some 100 ms, one that does not a third of that. */
const THOROUGH_MS = 5_000

type Flavor = 'regular' | 'last-resort'
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: Flavor }) => void

let run: Collect | undefined
let thoroughAt = -Infinity

/** Collects what this thread's heap no longer needs; `last-resort` also gives back to the system the pages that are free, of the C allocator too. */
export function collectGarbage(flavor: Flavor = 'regular'): void {
  if (run === undefined) {
    setFlagsFromString('--expose-gc')
    run = runInNewContext('gc') as Collect
  }
  run({ type: 'major', execution: 'sync', flavor })
  if (flavor === 'last-resort') releaseFreeMemory()
}

/**
 * The same for who is short of memory. V8 by itself waits until there is as much garbage as the heap may hold, which is counted with the
 * 256 MiB of address space of the shared memory: 150 MB and more, where little else is left.
 *
 * @param now milliseconds of any clock that goes on; every THOROUGH_MS the pages that are free go back to the system
 */
export function makeRoom(now: number): void {
  const isThorough = now - thoroughAt >= THOROUGH_MS
  if (isThorough) thoroughAt = now
  collectGarbage(isThorough ? 'last-resort' : 'regular')
}

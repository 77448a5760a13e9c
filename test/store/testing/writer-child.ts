/**
 * Writes numbered records into a store until it is killed, and says which were settled as written: `first count` a line.
 *
 * In: the folder and the first number as arguments.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import type { SafeBatch } from '../../../src/sink/mod.ts'
import { batchesOf, numberedLines, openStore, StoreHost } from './stored.ts'

const [folder, first] = [process.argv[2] as string, Number(process.argv[3])]
const BATCHES_WAITING = 4
let next = first

class TellingHost extends StoreHost {
  override settled(batch: SafeBatch, written: number): void {
    const start = starts.get(batch) as number
    starts.delete(batch)
    // At once and as one call: what is told was settled, and nothing told is lost with this process.
    if (written > 0) writeSync(1, `${start} ${written}\n`)
    setTimeout(more, 2) // as fast as it goes there would be more to count than to kill
  }

  override log(level: string, message: string): void {
    process.stderr.write(`${level}: ${message}\n`)
  }
}

const starts = new Map<SafeBatch, number>()
// Small segments: a kill falls into every step of packing, merging and expiring.
const store = openStore(folder, new TellingHost(), { segment: { bytes: '16KiB', age: '1s' } })

function more(): void {
  while (starts.size < BATCHES_WAITING) {
    const [batch] = batchesOf(numberedLines(next, 20), 20) as [SafeBatch]
    starts.set(batch, next)
    next += 20
    store.write(batch)
  }
}

more()

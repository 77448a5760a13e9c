import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { listStore } from '../../../src/sink/store/mod.ts'
import { storeSource } from '../../../src/store/mod.ts'
import { StoreDesk } from '../../../src/web/store-desk.ts'
import { batchesOf, COLUMNS, openStore, StoreHost } from '../../store/testing/stored.ts'

/** Finished segments with their roll-ups, of so many lines each; the last lines stay in a journal. */
export async function fill(path: string, lines: readonly string[], parts: number, waits = true): Promise<void> {
  for (let part = 0; part < parts; part++) {
    const sink = openStore(path, new StoreHost(), { segment: { age: '1s' } })
    const [from, to] = [part, part + 1].map(at => Math.floor(at * lines.length / parts)) as [number, number]
    for (const batch of batchesOf(lines.slice(from, to))) sink.write(batch)
    await sink.flush()
    const isDone = (): boolean => {
      const { journals, segments, rollups, covered, unfinished } = listStore(path)
      return journals.every(({ path: journal }) => readFileSync(journal).length === 0) && segments.length === rollups.size && segments.length > 0 &&
        covered.length + unfinished.length === 0
    }
    for (let left = 1500; waits && !isDone(); left--) {
      assert.ok(left > 0, 'the store was not packed in time')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await sink.close()
  }
}

/** A store as the page asks it. */
export async function withDesk<Result>(path: string, use: (desk: StoreDesk) => Promise<Result>): Promise<Result> {
  const desk = new StoreDesk(storeSource({ folder: path, columns: COLUMNS, threads: 1, memoryMiB: 512, timeoutMs: 60_000 }))
  try {
    return await use(desk)
  } finally {
    await desk.close()
  }
}

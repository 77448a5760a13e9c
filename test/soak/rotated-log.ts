import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggedRecord } from '../gateway/testing/lintel.ts'

/** Reads what an agent has rotated, and removes it, so that an hour of records never lies on the disk. */
export class RotatedLog {
  bytes = 0
  lines = 0
  readonly #directory: string
  readonly #take: (record: LoggedRecord) => void

  constructor(directory: string, take: (record: LoggedRecord) => void) {
    this.#directory = directory
    this.#take = take
  }

  /** @param isOver the agent has ended: the file that it wrote last is read too */
  read(isOver = false): void {
    const names = readdirSync(this.#directory).filter((name) => name.startsWith('log-') && name.endsWith('.ndjson')).sort()
    if (isOver) names.push('log.ndjson')
    for (const name of names) {
      const path = join(this.#directory, name)
      const text = readFileSync(path, 'utf8')
      this.bytes += text.length
      for (const line of text.split('\n')) {
        if (line === '') continue
        this.lines++
        this.#take(JSON.parse(line) as LoggedRecord)
      }
      rmSync(path)
    }
  }
}

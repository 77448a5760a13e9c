import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Attachment } from '../src/agent-contract.ts'
import { UsageError } from './exit.ts'

export interface Ready {
  readonly pid: number
  readonly version: string
  readonly attachments: readonly Attachment[]
  readonly outputs: readonly string[]
  /** Address of the metrics; missing when they are off. */
  readonly metrics?: string
}

/**
 * A file that is there, whole, as long as everything is attached: written beside its place and moved there. Whoever waits for
 * the agent waits for the file.
 */
export class ReadyFile {
  readonly #path: string
  readonly #part: string

  /** Takes the place of a file of an earlier run away. @throws {UsageError} when it could not be written later */
  constructor(path: string) {
    this.#path = path
    this.#part = `${path}.${process.pid}.part`
    try {
      rmSync(path, { force: true })
      closeSync(openSync(this.#part, 'wx', 0o644))
    } catch (error) {
      throw new UsageError(`Cannot use --ready-file "${path}": ${(error as Error).message}; choose a path in a folder that is there and writable`,
        { cause: error })
    }
  }

  write(ready: Ready): void {
    writeFileSync(this.#part, `${JSON.stringify(ready, undefined, 2)}\n`)
    renameSync(this.#part, this.#path)
  }

  remove(): void {
    rmSync(this.#part, { force: true })
    rmSync(this.#path, { force: true })
  }
}

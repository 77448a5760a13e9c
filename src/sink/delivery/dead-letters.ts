import { LineFile } from '../line-file.ts'
import type { SpooledRecord } from '../spool/mod.ts'

export interface DeadLettersOptions {
  readonly path: string
  /** Beyond it refused records are dropped, counted. */
  readonly bytesMax: number
  /** Name of the output. */
  readonly output: string
}

export interface Refused {
  readonly record: SpooledRecord
  readonly reason: string
}

/**
 * Records that a server refused for good, one a line: `{"id":...,"refused_at":...,"output":...,"reason":...,"record":{...}}`.
 * Mode 0600. Bound: bytes; the file is for people to look at, to mend and to send by hand, and is theirs to remove.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  #file: LineFile | undefined

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /**
   * @returns how many of the refusals, from the first, were seen to: `written` to the file, or `lost` because it is full
   * @throws {Error} with `code` of the system call when the first of them could not be written
   */
  async add(refused: readonly Refused[]): Promise<{ readonly written: number, readonly lost: number }> {
    if (this.#file?.replaced() === true) this.close()
    const file = this.#file ??= LineFile.open({ path: this.#options.path, mode: 0o600 }).file
    const lines: Uint8Array[] = []
    let bytes = file.size
    for (const one of refused) {
      const line = this.#line(one)
      bytes += line.length
      if (bytes > this.#options.bytesMax) break
      lines.push(line)
    }
    if (lines.length === 0) return { written: 0, lost: refused.length }
    const { bytes: done, error } = await file.append(lines)
    const written = wholeLines(lines, done)
    if (written === 0 && error !== undefined) throw error
    return { written, lost: written === lines.length ? refused.length - written : 0 }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #line({ record, reason }: Refused): Uint8Array {
    const about = JSON.stringify({ id: record.id, refused_at: new Date().toISOString(), output: this.#options.output, reason })
    return Buffer.concat([Buffer.from(`${about.slice(0, -1)},"record":`), record.line, Buffer.from('}\n')])
  }
}

/** How many of the lines, from the first, the first `bytes` bytes hold. */
function wholeLines(lines: readonly Uint8Array[], bytes: number): number {
  let [count, left] = [0, bytes]
  for (const { length } of lines) {
    if (left < length) break
    left -= length
    count++
  }
  return count
}

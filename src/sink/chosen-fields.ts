import { MemberPicker } from '../../lib/record/mod.ts'
import type { SafeBatch } from './batch.ts'
import { ownLineArea } from './own-line-area.ts'
import type { Sink, SinkHealth, SinkHost } from './sink.ts'

const LF = 10
const END = '\n'

/**
 * An output that is given some fields of each record only: what is left out is cut out of the lines before the output, and its queue
 * and spool, see them. Lines stay lines: a record of which nothing is left is `{}`.
 *
 * What it costs is held by the output's own queue: a batch is copied, and settled when the copy is.
 */
export class ChosenFieldsSink implements Sink {
  readonly #sink: Sink
  readonly #host: SinkHost
  readonly #leftOut: readonly string[]
  readonly #area = ownLineArea()
  readonly #picker: MemberPicker
  readonly #end = this.#area.text(END)
  readonly #nothing = this.#area.text('{}')
  /** By their copy. */
  readonly #batches = new Map<SafeBatch, SafeBatch>()

  /**
   * @param leftOut names of fields
   * @param open    opens the output
   * @throws {Error} what `open` throws
   */
  constructor(leftOut: readonly string[], host: SinkHost, open: (host: SinkHost) => Sink) {
    this.#leftOut = leftOut
    this.#picker = new MemberPicker(this.#area, leftOut.map(name => ({ name })))
    this.#host = host
    this.#sink = open({
      settled: (copy, written, reason) => { this.#settled(copy, written, reason) },
      ended: (name, error) => { host.ended(name, error) },
      log: (level, message) => { host.log(level, message) },
    })
  }

  get name(): string {
    return this.#sink.name
  }

  write(batch: SafeBatch): void {
    const copy = { ...batch, bytes: this.#cut(batch.bytes) }
    this.#batches.set(copy, batch)
    this.#sink.write(copy)
  }

  flush(): Promise<void> {
    return this.#sink.flush()
  }

  close(): Promise<void> {
    return this.#sink.close()
  }

  async reload(): Promise<void> {
    await this.#sink.reload?.()
  }

  health(): SinkHealth {
    return this.#sink.health()
  }

  #settled(copy: SafeBatch, written: number, reason?: string): void {
    const batch = this.#batches.get(copy)
    this.#batches.delete(copy)
    // One that was settled before is told as itself: whoever counts knows it no more, and says so.
    this.#host.settled(batch ?? copy, written, reason)
  }

  #cut(bytes: Uint8Array): Buffer {
    const area = this.#area
    area.clear()
    for (let start = 0, end = bytes.indexOf(LF); end !== -1; start = end + 1, end = bytes.indexOf(LF, start)) {
      const line = bytes.subarray(start, end)
      if (!this.#picker.pick(line)) {
        area.append(Buffer.from(cutPlainly(Buffer.from(line).toString(), this.#leftOut) + END))
        continue
      }
      if (this.#picker.restLength === 0) area.add(this.#nothing.pointer, this.#nothing.length)
      else area.add(area.rest, this.#picker.restLength)
      area.add(this.#end.pointer, this.#end.length)
      area.join()
    }
    return area.take()
  }
}

/** The same for a line that is not in the encoder's form. */
export function cutPlainly(line: string, leftOut: readonly string[]): string {
  const record = JSON.parse(line) as Record<string, unknown>
  for (const name of leftOut) remove(record, name.split('.'))
  return JSON.stringify(record)
}

/** Takes a member out, and the groups that are empty then. */
function remove(at: Record<string, unknown>, [key, ...below]: readonly string[]): void {
  const value = at[key as string]
  if (below.length === 0) delete at[key as string]
  if (below.length === 0 || typeof value !== 'object' || value === null) return
  remove(value as Record<string, unknown>, below)
  if (Object.keys(value).length === 0) delete at[key as string]
}

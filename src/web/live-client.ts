import type { Filter } from '../sink/mod.ts'

/** What waits for a browser that reads slowly. */
const QUEUE_BYTES_MAX = 1024 * 1024
/** Without an event for so long a comment is sent: a browser that is gone shows by it. */
const SILENT_TICKS = 150

/** One page that follows the records: a queue of bounded bytes, and what did not fit, counted. */
export class LiveClient {
  readonly filter: Filter | undefined
  readonly stream: ReadableStream<Uint8Array>
  readonly #encoder = new TextEncoder()
  readonly #left: () => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #lines: string[] = []
  #bytes = 0
  #missed = 0
  #started = false
  #silent = 0

  /** @param left called once, when nobody reads any more */
  constructor(filter: Filter | undefined, left: () => void) {
    this.filter = filter
    this.#left = left
    this.stream = new ReadableStream<Uint8Array>({
      start: controller => { this.#controller = controller },
      cancel: () => {
        this.#controller = undefined
        this.#left()
      },
    }, { highWaterMark: 1 })
  }

  /** A line of NDJSON: JSON has no line ends of its own. */
  push(line: string): void {
    if (this.#bytes + line.length > QUEUE_BYTES_MAX) {
      this.#missed++
      return
    }
    this.#lines.push(line)
    this.#bytes += line.length
  }

  miss(count: number): void {
    this.#missed += count
  }

  /** Sends what waits, when the last was taken. */
  tick(): void {
    if (this.#controller === undefined || (this.#controller.desiredSize ?? 0) <= 0) return
    let text = this.#started ? '' : 'retry: 2000\nevent: start\ndata: 0\n\n'
    this.#started = true
    if (this.#lines.length > 0) text += `event: records\n${this.#lines.map(line => `data: ${line}\n`).join('')}\n`
    if (this.#missed > 0) text += `event: missed\ndata: ${this.#missed}\n\n`
    this.#lines = []
    this.#bytes = 0
    this.#missed = 0
    if (text === '' && ++this.#silent < SILENT_TICKS) return
    this.#silent = 0
    this.#controller.enqueue(this.#encoder.encode(text === '' ? ': still here\n\n' : text))
  }

  end(): void {
    this.#controller?.close()
    this.#controller = undefined
    this.#left()
  }
}

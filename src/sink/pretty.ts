import type { Writable } from 'node:stream'
import { z } from 'zod'
import type { SafeBatch } from './batch.ts'
import { paintFor, prettyLine, type Paint } from './pretty-line.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from './sink-kind.ts'
import type { Sink, SinkHealth, SinkHost } from './sink.ts'
import { Tally } from './tally.ts'

/** More lines a second than this nobody reads; the rest is counted in one line. */
const LINES_PER_SECOND = 50
/** Text that waits for the terminal before lines are left out. */
const WAITING_BYTES_MAX = 256 * 1024
const SECOND_MS = 1000
const LF = 10

/**
 * One readable, coloured line an exchange. For eyes, not for machines: parses only what it shows, shows at most 50 lines
 * a second and then how many more there were. Records that are not shown count as written: they were looked at.
 */
export class PrettySink implements Sink {
  readonly name: string = 'pretty'
  readonly #stream: Writable & { readonly columns?: number | undefined }
  readonly #host: SinkHost
  readonly #tally: Tally
  readonly #paint: Paint
  readonly #timer: NodeJS.Timeout
  #shown = 0
  #more = 0
  #gone: string | undefined
  #paused = false
  #closed = false

  constructor(host: SinkHost, stream: Writable & { columns?: number } = process.stdout) {
    this.#host = host
    this.#stream = stream
    this.#tally = new Tally(host)
    this.#paint = paintFor(stream)
    this.#timer = setInterval(() => this.#tick(), SECOND_MS)
    this.#timer.unref()
    stream.on('error', this.#onError)
  }

  /** While paused nothing is shown; what passes is counted. */
  set paused(paused: boolean) {
    this.#paused = paused
    if (!paused) this.#tick()
  }

  write(batch: SafeBatch): void {
    if (this.#closed) return this.#tally.refuse(batch, 'output closed')
    if (this.#gone !== undefined) return this.#tally.refuse(batch, this.#gone)
    this.#tally.take()
    const lines = this.#lines(batch)
    this.#more += batch.count - lines.length
    if (lines.length > 0) {
      const text = lines.join('\n') + '\n'
      this.#tally.wrote(Buffer.byteLength(text))
      this.#stream.write(text)
    }
    this.#tally.settle(batch, batch.count)
  }

  flush(): Promise<void> {
    if (this.#stream.writableLength === 0 || this.#gone !== undefined) return Promise.resolve()
    return new Promise(resolve => this.#stream.write('', () => resolve()))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    this.#paused = false
    this.#tick()
  }

  health(): SinkHealth {
    return this.#tally.health(this.name, 0, 0, this.#gone)
  }

  #lines(batch: SafeBatch): string[] {
    const lines: string[] = []
    let start = 0
    while (start < batch.bytes.length && this.#room()) {
      const end = batch.bytes.indexOf(LF, start)
      const line = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, end - start).toString('utf8')
      // 0 = the terminal does not tell its width.
      lines.push(prettyLine(JSON.parse(line) as Record<string, unknown>, this.#paint, this.#stream.columns || undefined))
      this.#shown++
      start = end + 1
    }
    return lines
  }

  #room(): boolean {
    return !this.#paused && this.#shown < LINES_PER_SECOND && this.#stream.writableLength < WAITING_BYTES_MAX
  }

  #tick(): void {
    if (this.#paused) return
    this.#shown = 0
    if (this.#more === 0 || this.#gone !== undefined) return
    this.#stream.write(this.#paint('dim', `… ${this.#more} more`) + '\n')
    this.#more = 0
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#gone !== undefined) return
    const wanted = error.code === 'EPIPE'
    this.#gone = wanted ? 'reader gone' : `standard output: ${error.code ?? error.message}`
    this.#host.ended(this.name, wanted ? undefined : `Cannot write to standard output: ${error.message}`)
  }
}

export const prettyKind = {
  type: 'pretty',
  schema: z.strictObject({
    type: z.literal('pretty'),
    ...sharedOptions,
  }).describe('One readable line an exchange to standard output; coloured on a terminal.'),
  short: rest => rest === '' ? { type: 'pretty' } : undefined,
  open: (_options, host) => new PrettySink(host),
} satisfies SinkKind<{ type: 'pretty' } & SharedOptions>

import type { Writable } from 'node:stream'
import { z } from 'zod'
import { BatchQueue } from './batch-queue.ts'
import type { SafeBatch } from './batch.ts'
import { CLOSE_MS_MAX, QUEUE_BYTES_MAX, type Sink, type SinkHealth, type SinkHost } from './sink.ts'
import { fieldsOption, sharedOptions, type SharedOptions, type SinkKind } from './sink-kind.ts'
import { Tally } from './tally.ts'

const PARTS_MAX = 256
const WRITE_BYTES_MAX = 1024 * 1024

/**
 * NDJSON to standard output. Waits for a slow reader by queueing, up to the bound; a reader that went away (EPIPE) ends
 * the sink, and the host is told, so that the program stops as other Unix tools do.
 */
export class StdoutSink implements Sink {
  readonly name: string = 'stdout'
  readonly #stream: Writable
  readonly #tally: Tally
  readonly #queue: BatchQueue
  readonly #host: SinkHost
  #writing = false
  #closed = false
  #gone: string | undefined
  #drained: (() => void) | undefined

  constructor(host: SinkHost, stream: Writable = process.stdout, queueBytesMax = QUEUE_BYTES_MAX) {
    this.#stream = stream
    this.#tally = new Tally(host)
    this.#queue = new BatchQueue(queueBytesMax)
    this.#host = host
    stream.on('error', this.#onError)
  }

  write(batch: SafeBatch): void {
    if (this.#closed) this.#tally.refuse(batch, 'output closed')
    else if (this.#gone !== undefined) this.#tally.refuse(batch, this.#gone)
    else if (!this.#queue.push(batch)) this.#tally.refuse(batch, 'reader too slow')
    else {
      this.#tally.take()
      this.#pump()
    }
  }

  flush(): Promise<void> {
    return this.#tally.flushed()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (!this.#queue.empty) {
      const timer = setTimeout(() => this.#drained?.(), CLOSE_MS_MAX)
      await new Promise<void>(resolve => { this.#drained = resolve })
      clearTimeout(timer)
    }
    this.#queue.clear((batch, written) => this.#tally.settle(batch, written, this.#gone ?? 'reader too slow'))
    // The error listener stays: an EPIPE that arrives later must not become an uncaught exception.
  }

  health(): SinkHealth {
    return this.#tally.health(this.name, this.#queue.bytes, this.#queue.records, this.#gone)
  }

  #pump(): void {
    if (this.#writing || this.#queue.empty || this.#gone !== undefined) return
    this.#writing = true
    const parts = this.#queue.front(PARTS_MAX, WRITE_BYTES_MAX)
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const last = parts.length - 1
    this.#stream.cork()
    parts.forEach((part, index) => this.#stream.write(part, index === last ? error => this.#wrote(bytes, error) : undefined))
    this.#stream.uncork()
  }

  #wrote(bytes: number, error: Error | null | undefined): void {
    this.#writing = false
    // A stream that was destroyed before tells it here only, without an event.
    if (error) return this.#onError(error)
    this.#tally.wrote(bytes)
    if (this.#queue.empty) return
    this.#queue.advance(bytes, batch => this.#tally.settle(batch, batch.count))
    if (this.#queue.empty) this.#drained?.()
    else this.#pump()
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#gone !== undefined) return
    const wanted = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
    const reason = wanted ? 'reader gone' : `standard output: ${error.code ?? error.message}`
    this.#gone = reason
    this.#queue.clear((batch, written) => this.#tally.settle(batch, written, reason))
    this.#drained?.()
    this.#host.ended(this.name, wanted ? undefined : `Cannot write to standard output: ${error.message}`)
  }
}

export const stdoutKind = {
  type: 'stdout',
  schema: z.strictObject({
    type: z.literal('stdout'),
    ...sharedOptions,
    ...fieldsOption,
  }).describe('NDJSON to standard output.'),
  short: rest => rest === '' ? { type: 'stdout' } : undefined,
  open: (_options, host) => new StdoutSink(host),
} satisfies SinkKind<{ type: 'stdout' } & SharedOptions>

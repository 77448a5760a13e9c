import { promisify } from 'node:util'
import { z } from 'zod'
import { durationSchema } from '../../../lib/units/mod.ts'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, timeText } from '../delivery/mod.ts'
import { type TlsConfig, tlsSchema } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { compressedHead, jsonHead, windowFrame, WindowReader } from './lumberjack.ts'
import { addressOf, streamUrlSchema } from './stream-address.ts'
import { StreamSocket, streamTrouble } from './stream-socket.ts'
import { ndjson, taggedLine } from './tagged-lines.ts'

/**
 * To Logstash. By Lumberjack v2 a batch is one window; `done` means that the server has acknowledged its last event: what it had acknowledged
 * when the connection died is not sent again. It cannot refuse single records.
 *
 * JSON lines have no acknowledgement. `done` means: the kernel has taken the whole batch and the connection had not died by then.
 */
export class LogstashExporter implements Exporter {
  readonly target: string
  readonly #options: LogstashOptions
  readonly #socket: StreamSocket

  /** @throws {Error} with the mend, when a certificate is not to be had */
  constructor(options: LogstashOptions) {
    this.target = new URL(options.url).host
    this.#options = options
    this.#socket = new StreamSocket(addressOf(options.url), options.tls, options.timeout)
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return this.#options.format === 'lumberjack' ? await this.#sendWindow(records, signal) : await this.#sendLines(records, signal)
  }

  close(): void {
    this.#socket.close()
  }

  async #sendWindow(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const bytes = await this.#window(records)
    const reader = new WindowReader(records.length)
    try {
      if (!this.#socket.isOpen) this.#socket.open()
      await this.#socket.ask(bytes, heard => reader.read(heard), signal)
      return { outcome: 'done' }
    } catch (error) {
      const hindrance = streamTrouble(error, this.target)
      const { acknowledged } = reader
      if (acknowledged === 0 || acknowledged === records.length) return { outcome: 'later', hindrance }
      const indexes = Array.from({ length: records.length - acknowledged }, (_, index) => acknowledged + index)
      return { outcome: 'done', again: { indexes, hindrance } }
    }
  }

  async #sendLines(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const lines = ndjson(records, timestamp)
    try {
      await this.#socket.write(lines, signal)
      return { outcome: 'done' }
    } catch (error) {
      return { outcome: 'later', hindrance: streamTrouble(error, this.target) }
    }
  }

  async #window(records: readonly SpooledRecord[]): Promise<Buffer> {
    const frames = records.flatMap((record, index) => {
      const [head, rest] = taggedLine(record, timestamp(record))
      return [jsonHead(index + 1, head.length + rest.length), head, rest]
    })
    const window = windowFrame(records.length)
    if (this.#options.compression === 'none') return Buffer.concat([window, ...frames])
    const body = await promisify(process.getBuiltinModule('node:zlib').deflate)(Buffer.concat(frames), { level: 1 })
    return Buffer.concat([window, compressedHead(body.length), body])
  }
}

/** Logstash's name for the time of an event. */
function timestamp({ line }: SpooledRecord): string {
  const time = timeText(line)
  return time === undefined ? '' : `,"@timestamp":"${time}"`
}

export const logstashKind = {
  type: 'logstash',
  schema: z.strictObject({
    type: z.literal('logstash'),
    ...sharedOptions,
    url: streamUrlSchema(['tcp', 'tls'], 'tls://logstash.example:5044').describe('Address of the input: tcp:// or tls://, with its port.'),
    tls: tlsSchema.prefault({}).describe('For tls://. Certificates are always checked.'),
    timeout: durationSchema({ min: '100ms', max: '1h' }).prefault('60s')
      .describe('A batch that is not acknowledged by then is sent again; a Logstash that says it is at work is waited for ten times as long.'),
    format: z.enum(['lumberjack', 'json_lines']).default('lumberjack')
      .describe('lumberjack = v2, to a beats input, acknowledged; json_lines = to a tcp input, not acknowledged.'),
    compression: z.enum(['none', 'zlib']).optional().describe('Of lumberjack; none given = zlib there. JSON lines are not compressed.'),
    ...deliveryOptions,
  }).refine(({ format, compression }) => format === 'lumberjack' || compression !== 'zlib', {
    message: 'must be left out: json_lines are not compressed; use format: lumberjack', path: ['compression'],
  }).describe('Logstash, by Lumberjack v2 (acknowledged) or by JSON lines. Events have the record\'s `id` and `@timestamp` in front.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new LogstashExporter(options), host),
} satisfies SinkKind<LogstashOptions>

interface LogstashOptions extends SharedOptions, DeliveryConfig {
  readonly type: 'logstash'
  readonly url: string
  readonly tls: TlsConfig
  readonly timeout: number
  readonly format: 'lumberjack' | 'json_lines'
  readonly compression?: 'none' | 'zlib' | undefined
}

import { hostname } from 'node:os'
import { z } from 'zod'
import { Output } from '../../../lib/protobuf/mod.ts'
import { durationSchema } from '../../../lib/units/mod.ts'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, timeText } from '../delivery/mod.ts'
import { type TlsConfig, tlsSchema } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { DatagramSocket } from './datagram-socket.ts'
import { kindOf, statusOf } from './message-text.ts'
import { OcsfWriter } from './ocsf-line.ts'
import { writeCef, writeLeef } from './siem-body.ts'
import { addressOf, streamUrlSchema, wordSchema } from './stream-address.ts'
import { StreamSocket, streamTrouble } from './stream-socket.ts'

/** RFC 5424 6.2.1, by code. */
const FACILITIES = ['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp',
  'audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'] as const
const [ERROR, WARNING, INFORMATIONAL] = [3, 4, 6]
let ocsfWriter: OcsfWriter | undefined
type Write = (record: SpooledRecord, severity: number, out: Output) => void
const FORMATS: Readonly<Record<SyslogOptions['format'], Write>> = {
  json: ({ line }, _severity, out) => { out.append(line) },
  cef: writeCef,
  leef: writeLeef,
  ocsf: (record, _severity, out) => { out.append((ocsfWriter ??= new OcsfWriter()).event(record)) },
}

/** What a message has more than its record, and a message, as a rule; both grow where it is not so. */
const [AROUND, MESSAGE_BYTES] = [512, 8192]

/**
 * Messages of RFC 5424, one for each record: over TCP and TLS with octet counting (RFC 6587 3.4.1, RFC 5425 4.3), so that nothing in a
 * record can end a message; over UDP one a datagram (RFC 5426).
 *
 * Syslog has no acknowledgement. `done` means: the kernel has taken the whole batch and the connection had not died by then. What the
 * server had not read when it died later is lost. A connection that dies within a batch has all of it sent again. Over UDP: at most once.
 */
export class SyslogExporter implements Exporter {
  readonly target: string
  readonly #options: SyslogOptions
  readonly #stream: StreamSocket | undefined
  readonly #datagrams: DatagramSocket | undefined
  readonly #host: string

  /** @throws {Error} with the mend, when a certificate is not to be had */
  constructor(options: SyslogOptions) {
    const address = addressOf(options.url)
    this.target = new URL(options.url).host
    this.#options = options
    this.#host = options.host_name ?? (hostname().replace(/[^!-~]/g, '').slice(0, 255) || '-')
    if (address.protocol === 'udp:') this.#datagrams = new DatagramSocket(address)
    else this.#stream = new StreamSocket(address, options.tls, options.timeout)
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    if (this.#datagrams !== undefined) return await this.#sendDatagrams(this.#datagrams, records, signal)
    const all = new Output(records.reduce((sum, { line }) => sum + line.length + AROUND, 0))
    const one = new Output(MESSAGE_BYTES)
    for (const record of records) {
      const message = this.#message(record, one)
      all.text(`${message.length} `)
      all.append(message)
    }
    try {
      await (this.#stream as StreamSocket).write(all.view, signal)
      return { outcome: 'done' }
    } catch (error) {
      return { outcome: 'later', hindrance: streamTrouble(error, this.target) }
    }
  }

  close(): void {
    this.#stream?.close()
    this.#datagrams?.close()
  }

  async #sendDatagrams(socket: DatagramSocket, records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const refused: { index: number, reason: string }[] = []
    const messages = records.map(record => this.#message(record, new Output(MESSAGE_BYTES))) // all, before one is sent
    for (const [index, message] of messages.entries()) {
      try {
        signal.throwIfAborted()
        await socket.send(message)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EMSGSIZE') {
          refused.push({ index, reason: 'longer than a datagram' })
          continue
        }
        const hindrance = streamTrouble(error, this.target)
        const indexes = Array.from({ length: records.length - index }, (_, at) => index + at)
        return { outcome: 'done', refused, again: { indexes, hindrance } }
      }
    }
    return { outcome: 'done', refused }
  }

  /** What is written to `out`, from its beginning. */
  #message(record: SpooledRecord, out: Output): Buffer {
    const { facility, app_name, format } = this.#options
    const kind = kindOf(record.line)
    const severity = severityOf(kind, statusOf(record.line))
    // RFC 5424 6.2.3: six digits of a second at most.
    const time = timeText(record.line)?.replace(/(\.\d{6})\d+Z$/, '$1Z') ?? '-'
    const priority = FACILITIES.indexOf(facility) * 8 + severity
    out.at = 0
    out.text(`<${priority}>1 ${time} ${this.#host} ${app_name} ${process.pid} ${kind ?? '-'} [lintel@32473 id="${record.id}"] `)
    FORMATS[format](record, severity, out)
    return out.view
  }
}

function severityOf(kind: string | undefined, status = 0): number {
  return status >= 500 ? ERROR : status >= 400 || kind === 'anomaly' ? WARNING : INFORMATIONAL
}

export const syslogKind = {
  type: 'syslog',
  schema: z.strictObject({
    type: z.literal('syslog'),
    ...sharedOptions,
    url: streamUrlSchema(['tcp', 'tls', 'udp'], 'tls://siem.example:6514')
      .describe('Address of the server: tcp://, tls:// or udp://, with its port.'),
    tls: tlsSchema.prefault({}).describe('For tls://. Certificates are always checked.'),
    timeout: durationSchema({ min: '100ms', max: '10m' }).prefault('30s').describe('A batch that is not written by then counts as not taken.'),
    format: z.enum(['json', 'cef', 'leef', 'ocsf']).default('json')
      .describe('Body: json = the record\'s line; cef = CEF 0; leef = LEEF 2.0; ocsf = an event of OCSF 1.6, JSON.'),
    facility: z.enum(FACILITIES).default('local0').describe('Facility of each message.'),
    app_name: wordSchema(48).default('lintel').describe('APP-NAME of each message.'),
    host_name: wordSchema(255).optional().describe('HOSTNAME of each message; none = this machine\'s.'),
    ...deliveryOptions,
  }).describe('Syslog by RFC 5424, for SIEMs. It has no acknowledgement: delivered means written to the socket.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new SyslogExporter(options), host),
} satisfies SinkKind<SyslogOptions>

interface SyslogOptions extends SharedOptions, DeliveryConfig {
  readonly type: 'syslog'
  readonly url: string
  readonly tls: TlsConfig
  readonly timeout: number
  readonly format: 'json' | 'cef' | 'leef' | 'ocsf'
  readonly facility: (typeof FACILITIES)[number]
  readonly app_name: string
  readonly host_name?: string | undefined
}

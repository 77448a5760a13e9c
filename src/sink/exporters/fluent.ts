import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { z } from 'zod'
import { Packer, unpack, type Unpacked } from '../../../lib/msgpack/mod.ts'
import { durationSchema } from '../../../lib/units/mod.ts'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, timeNanoseconds } from '../delivery/mod.ts'
import { readSecret, Redaction, secretSchema, type SecretSource, type TlsConfig, tlsSchema } from '../http/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { type FluentSecrets, type Helo, heloOf, Ping } from './fluent-handshake.ts'
import { addressOf, streamUrlSchema, wordSchema } from './stream-address.ts'
import { isSilence, OddAnswer, type Reading, StreamSocket, streamTrouble } from './stream-socket.ts'

/** Seconds of an EventTime are 32 bits without a sign. */
const SECONDS_MAX = 0xffff_ffff
const EVENT_TIME = 0
const NOTHING = Buffer.alloc(0)

/**
 * Forward protocol v1 of Fluentd and Fluent Bit (https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1): a batch is one
 * PackedForward message with a `chunk` of its own. `done` means that the server has answered `{"ack": chunk}`: it then has the batch in its
 * buffer. It cannot refuse single records.
 */
export class FluentExporter implements Exporter {
  readonly target: string
  readonly #options: FluentOptions
  readonly #socket: StreamSocket
  readonly #secrets: FluentSecrets | undefined
  readonly #redaction: Redaction
  #isKept = true

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: FluentOptions) {
    this.target = new URL(options.url).host
    this.#options = options
    this.#socket = new StreamSocket(addressOf(options.url), options.tls, options.timeout)
    const password = options.password === undefined ? undefined : readSecret(options.password)
    const sharedKey = options.shared_key === undefined ? undefined : readSecret(options.shared_key)
    const user = options.user === undefined || password === undefined ? undefined : { name: options.user, password }
    this.#secrets = sharedKey === undefined ? undefined : { sharedKey, user, hostName: options.host_name ?? (hostname() || 'lintel') }
    this.#redaction = new Redaction([sharedKey ?? '', password ?? ''])
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const chunk = randomBytes(16).toString('base64')
    const message = await this.#message(records, chunk)
    try {
      if (!this.#socket.isOpen) await this.#open(signal)
      await this.#socket.ask(message, heard => acknowledged(heard, chunk), signal)
      if (!this.#isKept) this.#socket.close()
      return { outcome: 'done' }
    } catch (error) {
      return { outcome: 'later', hindrance: streamTrouble(error, this.target, text => this.#redaction.clean(text)) }
    }
  }

  close(): void {
    this.#socket.close()
  }

  async #open(signal: AbortSignal): Promise<void> {
    this.#socket.open()
    this.#isKept = true
    if (this.#secrets === undefined) return
    const [helo, ping] = await this.#greeted(this.#secrets, signal)
    this.#isKept = helo.isKept
    await this.#socket.ask(ping.bytes, heard => one(heard, value => {
      ping.check(value, text => this.#redaction.clean(text))
      return true
    }), signal)
  }

  async #greeted(secrets: FluentSecrets, signal: AbortSignal): Promise<[Helo, Ping]> {
    try {
      return await this.#socket.ask(NOTHING, heard => one(heard, value => {
        const helo = heloOf(value)
        return [helo, new Ping(helo, secrets)]
      }), signal)
    } catch (error) {
      if (!isSilence(error)) throw error
      throw new OddAnswer('says nothing: it asks for no shared key. Leave out shared_key, or set one there', 'no shared key')
    }
  }

  async #message(records: readonly SpooledRecord[], chunk: string): Promise<Buffer> {
    const { tag, compression } = this.#options
    const entries = packed(records)
    const isPlain = compression === 'none'
    const body = isPlain ? entries : await promisify(process.getBuiltinModule('node:zlib').gzip)(entries, { level: 1 })
    const packer = new Packer(body.length + 512).array(3).text(tag).binary(body)
    packer.map(isPlain ? 2 : 3).text('chunk').text(chunk).text('size').integer(records.length)
    return (isPlain ? packer : packer.text('compressed').text('gzip')).bytes
  }
}

/** Entries, one behind the other: `[EventTime, record]`, the record's id in front. */
function packed(records: readonly SpooledRecord[]): Buffer {
  const packer = new Packer(records.reduce((sum, { line }) => sum + line.length + 64, 0))
  for (const { id, line } of records) {
    const digits = timeNanoseconds(line) ?? `${Date.now()}000000`
    packer.array(2).extension8(EVENT_TIME, Math.min(Math.max(0, Number(digits.slice(0, -9))), SECONDS_MAX), Number(digits.slice(-9)))
    packer.jsonObject(ownLineArea(), line, 1, same => same.text('id').text(id))
  }
  return packer.bytes
}

/** One value of what was heard, when it is whole. */
function one<Value>(heard: Buffer, take: (value: Unpacked) => Value): Reading<Value> {
  let found: ReturnType<typeof unpack>
  try {
    found = unpack(heard)
  } catch {
    throw new OddAnswer('answers no MessagePack; is it the forward input of a Fluentd or Fluent Bit, and tcp or tls right?')
  }
  return found === undefined ? { used: 0 } : { used: found.used, value: take(found.value) }
}

/** `{"ack": chunk}`. */
function acknowledged(heard: Buffer, chunk: string): Reading<true> {
  return one(heard, value => {
    const ack = value instanceof Map ? value.get('ack') as Unpacked | undefined : undefined
    if (Buffer.isBuffer(ack) && ack.toString() === chunk) return true
    if (Buffer.isBuffer(ack)) throw new OddAnswer('acknowledges another chunk than the one that was sent')
    const isHelo = Array.isArray(value) && Buffer.isBuffer(value[0]) && value[0].toString() === 'HELO'
    throw isHelo ? new OddAnswer('wants a shared key: set shared_key', 'credentials refused')
      : new OddAnswer('answers no acknowledgement; is it the forward input of a Fluentd or Fluent Bit?')
  })
}

export const fluentKind = {
  type: 'fluent',
  schema: z.strictObject({
    type: z.literal('fluent'),
    ...sharedOptions,
    url: streamUrlSchema(['tcp', 'tls'], 'tls://fluentd.example:24224').describe('Address of the forward input: tcp:// or tls://, with its port.'),
    tls: tlsSchema.prefault({}).describe('For tls://. Certificates are always checked.'),
    timeout: durationSchema({ min: '100ms', max: '1h' }).prefault('60s').describe('A batch that is not acknowledged by then is sent again.'),
    tag: wordSchema(256).default('lintel').describe('Tag of the records, which routes them.'),
    compression: z.enum(['none', 'gzip']).default('none')
      .describe('gzip needs Fluentd from 0.14.7 on, or a Fluent Bit that reads CompressedPackedForward.'),
    shared_key: secretSchema.optional().describe('shared_key of the server: {env: NAME} or {file: PATH}; none = the server asks for none.'),
    user: z.string().min(1, 'must not be empty').max(256, 'must be 256 characters at most').optional()
      .describe('User, where the server wants one.'),
    password: secretSchema.optional().describe('Password: {env: NAME} or {file: PATH}.'),
    host_name: wordSchema(255).optional()
      .describe('Name of this machine in the handshake; none = its own. It must not be the server\'s self_hostname.'),
    ...deliveryOptions,
  }).superRefine(({ user, password, shared_key }, context) => {
    const add = (path: string, message: string): void => { context.addIssue({ code: 'custom', path: [path], message }) }
    if (user === undefined && password !== undefined) add('password', 'must come with user: give both, or neither')
    else if (user !== undefined && password === undefined) add('user', 'must come with password: give both, or neither')
    else if (user !== undefined && shared_key === undefined) add('user', 'needs shared_key: a server that wants users wants one too')
  }).describe('Fluentd and Fluent Bit, by their forward protocol with acknowledgements.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new FluentExporter(options), host),
} satisfies SinkKind<FluentOptions>

interface FluentOptions extends SharedOptions, DeliveryConfig {
  readonly type: 'fluent'
  readonly url: string
  readonly tls: TlsConfig
  readonly timeout: number
  readonly tag: string
  readonly compression: 'none' | 'gzip'
  readonly shared_key?: SecretSource | undefined
  readonly user?: string | undefined
  readonly password?: SecretSource | undefined
  readonly host_name?: string | undefined
}

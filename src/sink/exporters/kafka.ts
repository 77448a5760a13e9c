import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../../lib/units/mod.ts'
import {
  type Again, type Answer, type DeliveryConfig, deliveryOptions, type Exporter, type Hindrance, NetworkSink, type Refusal,
} from '../delivery/mod.ts'
import { readSecret, Redaction, secretSchema, type SecretSource, type TlsConfig, tlsSchema } from '../http/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { hostNameOf, hostNameSchema } from './host-name.ts'
import { MessageMaker } from './kafka-message.ts'
import { type KafkaMessage, KafkaProducer } from './kafka-producer.ts'
import { type Configured, hindranceOf, outcomeOf } from './kafka-trouble.ts'

/**
 * Records to a topic of Kafka, one message each: the record with its id in front, headers `id`, `kind` and `host.name`. Taken means that all replicas
 * in sync have it (acks=all). A batch goes in requests of bounded size, one after the other: order is kept within a partition.
 *
 * What is too large goes in halves, until it is known which record is; the others of the batch arrive, and none twice for it.
 */
export class KafkaExporter implements Exporter {
  readonly target: string
  readonly #options: KafkaOptions
  readonly #configured: Configured
  readonly #producer: KafkaProducer
  readonly #maker: MessageMaker

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: KafkaOptions) {
    this.target = `${options.brokers[0]}/${options.topic}`
    this.#options = options
    const password = options.sasl === undefined ? undefined : readSecret(options.sasl.password)
    const redaction = new Redaction(password === undefined ? [] : [password])
    this.#configured = { target: this.target, topic: options.topic, user: options.sasl?.user, clean: text => redaction.clean(text) }
    this.#producer = new KafkaProducer({
      ...options, sasl: options.sasl === undefined || password === undefined ? undefined : { ...options.sasl, password },
    })
    this.#maker = new MessageMaker({ ...options, hostName: hostNameOf(options) })
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const refused: Refusal[] = []
    const chunks = this.#maker.chunks(records, this.#options.request_bytes)
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const trouble = await this.#sendChunk(records, chunk, { refused, chunks }, signal)
      if (trouble === undefined) continue
      this.#producer.close()
      const indexes = [...trouble.indexes, ...chunks.flat()].sort((a, b) => a - b)
      if (indexes.length === records.length) return { outcome: 'later', hindrance: trouble.hindrance }
      return { outcome: 'done', refused, again: { indexes, hindrance: trouble.hindrance } }
    }
    return { outcome: 'done', refused }
  }

  close(): void {
    this.#producer.close()
  }

  /** @returns what was not taken, if it may be later; what is refused and what is to be tried in halves goes into `into` */
  async #sendChunk(
    records: readonly SpooledRecord[], indexes: readonly number[], into: { refused: Refusal[], chunks: number[][] }, signal: AbortSignal,
  ): Promise<Again | undefined> {
    const messages = this.#maker.messages(indexes.map(index => records[index] as SpooledRecord))
    try {
      await this.#producer.send(messages, signal)
      return undefined
    } catch (error) {
      const { taken, refused } = outcomeOf(error)
      const count = this.#producer.partitions(this.#options.topic)
      const byPartition = count === undefined ? new Map([[-1, [...indexes]]])
        : grouped(indexes, at => (messages[at] as KafkaMessage).partition % count)
      const again: number[] = []
      for (const [partition, those] of byPartition) {
        const reason = refused.get(partition)
        if (taken.has(partition)) continue
        if (reason === undefined) again.push(...those)
        else if (those.length === 1) into.refused.push({ index: those[0] as number, reason })
        else into.chunks.unshift(...halves(those))
      }
      return again.length === 0 ? undefined : { indexes: again, hindrance: this.#hindrance(error, signal) }
    }
  }

  #hindrance(error: unknown, signal: AbortSignal): Hindrance {
    return signal.aborted ? { reason: 'stopped', message: `Cannot send to ${this.target}: stopped` } : hindranceOf(error, this.#configured)
  }
}

/** @param partitionOf by place in `indexes` */
function grouped(indexes: readonly number[], partitionOf: (at: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const [at, index] of indexes.entries()) {
    const partition = partitionOf(at)
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [index])
    else group.push(index)
  }
  return groups
}

function halves(indexes: readonly number[]): [number[], number[]] {
  const middle = Math.ceil(indexes.length / 2)
  return [indexes.slice(0, middle), indexes.slice(middle)]
}

const BROKER = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,4})$/
const PORT_MAX = 65535

const brokerSchema = z.string({ error: 'must be HOST:PORT, e.g. kafka-1.example:9092' })
  .refine(broker => Number(BROKER.exec(broker)?.[1]) <= PORT_MAX,
    'must be HOST:PORT, e.g. kafka-1.example:9092 or "[2001:db8::1]:9092", without a scheme')

const saslSchema = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .describe('How the user proves who it is; plain sends the password itself, so use it with tls.'),
  user: z.string().regex(/^[^\p{Cc},=]{1,255}$/u, 'must be 1 to 255 characters, without ",", "=" and control characters').describe('User name.'),
  password: secretSchema.describe('Password: {env: NAME} or {file: PATH}.'),
})

export const kafkaKind = {
  type: 'kafka',
  schema: z.strictObject({
    type: z.literal('kafka'),
    ...sharedOptions,
    brokers: z.array(brokerSchema, { error: 'must be a list of HOST:PORT, e.g. [kafka-1.example:9092]' })
      .min(1, 'must name one broker at least').max(32, 'must be 32 brokers at most')
      .describe('Brokers to begin with, HOST:PORT each; the others are learnt from them.'),
    topic: z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'must be 1 to 249 letters, digits, ".", "_" or "-"')
      .describe('Topic that records go to. It is not created.'),
    key: z.string().regex(/^(?:[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*|http\.(?:request|response)\.(?:header|trailer|interim_header)\.[!-~]+)$/,
      'must be none, or the name of a field, e.g. client.address or trace.id').default('none')
      .describe('Field whose value is the message\'s key: records of one value go to one partition, in order. ' +
        'none, or a record without the field: partitions in turns.'),
    tls: tlsSchema.optional().describe('Given, {} at least, the connection is TLS. Certificates are always checked; none = not encrypted.'),
    sasl: saslSchema.optional().describe('Credentials; the secret comes from the environment or a file.'),
    client_id: z.string().regex(/^[!-~]{1,128}$/, 'must be 1 to 128 visible ASCII characters, no space').default('lintel')
      .describe('Name that brokers log and count this client by.'),
    host_name: hostNameSchema
      .describe('Header `host.name` of each message, so that records of many agents can be told apart; none = this machine\'s name.'),
    compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('zstd').describe('Of what is sent.'),
    timestamp: z.enum(['sent', 'record']).default('sent')
      .describe('Time of a message: sent = when it was sent; record = the record\'s `time`. ' +
        'Kafka keeps messages by it: what is sent late or replayed may be deleted at once.'),
    request_bytes: bytesSchema({ min: '1KiB', max: '64MiB' }).prefault('960KiB')
      .describe('Bytes of records in one request at most, before compression; the topic\'s max.message.bytes (1 MiB unless set) must allow it.'),
    timeout: durationSchema({ min: '100ms', max: '10m' }).prefault('30s').describe('A request that is not acknowledged by then counts as not taken.'),
    ...deliveryOptions,
  }).describe('Kafka. A record is taken when all replicas in sync have it (acks=all, idempotent producer). ' +
    'Each record has an `id` that stays the same when it is sent again, and the message headers `id`, `kind` and `host.name`.'),
  short: () => undefined,
  open: (options, host) => new NetworkSink(options, new KafkaExporter(options), host),
} satisfies SinkKind<KafkaOptions>

interface KafkaOptions extends SharedOptions, DeliveryConfig {
  readonly type: 'kafka'
  readonly brokers: string[]
  readonly topic: string
  readonly key: string
  readonly tls?: TlsConfig | undefined
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly user: string
    readonly password: SecretSource
  } | undefined
  readonly client_id: string
  readonly host_name?: string | undefined
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly timestamp: 'sent' | 'record'
  readonly request_bytes: number
  readonly timeout: number
}

import type { MessageToProduce, Producer, ProducerOptions } from '@platformatic/kafka'
import { type TlsConfig, tlsFiles } from '../http/mod.ts'

export interface KafkaConnection {
  readonly brokers: readonly string[]
  readonly client_id: string
  /** Undefined = without TLS. */
  readonly tls?: TlsConfig | undefined
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', readonly user: string, readonly password: string } | undefined
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly timeout: number
}

/** What is sent of a record. `partition` may be any number: the topic's count of partitions is taken from it. */
export type KafkaMessage = MessageToProduce<Buffer | undefined, Buffer, Buffer, Buffer> & { partition: number, value: Buffer }
type KafkaClient = Producer<Buffer | undefined, Buffer, Buffer, Buffer>

/** A request that failed is sent again by the client, with the same numbers, so that the broker tells a second copy: so often. */
const RETRIES = 2
const RETRY_MS = 50
const CONNECT_MS_MAX = 10_000
/** Tries within tries (a request needs what the cluster looks like, which is a request) come to an end all the same. */
const TIMES_MAX = RETRIES + 1

/**
 * An idempotent producer that waits for all replicas in sync. Made anew after each failure: nothing that it remembers of brokers and
 * leaders outlives the trouble.
 */
export class KafkaProducer {
  readonly #options: ProducerOptions<Buffer | undefined, Buffer, Buffer, Buffer>
  readonly #brokers: { readonly host: string, readonly port: number }[]
  readonly #timeoutMs: number
  #client: KafkaClient | undefined

  /** @throws {Error} with the mend, when a certificate is not to be had */
  constructor({ brokers, client_id, tls, sasl, compression, timeout }: KafkaConnection) {
    this.#timeoutMs = timeout
    this.#brokers = brokers.map(addressOf)
    this.#options = {
      clientId: client_id, bootstrapBrokers: [...this.#brokers], idempotent: true, acks: -1, compression, autocreateTopics: false,
      retries: RETRIES, retryDelay: RETRY_MS, timeout, requestTimeout: timeout, connectTimeout: Math.min(timeout, CONNECT_MS_MAX),
      ...(tls === undefined ? {} : { tls: tlsFiles(tls) }),
      // The name that a server with more than one certificate chooses by; an address is none (RFC 6066 3).
      ...(tls === undefined || tls.server_name !== undefined || brokers.some(isAddress) ? {} : { tlsServerName: true }),
      ...(sasl === undefined ? {} : { sasl: { mechanism: sasl.mechanism.toUpperCase() as 'PLAIN', username: sasl.user, password: sasl.password } }),
    }
  }

  /** How many partitions the topic has, as the last request has learnt. */
  partitions(topic: string): number | undefined {
    return this.#client?.currentMetadata?.topics.get(topic)?.partitionsCount
  }

  /** Resolves when all replicas in sync have them. @throws {Error} of the client, when not, or not in time, or `signal` is aborted */
  async send(messages: KafkaMessage[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const limitMs = TIMES_MAX * (this.#timeoutMs + RETRY_MS)
    const sent = this.#send(messages, signal)
    sent.catch(() => undefined) // of a request that nobody waits for any more
    let over: () => void = () => undefined
    const given = new Promise<never>((_, reject) => {
      const limit = setTimeout(() => { reject(new Error(`timed out: not taken within ${limitMs} ms`)) }, limitMs)
      const abort = (): void => { reject(Object.assign(new Error('stopped'), { code: 'ABORT_ERR' })) }
      signal.addEventListener('abort', abort)
      over = () => {
        clearTimeout(limit)
        signal.removeEventListener('abort', abort)
      }
    })
    try {
      await Promise.race([sent, given])
    } finally {
      over()
    }
  }

  /** The next request begins with new connections. */
  close(): void {
    this.#client?.close(true).catch(() => undefined) // it was not well, which is why
    this.#client = undefined
  }

  async #send(messages: KafkaMessage[], signal: AbortSignal): Promise<void> {
    const client = this.#client ?? await this.#open((messages[0] as KafkaMessage).topic, signal)
    await client.send({ messages })
  }

  async #open(topic: string, signal: AbortSignal): Promise<KafkaClient> {
    // Brought in by the first record that is sent: 60 MiB of memory that only those pay who use it.
    const kafka = await import('@platformatic/kafka')
    signal.throwIfAborted()
    const client = this.#client = new kafka.Producer({ ...this.#options })
    // A socket that fails twice would end the agent: the client listens for the first failure only.
    client.connections.on('connecting', ({ connection }: { connection?: { on(event: 'error', listener: () => void): unknown } }) => {
      connection?.on('error', () => undefined)
    })
    // By itself the client would try tries of tries, 27 of them: with a wrong password 27 failed log-ins.
    await client.connections.getFirstAvailable(this.#brokers)
    await client.metadata({ topics: [topic], retries: 0 })
    return client
  }
}

function addressOf(broker: string): { host: string, port: number } {
  const colon = broker.lastIndexOf(':')
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) }
}

function isAddress(broker: string): boolean {
  return /^(?:\[|\d+\.\d+\.\d+\.\d+:)/.test(broker)
}

import type { Answer } from '../../delivery/mod.ts'
import { answerOf, type HttpConfig, type Reply, Transport } from '../../http/mod.ts'
import type { Channel, Signal } from './channel.ts'
import { textOf, wireFields } from './wire-reader.ts'

const TYPE = 'application/x-protobuf'
const NOTHING = Buffer.alloc(0)

/**
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp, binary: POSTs to /v1/logs, /v1/traces and /v1/metrics behind the url's path.
 *
 * A 500, which clients of OTLP are told not to try again, is tried again as by every output: records wait in the spool, and are not lost.
 */
export class HttpChannel implements Channel {
  readonly target: string
  readonly #transport: Transport

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(config: HttpConfig) {
    this.#transport = new Transport(config)
    this.target = this.#transport.target
  }

  async export(signal: Signal, request: Buffer, abort: AbortSignal): Promise<Buffer | Exclude<Answer, { outcome: 'done' }>> {
    const reply = await this.#transport.post({ path: `/v1/${signal}`, type: TYPE, body: request }, abort)
    const answer = answerOf(readable(reply), this.#transport)
    if (answer.outcome === 'done') return isProtobuf(reply) ? reply.body : NOTHING
    if (reply.status !== 404 || answer.outcome !== 'later') return answer
    const message = `${answer.hindrance.message}, and at signals: does it take ${signal}?`
    return { outcome: 'later', hindrance: { ...answer.hindrance, message } }
  }

  clean(text: string): string {
    return this.#transport.clean(text)
  }

  close(): void {
    this.#transport.close()
  }
}

function isProtobuf({ headers }: Reply): boolean {
  return headers['content-type']?.startsWith(TYPE) === true
}

/** What a server says against a request is the message (2) of a google.rpc.Status. */
function readable(reply: Reply): Reply {
  if (!isProtobuf(reply) || reply.status < 300) return reply
  return { ...reply, body: Buffer.from(textOf(wireFields(reply.body), 2)) }
}

import { z } from 'zod'
import type { ExporterTools, HttpClient } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, readSecret, requestHeaders, secretSchema, Transport } from '../http/mod.ts'
import type { Reply } from '../http/mod.ts'

const httpSchema: z.ZodType<HttpConfig> = z.strictObject(httpOptions)

/** Tools that note the secrets that they give out. */
export class NotingTools implements ExporterTools {
  readonly secrets: string[] = []
  readonly #clients: HttpClient[] = []

  secret(source: unknown): string {
    const value = readSecret(checked(secretSchema, source))
    this.secrets.push(value)
    return value
  }

  http(options: unknown): HttpClient {
    const config = checked(httpSchema, options)
    this.secrets.push(...requestHeaders(config).secrets) // a server may send them back
    const client = clientOf(new Transport(config))
    this.#clients.push(client)
    return client
  }

  /** Closes the clients that the exporter has left open. */
  close(): void {
    for (const client of this.#clients) client.close()
  }
}

function clientOf(transport: Transport): HttpClient {
  return {
    target: transport.target,
    async post(post, signal) {
      let reply: Reply | undefined
      const answer = await orNoAnswer(async () => {
        reply = await transport.post(post, signal)
        return answerOf(reply, transport)
      })
      return reply === undefined ? { answer } : { answer, said: { status: reply.status, body: reply.body } }
    },
    close() { transport.close() },
  }
}

function checked<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const found = schema.safeParse(value)
  if (found.success) return found.data
  const { path, message } = found.error.issues[0] as z.core.$ZodIssue
  throw new Error(`${path.length === 0 ? '' : `${path.join('.')}: `}${message}`)
}

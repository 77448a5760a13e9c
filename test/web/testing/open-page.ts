import { request, type IncomingHttpHeaders } from 'node:http'
import { request as requestByTls } from 'node:https'
import { FIELDS } from '../../../src/exchange/fields.ts'
import { PageServer, pageSource } from '../../../src/web/mod.ts'
import { COLUMNS, batchesOf, openStore, StoreHost } from '../../store/testing/stored.ts'

export const TOKEN = 'a-token-of-the-tests'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Sent as it is, dots and all. */
  readonly path?: string
}

/** A page over a store (or none), with what it said. */
export class OpenPage {
  readonly lines: string[] = []
  readonly server: PageServer
  url = ''
  cookie = ''
  /** Of an authority that is believed. */
  certificate: string | undefined

  constructor(store?: string, more: Partial<ConstructorParameters<typeof PageServer>[0]> = {}) {
    this.server = new PageServer({
      host: '127.0.0.1', port: 0, access: { token: TOKEN }, version: '0.0.0-test', fields: FIELDS,
      ...(store === undefined ? {} : { source: pageSource({ folder: store }, COLUMNS) }),
      log: (level, message) => { this.lines.push(`${level}: ${message}`) }, ...more,
    })
  }

  async start(): Promise<this> {
    this.url = await this.server.start()
    return this
  }

  /** Opens it with the token; what is asked after that carries the cookie. */
  async enter(): Promise<this> {
    const { headers } = await this.ask(`/?token=${TOKEN}`)
    this.cookie = (headers['set-cookie']?.[0] ?? '').split(';')[0] as string
    return this
  }

  /** One request, with any header: fetch would not send another Host. */
  async ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Reply> {
    const { protocol, hostname, port } = new URL(this.url)
    const send = protocol === 'https:' ? requestByTls : request
    return await new Promise((resolve, reject) => {
      const cookie = this.cookie === '' ? {} : { cookie: this.cookie }
      const asked = send({ hostname, port, path, method, headers: { ...cookie, ...headers }, ca: this.certificate, servername: 'localhost' }, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => { text += part })
        response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, text }) })
        response.on('error', reject)
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }

  async json<Answer>(path: string): Promise<Answer> {
    const { status, text } = await this.ask(path)
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    return JSON.parse(text) as Answer
  }
}

/** Writes lines into a store: half of them packed, half in its journal. */
export async function storeOf(folder: string, lines: readonly string[]): Promise<void> {
  for (const part of [lines.slice(0, lines.length / 2), lines.slice(lines.length / 2)]) {
    const store = openStore(folder, new StoreHost())
    for (const batch of batchesOf(part)) store.write(batch)
    await store.close()
  }
}

/**
 * Calls of chat-completion APIs between a real client and a real server, live: models and token counts stand in the records, what was
 * asked and answered stands nowhere.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent as HttpAgent, createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect, createSecureServer, createServer as createHttp2Server } from 'node:http2'
import type { ClientHttp2Session, Http2Server } from 'node:http2'
import { Agent as HttpsAgent, createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ANSWERS, SECRET } from '../../src/decode/body/testing/answers.ts'
import type { Answer } from '../../src/decode/body/testing/answers.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { TlsFolder } from './testing/tls-peers.ts'

const PORTS = { http: 18_931, https: 18_932, h2c: 18_933, h2: 18_934 } as const
type Scheme = keyof typeof PORTS
/** Bodies of several segments, most of which the kernel would not deliver if nobody read them. */
const LONG = `${SECRET} `.repeat(8_000)

interface AiRecord extends LoggedRecord {
  gen_ai?: {
    operation?: { name?: string }
    provider?: { name?: string }
    request?: { model?: string }
    response?: { model?: string }
    usage?: { input_tokens?: number, output_tokens?: number }
  }
}

let lintel: Lintel
let folder: TlsFolder
const servers: (Server | Http2Server)[] = []
const sessions = new Map<Scheme, ClientHttp2Session>()

before(async () => {
  folder = await TlsFolder.make()
  const tls = { cert: readFileSync(folder.certificate), key: readFileSync(folder.key) }
  // What HTTP/2 gives a listener is made to be used like this.
  const answer2 = answer as never
  for (const [scheme, server] of [
    ['http', createServer(answer)], ['https', createHttpsServer(tls, answer)], ['h2c', createHttp2Server(answer2)], ['h2', createSecureServer(tls, answer2)],
  ] as const) {
    servers.push(server)
    server.listen(PORTS[scheme], '127.0.0.1')
    await once(server, 'listening')
  }
  lintel = await Lintel.configured((directory) => `
capture: {interfaces: [lo], ports: [${PORTS.http}-${PORTS.h2}], body_fields: [{preset: gen_ai, paths: ["/ai/*"]}]}
kinds: [exchange, connection, packet, anomaly]
fields: {include: ["*"]}
outputs:
  - {type: file, path: ${directory}/log.ndjson}
  - {type: stdout}
`)
  await untilTlsIsRead()
})
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    for (const session of sessions.values()) session.destroy()
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    folder.remove()
    for (const server of servers) server.close()
  }
})

/** Probes are in this program's own TLS once a session of it is read from its start on. */
async function untilTlsIsRead(): Promise<void> {
  const isRead = ({ url, marks, http }: LoggedRecord): boolean => url?.path === '/first' && marks === undefined && http?.response !== undefined
  for (let tries = 0; tries < 100 && !lintel.now().some(isRead); tries++) {
    const question = httpsRequest(`https://127.0.0.1:${PORTS.https}/first`, { agent: false, rejectUnauthorized: false })
    question.end()
    const [response] = await once(question, 'response') as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    await delay(300)
  }
}

/** Answers as the API would that the query names, in the form that it names. */
function answer(question: IncomingMessage, response: ServerResponse): void {
  const query = new URL(question.url!, 'http://x').searchParams
  const api = ANSWERS[Number(query.get('api'))]
  question.resume()
  question.on('end', () => { void send(response, api, query.get('form')) })
}

async function send(response: ServerResponse, api: Answer | undefined, form: string | null): Promise<void> {
  const type = api?.isEvents === true ? 'text/event-stream' : 'application/json'
  const body = Buffer.from(api === undefined ? '{"model":"no"}' : longer(api.response, api.isEvents))
  response.setHeader('content-type', type)
  if (form === 'gzip') response.setHeader('content-encoding', 'gzip')
  if (form === 'length') response.setHeader('content-length', body.length)
  if (form !== 'chunked') return void response.end(form === 'gzip' ? gzipSync(body) : body)
  for (let at = 0; at < body.length; at += 50_000) {
    response.write(body.subarray(at, at + 50_000))
    await delay(1)
  }
  response.end()
}

/** The same with a long text in it, where it does not matter. */
function longer(text: string, isEvents: boolean): string {
  if (isEvents) return `data: {"delta":${JSON.stringify(LONG)}}\n\n${text}`
  return text.startsWith('[') ? `[{"candidates":${JSON.stringify(LONG)}},${text.slice(1)}` : `{"output":${JSON.stringify(LONG)},${text.slice(1)}`
}

const agents = { http: new HttpAgent({ keepAlive: true, maxSockets: 1 }), https: new HttpsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }) }

/** One exchange on the one connection of its scheme. @returns the answer's body */
async function ask(scheme: Scheme, path: string, body: string): Promise<Buffer> {
  return scheme === 'http' || scheme === 'https' ? await askHttp1(scheme, path, body) : await askHttp2(scheme, path, body)
}

async function askHttp2(scheme: 'h2c' | 'h2', path: string, body: string): Promise<Buffer> {
  const session = sessions.get(scheme) ?? connect(`${scheme === 'h2' ? 'https' : 'http'}://127.0.0.1:${PORTS[scheme]}`, { rejectUnauthorized: false })
  sessions.set(scheme, session)
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' })
  stream.end(body)
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function askHttp1(scheme: 'http' | 'https', path: string, body: string): Promise<Buffer> {
  const options = { agent: agents[scheme], method: 'POST', headers: { 'content-type': 'application/json' } }
  const url = `${scheme}://127.0.0.1:${PORTS[scheme]}${path}`
  const question = scheme === 'http' ? httpRequest(url, options) : httpsRequest(url, options)
  question.end(body)
  const [response] = await once(question, 'response') as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function tokens({ counts: [prompt, input, output, , read, write, , thoughts] }: Answer): (number | undefined)[] {
  const told = (count: number | undefined): number => Math.max(count ?? 0, 0)
  const inputs = prompt! >= 0 ? prompt : told(input) + told(read) + told(write)
  return [inputs, output! < 0 ? undefined : told(output) + told(thoughts)]
}

for (const scheme of ['http', 'https', 'h2c', 'h2'] as const) {
  test(`${scheme}: every API, chunked, by length and by gzip, among other exchanges of the connection`, { timeout: 60_000 }, async () => {
    const expected: object[] = []
    for (const form of ['chunked', 'length', 'gzip']) {
      for (const [index, api] of ANSWERS.entries()) {
        const path = `/ai/${scheme}/${form}/${index}${api.path}`
        const bytes = await ask(scheme, `${path}?api=${index}&form=${form}`, longer(api.request, false))
        assert.equal((form === 'gzip' ? gunzipSync(bytes) : bytes).toString(), longer(api.response, api.isEvents))
        for (let turn = 0; turn < 3; turn++) await ask(scheme, `/other/${scheme}`, '{"model":"no"}')
        const [input, output] = tokens(api)
        expected.push({ path, model: api.model, input, output, requestModel: api.requestModel ?? /\/models?\/([^/:]+)/.exec(decodeURIComponent(api.path))?.[1], marks: undefined })
      }
    }
    const isAi = ({ kind, url }: LoggedRecord): boolean => kind === 'exchange' && url?.path?.startsWith(`/ai/${scheme}/`) === true
    const records = await lintel.until(isAi, expected.length) as AiRecord[]
    assert.deepEqual(records.map(({ url, gen_ai: ai, marks }) => ({
      path: url?.path, model: ai?.response?.model, input: ai?.usage?.input_tokens, output: ai?.usage?.output_tokens,
      requestModel: ai?.request?.model?.replace(/:.*/, ''), marks,
    })), expected)
    for (const { gen_ai: ai } of records) assert.match(`${ai?.operation?.name} ${ai?.provider?.name}`, /^\w+ (?:openai|anthropic|gcp\.gemini|aws\.bedrock)$/)
    const others = await lintel.exchanges(`/other/${scheme}`, expected.length * 3) as AiRecord[]
    assert.deepEqual(others.filter(({ gen_ai: ai }) => ai !== undefined), [])
  })
}

test('nothing that was asked or answered is in any output, file or word of the program', async () => {
  await delay(500)
  const written = [lintel.process.output, lintel.process.errors,
    ...readdirSync(lintel.directory).map((name) => readFileSync(join(lintel.directory, name), 'latin1'))]
  assert.ok(written[0]!.length > 100_000)
  for (const text of written) assert.ok(!text.includes(SECRET.slice(0, 12)) && !text.includes(Buffer.from(SECRET).toString('base64').slice(2, 14)))
})

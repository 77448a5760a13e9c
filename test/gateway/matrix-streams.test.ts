/**
 * gRPC calls of every kind and WebSockets, with and without TLS: the log holds each exchange once, with all the fields that the
 * server itself recorded, trailers among them.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { createServer as createSecureServer } from 'node:https'
import type { Server as SecureServer } from 'node:https'
import type { Server } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { WebSocket, WebSocketServer } from 'ws'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { TlsFolder } from './testing/tls-peers.ts'

const GRPC = 18_651
const GRPC_TLS = 18_652
const WEBSOCKET = 18_653
const WEBSOCKET_TLS = 18_654
const isSecure = (port: number | undefined): boolean => port === GRPC_TLS || port === WEBSOCKET_TLS

/** Names in their order, with the values of each. */
type Fields = [name: string, values: string[]][]

/** One exchange, as the server and the log must both have it. */
interface Told { port: number; client: number; path: string; status: number; request: Fields; response: Fields; trailers: Fields }

let folder: TlsFolder
let lintel: Lintel
before(async () => {
  folder = await TlsFolder.make()
  const kinds = ['--kind', 'exchange', '--kind', 'anomaly']
  lintel = await Lintel.start(['--port', `${GRPC}-${WEBSOCKET_TLS}`, '--interface', 'lo', ...kinds])
})
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
    const anomalies = lintel.now().filter(({ kind, server }) => kind === 'anomaly' && server !== undefined)
    assert.deepEqual(anomalies.map(({ event }) => event?.name), [])
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    folder.remove()
  }
})

function fieldsOf(header: Record<string, string[]> | undefined): Fields {
  return Object.entries(header ?? {})
}

function toldByLog({ server, client, url, http, marks }: LoggedRecord): Told {
  const isTunnel = http?.response?.status_code === 101
  assert.deepEqual({ ...marks }, isTunnel ? { 'http.response.body.size': 'connection became a tunnel' } : {}, url?.path)
  assert.equal(url?.scheme, isSecure(server?.port) ? 'https' : 'http')
  return {
    port: server!.port!, client: client!.port!, path: url.path!, status: http!.response!.status_code!,
    request: fieldsOf(http!.request!.header), response: fieldsOf(http!.response!.header),
    trailers: fieldsOf(http!.response!.trailer),
  }
}

function byPlace(one: Told, other: Told): number {
  return one.port - other.port || one.path.localeCompare(other.path) || one.client - other.client
}

/** The log's exchanges on these ports are those of the server, each once. */
async function assertLogged(ports: readonly number[], recorded: Told[]): Promise<void> {
  const isOne = ({ kind, server }: LoggedRecord): boolean => kind === 'exchange' && ports.includes(server?.port ?? 0)
  await lintel.until(isOne, recorded.length)
  // One too many would come now.
  await delay(500)
  assert.deepEqual(lintel.now().filter(isOne).map(toldByLog).sort(byPlace), recorded.sort(byPlace))
}

const AGREES = (bytes: Buffer): Buffer => bytes
function method(name: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path: `/shop.v1.Cart/${name}`, requestStream, responseStream,
    requestSerialize: AGREES, requestDeserialize: AGREES, responseSerialize: AGREES, responseDeserialize: AGREES,
  }
}

const CART = {
  add: method('Add', false, false), fail: method('Fail', false, false), list: method('List', false, true),
  fill: method('Fill', true, false), talk: method('Talk', true, true),
}

/** Metadata that goes before, and behind, the messages. */
function metadata(...fields: [string, string][]): grpc.Metadata {
  const made = new grpc.Metadata()
  for (const [name, value] of fields) made.add(name, value)
  return made
}

const BEFORE = metadata(['x-served-by', 'grpc-js'], ['x-twice', 'first'], ['x-twice', 'second'])
const BEHIND = metadata(['x-behind', 'the messages'])

const IMPLEMENTATION = {
  add: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
    call.sendMetadata(BEFORE)
    answer(null, Buffer.from('added'), BEHIND)
  },
  fail: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => {
    answer({ code: grpc.status.NOT_FOUND, details: 'no such pot', metadata: BEHIND })
  },
  list: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
    for (let count = 0; count < 20; count++) call.write(Buffer.alloc(count * 700))
    call.end(BEHIND)
  },
  fill: (call: grpc.ServerReadableStream<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
    call.resume().on('end', () => answer(null, Buffer.from('full')))
  },
  talk: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
    call.sendMetadata(BEFORE)
    call.on('data', (message: Buffer) => call.write(message)).on('end', () => call.end())
  },
}

/** Every kind of call once. */
async function callAll(port: number, credentials: grpc.ChannelCredentials): Promise<void> {
  const client = new (grpc.makeGenericClientConstructor(CART, 'Cart'))(`127.0.0.1:${port}`, credentials,
    { 'grpc.ssl_target_name_override': 'localhost' })
  const calls = client as unknown as Record<keyof typeof CART, (...args: unknown[]) => unknown>
  const asked = metadata(['x-request-id', `grpc-${port}`], ['x-same', 'one'], ['x-same', 'two'])
  const message = Buffer.from('pot')
  const answered = async (start: (done: (error: grpc.ServiceError | null) => void) => void): Promise<grpc.ServiceError | null> =>
    await new Promise((resolve) => { start(resolve) })
  assert.equal(await answered((done) => calls.add.call(client, message, asked, { deadline: Date.now() + 5000 }, done)), null)
  assert.equal((await answered((done) => calls.fail.call(client, message, asked, done)))?.code, grpc.status.NOT_FOUND)
  let listed = 0
  for await (const _ of calls.list.call(client, message, asked) as grpc.ClientReadableStream<Buffer>) listed++
  assert.equal(listed, 20)
  assert.equal(await answered((done) => {
    const fill = calls.fill.call(client, asked, done) as grpc.ClientWritableStream<Buffer>
    for (let count = 0; count < 8; count++) fill.write(Buffer.alloc(5000))
    fill.end()
  }), null)
  const talk = calls.talk.call(client, asked) as grpc.ClientDuplexStream<Buffer, Buffer>
  for (let count = 0; count < 6; count++) talk.write(Buffer.alloc(count))
  talk.end()
  let said = 0
  for await (const _ of talk) said++
  assert.equal(said, 6)
  client.close()
}

test('grpc-js, unary and streaming, in the clear and over TLS: head, response and trailers as the server had them', async () => {
  const recorded: Told[] = []
  const values = (value: unknown): string[] => [value].flat().map(String)
  const fields = (headers: object | undefined): Fields => Object.entries(headers ?? {}).filter(([name]) => !name.startsWith(':'))
    .map(([name, value]) => [name, values(value)])
  // grpc-js hides fields from its handlers; Node's own channel has all that the server's session got and sent.
  const asked = new Map<ServerHttp2Stream, Pick<Told, 'port' | 'client' | 'path' | 'request'>>()
  const onCreated = (message: unknown): void => {
    const { stream, headers } = message as { stream: ServerHttp2Stream, headers: Record<string, string> }
    const { localPort, remotePort } = stream.session!.socket
    // Node joins what came more than once.
    const request = fields(headers)
      .map(([name, [value]]): Fields[number] => [name, name === 'x-same' ? value!.split(', ') : [value!]])
    asked.set(stream, { port: localPort!, client: remotePort!, path: headers[':path']!, request })
  }
  const onClose = (message: unknown): void => {
    const { stream } = message as { stream: ServerHttp2Stream }
    const { sentHeaders, sentTrailers } = stream
    const status = Number(sentHeaders[':status'])
    recorded.push({ ...asked.get(stream)!, status, response: fields(sentHeaders), trailers: fields(sentTrailers) })
  }
  subscribe('http2.server.stream.created', onCreated)
  subscribe('http2.server.stream.close', onClose)
  const server = new grpc.Server()
  server.addService(CART, IMPLEMENTATION)
  const bind = promisify(server.bindAsync.bind(server)) as (address: string, of: grpc.ServerCredentials) => Promise<number>
  const certificate = readFileSync(folder.certificate)
  try {
    await bind(`127.0.0.1:${GRPC}`, grpc.ServerCredentials.createInsecure())
    const pair = { private_key: readFileSync(folder.key), cert_chain: certificate }
    await bind(`127.0.0.1:${GRPC_TLS}`, grpc.ServerCredentials.createSsl(null, [pair]))
    await callAll(GRPC, grpc.credentials.createInsecure())
    await callAll(GRPC_TLS, grpc.credentials.createSsl(certificate, null, null, { checkServerIdentity: () => undefined }))
    await lintel.process.until(() => recorded.length === 2 * Object.keys(CART).length, 'close of every call')
    await assertLogged([GRPC, GRPC_TLS], recorded)
  } finally {
    server.forceShutdown()
    unsubscribe('http2.server.stream.created', onCreated)
    unsubscribe('http2.server.stream.close', onClose)
  }
})

/** Field lines of a head. */
function lines(raw: readonly string[]): Fields {
  return raw.map((line) => [line.slice(0, line.indexOf(': ')).toLowerCase(), [line.slice(line.indexOf(': ') + 2)]])
}

async function listen(server: Server | SecureServer, port: number, recorded: Told[]): Promise<WebSocketServer> {
  const sockets = new WebSocketServer({ server, perMessageDeflate: true, handleProtocols: (offered) => [...offered][0]! })
  sockets.on('headers', ([, ...head], { socket, url, rawHeaders }) => {
    const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]!}`] : []))
    const told = { path: url!, status: 101, request: lines(pairs), response: lines(head), trailers: [] }
    recorded.push({ port, client: socket.remotePort!, ...told })
  })
  sockets.on('connection', (socket) => socket.on('message', (data) => { socket.send(data) }))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return sockets
}

test('WebSocket clients, in the clear and over TLS: the upgrade as the server had it', async () => {
  const recorded: Told[] = []
  const pem = { cert: readFileSync(folder.certificate), key: readFileSync(folder.key) }
  const servers = [createServer(), createSecureServer(pem)]
  const sockets = [await listen(servers[0]!, WEBSOCKET, recorded), await listen(servers[1]!, WEBSOCKET_TLS, recorded)]
  try {
    for (const [scheme, port] of [['ws', WEBSOCKET], ['wss', WEBSOCKET_TLS]] as const) {
      const url = `${scheme}://127.0.0.1:${port}`
      const options = { rejectUnauthorized: false, headers: { 'X-Request-ID': `ws-${port}` } }
      const clients = Array.from({ length: 5 }, (_, index) => new WebSocket(`${url}/ws/${index}`, ['chat', 'other'], options))
      for (const client of clients) {
        if (client.readyState !== WebSocket.OPEN) await once(client, 'open')
        client.send('hello')
        await once(client, 'message')
        client.close(1000)
        await once(client, 'close')
      }
    }
    // Node's own WebSocket takes no option for a certificate that nobody signed.
    const own = new globalThis.WebSocket(`ws://127.0.0.1:${WEBSOCKET}/own`)
    await once(own, 'open')
    own.close()
    await once(own, 'close')
    assert.equal(recorded.length, 11)
    await assertLogged([WEBSOCKET, WEBSOCKET_TLS], recorded)
  } finally {
    for (const each of sockets) each.close()
    for (const server of servers) server.close()
  }
})

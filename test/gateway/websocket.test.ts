/**
 * WebSockets live: Node's own client, straight to a server and through nginx. What the log counts is what both ends say they
 * sent; each exchange and each WebSocket is logged once.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { WebSocketServer } from 'ws'
import type { WebSocket as ServerSocket } from 'ws'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'

const DIRECT = 18121
const PROXY = 18122
const SECRET = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4'

let lintel: Lintel
let gateway: Gateway
let server: WebSocketServer

/** Echoes every message; on "close" it closes, on "big N" it sends N bytes. */
function serve(socket: ServerSocket): void {
  socket.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString()
    const big = /^big (\d+)$/.exec(text)
    if (text === 'close') socket.close(4002, `Bearer ${SECRET}`)
    else if (text === 'fragments') ['a', 'b', 'c'].forEach((part, index) => { socket.send(part, { fin: index === 2 }) })
    else if (text === 'ping') socket.ping('are you there')
    else if (big !== null) socket.send(Buffer.alloc(Number(big[1]), 'x'))
    else socket.send(data, { binary: isBinary })
  })
}

before(async () => {
  server = new WebSocketServer({
    port: DIRECT,
    host: '127.0.0.1',
    perMessageDeflate: { threshold: 1000 },
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : [...offered][0]!),
  })
  server.on('connection', serve)
  await once(server, 'listening')
  gateway = await Gateway.start({
    listen: [`127.0.0.1:${PROXY}`],
    location: `proxy_pass http://127.0.0.1:${DIRECT}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";`,
  })
  lintel = await Lintel.start(['--port', `${DIRECT}-${PROXY}`, '--interface', 'lo'])
})

after(async () => {
  try {
    const totals = await lintel.stop()
    assert.match(totals, /adds up/)
    assert.match(totals, /skipped_body [1-9]/)
    const records = await lintel.records()
    assert.deepEqual(records.filter(({ kind }) => kind === 'anomaly').map(({ event }) => event?.name), [])
    assert.equal(JSON.stringify(records).includes(SECRET), false, 'a token in a close reason or a header is hidden')
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    server.close()
    await gateway.stop()
  }
})

/** A client that keeps what came. */
class Client {
  readonly socket: WebSocket
  readonly received: (string | Blob)[] = []

  constructor(port: number, path: string, protocols: string[] = []) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols)
    this.socket.addEventListener('message', ({ data }) => { this.received.push(data as string | Blob) })
  }

  async opened(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open')
  }

  async ask(message: string | Uint8Array, answers = 1): Promise<void> {
    const wanted = this.received.length + answers
    this.socket.send(message)
    while (this.received.length < wanted) await once(this.socket, 'message')
  }

  async close(code = 1000, reason = ''): Promise<void> {
    const closed = once(this.socket, 'close')
    this.socket.close(code, reason)
    await closed
  }
}

/** The websocket record of the connection that `path` was upgraded on, seen on `port`. */
async function ended(path: string, port: number): Promise<LoggedRecord> {
  const [exchange] = await lintel.until((record) => record.kind === 'exchange' && record.url?.path === path && record.server?.port === port, 1)
  assert.equal(exchange?.http?.response?.status_code, 101)
  const found = await lintel.until((record) => record.kind === 'websocket' &&
    record.network?.connection?.id === exchange.network?.connection?.id && record.http?.request?.depth === exchange.http?.request?.depth, 1)
  assert.equal(found.length, 1)
  return found[0]!
}

test('messages both ways, a code and a reason from the client; the upgrade is logged while it is open', async () => {
  const client = new Client(DIRECT, '/plain', ['other', 'chat'])
  await client.opened()
  const [exchange] = await lintel.exchanges('/plain')
  assert.equal(exchange?.http?.response?.status_code, 101)
  assert.deepEqual(exchange.http.response.header?.['sec-websocket-protocol'], ['chat'])
  assert.equal(lintel.now().some(({ kind }) => kind === 'websocket'), false)
  for (const text of ['one', 'two', 'three']) await client.ask(text)
  await client.ask('fragments')
  await client.close(3001, 'seen enough')
  const { websocket, event, network, duration } = await ended('/plain', DIRECT)
  assert.equal(websocket?.subprotocol, 'chat')
  assert.match(websocket.extensions ?? '', /permessage-deflate/)
  assert.deepEqual([websocket.close_code, websocket.close_reason, websocket.closed_by], [3001, 'seen enough', 'client'])
  assert.deepEqual([websocket.client.messages, websocket.server.messages, websocket.server.frames], [4, 4, 6])
  assert.equal(network?.protocol?.name, 'websocket')
  assert.deepEqual([event?.name, event?.reason], ['close', 'close frames of both sides'])
  assert.ok(duration! > 0)
})

test('the server closes, with a secret in its reason', async () => {
  const client = new Client(DIRECT, '/server-closes')
  await client.opened()
  client.socket.send('close')
  await once(client.socket, 'close')
  const { websocket } = await ended('/server-closes', DIRECT)
  assert.deepEqual([websocket?.close_code, websocket?.closed_by], [4002, 'server'])
  assert.notEqual(websocket?.close_reason, undefined)
})

test('long messages are skipped in the kernel, and counted to the byte; what follows is read', async () => {
  const client = new Client(DIRECT, '/long')
  await client.opened()
  // Random bytes do not deflate: what is sent is as long as what is given.
  for (const length of [100_000, 3_000_000]) {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, length)))
    await client.ask(bytes)
  }
  await client.ask('after')
  await client.close()
  const { websocket, marks } = await ended('/long', DIRECT)
  assert.equal(marks, undefined)
  for (const side of [websocket!.client, websocket!.server]) {
    assert.equal(side.messages, 3)
    assert.ok(side.bytes > 3_100_000 && side.bytes < 3_110_000, `${side.bytes} bytes`)
  }
})

test('a compressed message is counted as sent, not as it inflates', async () => {
  const client = new Client(DIRECT, '/compressed')
  await client.opened()
  await client.ask('big 500000')
  await client.close()
  const { websocket } = await ended('/compressed', DIRECT)
  assert.deepEqual([websocket?.server.messages, websocket?.server.compressed_messages], [1, 1])
  assert.ok(websocket!.server.bytes < 5000, `${websocket!.server.bytes} bytes`)
})

test('ping and pong', async () => {
  const client = new Client(DIRECT, '/ping')
  await client.opened()
  client.socket.send('ping')
  await client.ask('and on')
  await client.close()
  const { websocket } = await ended('/ping', DIRECT)
  assert.deepEqual([websocket?.server.pings, websocket?.client.pongs], [1, 1])
})

test('through nginx both connections have it, and say the same', async () => {
  const client = new Client(PROXY, '/proxied', ['chat'])
  await client.opened()
  for (let count = 0; count < 20; count++) await client.ask(`message ${count}`)
  await client.close(1000, 'done')
  const front = await ended('/proxied', PROXY)
  const back = await ended('/proxied', DIRECT)
  assert.deepEqual(front.websocket, back.websocket)
  assert.deepEqual([front.websocket?.client.messages, front.websocket?.close_reason], [20, 'done'])
})

test('a client that goes away without a close frame', async () => {
  const socket = connect(DIRECT, '127.0.0.1')
  socket.write('GET /gone HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  await once(socket, 'data')
  socket.resetAndDestroy()
  const { websocket, event } = await ended('/gone', DIRECT)
  assert.equal(event?.name, 'reset')
  assert.equal(websocket?.close_code, undefined)
  assert.equal(websocket?.closed_by, undefined)
})

test('a token that a client sends as a subprotocol is hidden, as in the header, where the server chose it', async () => {
  const client = new Client(DIRECT, '/token', [`base64url.bearer.authorization.k8s.io.${SECRET}`])
  await client.opened()
  await client.close()
  const { websocket } = await ended('/token', DIRECT)
  const [exchange] = await lintel.exchanges('/token')
  assert.match(websocket?.subprotocol ?? '', /^base64url\.bearer\.authorization\.k8s\.io\./)
  assert.deepEqual([websocket?.subprotocol], exchange?.http?.response?.header?.['sec-websocket-protocol'])
})

/** Connections: very many at once, those that were there before the agent, and the records of their coming and going. */
import assert from 'node:assert/strict'
import { Agent, createServer, request } from 'node:http'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { RawClient, RawServer } from './testing/raw-peer.ts'

const PORT = 18107
const EARLY = 18108
const CLOSED = 18109
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Answers each head it gets; the connections stay open. */
async function answering(port: number): Promise<RawServer> {
  return await RawServer.start(port, (socket) => {
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      for (let at = received.indexOf('\r\n\r\n'); at >= 0; at = received.indexOf('\r\n\r\n')) {
        received = received.slice(at + 4)
        socket.write(OK)
      }
    })
    socket.on('end', () => { socket.end() })
  })
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}

let lintel: Lintel
let server: RawServer
let early: RawServer
let keepAlive: RawClient
let inBody: RawClient

before(async () => {
  server = await answering(PORT)
  early = await answering(EARLY)
  keepAlive = await RawClient.connect(EARLY)
  keepAlive.send(get('/before'))
  await keepAlive.until('ok')
  // In the midst of a request body when the agent comes.
  inBody = await RawClient.connect(EARLY)
  inBody.send(`POST /before-body HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n0123456789`)
  await inBody.until('ok')
  lintel = await Lintel.start(['--port', `${PORT}-${CLOSED}`, '--interface', 'lo', '--kind', 'exchange', '--kind', 'connection', '--kind', 'anomaly',
    '--field', 'tcp.*'])
})
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await server.stop()
    await early.stop()
  }
})

function events(port: number): (record: LoggedRecord) => boolean {
  return (record) => record.kind === 'connection' && (record.client?.port === port || record.server?.port === port)
}

test('a connection opened before the agent: what it carries from then on is logged whole', async () => {
  keepAlive.send(get('/after-1'))
  await keepAlive.until('ok', 2)
  keepAlive.send(get('/after-2'))
  await keepAlive.until('ok', 3)
  for (const path of ['/after-1', '/after-2']) {
    const [record] = await lintel.exchanges(path)
    assert.equal(record?.http?.response?.status_code, 200)
    assert.deepEqual(record.http.request?.header, { host: ['a'] })
    assert.deepEqual([record.client?.port, record.server?.port], [keepAlive.socket.localPort, EARLY])
    // Nothing that was seen proves that no other request was still to be answered.
    assert.deepEqual(record.marks, { 'http.response.status_code': 'likely, not proven: the client was not seen to wait for each response' })
  }
  assert.deepEqual(lintel.now().filter((record) => record.url?.path === '/before'), [])
  keepAlive.close()
})

test('an agent that comes in the midst of a body: nothing is guessed, the next request is logged', async () => {
  inBody.send('01234567890123456789')
  await delay(50)
  inBody.send(get('/after-body'))
  await inBody.until('ok', 2)
  const [record] = await lintel.exchanges('/after-body')
  assert.equal(record?.http?.response?.status_code, 200)
  inBody.close()
})

test('1,000 connections at once, three requests each: every exchange once, every open and close', { timeout: 60_000 }, async () => {
  const count = 1000
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(PORT)))
  for (let round = 1; round <= 3; round++) {
    for (const [n, client] of clients.entries()) client.send(`GET /many HTTP/1.1\r\nHost: a\r\nX-Id: ${n}-${round}\r\n\r\n`)
    for (const client of clients) await client.until('ok', round)
  }
  const ports = new Set(clients.map((client) => client.socket.localPort))
  for (const client of clients) client.socket.end()
  for (const client of clients) await client.untilClosed()
  const records = await lintel.exchanges('/many', 3 * count)
  assert.equal(records.length, 3 * count)
  assert.equal(new Set(records.map((record) => record.http?.request?.header?.['x-id']?.[0])).size, 3 * count)
  assert.ok(records.every((record) => record.http?.response?.status_code === 200 && record.marks === undefined))
  const mine = (name: string) => (record: LoggedRecord): boolean => record.kind === 'connection' && record.event?.name === name && record.server?.port === PORT
  const closes = await lintel.until(mine('close'), count)
  assert.equal(closes.length, count)
  assert.equal(lintel.now().filter(mine('open')).length, count)
  const bytes = get('/many').length + 'X-Id: \r\n'.length
  for (const close of closes) {
    assert.equal(close.connection?.exchanges, 3)
    assert.equal(close.connection.server?.bytes, 3 * OK.length)
    assert.ok(close.connection.client?.bytes! >= 3 * (bytes + '0-1'.length) && close.connection.client?.bytes! <= 3 * (bytes + '999-1'.length))
    assert.equal(close.connection.lost_bytes, 0)
  }
  assert.deepEqual(new Set(closes.map((close) => close.client?.port)), ports)
})

test('open and close of a real HTTP client: bytes as both ends counted them, handshake time, duration', async () => {
  const http = createServer((_, response) => { response.end('hello') })
  await server.stop()
  http.listen(PORT, '127.0.0.1')
  await once(http, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let port = 0
  let read = 0
  let written = 0
  for (let n = 0; n < 5; n++) {
    const call = request({ port: PORT, host: '127.0.0.1', path: '/keep', agent }).end()
    const [response] = await once(call, 'response')
    for await (const _ of response) { /* read to the end */ }
    port = call.socket!.localPort!
    read = call.socket!.bytesRead
    written = call.socket!.bytesWritten
  }
  agent.destroy()
  const [open, close] = await lintel.until(events(port), 2)
  http.close()
  server = await answering(PORT)
  assert.deepEqual([open?.event?.name, close?.event?.name], ['open', 'close'])
  assert.equal(close?.event?.reason, 'both sides closed')
  assert.deepEqual([close?.connection?.client?.bytes, close?.connection?.server?.bytes], [written, read])
  assert.equal(close?.connection?.exchanges, 5)
  assert.ok(close?.duration! > 0)
  assert.ok(Number(close?.tcp?.['handshake_duration']) > 0)
  assert.equal(close?.tcp?.['flags'], 'FIN,SYN,PSH,ACK')
})

test('a refused connection', async () => {
  await assert.rejects(RawClient.connect(CLOSED), { code: 'ECONNREFUSED' })
  const [record] = await lintel.until(events(CLOSED), 1)
  assert.equal(record?.event?.name, 'refused')
  assert.equal(record.event.reason, 'the server answered its SYN with a reset')
  assert.deepEqual([record.connection?.client?.bytes, record.connection?.server?.bytes], [0, 0])
})

test('a connection that the client resets', async () => {
  const client = await RawClient.connect(PORT)
  client.send(get('/then-reset'))
  await client.until('ok')
  const port = client.socket.localPort!
  client.socket.resetAndDestroy()
  const records = await lintel.until((record) => events(port)(record) && record.event?.name === 'reset', 1)
  assert.equal(records[0]?.event?.reason, 'one side reset it')
  assert.deepEqual([records[0].connection?.client?.bytes, records[0].connection?.server?.bytes], [get('/then-reset').length, OK.length])
  assert.equal(records[0].tcp?.['resets'], 1)
})

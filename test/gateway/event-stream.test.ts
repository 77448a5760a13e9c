/** Open-ended responses live: a stream of events, chunked or up to the close, is one exchange, told whole when it is over. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'

const DIRECT = 18141
const PROXY = 18142
const EVENTS = 12
const GAP_MS = 25

let server: Server
let gateway: Gateway
let lintel: Lintel
/** Bytes of body that the server has written, by path. */
const written = new Map<string, number>()

/** EVENTS events GAP_MS apart; /close without chunks, /endless until the client leaves. */
function stream(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!
  const isUntilClose = path.startsWith('/close')
  if (isUntilClose) response.useChunkedEncodingByDefault = false
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no', ...(isUntilClose ? { connection: 'close' } : {}) })
  let count = 0
  const timer = setInterval(() => {
    const event = `id: ${++count}\ndata: {"n":${count}}\n\n`
    written.set(path, (written.get(path) ?? 0) + event.length)
    response.write(event)
    if (count === EVENTS && path !== '/endless') {
      clearInterval(timer)
      response.end()
    }
  }, GAP_MS)
  response.on('close', () => { clearInterval(timer) })
}

before(async () => {
  server = createServer(stream).listen(DIRECT, '127.0.0.1')
  await once(server, 'listening')
  gateway = await Gateway.start({ listen: [`127.0.0.1:${PROXY}`], location: `proxy_pass http://127.0.0.1:${DIRECT}; proxy_http_version 1.1;` })
  lintel = await Lintel.start(['--interface', 'lo', '--port', `${DIRECT}-${PROXY}`])
})
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
    assert.deepEqual((await lintel.records()).filter(({ kind }) => kind === 'anomaly'), [])
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
    server.closeAllConnections()
    server.close()
  }
})

/** Resolves with the response when its first bytes of body are there. */
async function open(port: number, path: string): Promise<IncomingMessage> {
  const [response] = await once(get({ port, host: '127.0.0.1', path, agent: false }), 'response') as [IncomingMessage]
  await once(response, 'data')
  return response
}

for (const [name, port, path] of [
  ['chunked', DIRECT, '/chunked'], ['up to the close', DIRECT, '/close'], ['chunked through nginx', PROXY, '/proxied'],
  ['up to the close through nginx', PROXY, '/close-proxied'],
] as const) {
  test(`${name}: logged once, at its end, with its whole body and time`, async () => {
    const response = await open(port, path)
    await delay(100)
    assert.equal(lintel.now().some(({ url }) => url?.path === path), false, 'not told while it lasts')
    response.resume()
    await once(response, 'end')
    const records = await lintel.exchanges(path, port === PROXY ? 2 : 1)
    for (const { http, duration, time_to_first_byte, marks } of records) {
      assert.deepEqual(http?.response?.header?.['content-type'], ['text/event-stream'])
      if (port === DIRECT) assert.equal(http?.response?.header?.['transfer-encoding']?.[0], path === '/close' ? undefined : 'chunked')
      assert.deepEqual([http?.response?.body?.size, marks], [written.get(path), undefined])
      assert.ok(duration! > (EVENTS - 1) * GAP_MS / 1000 * 0.9, `${duration} s`)
      assert.ok(time_to_first_byte! < duration!)
    }
  })
}

test('a client that leaves in the middle: logged then, and marked', async () => {
  const response = await open(DIRECT, '/endless')
  response.destroy()
  const [record] = await lintel.exchanges('/endless')
  assert.equal(record?.http?.response?.status_code, 200)
  // A close with bytes unread is a reset.
  assert.match(record.marks?.['http.response.body.size'] ?? '', /^cut short: the connection (?:closed|was reset) inside the message$/)
})

test('a capture that ends in the middle: logged then, and marked as that', async () => {
  const own = await Lintel.start(['--port', String(DIRECT), '--interface', 'lo'])
  try {
    const response = await open(DIRECT, '/endless')
    await delay(300)
    await own.stop()
    response.destroy()
    const [record] = await own.exchanges('/endless')
    assert.equal(record?.http?.response?.status_code, 200)
    assert.equal(record.marks?.['http.response.body.size'], 'cut short: the capture ended inside the message')
  } finally {
    await own.process.stop('SIGKILL')
    own.remove()
  }
})

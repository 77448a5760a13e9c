/** Bodies stay in the kernel: their sizes are exact, their bytes are not copied, and the exchange behind them is logged. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import { Metrics } from './testing/metrics.ts'
import { run } from './testing/process.ts'
import { RawClient, RawServer } from './testing/raw-peer.ts'

const NGINX = 18104
const RAW = 18105
const METRICS = '127.0.0.1:18106'
const URL = `http://127.0.0.1:${NGINX}`
const MIB = 1024 * 1024
const DOWNLOADS = 20
const DELIVERED = 'lintel_packet_bytes_total{outcome="delivered"}'
const SKIPPED = 'lintel_packets_total{outcome="not_wanted",reason="skipped_body"}'

const folder = mkdtempSync(join(tmpdir(), 'lintel-bodies-'))
const large = join(folder, 'large.bin')
let gateway: Gateway
let lintel: Lintel

before(async () => {
  chmodSync(folder, 0o755) // nginx's workers are another user
  writeFileSync(large, '')
  truncateSync(large, 100 * MIB)
  gateway = await Gateway.start({
    listen: [`127.0.0.1:${NGINX}`], http: 'sendfile on;', location: `root ${folder};`,
  })
  lintel = await Lintel.start(['--port', `${NGINX}-${RAW}`, '--interface', 'lo', '--metrics', METRICS])
})
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('100 MiB down by curl, then a request on the same connection: exact size, hardly a byte of it copied', { timeout: 60_000 }, async () => {
  const before = await Metrics.scrape(METRICS)
  await run('curl', ['-sf', '-o', '/dev/null', `${URL}/large.bin?whole`, '--next', '-sf', '-o', '/dev/null', '-r', '0-9', `${URL}/large.bin?after`])
  const both = await lintel.exchanges('/large.bin', 2)
  assert.deepEqual(both.map((record) => [record.url?.query, record.http?.response?.body?.size]), [['whole', 100 * MIB], ['after', 10]])
  assert.equal(both[0]?.network?.connection?.id, both[1]?.network?.connection?.id)
  assert.deepEqual(both.map((record) => record.marks), [undefined, undefined])
  await delay(400) // the figures are taken each 250 ms
  const now = await Metrics.scrape(METRICS)
  const delivered = now.get(DELIVERED) - before.get(DELIVERED)
  assert.ok(delivered < 25 * MIB, `${delivered} bytes were copied of ${100 * MIB}`)
  assert.ok(now.get(SKIPPED) > before.get(SKIPPED))
})

test('bodies of many sizes each way, in one write with their head or apart, HEAD between them: exact sizes', { timeout: 60_000 }, async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const searchParams = new URLSearchParams(request.url!.split('?')[1])
      const body = Buffer.alloc(Number(searchParams.get('down')), 'HTTP/1.1 200 OK\r\n'.slice(3))
      response.writeHead(200, { 'content-length': body.length })
      if (searchParams.has('apart')) response.flushHeaders()
      response.end(body)
    })
  }).listen(RAW, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const downloads = new Agent({ keepAlive: true, maxSockets: 1 })
  const send = async (method: string, path: string, up: number, agent: Agent): Promise<void> => {
    const request = httpRequest({ agent, host: '127.0.0.1', port: RAW, method, path, headers: { 'content-length': up } })
    request.end(Buffer.alloc(up, 'b'))
    const [response] = await once(request, 'response') as [IncomingMessage]
    await once(response.resume(), 'end')
  }
  const sent: [string, string, number, number][] = []
  for (const size of [0, 1, 500, 4000, 4608, 4609, 5000, 10_000, 65_000, 65_536, 70_000, 200_000, 1_000_000]) {
    for (const form of ['', '&apart']) {
      sent.push(['GET', `down=${size}${form}`, 0, size], ['HEAD', `down=${size}${form}`, 0, 0], ['POST', `down=${size}${form}`, size, size],
        ['PUT', `down=3${form}&of=${size}`, size, 3])
    }
  }
  let records: Awaited<ReturnType<Lintel['exchanges']>>
  let quiet: Metrics
  try {
    for (const [method, query, up] of sent) await send(method, `/sizes?${query}`, up, agent)
    records = await lintel.exchanges('/sizes', sent.length)
    await delay(400)
    quiet = await Metrics.scrape(METRICS)
    for (let left = DOWNLOADS; left > 0; left--) await send('GET', `/downloads?down=${100_000}`, 0, downloads)
  } finally {
    for (const each of [agent, downloads]) each.destroy()
    server.close()
  }
  const seen = records.map(({ url, http, marks }) => (
    [http?.request?.method, url?.query, http?.request?.body?.size ?? 0, http?.response?.body?.size ?? 0, marks]))
  assert.deepEqual(seen, sent.map((each) => [...each, undefined]))
  assert.equal(new Set(records.map(({ network }) => network?.connection?.id)).size, 1)
  const downloaded = await lintel.exchanges('/downloads', DOWNLOADS)
  await delay(400)
  assert.deepEqual(downloaded.map(({ http, marks }) => [http?.response?.body?.size, marks]), downloaded.map(() => [100_000, undefined]))
  const delivered = (await Metrics.scrape(METRICS)).get(DELIVERED) - quiet.get(DELIVERED)
  assert.ok(delivered < DOWNLOADS * 10_000, `${delivered} bytes were copied of ${DOWNLOADS * 100_000}`)
})

test('50 MiB up in chunks by curl, then a request on the same connection: exact size', { timeout: 60_000 }, async () => {
  const server = await RawServer.start(RAW, (socket) => {
    let tail = ''
    socket.on('data', (data) => {
      tail = (tail + data.toString('latin1')).slice(-4096)
      if (tail.startsWith('HEAD') || /0\r\n\r\n$/.test(tail)) {
        tail = ''
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }
    })
    socket.on('end', () => { socket.end() })
  })
  try {
    const body = join(folder, 'fifty.bin')
    writeFileSync(body, '')
    truncateSync(body, 50 * MIB)
    await run('curl', ['-sf', '-T', body, '-H', 'Transfer-Encoding: chunked', '-H', 'Expect:', `http://127.0.0.1:${RAW}/up`,
      '--next', '-sf', '-I', `http://127.0.0.1:${RAW}/up-next`])
  } finally {
    await server.stop()
  }
  const [up] = await lintel.exchanges('/up')
  assert.equal(up?.http?.request?.body?.size, 50 * MIB)
  assert.equal(up.http.response?.status_code, 200)
  const [next] = await lintel.exchanges('/up-next')
  assert.equal(next?.network?.connection?.id, up.network?.connection?.id)
  assert.equal(next?.http?.response?.status_code, 200)
})

test('a body up to the close: exact size', async () => {
  const size = 3 * MIB
  const server = await RawServer.scripted(RAW, [{ until: '\r\n\r\n', send: Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), Buffer.alloc(size)]), then: 'end' }])
  try {
    await run('curl', ['-sf', '-o', '/dev/null', `http://127.0.0.1:${RAW}/until-close`])
  } finally {
    await server.stop()
  }
  const [record] = await lintel.exchanges('/until-close')
  assert.equal(record?.http?.response?.body?.size, size)
})

test('a body whose bytes look like HTTP messages: nothing in it is taken for one', async () => {
  const fake = 'HTTP/1.1 500 Fake\r\nContent-Length: 0\r\n\r\nGET /fake HTTP/1.1\r\nHost: fake\r\n\r\n'.repeat(2000)
  const server = await RawServer.scripted(RAW, [
    { until: '\r\n\r\n', send: `HTTP/1.1 200 OK\r\nContent-Length: ${fake.length}\r\n\r\n${fake}` },
    { until: '\r\n\r\n', send: 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n' },
  ])
  const client = await RawClient.connect(RAW)
  try {
    client.send('GET /holds-messages HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('Fake', 2000)
    await delay(50)
    client.send('GET /behind-messages HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('201 Created')
  } finally {
    client.close()
    await server.stop()
  }
  const [first] = await lintel.exchanges('/holds-messages')
  assert.equal(first?.http?.response?.body?.size, fake.length)
  const [second] = await lintel.exchanges('/behind-messages')
  assert.equal(second?.http?.response?.status_code, 201)
  assert.deepEqual(lintel.now().filter((record) => record.url?.path === '/fake' || record.http?.response?.status_code === 500), [])
})

/** A decoder of the user's own in the whole program: live, from a file, when it fails, and with secrets in its messages. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ask } from '../../examples/length-prefixed/client.ts'
import { encodeFrame, REQUEST, RESPONSE } from '../../examples/length-prefixed/frame.ts'
import { startServer } from '../../examples/length-prefixed/server.ts'
import { encode, ethernet, TcpConversation } from '../../lib/pcap/builder.ts'
import { PcapWriter } from '../../lib/pcap/mod.ts'
import { Gateway } from '../gateway/testing/gateway.ts'
import { Lintel, LINTEL } from '../gateway/testing/lintel.ts'
import type { LoggedRecord } from '../gateway/testing/lintel.ts'
import { run, Running } from '../gateway/testing/process.ts'
import { EXAMPLE } from './testing/own-scene.ts'

const PORT = 9400
const NGINX = 18131
const OTHER = 18132
const SECRET = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a'
const PASSWORD = 'correct-horse-battery-staple'

const folder = mkdtempSync(join(tmpdir(), 'lintel-own-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })

function isOwn(record: LoggedRecord): boolean {
  return record.network?.protocol?.name === 'length-prefixed'
}

async function closed(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

test('live: each request with its response, whatever the order; HTTP beside it; other ports stay unread', async () => {
  const server = await startServer(PORT)
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${NGINX}`] })
  const other = createServer((socket) => { socket.resume() }).listen(OTHER, '127.0.0.1')
  const lintel = await Lintel.start(['--interface', 'lo', '--port', String(PORT), '--port', `${NGINX}-${OTHER}`, '--decoder', EXAMPLE])
  try {
    const requests = Array.from({ length: 200 }, (_, index) => ({
      line: `PUT /items/${index + 1}`,
      headers: { 'x-number': String(index + 1), traceparent: `00-${(index + 1).toString(16).padStart(32, '0')}-00f067aa0ba902b7-01` },
      body: Buffer.alloc(index === 100 ? 400_000 : index, 'b'),
    }))
    const answers = await ask(PORT, requests)
    assert.notDeepEqual(answers.map(({ id }) => id), requests.map((_, index) => index + 1), 'answers came in another order')
    await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${NGINX}/beside`])
    const stranger = connect(OTHER, '127.0.0.1')
    stranger.end(encodeFrame({ type: REQUEST, id: 1, line: 'GET /unread', headers: {}, body: Buffer.alloc(0) }))
    await once(stranger, 'close')
    const records = await lintel.until(isOwn, requests.length)
    await lintel.exchanges('/beside')
    assert.match(await lintel.stop(), /adds up/)
    const all = await lintel.records()
    assert.deepEqual(all.filter(({ kind }) => kind === 'anomaly').map(({ event }) => event?.name).filter((name) => name !== 'protocol_unknown'), [])
    assert.equal(records.length, requests.length)
    const byPath = new Map(records.map((record) => [record.message?.request?.path, record]))
    requests.forEach(({ line, headers, body }) => {
      const { message, marks, trace, kind, duration, http, url } = byPath.get(line.split(' ')[1])!
      assert.deepEqual([kind, message?.request?.method, message?.request?.header?.['x-number']], ['exchange', 'PUT', [headers['x-number']]])
      assert.deepEqual([message?.request?.body?.size, message?.response?.status], [body.length, 'ok'])
      assert.deepEqual(message?.response?.header?.['x-body-bytes'], [String(body.length)], 'the response is that of this request')
      assert.equal(trace?.id, headers.traceparent.slice(3, 35))
      assert.deepEqual([marks, http, url], [undefined, undefined, undefined])
      assert.ok(duration! > 0)
    })
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    other.close()
    await gateway.stop()
    await closed(server)
  }
})

test('live: a decoder that throws at every call loses its own connections; HTTP is logged to the last, the run ends with 1', async () => {
  const path = join(folder, 'broken.ts')
  writeFileSync(path, `export default {
  name: 'broken', ports: [${NGINX}, ${PORT}],
  detect(bytes: Uint8Array): string { throw new Error(Buffer.from(bytes).toString()) },
  open() { throw new Error('never') },
}
`)
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${NGINX}`] })
  const lintel = await Lintel.start(['--interface', 'lo', '--port', String(NGINX), '--decoder', path])
  try {
    const urls = Array.from({ length: 30 }, (_, index) => `http://127.0.0.1:${NGINX}/alive/${index}`)
    for (const url of urls) await run('curl', ['-s', '-o', '/dev/null', '-H', `X-Note: ${PASSWORD}`, url])
    await lintel.until((record) => record.url?.path?.startsWith('/alive/') === true, urls.length)
    assert.equal(await lintel.process.stop('SIGTERM'), 1)
    const said = lintel.process.errors
    assert.match(said, /adds up/)
    assert.match(said, /decoder "broken" failed with Error at broken\.ts:3:\d+/)
    assert.match(said, /decoder "broken" is switched off: it failed 10 times within a minute/)
    assert.equal(said.includes(PASSWORD), false, 'what was thrown holds traffic, and is not told')
    const failed = (await lintel.records()).filter(({ event }) => event?.name === 'decoder_failed:broken')
    assert.ok(failed.reduce((sum, { event }) => sum + event!.count!, 0) >= 10)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

/** A capture of one connection to the example's server. */
async function capture(name: string, segments: readonly (readonly ['client' | 'server', Buffer])[]): Promise<string> {
  const conversation = new TcpConversation({ serverPort: PORT }).open()
  for (const [from, bytes] of segments) conversation.send(from, bytes)
  const path = join(folder, name)
  const file = createWriteStream(path)
  const writer = new PcapWriter((bytes) => { file.write(bytes) })
  conversation.close().layers().forEach((layer, index) => { writer.packet(encode(ethernet({}, layer)), 1_700_000_000, index * 1000) })
  file.end()
  await once(file, 'close')
  return path
}

async function replay(path: string, ...args: string[]): Promise<{ code: number, records: LoggedRecord[], text: string, said: string }> {
  const running = new Running(LINTEL, ['replay', path, '--output', 'stdout', ...args])
  const code = await running.finish()
  const records = running.output.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedRecord)
  return { code, records, text: running.output, said: running.errors }
}

test('from a file: secrets in headers, path, method and status are hidden, everywhere', async () => {
  const path = await capture('secrets.pcap', [
    ['client', encodeFrame({
      type: REQUEST, id: 1, line: `PUT /items?token=${SECRET}&password=${PASSWORD}`,
      headers: { authorization: `Bearer ${PASSWORD}`, cookie: `session=${PASSWORD}`, 'x-note': `key ${SECRET} here`, 'x-plain': 'shown' },
      body: Buffer.from(PASSWORD),
    })],
    ['server', encodeFrame({ type: RESPONSE, id: 1, line: `denied ${SECRET}`, headers: { 'set-cookie': `session=${PASSWORD}` }, body: Buffer.alloc(0) })],
    ['client', encodeFrame({ type: REQUEST, id: 2, line: `${SECRET} /x`, headers: {}, body: Buffer.alloc(0) })],
  ])
  const { code, records, text, said } = await replay(path, '--decoder', EXAMPLE)
  assert.equal(code, 0, said)
  assert.equal((text + said).includes(SECRET), false)
  assert.equal((text + said).includes(PASSWORD), false)
  const [exchange, alone] = records.filter(isOwn)
  assert.deepEqual(exchange?.message?.request?.header?.['x-plain'], ['shown'])
  assert.match(exchange?.message?.response?.status ?? '', /^denied /)
  assert.deepEqual(alone?.marks, { 'message.response.status': 'no response before the connection closed' })
})

test('from a file: headers chosen, fields left out and filters apply to it as to HTTP', async () => {
  const path = await capture('chosen.pcap', [1, 2].flatMap((id) => [
    ['client', encodeFrame({ type: REQUEST, id, line: 'GET /a', headers: { 'x-a': '1', 'x-b': '2' }, body: Buffer.alloc(0) })],
    ['server', encodeFrame({ type: RESPONSE, id, line: id === 1 ? 'ok' : 'failed', headers: {}, body: Buffer.alloc(0) })],
  ] as const))
  const { records } = await replay(path, '--decoder', EXAMPLE, '--header', 'x-b', '--field', '!message.request.path',
    '--filter', 'message.response.status == "failed"')
  assert.equal(records.length, 1)
  const { said } = await replay(path, '--decoder', EXAMPLE, '--port', '80')
  assert.match(said, /decoder "length-prefixed" has nothing to read: the port filter leaves out 9400; add --port/)
  assert.deepEqual(records[0]?.message?.request, { method: 'GET', header: { 'x-b': ['2'] }, body: { size: 0 } })
})

test('a decoder that is not there or cannot be used: told before anything starts', async () => {
  const path = await capture('any.pcap', [])
  const missing = await replay(path, '--decoder', join(folder, 'none.ts'))
  assert.equal(missing.code, 2)
  assert.match(missing.said, /Cannot use the decoder ".*none\.ts": there is no such file/)
  const file = join(folder, 'syntax.ts')
  writeFileSync(file, 'export default { name: ')
  const broken = await replay(path, '--decoder', file)
  assert.equal(broken.code, 1)
  assert.match(broken.said, /Cannot use the decoder ".*syntax\.ts": it cannot be loaded/)
  assert.equal(broken.text, '')
})

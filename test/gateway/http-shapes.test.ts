/** Every way in which HTTP/1 frames a message, live: the exchange is logged once, right, and so is the one behind it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import { run } from './testing/process.ts'
import { RawClient, RawServer } from './testing/raw-peer.ts'
import type { Step } from './testing/raw-peer.ts'

const RAW = 18101
const PROXY = 18102
const NGINX = 18103
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let lintel: Lintel
before(async () => {
  lintel = await Lintel.start(['--port', `${RAW}-${NGINX}`, '--interface', 'lo', '--field', 'http.response.reason_phrase'])
})
after(async () => {
  try {
    const totals = await lintel.stop()
    assert.match(totals, /adds up/)
    assert.match(totals, /unknown_protocol [1-9]/, 'the connection that was no HTTP is counted')
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

/** Plays `steps` as the server, and gives the client to `talk`. */
async function play(steps: readonly Step[], talk: (client: RawClient) => Promise<void>): Promise<void> {
  const server = await RawServer.scripted(RAW, steps)
  const client = await RawClient.connect(RAW)
  try {
    await talk(client)
  } finally {
    client.close()
    await server.stop()
  }
}

/** `steps`, then an ordinary exchange on the same connection, which must be logged as well: the framing was right. */
async function playThenNext(name: string, steps: readonly Step[], talk: (client: RawClient) => Promise<void>): Promise<void> {
  await play([...steps, { until: '\r\n\r\n', send: OK }], async (client) => {
    await talk(client)
    client.received = ''
    client.send(`GET /${name}/next HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.until('ok')
  })
  const [next] = await lintel.exchanges(`/${name}/next`)
  assert.equal(next?.http?.response?.status_code, 200)
  assert.equal(next.http.response.body?.size, 2)
  assert.equal(next.http.request?.depth, 2)
}

test('HTTP/1.0 by curl: version and body up to the close', async () => {
  const server = await RawServer.scripted(RAW, [{ until: '\r\n\r\n', send: 'HTTP/1.0 200 OK\r\nServer: old\r\n\r\n0123456789', then: 'end' }])
  try {
    assert.equal(await run('curl', ['-s', '--http1.0', `http://127.0.0.1:${RAW}/one-zero`]), '0123456789')
  } finally {
    await server.stop()
  }
  const [record] = await lintel.exchanges('/one-zero')
  assert.equal(record?.network?.protocol?.version, '1.0')
  assert.equal(record.http?.response?.body?.size, 10)
  assert.deepEqual(record.http.response.header, { server: ['old'] })
})

for (const [name, method, head] of [
  ['head', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
  ['no-content', 'GET', 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n'],
  ['not-modified', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: "x"\r\n\r\n'],
] as const) {
  test(`a response without a body whatever its head says: ${name}`, async () => {
    await playThenNext(name, [{ until: '\r\n\r\n', send: head }], async (client) => {
      client.send(`${method} /${name} HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.until('\r\n\r\n')
    })
    const [record] = await lintel.exchanges(`/${name}`)
    assert.equal(record?.http?.request?.method, method)
    assert.equal(record.http.response?.status_code, Number(head.slice(9, 12)))
    assert.equal(record.http.response.body?.size, 0)
  })
}

test('chunked both ways, with extensions and trailers: sizes without the framing, trailers apart', async () => {
  const chunks = '4;ext="a b"\r\nWiki\r\n5\r\npedia\r\n0\r\n'
  await playThenNext('chunked', [{
    until: '0\r\nX-Sent: yes\r\n\r\n',
    send: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${chunks}X-Sum: 17\r\nX-Sum: 18\r\n\r\n`,
  }], async (client) => {
    client.send('POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await delay(30)
    client.send('0\r\nX-Sent: yes\r\n\r\n')
    await client.until('X-Sum: 18')
  })
  const [record] = await lintel.exchanges('/chunked')
  assert.equal(record?.http?.request?.body?.size, 3)
  assert.deepEqual(record.http.request.trailer, { 'x-sent': ['yes'] })
  assert.equal(record.http.response?.body?.size, 9)
  assert.deepEqual(record.http.response.trailer, { 'x-sum': ['17', '18'] })
  assert.equal(record.anomalies, undefined)
})

test('100-continue by curl, and more 1xx in front of the answer: all in one exchange', async () => {
  const server = await RawServer.scripted(RAW, [
    { until: '\r\n\r\n', send: 'HTTP/1.1 100 Continue\r\n\r\n' },
    { until: 'body-ends', send: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`, then: 'end' },
  ])
  try {
    const body = `${'x'.repeat(5000)}body-ends`
    assert.equal(await run('curl', ['-s', '-H', 'Expect: 100-continue', '--data', body, `http://127.0.0.1:${RAW}/continue`]), 'ok')
  } finally {
    await server.stop()
  }
  const [record] = await lintel.exchanges('/continue')
  assert.deepEqual(record?.http?.response?.interim_status_codes, [100, 103, 102])
  assert.equal(record.http.response.status_code, 200)
  assert.equal(record.http.request?.body?.size, 5009)
  assert.deepEqual(record.http.request.header?.['expect'], ['100-continue'])
})

test('Upgrade to WebSocket: the exchange is logged, what looks like HTTP inside the tunnel is not', async () => {
  await play([
    { until: '\r\n\r\n', send: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n' },
    { until: 'inner', send: Buffer.from([0x81, 0x02, 0x68, 0x69]), then: 'end' },
  ], async (client) => {
    client.send('GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n')
    await client.until('\r\n\r\n')
    client.send('GET /inside-the-tunnel HTTP/1.1\r\nHost: inner\r\n\r\n')
    await client.until('hi')
    client.socket.end()
    await client.untilClosed()
  })
  const [record] = await lintel.exchanges('/socket')
  assert.equal(record?.http?.response?.status_code, 101)
  assert.deepEqual(record.http.response.header?.['upgrade'], ['websocket'])
  await delay(300)
  assert.deepEqual(lintel.now().filter((one) => one.url?.path === '/inside-the-tunnel'), [])
})

test('CONNECT through a proxy by curl: the CONNECT is logged, and the exchange inside the tunnel and behind the proxy', async () => {
  const server = await RawServer.scripted(RAW, [{ until: '\r\n\r\n', send: OK, then: 'end' }])
  const proxy = await RawServer.start(PROXY, (socket) => {
    socket.once('data', () => {
      void RawClient.connect(RAW).then((upstream) => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(upstream.socket).pipe(socket)
      })
    })
  })
  try {
    await run('curl', ['-s', '-p', '-x', `http://127.0.0.1:${PROXY}`, `http://127.0.0.1:${RAW}/behind-proxy`])
  } finally {
    await proxy.stop()
    await server.stop()
  }
  const [connect] = await lintel.until((record) => record.http?.request?.method === 'CONNECT', 1)
  assert.equal(connect?.http?.response?.status_code, 200)
  assert.equal(connect.server?.port, PROXY)
  const both = await lintel.exchanges('/behind-proxy', 2)
  assert.deepEqual(both.map((record) => record.server?.port).sort(), [RAW, PROXY])
})

test('absolute-form through a plain proxy: scheme, domain and path are those of the target', async () => {
  const server = await RawServer.scripted(PROXY, [{ until: '\r\n\r\n', send: OK, then: 'end' }])
  try {
    await run('curl', ['-s', '-x', `http://127.0.0.1:${PROXY}`, 'http://shop.example/absolute?q=1'])
  } finally {
    await server.stop()
  }
  const [record] = await lintel.exchanges('/absolute')
  assert.deepEqual([record?.url?.scheme, record?.url?.domain, record?.url?.query], ['http', 'shop.example', 'q=1'])
})

test('pipelining: 200 requests in one write, their answers in pieces, each paired with its own', async () => {
  const count = 200
  const server = await RawServer.start(RAW, (socket) => {
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      if (received.split('\r\n\r\n').length <= count) return
      const answers = Array.from({ length: count }, (_, n) => `HTTP/1.1 200 OK\r\nX-N: ${n}\r\nContent-Length: ${n}\r\n\r\n${'b'.repeat(n)}`).join('')
      for (let at = 0; at < answers.length; at += 777) socket.write(answers.slice(at, at + 777))
      socket.end()
    })
  })
  const client = await RawClient.connect(RAW)
  try {
    client.send(Array.from({ length: count }, (_, n) => `GET /pipelined HTTP/1.1\r\nHost: a\r\nX-N: ${n}\r\n\r\n`).join(''))
    await client.until(`X-N: ${count - 1}\r\n`)
  } finally {
    client.socket.end()
    await client.untilClosed()
    await server.stop()
  }
  const records = await lintel.exchanges('/pipelined', count)
  assert.equal(records.length, count)
  for (const [n, record] of records.entries()) {
    assert.deepEqual(record.http?.request?.header?.['x-n'], [String(n)])
    assert.deepEqual(record.http?.response?.header?.['x-n'], [String(n)])
    assert.equal(record.http?.response?.body?.size, n)
    assert.equal(record.http?.request?.depth, n + 1)
  }
})

test('a request head of 64 KiB to nginx by curl: every byte of its values', async () => {
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${NGINX}`] })
  const values = Array.from({ length: 8 }, (_, n) => `${n}-${'abcdefgh '.repeat(900)}end`)
  try {
    await run('curl', ['-s', ...values.flatMap((value, n) => ['-H', `X-Large-${n}: ${value}`]), `http://127.0.0.1:${NGINX}/large-head`])
  } finally {
    await gateway.stop()
  }
  const [record] = await lintel.exchanges('/large-head')
  assert.ok(record?.http?.request?.header_bytes! > 64_000, String(record?.http?.request?.header_bytes))
  for (const [n, value] of values.entries()) assert.deepEqual(record?.http?.request?.header?.[`x-large-${n}`], [value])
  assert.equal(record?.http?.response?.status_code, 200)
})

test('4,000 header fields each way: every one, in order', async () => {
  const fields = Array.from({ length: 4000 }, (_, n) => `X-F-${n % 1000}: v${n}\r\n`).join('')
  await playThenNext('fields', [{ until: '\r\n\r\n', send: `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${fields}\r\n` }], async (client) => {
    client.send(`GET /fields HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
    await client.until('v3999\r\n\r\n')
  })
  const [record] = await lintel.exchanges('/fields')
  for (const header of [record?.http?.request?.header, record?.http?.response?.header]) {
    for (let n = 0; n < 1000; n++) {
      assert.deepEqual(header?.[`x-f-${n}`], [`v${n}`, `v${n + 1000}`, `v${n + 2000}`, `v${n + 3000}`])
    }
  }
  assert.equal(record?.marks, undefined)
})

test('a client that half-closes before the answer: the answer is paired', async () => {
  const server = await RawServer.start(RAW, (socket) => {
    socket.on('data', () => {})
    socket.on('end', () => { setTimeout(() => { socket.end(OK) }, 50) })
  })
  const client = await RawClient.connect(RAW)
  try {
    client.socket.end('GET /half-closed HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('ok')
  } finally {
    client.close()
    await server.stop()
  }
  const [record] = await lintel.exchanges('/half-closed')
  assert.equal(record?.http?.response?.status_code, 200)
  assert.equal(record.marks, undefined)
})

test('a client that sends byte by byte, a server that answers byte by byte', async () => {
  const server = await RawServer.start(RAW, (socket) => {
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      if (received.endsWith('\r\n\r\n')) void slowly(OK, (byte) => { socket.write(byte) })
    })
  })
  const client = await RawClient.connect(RAW)
  try {
    await slowly('GET /byte-by-byte HTTP/1.1\r\nHost: slow.example\r\nX-Last: last\r\n\r\n', (byte) => { client.send(byte) })
    await client.until('ok')
  } finally {
    client.close()
    await server.stop()
  }
  const [record] = await lintel.exchanges('/byte-by-byte')
  assert.deepEqual(record?.http?.request?.header, { 'host': ['slow.example'], 'x-last': ['last'] })
  assert.equal(record.http.response?.body?.size, 2)
  assert.ok(record.time_to_first_byte! <= record.duration!)
})

async function slowly(text: string, send: (byte: string) => void): Promise<void> {
  for (const byte of text) {
    send(byte)
    await delay(3)
  }
}

test('a server that resets instead of answering: the request is logged, the missing answer marked', async () => {
  await play([{ until: '\r\n\r\n', then: 'reset' }], async (client) => {
    client.send('GET /reset HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.untilClosed()
  })
  const [record] = await lintel.exchanges('/reset')
  assert.equal(record?.http?.response, undefined)
  assert.equal(record?.marks?.['http.response.status_code'], 'no response before the connection was reset')
})

test('a server that closes in the midst of the body: what came is counted and marked', async () => {
  await play([{ until: '\r\n\r\n', send: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789', then: 'end' }], async (client) => {
    client.send('GET /cut-short HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('0123456789')
    client.socket.end()
    await client.untilClosed()
  })
  const [record] = await lintel.exchanges('/cut-short')
  assert.equal(record?.http?.response?.status_code, 200)
  assert.equal(record.http.response.body?.size, 10)
  assert.equal(record.marks?.['http.response.body.size'], 'cut short: the connection closed inside the message')
})

test('a method in small letters is a method', async () => {
  await playThenNext('small', [{ until: '\r\n\r\n', send: OK }], async (client) => {
    client.send('get /small HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('ok')
  })
  const [record] = await lintel.exchanges('/small')
  assert.equal(record?.http?.request?.method, '_OTHER')
  assert.equal(record.http.request.method_original, 'get')
  assert.equal(record.http.response?.status_code, 200)
})

test('a response head over 256 KiB: status and the headers that are whole, marked as cut', async () => {
  await play([{ until: '\r\n\r\n', send: `HTTP/1.1 503 Full\r\nServer: a\r\nX: ${'y'.repeat(400_000)}\r\n\r\n`, then: 'end' }], async (client) => {
    client.send('GET /long-head HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('\r\n\r\n')
    client.socket.end()
    await client.untilClosed()
  })
  const [record] = await lintel.exchanges('/long-head')
  assert.equal(record?.http?.response?.status_code, 503)
  assert.deepEqual(record.http.response.header, { server: ['a'] })
  assert.equal(record.http.response.header_bytes, undefined)
  const cut = 'cut: more than the bound'
  assert.deepEqual(record.marks, {
    'http.response.body.size': cut, 'http.response.header': cut, 'http.response.header_bytes': cut, 'http.response.header_count': cut,
  })
})

test('what is no HTTP is not logged, and costs a counter only', async () => {
  const server = await RawServer.scripted(RAW, [{ until: 'GET', send: '$-1\r\n', then: 'end' }])
  const client = await RawClient.connect(RAW)
  const before = lintel.now().length
  try {
    client.send(`*2\r\n$3\r\nGET\r\n$200\r\n${'k'.repeat(200)}\r\n`)
    await delay(300)
  } finally {
    client.close()
    await server.stop()
  }
  assert.equal(lintel.now().length, before)
})

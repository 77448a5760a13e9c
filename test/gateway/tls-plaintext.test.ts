/**
 * TLS read in the clear: real programs with real libraries speak to each other, and each exchange stands in the log once, with
 * the headers that were sent inside TLS.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { kernelObjects } from './testing/kernel-objects.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Running, run } from './testing/process.ts'
import { goRequests, goServer, nodeRequests, nodeServer, TlsFolder } from './testing/tls-peers.ts'

const NGINX = 18_543
const NODE = 18_544
const GO = 18_545
let folder: TlsFolder

before(async () => { folder = await TlsFolder.make() })
after(() => { folder.remove() })

/** Names of the kernel programs that read TLS. */
function tlsPrograms(): string[] {
  return kernelObjects().programs.filter((name) => name.startsWith('lintel_tls'))
}

function idOf(record: LoggedRecord): string | undefined {
  return record.http?.request?.header?.['x-request-id']?.[0]
}

/** The exchanges whose X-Request-ID begins so, after `count` are there and some time for one too many. */
async function exchangesOf(lintel: Lintel, prefix: string, count: number): Promise<LoggedRecord[]> {
  const isOne = (record: LoggedRecord): boolean => record.kind === 'exchange' && (idOf(record) ?? '').startsWith(prefix)
  await lintel.until(isOne, count)
  await delay(300)
  return lintel.now().filter(isOne).sort((one, other) => (idOf(one) ?? '').localeCompare(idOf(other) ?? '', 'en', { numeric: true }))
}

/** Each of `prefix`0 upwards once, inside TLS, answered by 200, to `port`, from a port that is known. */
function assertOnce(records: readonly LoggedRecord[], prefix: string, count: number, port: number): void {
  assert.deepEqual(records.map(idOf).sort(), Array.from({ length: count }, (_, index) => `${prefix}${index}`).sort())
  for (const record of records) {
    assert.equal(record.url?.scheme, 'https')
    assert.equal(record.http?.response?.status_code, 200)
    assert.equal(record.server?.port, port)
    assert.equal(record.server?.address, '127.0.0.1')
    assert.equal(record.client?.address, '127.0.0.1')
    assert.ok((record.client?.port ?? 0) > 0)
    assert.equal(record.marks, undefined)
    const index = Number(idOf(record)!.slice(prefix.length))
    if (record.http?.request?.method === 'POST') assert.equal(record.http.request.body?.size, index * 1000)
  }
}

const PYTHON = `
import os, socket, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
def connect(port):
    return context.wrap_socket(socket.create_connection(('127.0.0.1', port)))
def ask(connection, name, body=b''):
    head = 'POST /%s HTTP/1.1\\r\\nHost: localhost\\r\\nX-Request-ID: %s\\r\\nContent-Length: %d\\r\\n\\r\\n' % (name, name, len(body))
    connection.sendall(head.encode() + body)
    return connection.recv(65536)
`

test('curl over TLS 1.2 and 1.3 to nginx: one record for both ends and the packets, with headers and hidden secrets', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start()
  try {
    for (const [index, version] of ['1.2', '1.3'].entries()) {
      await run('curl', ['-sk', `--tlsv${version}`, '--tls-max', version, '-H', `X-Request-ID: curl${index}`, '-H', 'Authorization: Bearer s3cr3t-t0ken',
        `https://127.0.0.1:${NGINX}/curl`])
    }
    const records = await exchangesOf(lintel, 'curl', 2)
    assertOnce(records, 'curl', 2, NGINX)
    for (const record of records) {
      assert.equal(record.http?.request?.header?.['authorization']?.[0], 'Bearer REDACTED')
      assert.equal(record.http?.response?.header?.['server']?.[0]?.startsWith('nginx'), true)
      // What only its packets tell stands in the same record.
      assert.equal(record.network?.interface?.name, 'lo')
    }
    const summary = await lintel.stop()
    assert.match(summary, /; TLS calls seen [1-9]\d* = .*; adds up/)
    assert.equal((await lintel.records()).filter((record) => record.kind === 'exchange').length, 2)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

test('the record of a TLS connection counts the exchanges that were read inside', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start(['--interface', 'lo', '--port', String(NGINX), '--kind', 'exchange', '--kind', 'connection'])
  try {
    for (const count of [1, 5]) await run('curl', ['-sk', '-H', `X-Request-ID: count${count}`, `https://127.0.0.1:${NGINX}/[1-${count}]`])
    const closed = await lintel.until(({ kind, event }) => kind === 'connection' && event?.name === 'close', 2)
    assert.deepEqual(closed.map(({ connection }) => connection?.exchanges), [1, 5])
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('--sample keeps a connection on the wire and in the clear, or neither', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start(['--sample', '0.4', '--port', String(NGINX), '--interface', 'lo'])
  try {
    const connections = 40
    for (let index = 0; index < connections; index++) await run('curl', ['-sk', '-H', `X-Request-ID: sample${index}`, `https://127.0.0.1:${NGINX}/`])
    await delay(300)
    await lintel.stop()
    const records = await lintel.records()
    const portsOf = (kind: string): (number | undefined)[] => records.filter((record) => record.kind === kind).map(({ client }) => client?.port).sort()
    assert.deepEqual(portsOf('exchange'), portsOf('handshake'))
    // Chosen by connection: binomial around 16; beyond these bounds less than once in 10^6 runs.
    assert.ok(portsOf('exchange').length > 2 && portsOf('exchange').length < 32, `${portsOf('exchange').length} of ${connections}`)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

test('a handshake and a WebSocket inside TLS name both ends; the WebSocket has the facts of the handshake', async () => {
  const server = new WebSocketServer({ port: NODE, host: '127.0.0.1' })
  await once(server, 'listening')
  const gateway = await folder.gateway(NGINX, {
    location: `proxy_pass http://127.0.0.1:${NODE}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`,
  })
  const lintel = await Lintel.start(['--interface', 'lo', '--port', String(NGINX)])
  try {
    const socket = new WebSocket(`wss://127.0.0.1:${NGINX}/inside`, { rejectUnauthorized: false })
    await once(socket, 'open')
    socket.close(1000)
    await once(socket, 'close')
    type Named = LoggedRecord & { [end in 'client' | 'server']?: { process?: { pid?: number; executable?: { name?: string } } } }
    const [told] = await lintel.until(({ kind }) => kind === 'websocket', 1) as Named[]
    const [handshake] = await lintel.until(({ kind }) => kind === 'handshake', 1) as Named[]
    for (const record of [told, handshake]) {
      assert.deepEqual([record?.client?.process?.pid, record?.server?.process?.executable?.name], [process.pid, 'nginx'], record?.kind)
    }
    assert.ok(handshake?.tls?.client?.ja4 !== undefined)
    assert.deepEqual(told?.tls, handshake.tls)
    assert.equal(told?.websocket?.close_code, 1000)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
    server.close()
  }
})

test('a connection older than the agent is read from its next call on', async () => {
  const gateway = await folder.gateway(NGINX)
  const go = join(folder.path, 'go-on')
  const client = new Running('python3', ['-c', `${PYTHON}
connection = connect(${NGINX})
ask(connection, 'old0')
print('first', flush=True)
while not os.path.exists('${go}'): time.sleep(0.02)
ask(connection, 'old1')
ask(connection, 'old2')
`])
  await client.until(() => client.output.includes('first'), 'first answer')
  const lintel = await Lintel.start()
  try {
    writeFileSync(go, '')
    assert.equal(await client.finish(), 0, client.errors)
    const records = await exchangesOf(lintel, 'old', 2)
    assert.deepEqual(records.map(idOf), ['old1', 'old2'])
    assert.ok(records.every((record) => record.server?.port === NGINX && record.http?.response?.status_code === 200))
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('Node, whose TLS never touches its sockets, is paired with them: as server, as client, and as both', async () => {
  const gateway = await folder.gateway(NGINX)
  const server = await nodeServer(folder, NODE)
  const lintel = await Lintel.start()
  try {
    await run('curl', ['-sk', '-H', 'X-Request-ID: curl-node0', `https://127.0.0.1:${NODE}/`])
    await nodeRequests(`https://127.0.0.1:${NGINX}/`, 'node-nginx', 12)
    await nodeRequests(`https://127.0.0.1:${NODE}/`, 'node-node', 12)
    assertOnce(await exchangesOf(lintel, 'curl-node', 1), 'curl-node', 1, NODE)
    assertOnce(await exchangesOf(lintel, 'node-nginx', 12), 'node-nginx', 12, NGINX)
    assertOnce(await exchangesOf(lintel, 'node-node', 12), 'node-node', 12, NODE)
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await server.stop()
    await gateway.stop()
  }
})

test('GnuTLS (wget) and Python', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start()
  try {
    await run('wget', ['-q', '--no-check-certificate', '-O', '/dev/null', '--header=X-Request-ID: wget0', `https://127.0.0.1:${NGINX}/wget`])
    await run('python3', ['-c', `${PYTHON}
connection = connect(${NGINX})
for index in range(3): ask(connection, 'python%d' % index)
`])
    assertOnce(await exchangesOf(lintel, 'wget', 1), 'wget', 1, NGINX)
    const records = await exchangesOf(lintel, 'python', 3)
    assert.deepEqual(records.map(idOf), ['python0', 'python1', 'python2'])
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('GnuTLS alone: its peer is not read, so that every byte comes by its own calls', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.configured((directory) => `
outputs: [{ type: file, path: ${join(directory, 'log.ndjson')} }]
capture: { tls: { paths: { include: ["*libgnutls*"] } } }
`)
  try {
    await run('wget', ['-q', '--no-check-certificate', '-O', '/dev/null', '--header=X-Request-ID: alone0', `https://127.0.0.1:${NGINX}/wget`])
    await run('curl', ['-sk', '-H', 'X-Request-ID: alone-openssl', `https://127.0.0.1:${NGINX}/`])
    assertOnce(await exchangesOf(lintel, 'alone', 1), 'alone', 1, NGINX)
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('Go\'s crypto/tls as server, as client and as both, also stripped', { timeout: 300_000 }, async () => {
  const plain = await folder.buildGo('go-plain')
  const stripped = await folder.buildGo('go-stripped', ['-ldflags=-s -w'])
  const gateway = await folder.gateway(NGINX)
  const server = await goServer(folder, stripped, GO)
  const lintel = await Lintel.start()
  try {
    await run('curl', ['-sk', '-H', 'X-Request-ID: curl-go0', `https://127.0.0.1:${GO}/`])
    await goRequests(plain, `https://127.0.0.1:${NGINX}/`, 'go-nginx', 12)
    await goRequests(plain, `https://127.0.0.1:${GO}/`, 'go-go', 12)
    assertOnce(await exchangesOf(lintel, 'curl-go', 1), 'curl-go', 1, GO)
    assertOnce(await exchangesOf(lintel, 'go-nginx', 12), 'go-nginx', 12, NGINX)
    assertOnce(await exchangesOf(lintel, 'go-go', 12), 'go-go', 12, GO)
    assert.match(await lintel.stop(), /adds up/)
    assert.ok(server.running, 'the server that was probed lives')
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await server.stop()
    await gateway.stop()
  }
})

test('large bodies: their size is told, their bytes are left out; a call over 256 KiB is cut and counted', async () => {
  const gateway = await folder.gateway(NGINX, { location: `alias ${folder.path}/;` })
  // Long enough that the word to skip reaches the kernel while it goes by, on a quiet machine too.
  folder.write('large', 'x'.repeat(100_000_000))
  const lintel = await Lintel.start()
  try {
    await run('curl', ['-sk', '-o', '/dev/null', '-H', 'X-Request-ID: large0', `https://127.0.0.1:${NGINX}/large`])
    // Python gives head and body to one SSL_write.
    await run('python3', ['-c', `${PYTHON}
for index, length in enumerate([200000, 600000]): ask(connect(${NGINX}), 'upload%d' % index, b'x' * length)
`])
    const [large] = await exchangesOf(lintel, 'large', 1)
    assert.equal(large?.http?.response?.body?.size, 100_000_000)
    const uploads = await exchangesOf(lintel, 'upload', 2)
    assert.deepEqual(uploads.map((record) => [idOf(record), record.http?.request?.body?.size]), [['upload0', 200_000], ['upload1', 600_000]])
    assert.match(await lintel.stop(), /skipped_body [1-9]\d*.*; adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

test('a program killed in the midst of a call harms nothing: its exchange ends without an answer, the next is whole', async () => {
  const gateway = await folder.gateway(NGINX)
  const silent = new Running('python3', ['-c', `
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('${folder.certificate}', '${folder.key}')
listener = socket.create_server(('127.0.0.1', ${NODE}))
print('listening', flush=True)
connection = context.wrap_socket(listener.accept()[0], server_side=True)
while connection.recv(4096): pass
`])
  await silent.until(() => silent.output.includes('listening'), 'listening port')
  const lintel = await Lintel.start()
  try {
    const client = new Running('curl', ['-sk', '-H', 'X-Request-ID: killed0', `https://127.0.0.1:${NODE}/`])
    await delay(700)
    await client.stop('SIGKILL')
    const [killed] = await exchangesOf(lintel, 'killed', 1)
    assert.equal(killed?.http?.response, undefined)
    assert.match(killed?.marks?.['http.response.status_code'] ?? '', /no response before the connection/)
    await run('curl', ['-sk', '-H', 'X-Request-ID: after0', `https://127.0.0.1:${NGINX}/`])
    assertOnce(await exchangesOf(lintel, 'after', 1), 'after', 1, NGINX)
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await silent.stop()
    await gateway.stop()
  }
})

test('a library that nobody had mapped before is probed when it is, in another mount namespace too', async () => {
  const gateway = await folder.gateway(NGINX)
  const copy = await folder.copyOpenssl('copy')
  const lintel = await Lintel.configured((directory) => `
outputs: [{ type: file, path: ${join(directory, 'log.ndjson')} }]
capture: { tls: { paths: { include: ["*/copy/*", "/mnt/hidden/*"] } } }
`)
  // A program has its library mapped for a while before it speaks.
  const script = folder.write('late.py', `${PYTHON}
time.sleep(0.3)
ask(connect(${NGINX}), sys.argv[1])
`)
  try {
    await run('python3', [script, 'late-not'])
    await run('python3', [script, 'late0'], { env: { ...process.env, LD_LIBRARY_PATH: copy } })
    // The library is seen there only, under a path that is nothing here.
    await run('unshare', ['--mount', 'sh', '-c',
      `mount -t tmpfs none /mnt && mkdir /mnt/hidden && cp ${copy}/* /mnt/hidden && exec env LD_LIBRARY_PATH=/mnt/hidden python3 ${script} late1`])
    const records = await exchangesOf(lintel, 'late', 2)
    assert.deepEqual(records.map(idOf), ['late0', 'late1'])
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('kill -9 of the agent leaves no probe, and the programs that were probed go on', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start()
  try {
    await run('curl', ['-sk', '-H', 'X-Request-ID: before0', `https://127.0.0.1:${NGINX}/`])
    await exchangesOf(lintel, 'before', 1)
    assert.ok(tlsPrograms().length > 0)
    await lintel.process.stop('SIGKILL')
    // A program goes with the last probe that runs it.
    for (let tries = 0; tries < 200 && tlsPrograms().length > 0; tries++) await delay(50)
    assert.deepEqual(tlsPrograms(), [])
    assert.equal(await run('curl', ['-sk', `https://127.0.0.1:${NGINX}/`]), 'hello world\n')
  } finally {
    lintel.remove()
    await gateway.stop()
  }
})

test('--no-tls leaves every library alone', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.start(['--no-tls'])
  try {
    assert.deepEqual(tlsPrograms(), [])
    await run('curl', ['-sk', `https://127.0.0.1:${NGINX}/`])
    await delay(300)
    assert.equal(lintel.now().filter((record) => record.kind === 'exchange').length, 0)
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

/** TLS through memory: each pass moves what the library has made to the socket, in pieces of `piece` bytes. */
const MEMORY_CLIENT = (piece: number, id: string): string => `
import socket, ssl
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing)
sock = socket.create_connection(('127.0.0.1', ${NGINX}))
def flush():
    data = outgoing.read()
    while data:
        sock.sendall(data[:${piece}])
        data = data[${piece}:]
def repeat(call):
    while True:
        try:
            result = call()
            flush()
            return result
        except ssl.SSLWantReadError:
            flush()
            incoming.write(sock.recv(${piece}))
repeat(tls.do_handshake)
repeat(lambda: tls.write(b'GET /memory HTTP/1.1\\r\\nHost: localhost\\r\\nX-Request-ID: ${id}\\r\\n\\r\\n'))
repeat(lambda: tls.read(65536))
`

test('a program that keeps its library away from the socket: told by the order of its calls, else without addresses, marked', async () => {
  const gateway = await folder.gateway(NGINX)
  // nginx is left out, so that the client alone can tell.
  const lintel = await Lintel.configured((directory) => `
outputs: [{ type: file, path: ${join(directory, 'log.ndjson')} }]
capture: { tls: { processes: { include: [python3, python3.11, python] } } }
`)
  try {
    await run('python3', ['-c', MEMORY_CLIENT(65_536, 'memory-paired')])
    await run('python3', ['-c', MEMORY_CLIENT(20, 'memory-pieces')])
    const [paired, pieces] = await exchangesOf(lintel, 'memory', 2)
    assert.equal(idOf(paired!), 'memory-paired')
    assert.equal(paired?.server?.port, NGINX)
    assert.equal(paired?.marks, undefined)
    assert.equal(idOf(pieces!), 'memory-pieces')
    assert.equal(pieces?.http?.response?.status_code, 200)
    assert.equal(pieces?.client, undefined)
    assert.equal(pieces?.server, undefined)
    assert.match(pieces?.marks?.['client.address'] ?? '', /^socket not known/)
  } finally {
    await lintel.stop()
    lintel.remove()
    await gateway.stop()
  }
})

test('the same where a port is asked for: read once the socket is known, else counted', async () => {
  const gateway = await folder.gateway(NGINX)
  const lintel = await Lintel.configured((directory) => `
outputs: [{ type: file, path: ${join(directory, 'log.ndjson')} }]
capture: { ports: [${NGINX}], tls: { processes: { include: [python3, python3.11, python] } } }
`)
  try {
    await run('python3', ['-c', MEMORY_CLIENT(65_536, 'memory-paired')])
    await run('python3', ['-c', MEMORY_CLIENT(20, 'memory-pieces')])
    const [paired, ...more] = await exchangesOf(lintel, 'memory', 1)
    assert.deepEqual([idOf(paired!), paired?.server?.port, more], ['memory-paired', NGINX, []])
    const [undecided] = await lintel.until((record) => record.event?.name === 'plaintext_undecided', 1)
    assert.equal(undecided?.event?.count, 1)
    // nginx's sessions are those that are not wanted.
    assert.match(await lintel.stop(), /; TLS sessions opened 1, not_wanted 2; adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

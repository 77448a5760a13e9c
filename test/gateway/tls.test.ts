/** TLS, QUIC and PROXY headers on a live kernel: nginx and haproxy as servers, curl as client. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeCertificate } from '../../src/decode/testing/tls-conversation.ts'
import { initialDatagrams } from '../conformance/testing/quic-datagrams.ts'
import { CORPORA, hasCorpora } from '../conformance/testing/corpora.ts'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { run, Running } from './testing/process.ts'
import { ask } from './testing/raw-peer.ts'

const HTTPS = 18241
const PROXIED = 18242
const PROXIED_TLS = 18243
const FRONT = 18244
const FRONT_TLS = 18245
const TUNNEL = 18246
const QUIC = 18247
const BODY_BYTES = 16 * 1024 * 1024

let folder: string
let nginx: Gateway
let haproxy: Running
let tunnel: Server
let lintel: Lintel

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lintel-tls-'))
  // nginx gives the workers that read the body an account of their own.
  chmodSync(folder, 0o755)
  const { key, cert } = makeCertificate('/O=Gate/CN=gate.example', ['subjectAltName=DNS:gate.example'])
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'body'), Buffer.alloc(BODY_BYTES, 'x'))
  nginx = await Gateway.start({
    listen: [`127.0.0.1:${HTTPS} ssl http2`, `127.0.0.1:${PROXIED} proxy_protocol`, `127.0.0.1:${PROXIED_TLS} ssl proxy_protocol`],
    http: `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;`,
    location: `if ($uri = /address) { return 200 "$proxy_protocol_addr:$proxy_protocol_port\\n"; } root ${folder};`,
  })
  writeFileSync(join(folder, 'haproxy.cfg'), `
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen plain
  mode http
  bind 127.0.0.1:${FRONT}
  server nginx 127.0.0.1:${PROXIED} send-proxy-v2
listen through
  mode tcp
  bind 127.0.0.1:${FRONT_TLS}
  server nginx 127.0.0.1:${PROXIED_TLS} send-proxy-v2
`)
  haproxy = new Running('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')])
  tunnel = await connectProxy(TUNNEL)
  lintel = await Lintel.start(['--port', `${HTTPS}-${QUIC}`, '--interface', 'lo',
    '--kind', 'exchange', '--kind', 'handshake', '--kind', 'connection', '--kind', 'anomaly'])
  await haproxy.until(async () => await run('curl', ['-s', `http://127.0.0.1:${FRONT}/address`]).then(() => true, () => false), 'an answer')
})

after(async () => {
  try {
    const totals = await lintel.stop()
    assert.match(totals, /adds up/)
    assert.match(totals, /ignored \d{2}/, 'encrypted packets are counted as ignored')
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    tunnel.close()
    await haproxy.stop()
    await nginx.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A forward proxy that knows CONNECT alone. */
async function connectProxy(port: number): Promise<Server> {
  const server = createServer((client) => {
    client.once('data', (head) => {
      const target = /^CONNECT ([\d.]+):(\d+) /.exec(head.toString('latin1'))
      if (target === null) {
        client.destroy()
        return
      }
      const far = connect(Number(target[2]), target[1]!, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        client.pipe(far).pipe(client)
      })
      far.on('error', () => { client.destroy() })
      client.on('error', () => { far.destroy() })
    })
  })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  return server
}

/** curl over TLS: what it says of the handshake, its own port, and the bytes it got. */
async function curl(port: number, path: string, ...options: string[]): Promise<{ text: string; port: number }> {
  const text = await run('curl', ['-skv', '--stderr', '-', '-o', '/dev/null', '-w', 'port=%{local_port}\n', ...options,
    '--resolve', `gate.example:${port}:127.0.0.1`, `https://gate.example:${port}${path}`])
  return { text, port: Number(/^port=(\d+)$/m.exec(text)![1]) }
}

async function handshakeOf(clientPort: number): Promise<LoggedRecord> {
  const [record] = await lintel.until(({ kind, client }) => kind === 'handshake' && client?.port === clientPort, 1)
  return record!
}

for (const version of ['1.2', '1.3']) {
  test(`TLS ${version}: the handshake is logged as curl saw it, with no configuration beyond the kind`, async () => {
    const { text, port } = await curl(HTTPS, '/address', `--tls-max`, version, `--tlsv${version}`)
    const [, protocol, cipher] = /SSL connection using TLSv(\S+) \/ (\S+)/.exec(text)!
    const { event, tls, server, network } = await handshakeOf(port)
    assert.equal(event?.name, 'answered')
    assert.equal(server?.port, HTTPS)
    assert.equal(network?.protocol?.name, 'tls')
    assert.deepEqual(tls?.protocol, { name: 'tls', version: protocol })
    assert.equal(tls.cipher, version === '1.3' ? cipher : 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384')
    assert.equal(tls.client?.server_name, 'gate.example')
    assert.deepEqual(tls.client.alpn, ['h2', 'http/1.1'])
    assert.match(tls.client.ja4!, /^t1[23]d\d{4}h2_/)
    assert.equal(tls.resumed, false)
    if (version === '1.3') {
      assert.equal(tls.next_protocol, undefined)
      assert.equal(tls.server, undefined)
    } else {
      assert.equal(tls.next_protocol, 'h2')
      assert.equal(tls.server?.subject, 'CN=gate.example,O=Gate')
      assert.equal(tls.server.issuer, 'CN=gate.example,O=Gate')
      assert.deepEqual(tls.server.subject_alternative_names, ['gate.example'])
      assert.match(text, /expire date: /)
      const expires = new Date(/expire date: (.*)$/m.exec(text)![1]!)
      assert.equal(new Date(tls.server.not_after!).getTime(), expires.getTime())
    }
  })
}

test('a long download over TLS: its connection record has every byte, and the facts of the handshake', async () => {
  const { port } = await curl(HTTPS, '/body', '--tls-max', '1.2')
  const [closed] = await lintel.until(({ kind, client, event }) => kind === 'connection' && client?.port === port && event?.name !== 'open', 1)
  assert.equal(closed?.event?.name, 'close')
  assert.ok(closed.connection!.server!.bytes! > BODY_BYTES, `${closed.connection!.server!.bytes} bytes`)
  assert.equal(closed.connection?.lost_bytes, 0)
  assert.equal(closed.tls?.client?.server_name, 'gate.example')
  assert.equal(closed.tls.server?.subject, 'CN=gate.example,O=Gate')
})

test('a TLS connection is no unknown protocol', () => {
  assert.deepEqual(lintel.now().filter(({ kind }) => kind === 'anomaly').map(({ event }) => event?.name), [])
})

test('PROXY version 1, by curl and by hand: the client that it names is the real one', async () => {
  const { stdout } = { stdout: await run('curl', ['-s', '--haproxy-protocol', '-w', ' %{local_port}', `http://127.0.0.1:${PROXIED}/address?by=curl`]) }
  const [nginxSaw, localPort] = stdout.split('\n')
  assert.equal(nginxSaw, `127.0.0.1:${localPort!.trim()}`)
  const [byCurl] = await lintel.until(({ url }) => url?.query === 'by=curl', 1)
  assert.equal(byCurl?.proxy?.version, 1)
  assert.deepEqual(byCurl.proxy.source, { address: '127.0.0.1', port: Number(localPort) })
  const answer = await ask(PROXIED, 'PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n'
    + 'GET /address?by=hand HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '5555')
  assert.match(answer, /203\.0\.113\.9:5555/, 'what nginx reads of it')
  const [byHand] = await lintel.until(({ url }) => url?.query === 'by=hand', 1)
  assert.equal(byHand?.client?.address, '127.0.0.1')
  assert.equal(byHand.client.real_address, '203.0.113.9')
  assert.deepEqual(byHand.proxy?.destination, { address: '192.0.2.1', port: 443 })
})

test('PROXY, then X-Forwarded-For: believed only when the client that PROXY names is trusted', async () => {
  const send = async (source: string, name: string): Promise<LoggedRecord> => {
    await ask(PROXIED, `PROXY TCP4 ${source} 192.0.2.1 5555 443\r\nGET /address?by=${name} HTTP/1.1\r\nHost: a\r\n`
      + 'X-Forwarded-For: 198.51.100.4\r\nConnection: close\r\n\r\n', '5555')
    const [record] = await lintel.until(({ url }) => url?.query === `by=${name}`, 1)
    return record!
  }
  assert.equal((await send('10.0.0.1', 'trusted')).client?.real_address, '198.51.100.4')
  assert.equal((await send('203.0.113.9', 'stranger')).client?.real_address, '203.0.113.9')
})

test('PROXY version 2, by haproxy: in front of HTTP and of TLS', async () => {
  const [, localPort] = (await run('curl', ['-s', '-w', '%{local_port}', `http://127.0.0.1:${FRONT}/address?by=haproxy`])).split('\n')
  const records = await lintel.until(({ url }) => url?.query === 'by=haproxy', 2)
  const behind = records.find(({ server }) => server?.port === PROXIED)
  assert.equal(behind?.proxy?.version, 2)
  assert.deepEqual(behind.proxy.source, { address: '127.0.0.1', port: Number(localPort) })
  assert.equal(behind.client?.real_address, '127.0.0.1')
  assert.equal(records.find(({ server }) => server?.port === FRONT)?.proxy, undefined)
  const { port } = await curl(FRONT_TLS, '/address')
  const [through] = await lintel.until(({ kind, server, proxy }) => kind === 'handshake' && server?.port === PROXIED_TLS && proxy?.source?.port === port, 1)
  assert.equal(through?.proxy?.version, 2)
  assert.equal(through.tls?.client?.server_name, 'gate.example')
})

test('TLS inside CONNECT gives its handshake, HTTP inside CONNECT its exchanges', async () => {
  const secure = await run('curl', ['-sk', '-x', `http://127.0.0.1:${TUNNEL}`, '-o', '/dev/null', '-w', '%{local_port}', `https://127.0.0.1:${HTTPS}/address`])
  const inside = await handshakeOf(Number(secure))
  assert.equal(inside.server?.port, TUNNEL)
  assert.equal(inside.tls?.protocol?.version, '1.3')
  await run('curl', ['-s', '-p', '-x', `http://127.0.0.1:${TUNNEL}`, `http://127.0.0.1:${FRONT}/address?by=tunnel`])
  const records = await lintel.until(({ url }) => url?.query === 'by=tunnel', 3)
  assert.deepEqual(records.map(({ server }) => server?.port).sort(), [PROXIED, FRONT, TUNNEL].sort())
  const tunnelled = records.find(({ server }) => server?.port === TUNNEL)
  assert.equal(tunnelled?.http?.request?.depth, 2)
  assert.equal(tunnelled.http.response?.status_code, 200)
})

test('QUIC: the first datagrams of a real client, sent over the loopback', async (context) => {
  if (!hasCorpora(context)) return
  const datagrams = initialDatagrams(`${CORPORA}/ja4/pcap/quic-tls-handshake.pcapng`)
  assert.ok(datagrams.length > 0)
  const server = createSocket('udp4')
  const client = createSocket('udp4')
  try {
    await new Promise<void>((resolve) => { server.bind(QUIC, '127.0.0.1', resolve) })
    await new Promise<void>((resolve) => { client.bind(0, '127.0.0.1', resolve) })
    for (const datagram of datagrams) client.send(datagram, QUIC, '127.0.0.1')
    client.send('no QUIC at all', QUIC, '127.0.0.1')
    const record = await handshakeOf(client.address().port)
    assert.equal(record.event?.name, 'unanswered')
    assert.deepEqual(record.network?.protocol, { name: 'quic', version: '1' })
    assert.equal(record.network.transport, 'udp')
    assert.equal(record.tls?.client?.server_name, 'www.google.com')
    assert.equal(record.tls.client.ja4, 'q13d0310h3_55b375c5d22e_cd85d2d88918')
  } finally {
    server.close()
    client.close()
  }
})

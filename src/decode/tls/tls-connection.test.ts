import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { testDecoder } from '../decoder.suite.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { randomFrom } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { makeCertificate, playTls } from '../testing/tls-conversation.ts'
import type { TlsSegment, TlsTalk } from '../testing/tls-conversation.ts'
import { CertificateReader } from './certificate.ts'
import { TlsProtocol } from './mod.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const protocol = new TlsProtocol(memory)
const certificate = makeCertificate('/C=DE/O=A\\, B/CN=gate.example', ['subjectAltName=DNS:gate.example,DNS:*.gate.example,IP:192.0.2.1'])
const clientCertificate = makeCertificate('/O=Callers/CN=caller')
const SERVER = { ...certificate, ALPNProtocols: ['h2', 'http/1.1'] }
const CLIENT = { servername: 'gate.example', ALPNProtocols: ['h2', 'http/1.1'] }

interface Played { readonly recorder: MessageRecorder; readonly connection: TestConnection; readonly isIgnored: boolean }

function play(segments: readonly TlsSegment[], fromStart = true): Played {
  const connection = new TestConnection(memory, input, fromStart ? {} : { fromStart, client: undefined })
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: [protocol], sink: recorder, control: connection }))
  segments.forEach(({ side, bytes }, time) => { connection.send(side, bytes, time) })
  const { isIgnored } = connection
  connection.close(segments.length)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return { recorder, connection, isIgnored }
}

const full12 = await playTls({ client: { ...CLIENT, maxVersion: 'TLSv1.2' }, server: SERVER })
const full13 = await playTls({ client: CLIENT, server: { ...SERVER, minVersion: 'TLSv1.3' } })

/** The messages that begin a conversation, without what is encrypted. */
function opening(talk: TlsTalk): readonly TlsSegment[] {
  return talk.segments.filter(({ bytes }) => bytes[0] === 0x16)
}

testDecoder({
  name: 'tls', memory, protocol,
  conversations: [
    { name: 'TLS 1.2', segments: full12.segments, messages: 0 },
    { name: 'TLS 1.3', segments: full13.segments, messages: 0 },
  ],
})

for (const [name, talk] of [['1.2', full12], ['1.3', full13]] as const) {
  test(`TLS ${name}: what the wire shows is what the client knows, and the rest is ignored`, () => {
    const { recorder, isIgnored } = play(talk.segments)
    assert.ok(isIgnored, 'encrypted bytes are wanted')
    assert.deepEqual(recorder.anomalies, [])
    assert.equal(recorder.handshakes.length, 1)
    const handshake = recorder.handshakes[0]!
    const { client } = talk
    assert.equal(handshake.outcome, 'answered')
    assert.equal(handshake.reason, '')
    assert.deepEqual(handshake.version, { name: 'tls', version: name })
    assert.equal(`TLSv${handshake.version!.version}`, client.getProtocol())
    assert.equal(handshake.cipher, client.getCipher().standardName)
    assert.equal(text(handshake.serverName), 'gate.example')
    assert.deepEqual(handshake.offeredProtocols.map(text), ['h2', 'http/1.1'])
    assert.equal(text(handshake.nextProtocol), name === '1.2' ? client.alpnProtocol : undefined)
    assert.equal(handshake.isResumed, client.isSessionReused())
    assert.equal(handshake.hasEncryptedHello, false)
    const key = client.getEphemeralKeyInfo()
    assert.ok(key !== null && 'name' in key)
    assert.equal(handshake.curve?.toLowerCase(), String(key.name).toLowerCase())
    assert.match(handshake.ja4!, new RegExp(`^t13d\\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$`.replace('t13', name === '1.2' ? 't12' : 't13')))
  })
}

test('a name of several attributes, and an address of IPv6, are written as RFC 4514 and RFC 5952 say', () => {
  const { cert } = makeCertificate('/C=DE/O=a \\+ b/CN=x+OU=y', ['subjectAltName=DNS:x,IP:2001:db8::1'])
  const der = new X509Certificate(cert).raw
  const size = (bytes: number): Buffer => Buffer.of(bytes >> 16, (bytes >> 8) & 0xff, bytes & 0xff)
  const facts = new CertificateReader().read(Buffer.concat([size(der.length + 3), size(der.length), der]))
  assert.ok(typeof facts === 'object')
  assert.equal(facts.subject, 'CN=x+OU=y,O=a \\+ b,C=DE')
  assert.deepEqual(facts.names, ['x', '2001:db8::1'])
})

test('TLS 1.2: the names and dates of the server\'s certificate', () => {
  const { server } = play(full12.segments).recorder.handshakes[0]!
  assert.equal(server?.subject, 'CN=gate.example,O=A\\, B,C=DE')
  assert.equal(server?.issuer, server?.subject)
  assert.deepEqual(server?.names, ['gate.example', '*.gate.example', '192.0.2.1'])
  const expected = new X509Certificate(certificate.cert)
  assert.equal(server?.notAfter, BigInt(expected.validToDate.getTime()) * 1_000_000n)
  assert.equal(server?.notBefore, BigInt(expected.validFromDate.getTime()) * 1_000_000n)
})

test('TLS 1.2: the client\'s certificate too', async () => {
  const talk = await playTls({
    client: { ...CLIENT, maxVersion: 'TLSv1.2', ...clientCertificate }, server: { ...SERVER, requestCert: true, rejectUnauthorized: false },
  })
  const handshake = play(talk.segments).recorder.handshakes[0]!
  assert.equal(handshake.client?.subject, 'CN=caller,O=Callers')
  assert.equal(handshake.server?.subject, 'CN=gate.example,O=A\\, B,C=DE')
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: a resumed session is one`, async () => {
    const context = { ...SERVER, ticketKeys: Buffer.alloc(48, 7), sessionIdContext: 'test' }
    const first = await playTls({ client: { ...CLIENT, maxVersion: version, minVersion: version }, server: context })
    assert.ok(first.session !== undefined)
    const again = await playTls({ client: { ...CLIENT, maxVersion: version, minVersion: version, session: first.session }, server: context })
    assert.equal(again.client.isSessionReused(), true)
    const handshake = play(again.segments).recorder.handshakes[0]!
    assert.equal(handshake.isResumed, true)
    assert.equal(handshake.server, undefined)
    assert.equal(play(first.segments).recorder.handshakes[0]!.isResumed, false)
  })
}

test('TLS 1.3: a HelloRetryRequest is waited out', async () => {
  const talk = await playTls({ client: { ...CLIENT, ecdhCurve: 'X25519:P-384' }, server: { ...SERVER, minVersion: 'TLSv1.3', ecdhCurve: 'P-384' } })
  assert.equal(talk.segments.filter(({ side, bytes }) => side === 0 && bytes.includes('gate.example')).length, 2, 'two ClientHellos')
  const { recorder } = play(talk.segments)
  assert.deepEqual(recorder.anomalies, [])
  assert.equal(recorder.handshakes.length, 1)
  assert.equal(recorder.handshakes[0]!.curve, 'secp384r1')
  assert.equal(recorder.handshakes[0]!.outcome, 'answered')
})

test('a server that refuses, and a client that does', async () => {
  const refused = await playTls({ client: { ...CLIENT, maxVersion: 'TLSv1.2' }, server: { ...SERVER, minVersion: 'TLSv1.3' }, fails: true })
  const [handshake] = play(refused.segments).recorder.handshakes
  assert.equal(handshake?.outcome, 'refused')
  assert.equal(handshake.reason, 'the server sent the alert protocol_version')
  assert.equal(handshake.cipher, undefined)
  assert.equal(text(handshake.serverName), 'gate.example')
  const distrust = await playTls({ client: { ...CLIENT, maxVersion: 'TLSv1.2', rejectUnauthorized: true }, server: SERVER, fails: true })
  const [answered] = play(distrust.segments).recorder.handshakes
  assert.equal(text(answered?.serverName), 'gate.example')
})

test('a ClientHello cut into records of any size, and each of those into segments, is the same', () => {
  const expected = play(full13.segments).recorder.handshakes[0]!
  const [hello, ...rest] = full13.segments
  const body = hello!.bytes.subarray(5, 5 + hello!.bytes.readUInt16BE(3))
  for (let size = 1; size <= body.length; size++) {
    const records: Buffer[] = []
    for (let at = 0; at < body.length; at += size) {
      const part = body.subarray(at, at + size)
      records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part)
    }
    const { recorder } = play([{ side: 0, bytes: Buffer.concat(records) }, ...rest])
    assert.deepEqual(recorder.handshakes, [{ ...expected }], `records of ${size}`)
  }
})

test('every split of a ClientHello tells the same handshake', () => {
  const { startTime: _start, answerTime: _answer, ...expected } = play(full12.segments).recorder.handshakes[0]!
  const [hello, ...rest] = full12.segments
  for (let at = 1; at < hello!.bytes.length; at++) {
    const { recorder } = play([{ side: 0, bytes: hello!.bytes.subarray(0, at) }, { side: 0, bytes: hello!.bytes.subarray(at) }, ...rest])
    const { startTime: _s, answerTime: _a, ...got } = recorder.handshakes[0]!
    assert.deepEqual(got, expected, `split at ${at}`)
  }
})

test('a hello that ends early is an anomaly, and no handshake', () => {
  const [hello] = full12.segments
  for (const length of [7, 60, hello!.bytes.length - 1]) {
    const { recorder } = play([{ side: 0, bytes: hello!.bytes.subarray(0, length) }])
    assert.deepEqual(recorder.handshakes, [])
    assert.deepEqual(recorder.anomalies, ['tls_client_hello_cut'], `${length} bytes`)
  }
})

test('no answer: the handshake is told when the connection ends', () => {
  const { recorder, isIgnored } = play(full12.segments.slice(0, 1))
  assert.equal(isIgnored, false)
  assert.equal(recorder.handshakes[0]?.outcome, 'unanswered')
  assert.equal(recorder.handshakes[0].reason, 'the connection closed inside the handshake')
})

test('a client whose server is out of sight is given up after 64 KiB', () => {
  const data = Buffer.alloc(0x4005)
  data.set([0x17, 3, 3, 0x40, 0])
  const flood = Array.from({ length: 6 }, () => ({ side: 0 as Side, bytes: data }))
  const { recorder, isIgnored } = play([full13.segments[0]!, ...flood])
  assert.ok(isIgnored)
  assert.equal(recorder.handshakes[0]?.reason, 'no answer of the server was seen')
})

test('a hello in the form of SSL 2.0 is read, and named', () => {
  const hello = Buffer.from('802e0103010015000000100000040000ff000033000039000016000013000007c0'.padEnd(96, '5'), 'hex')
  const { recorder } = play([{ side: 0, bytes: hello }])
  assert.deepEqual(recorder.anomalies, ['tls_ssl2_hello'])
  assert.equal(recorder.handshakes[0]?.ja4, undefined)
  assert.equal(recorder.handshakes[0]?.outcome, 'unanswered')
})

test('lengths that contradict each other, records that are none, and endless messages are named', () => {
  const { bytes } = full12.segments[0]!
  const wrong = Buffer.from(bytes)
  wrong.writeUInt16BE(0xffff, 5 + 4 + 2 + 32 + 1 + wrong[5 + 4 + 2 + 32]!)
  assert.deepEqual(play([{ side: 0, bytes: wrong }]).recorder.anomalies, ['tls_client_hello'])
  const garbage = Buffer.concat([bytes, Buffer.from('this is no record at all')])
  const after = play([{ side: 0, bytes: garbage }])
  assert.deepEqual(after.recorder.anomalies, ['tls_record'])
  assert.equal(after.recorder.handshakes[0]?.reason, 'malformed record')
  const endless = Buffer.from([0x16, 3, 1, 0, 4, 1, 0x7f, 0xff, 0xff])
  assert.deepEqual(play([{ side: 0, bytes: endless }]).recorder.anomalies, ['tls_message_too_long'])
})

test('a connection joined in its middle is named and ignored; a ClientHello in it is read', () => {
  const data = Buffer.from([0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5])
  const late = play([{ side: 1, bytes: data }], false)
  assert.ok(late.isIgnored)
  assert.deepEqual(late.recorder.anomalies, ['tls_joined_late'])
  const joined = play(full13.segments, false)
  assert.deepEqual(joined.recorder.anomalies, [])
  assert.equal(joined.recorder.handshakes.length, 1)
})

test('damaged handshakes never throw, and tell at most one handshake', () => {
  const random = randomFrom(42)
  for (const talk of [full12, full13]) {
    const segments = opening(talk)
    for (let round = 0; round < 3000; round++) {
      const damaged = segments.map(({ side, bytes }) => {
        const copy = Buffer.from(bytes)
        for (let count = 1 + Math.floor(random() * 4); count > 0; count--) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
        return { side, bytes: random() < 0.2 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy }
      })
      assert.ok(play(damaged, random() < 0.8).recorder.handshakes.length <= 1)
    }
  }
})

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
}

test('a server that answers a ClientHello in plain HTTP is read as HTTP', () => {
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: createProtocols(memory), sink: recorder, control: connection }))
  connection.send(0, full12.segments[0]!.bytes, 0)
  connection.send(1, Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno'), 1)
  connection.close(2)
  assert.equal(memory.allocator.allocatedBytes(), 0)
  assert.deepEqual(recorder.anomalies, ['tls_other_answer', 'http1_framing_lost'])
  assert.equal(recorder.handshakes[0]?.outcome, 'unanswered')
  assert.deepEqual(recorder.responses.map(({ status }) => status), [400])
})

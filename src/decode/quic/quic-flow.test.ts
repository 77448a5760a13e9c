import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { randomFrom } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { makeCertificate, playTls } from '../testing/tls-conversation.ts'
import { RETRY_RANDOM } from '../tls/parameters.ts'
import { CryptoStream } from './crypto-stream.ts'
import { InitialKeys } from './initial-keys.ts'
import { DecryptBudget, QuicFlow } from './mod.ts'
import { quicVersion } from './version.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const talk = await playTls({
  client: { servername: 'gate.example', ALPNProtocols: ['h3'], minVersion: 'TLSv1.3' }, server: makeCertificate('/CN=gate.example'),
})
/** Handshake messages without their record headers: what CRYPTO frames carry. */
const HELLO = talk.segments[0]!.bytes.subarray(5)
const SERVER_HELLO = talk.segments[1]!.bytes.subarray(5, 5 + talk.segments[1]!.bytes.readUInt16BE(3))
const CLIENT_ID = Buffer.from('8394c8f03e515708', 'hex')

test('keys are those of RFC 9001 appendix A.1 and of RFC 9369 appendix A.1', () => {
  const first = new InitialKeys(quicVersion(1)!, CLIENT_ID)
  assert.equal(first.client.key.toString('hex'), '1f369613dd76d5467730efcbe3b1a22d')
  assert.equal(first.client.iv.toString('hex'), 'fa044b2f42a3fd3b46fb255c')
  assert.equal(first.client.headerProtection.toString('hex'), '9f50449e04a0e810283a1e9933adedd2')
  assert.equal(first.server.key.toString('hex'), 'cf3a5331653c364c88f0f379b6067e37')
  assert.equal(first.server.iv.toString('hex'), '0ac1493ca1905853b0bba03e')
  assert.equal(first.server.headerProtection.toString('hex'), 'c206b8d9b9f0f37644430b490eeaa314')
  const second = new InitialKeys(quicVersion(0x6b3343cf)!, CLIENT_ID)
  assert.equal(second.client.key.toString('hex'), '8b1a0bc121284290a29e0971b5cd045d')
  assert.equal(second.client.iv.toString('hex'), '91f73e2351d8fa91660e909f')
  assert.equal(second.client.headerProtection.toString('hex'), '45b95e15235d6f45a6b19cbcb0294ba9')
})

interface PacketOptions {
  readonly version?: number
  readonly side?: Side
  readonly keyId?: Buffer
  readonly number?: number
  readonly destinationId?: Buffer
  readonly padTo?: number
  /** Its salt is that of another version. */
  readonly saltOf?: number
  /** The fixed bit is 0 (RFC 9287). */
  readonly isGreased?: boolean
}

/** An Initial packet as its sender makes it (RFC 9001 5.3, 5.4). */
function initial(frames: Buffer, options: PacketOptions = {}): Buffer {
  const { version = 1, side = 0, keyId = CLIENT_ID, number = 0, padTo = 0 } = options
  const destinationId = options.destinationId ?? (side === 0 ? keyId : Buffer.alloc(0))
  const known = quicVersion(version)!
  const keys = new InitialKeys({ ...known, salt: quicVersion(options.saltOf ?? version)!.salt }, keyId)[side === 0 ? 'client' : 'server']
  const payload = Buffer.concat([frames, Buffer.alloc(Math.max(0, padTo - frames.length))])
  const length = 2 + payload.length + 16
  const head = Buffer.concat([
    Buffer.from([(options.isGreased === true ? 0x81 : 0xc1) | known.initialType << 4]),
    Buffer.from([version >>> 24, version >>> 16 & 255, version >>> 8 & 255, version & 255]),
    Buffer.from([destinationId.length]), destinationId, Buffer.from([0, 0, 0x40 | length >> 8, length & 255, number >> 8, number & 255]),
  ])
  const nonce = Buffer.from(keys.iv)
  nonce[10]! ^= number >> 8
  nonce[11]! ^= number & 255
  const cipher = createCipheriv('aes-128-gcm', keys.key, nonce)
  cipher.setAAD(head)
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()])
  const mask = createCipheriv('aes-128-ecb', keys.headerProtection, null).update(sealed.subarray(2, 18))
  head[0]! ^= mask[0]! & 15
  head[head.length - 2]! ^= mask[1]!
  head[head.length - 1]! ^= mask[2]!
  return Buffer.concat([head, sealed])
}

function crypto(offset: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([6, 0x40 | offset >> 8, offset & 255, 0x40 | data.length >> 8, data.length & 255]), data])
}

function play(datagrams: readonly (readonly [Side, Buffer])[], budget = new DecryptBudget(1000)): MessageRecorder {
  const connection = new TestConnection(memory, input, { client: undefined })
  const recorder = new MessageRecorder(memory)
  const flow = new QuicFlow(connection, recorder, budget)
  datagrams.forEach(([side, bytes], time) => { flow.datagram(side, bytes, time) })
  flow.end(datagrams.length)
  return recorder
}

for (const [name, version] of [['1', 1], ['2', 0x6b3343cf], ['draft-29', 0xff00001d], ['draft-24', 0xff000018],
  ['0x1a2a3a4a', 0x1a2a3a4a]] as const) {
  test(`QUIC ${name}: client and server hello make a handshake`, () => {
    const { handshakes, anomalies } = play([
      [0, initial(crypto(0, HELLO), { version })],
      [1, initial(Buffer.concat([Buffer.from([2, 0, 0, 0, 0]), crypto(0, SERVER_HELLO)]), { version, side: 1 })],
    ])
    assert.deepEqual(anomalies, [])
    const [handshake] = handshakes
    assert.equal(handshake?.protocol, 'quic')
    assert.equal(handshake.protocolVersion, name)
    assert.equal(handshake.outcome, 'answered')
    assert.equal(handshake.cipher, talk.client.getCipher().standardName)
    assert.equal(Buffer.from(handshake.serverName!).toString(), 'gate.example')
    assert.match(handshake.ja4!, /^q13d\d{4}h3_/)
    assert.equal(handshake.startTime, 0)
    assert.equal(handshake.answerTime, 1)
  })
}

test('a ClientHello in pieces: any order, repeated, over datagrams and coalesced packets', () => {
  const random = randomFrom(5)
  for (let round = 0; round < 200; round++) {
    const cuts = [0, ...Array.from({ length: 5 }, () => Math.floor(random() * HELLO.length)), HELLO.length].sort((a, b) => a - b)
    const frames = cuts.slice(1).map((end, index) => crypto(cuts[index]!, HELLO.subarray(cuts[index]!, end)))
    frames.push(frames[Math.floor(random() * frames.length)]!)
    for (let at = frames.length - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1));
      [frames[at], frames[other]] = [frames[other]!, frames[at]!]
    }
    const packets = frames.map((frame, number) => initial(Buffer.concat([Buffer.from([1, 0]), frame]), { number, padTo: 20 }))
    const datagrams = [Buffer.concat(packets.slice(0, 3)), ...packets.slice(3)]
    const { handshakes, anomalies } = play(datagrams.map((bytes) => [0, bytes] as const))
    assert.deepEqual(anomalies, [])
    assert.equal(Buffer.from(handshakes[0]!.serverName!).toString(), 'gate.example', `round ${round}`)
    assert.equal(handshakes[0]!.outcome, 'unanswered')
  }
})

test('after a Retry the client begins again under another id', () => {
  const retryId = Buffer.from('f067a5502a4262b5', 'hex')
  const { handshakes, anomalies } = play([
    [0, initial(crypto(0, HELLO.subarray(0, 100)))],
    [0, initial(crypto(0, HELLO), { keyId: retryId })],
    [1, initial(crypto(0, SERVER_HELLO), { keyId: retryId, side: 1 })],
  ])
  assert.deepEqual(anomalies, [])
  assert.equal(handshakes[0]?.outcome, 'answered')
})

test('the client goes on under the id that the server chose, with the keys that it began with', () => {
  const chosen = Buffer.from('0123456789', 'hex')
  const { handshakes, anomalies } = play([
    [0, initial(crypto(0, HELLO.subarray(0, 100)))],
    [1, initial(Buffer.from([2, 0, 0, 0, 0]), { side: 1, padTo: 30 })],
    [0, initial(crypto(100, HELLO.subarray(100)), { destinationId: chosen, number: 1 })],
  ])
  assert.deepEqual(anomalies, [])
  assert.equal(handshakes.length, 1)
})

test('the fixed bit may be anything (RFC 9287)', () => {
  const { handshakes, anomalies } = play([
    [0, initial(crypto(0, HELLO))], [1, initial(crypto(0, SERVER_HELLO), { side: 1, isGreased: true })],
  ])
  assert.deepEqual(anomalies, [])
  assert.equal(handshakes[0]?.outcome, 'answered')
})

test('T051: ACK frames of Google\'s QUIC before the ServerHello', () => {
  const version = 0x54303531
  for (const ack of ['400100000100', '650002000002000300000104000500', '6a00000100000101000000020300000001020101020304050607']) {
    const { handshakes, anomalies } = play([
      [0, initial(crypto(0, HELLO), { version })],
      [1, initial(Buffer.concat([Buffer.from(ack, 'hex'), crypto(0, SERVER_HELLO)]), { version, side: 1 })],
    ])
    assert.deepEqual(anomalies, [], ack)
    assert.equal(handshakes[0]?.outcome, 'answered')
  }
})

test('a reserved version is that of a client of RFC 9000 or of draft 29; another version, asked for, counts', () => {
  const asked = initial(crypto(0, HELLO), { version: 0xba9a8a7a, saltOf: 0xff00001d })
  const alone = play([[0, asked]])
  assert.deepEqual(alone.anomalies, [])
  assert.deepEqual([alone.handshakes[0]?.protocolVersion, alone.handshakes[0]?.outcome], ['0xba9a8a7a', 'unanswered'])
  for (const version of [1, 0xff00001d]) {
    const { handshakes, anomalies } = play([
      [0, asked], [1, Buffer.from('80000000000000' + '08' + CLIENT_ID.toString('hex') + '00000001ff00001d', 'hex')],
      [0, initial(crypto(0, HELLO), { version })], [1, initial(crypto(0, SERVER_HELLO), { version, side: 1 })],
    ])
    assert.deepEqual(anomalies, [])
    assert.deepEqual(handshakes.map(({ protocolVersion, outcome }) => [protocolVersion, outcome]), [[version === 1 ? '1' : 'draft-29', 'answered']])
  }
})

test('behind a HelloRetryRequest the ServerHello answers', () => {
  const retry = Buffer.from(SERVER_HELLO)
  retry.set(RETRY_RANDOM, 4 + 2)
  const { handshakes, anomalies } = play([
    [0, initial(crypto(0, HELLO))],
    [1, initial(crypto(0, retry), { side: 1 })],
    [0, initial(crypto(HELLO.length, HELLO), { number: 1 })],
    [1, initial(crypto(retry.length, SERVER_HELLO), { side: 1, number: 1 })],
  ])
  assert.deepEqual(anomalies, [])
  assert.equal(handshakes.length, 1)
  assert.equal(handshakes[0]?.outcome, 'answered')
  assert.equal(handshakes[0].cipher, talk.client.getCipher().standardName)
  assert.equal(handshakes[0].answerTime, 3)
})

test('a server may take another version than the client began with (RFC 9368 2.3), a stranger may not', () => {
  const second = 0x6b3343cf
  const { handshakes, anomalies } = play([
    [0, initial(crypto(0, HELLO.subarray(0, 100)))],
    [1, initial(Buffer.from([2, 0, 0, 0, 0]), { version: second, side: 1, padTo: 30 })],
    [0, initial(crypto(100, HELLO.subarray(100)), { version: second, destinationId: Buffer.from('0123', 'hex'), number: 1 })],
    [1, initial(crypto(0, SERVER_HELLO), { version: second, side: 1, number: 1 })],
  ])
  assert.deepEqual(anomalies, [])
  assert.equal(handshakes.length, 1)
  assert.equal(handshakes[0]?.outcome, 'answered')
  assert.equal(handshakes[0].protocolVersion, '2')
  const forged = play([
    [0, initial(crypto(0, HELLO))],
    [1, initial(crypto(0, SERVER_HELLO), { version: second, side: 1, keyId: Buffer.from('0123456789abcdef', 'hex') })],
    [1, initial(crypto(0, SERVER_HELLO), { side: 1 })],
  ])
  assert.deepEqual(forged.anomalies, ['quic_not_decrypted'])
  assert.equal(forged.handshakes[0]?.protocolVersion, '1')
})

test('a server that closes refuses: its alert is the reason', () => {
  const close = Buffer.from([0x1c, 0x41, 0x28, 0, 0])
  const { handshakes } = play([[0, initial(crypto(0, HELLO))], [1, initial(close, { side: 1, padTo: 30 })]])
  assert.equal(handshakes[0]?.outcome, 'refused')
  assert.equal(handshakes[0].reason, 'the server closed it with the alert handshake_failure')
})

test('what cannot be opened or read is named', () => {
  const good = initial(crypto(0, HELLO))
  const damaged = Buffer.from(good)
  damaged[damaged.length - 1]! ^= 1
  assert.deepEqual(play([[0, damaged]]).anomalies, ['quic_not_decrypted'])
  assert.deepEqual(play([[0, good.subarray(0, good.length - 1)]]).anomalies, ['quic_header'])
  assert.deepEqual(play([[0, initial(Buffer.from([0x1f]), { padTo: 30 })]]).anomalies, ['quic_frames', 'quic_client_hello_cut'])
  assert.deepEqual(play([[0, initial(crypto(0, Buffer.concat([Buffer.from([2, 0, 0, 4]), Buffer.alloc(4)])), { padTo: 30 })]]).anomalies,
    ['quic_client_hello'])
  assert.deepEqual(play([[0, good], [0, good]], new DecryptBudget(1)).anomalies, ['quic_over_budget'])
})

test('damaged datagrams never throw, and never tell another name', () => {
  const random = randomFrom(11)
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.concat([initial(crypto(0, HELLO.subarray(0, 150))), initial(crypto(150, HELLO.subarray(150)), { number: 1 })])
    for (let count = Math.floor(random() * 4); count > 0; count--) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    const cut = random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
    for (const { serverName } of play([[0, cut]]).handshakes) assert.equal(Buffer.from(serverName!).toString(), 'gate.example')
  }
})

test('a CRYPTO stream: the first bytes win, and its bounds hold', () => {
  const stream = new CryptoStream()
  const message = Buffer.from([1, 0, 0, 4, 10, 11, 12, 13])
  assert.ok(stream.add(4, message.subarray(4, 6)))
  assert.ok(stream.add(3, Buffer.from([4, 99, 99, 12, 13])))
  assert.equal(stream.message(), undefined)
  assert.ok(stream.add(0, message.subarray(0, 4)))
  assert.deepEqual(Buffer.from(stream.message()!), message)
  assert.equal(stream.message(), undefined)
  assert.ok(stream.add(8, Buffer.from([2, 0, 0, 0])))
  assert.deepEqual(Buffer.from(stream.message()!), Buffer.from([2, 0, 0, 0]))
  assert.equal(stream.add(65_530, Buffer.alloc(7)), false)
  const holes = new CryptoStream()
  for (let piece = 0; piece < 256; piece++) assert.ok(holes.add(1 + piece * 2, Buffer.from([1])))
  assert.equal(holes.add(1001, Buffer.from([1])), false)
})

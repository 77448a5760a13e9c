import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import type { TestConnectionOptions } from '../testing/test-connection.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const REQUEST = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

function play(segments: readonly (readonly [Side, string])[], options: TestConnectionOptions = {}): MessageRecorder {
  const connection = new TestConnection(memory, input, options)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: createProtocols(memory), sink: recorder, control: connection }))
  segments.forEach(([side, text], time) => { connection.send(side, Buffer.from(text, 'latin1'), time) })
  connection.close(segments.length)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return recorder
}

/** A header of version 2. */
function binary(command: number, family: number, body: Uint8Array): string {
  const head = Buffer.from([0x20 | command, family, body.length >> 8, body.length & 0xff])
  return `\r\n\r\n\0\r\nQUIT\n${head.toString('latin1')}${Buffer.from(body).toString('latin1')}`
}

const IPV4 = Uint8Array.of(203, 0, 113, 9, 192, 0, 2, 1, 0x15, 0xb3, 0x01, 0xbb)
const AUTHORITY = Buffer.concat([Buffer.from([1, 0, 2]), Buffer.from('h2'), Buffer.from([2, 0, 9]), Buffer.from('a.example')])

const HEADERS: Readonly<Record<string, string>> = {
  'version 1, IPv4': 'PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n',
  'version 1, IPv6': 'PROXY TCP6 2001:db8::9 2001:db8::1 5555 443\r\n',
  'version 1, unknown': 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n',
  'version 2, IPv4': binary(1, 0x11, IPV4),
  'version 2, IPv4 with an authority': binary(1, 0x11, Buffer.concat([IPV4, AUTHORITY])),
  'version 2, IPv6': binary(1, 0x21, Buffer.concat([Buffer.from('20010db8000000000000000000000009', 'hex'),
    Buffer.from('20010db8000000000000000000000001', 'hex'), IPV4.subarray(8)])),
  'version 2, LOCAL': binary(0, 0, new Uint8Array(0)),
  'version 2, UNIX': binary(1, 0x31, new Uint8Array(216)),
}

for (const [name, header] of Object.entries(HEADERS)) {
  test(`${name}: the header is told, and HTTP behind it read, at every split`, () => {
    for (let at = 1; at <= header.length + 5; at++) {
      const all = header + REQUEST
      const recorder = play([[0, all.slice(0, at)], [0, all.slice(at)], [1, RESPONSE], [0, 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n'], [1, RESPONSE]])
      assert.deepEqual(recorder.pairs, [['/1', 200], ['/2', 200]], `split at ${at}`)
      assert.deepEqual(recorder.anomalies, [])
      assert.equal(recorder.proxyHeaders.length, 1)
    }
  })
}

test('a connection whose handshake was not captured begins with the header all the same, from either side', () => {
  for (const header of Object.values(HEADERS)) {
    for (const client of [0, 1] as const) {
      const server = client === 0 ? 1 : 0
      const recorder = play([[client, header + REQUEST], [server, RESPONSE]], { fromStart: false, client: undefined })
      assert.deepEqual(recorder.pairs, [['/1', 200]])
      assert.equal(recorder.proxyHeaders.length, 1)
    }
  }
})

test('what the headers say', () => {
  const told = (name: string): unknown => {
    const { version, ipVersion, source, destination, sourcePort, destinationPort, authority } = play([[0, HEADERS[name]!]]).proxyHeaders[0]!
    return [version, ipVersion, Buffer.from(source).toString('hex').replace(/0{24}$/, ''), Buffer.from(destination).toString('hex').replace(/0{24}$/, ''),
      sourcePort, destinationPort, authority === undefined ? undefined : Buffer.from(authority).toString()]
  }
  assert.deepEqual(told('version 1, IPv4'), [1, 4, 'cb007109', 'c0000201', 5555, 443, undefined])
  assert.deepEqual(told('version 2, IPv4 with an authority'), [2, 4, 'cb007109', 'c0000201', 5555, 443, 'a.example'])
  assert.deepEqual(told('version 1, IPv6'), [1, 6, '20010db8000000000000000000000009', '20010db8000000000000000000000001', 5555, 443, undefined])
  assert.deepEqual(told('version 2, IPv6'), [2, 6, '20010db8000000000000000000000009', '20010db8000000000000000000000001', 5555, 443, undefined])
  for (const name of ['version 1, unknown', 'version 2, LOCAL', 'version 2, UNIX']) {
    assert.equal(play([[0, HEADERS[name]!]]).proxyHeaders[0]!.ipVersion, undefined)
  }
})

test('headers that break the grammar are named; what follows is read where it begins for certain', () => {
  for (const header of ['PROXY TCP4 203.0.113.999 192.0.2.1 5555 443\r\n', 'PROXY TCP4 203.0.113.9 192.0.2.1 5555 70000\r\n',
    'PROXY TCP6 203.0.113.9 192.0.2.1 5555 443\r\n', 'PROXY TCP4 203.0.113.9  192.0.2.1 5555 443\r\n', binary(2, 0x11, IPV4), binary(1, 0x11, IPV4.subarray(0, 8))]) {
    const recorder = play([[0, header + REQUEST], [1, RESPONSE]])
    assert.deepEqual(recorder.anomalies, ['proxy_header'], JSON.stringify(header))
    assert.deepEqual(recorder.proxyHeaders, [])
    assert.deepEqual(recorder.pairs, [['/1', 200]])
  }
  assert.deepEqual(play([[0, `PROXY TCP4 ${'1'.repeat(200)}`]]).anomalies, ['proxy_header'])
  assert.deepEqual(play([[0, 'PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\n']]).anomalies, ['proxy_header'])
  assert.deepEqual(play([[0, 'PROXY TCP4 203.0']]).anomalies, ['proxy_header_cut'])
  assert.deepEqual(play([[0, binary(1, 0x11, IPV4).slice(0, -1)]]).anomalies, ['proxy_header_cut'])
})

test('headers upon headers end at the bound', () => {
  const { anomalies, proxyHeaders } = play([[0, 'PROXY UNKNOWN\r\n'.repeat(2000) + REQUEST], [1, RESPONSE]])
  assert.ok(proxyHeaders.length <= 5, `${proxyHeaders.length} headers`)
  assert.ok(anomalies.length > 0)
})

test('a method that only begins like the header is a method', () => {
  assert.deepEqual(play([[0, 'PROXY /1 HTTP/1.1\r\nHost: a\r\n\r\n'], [1, RESPONSE]]).pairs, [['/1', 200]])
})

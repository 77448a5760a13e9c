import assert from 'node:assert/strict'

import { FLAG_CUT, FLAG_MIDSTREAM, FLAG_NOT_HTTP } from '../../src/capture/events.gen.ts'
import { ACK, FIN, PSH, RST, SYN } from './testing/frames.ts'
import type { Bytes } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench } from './testing/program-bench.ts'
import { CLIENT_START, Talk } from './testing/talk.ts'

const DATA = ACK | PSH
const REQUEST = 'GET / HTTP/1.1\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\n\r\n'

kernelTest('a connection is delivered from SYN to FIN, its bare acknowledgements but the first left out', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  talk.down(ACK, '')
  talk.down(DATA, RESPONSE)
  talk.up(ACK, '')
  talk.up(FIN | ACK, '')
  talk.down(FIN | ACK, '')
  talk.up(ACK, '')
  const records = talk.records()
  assert.deepEqual(records.map((record) => [record.tcpFlags, record.data.length]),
    [[SYN, 0], [SYN | ACK, 0], [ACK, 0], [DATA, REQUEST.length], [DATA, RESPONSE.length], [FIN | ACK, 0], [FIN | ACK, 0]])
  assert.equal(bench.counters().notWanted.get('no_payload'), 3)
  assert.equal(new Set(records.map((record) => record.tag)).size, 1)
  assert.notEqual(records[0]!.tag, 0)
  const numbers = (port: number): number[] => records.filter((record) => record.sourcePort === port).map((record) => record.number)
  assert.deepEqual(numbers(40000), [0, 1, 2, 3])
  assert.deepEqual(numbers(80), [0, 1, 2])
  assert.ok(records.every((record) => (record.flags & (FLAG_MIDSTREAM | FLAG_NOT_HTTP)) === 0))
})

kernelTest('openings of HTTP/1, HTTP/2 and the PROXY protocol are known, whole or cut short', () => {
  const openings = [
    'GET / HTTP/1.1\r\n', 'OPTIONS * HTTP/1.1\r\n', 'M-SEARCH * HTTP/1.1\r\n', 'UPDATEREDIRECTREF /a HTTP/1.1\r\n',
    '\r\n\r\nPOST /x HTTP/1.0\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'X!Y /a HTTP/1.1\r\n',
    'get /x HTTP/1.1\r\nHost: a\r\n', 'Get * HTTP/1.0\r\n', 'm-search http://a/ HTTP/1.1\r\n', '\r\nget /',
    `post /${'long'.repeat(20)} HTTP/1.1\r\n`, 'get /x HTT',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', '\r\n\r\n\0\r\n', 'G', 'DELET', '\r', 'PATCH',
  ]
  using bench = new ProgramBench()
  openings.forEach((opening, at) => {
    const talk = new Talk(bench, 41000 + at).handshake()
    talk.up(DATA, opening)
    talk.up(DATA, 'what follows')
    assert.deepEqual(talk.data().slice(3), [opening, 'what follows'], JSON.stringify(opening))
  })
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), 0)
})

kernelTest('other openings are told once, in 64 bytes, and then cost nothing', () => {
  const openings = [
    '\x16\x03\x01\x02\0\x10\0\x01\xfc\x03\x03', '*2\r\n$3\r\nGET\r\n', 'get key\r\n', 'set a 0 0 1\r\n', 'get /key\r\n', 'set /key 0 0 1\r\n', 'get /x HTTP/2.0\r\n', 'get host HTTP\r\n', 'get x HTTP/1.1\r\n', '\0\0\0\x08\x04\xd2\x16\x2f',
    'a'.repeat(30), 'LONGERTHANANYMETHODNAMEWOULDBE / HTTP/1.1\r\n', ' GET /', '\r\n'.repeat(20), '{"id":1}', 'GET\t/',
  ]
  using bench = new ProgramBench()
  openings.forEach((opening, at) => {
    const talk = new Talk(bench, 42000 + at).handshake()
    talk.records()
    talk.up(DATA, opening.padEnd(200, opening))
    talk.up(DATA, REQUEST)
    talk.down(DATA, RESPONSE)
    talk.up(FIN | ACK, '')
    const records = talk.records()
    assert.equal(records.length, 1, JSON.stringify(opening))
    assert.equal(records[0]!.flags & (FLAG_NOT_HTTP | FLAG_CUT), FLAG_NOT_HTTP | FLAG_CUT)
    assert.equal(records[0]!.data.length, 64)
  })
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), openings.length * 3)
  assert.equal(bench.counters().bytesCut, 0)
})

kernelTest('on the ports of a decoder every first byte passes, of either side; elsewhere and midstream as ever', () => {
  const opening = 'LP\x01\0\0\0\0\x07'
  for (const [port, passes] of [[80, true], [81, false], [80 + 64, false]] as const) {
    using bench = new ProgramBench()
    bench.setDecoderPorts([port])
    for (const first of ['up', 'down'] as const) {
      const talk = new Talk(bench, first === 'up' ? 42500 : 42501).handshake()
      talk.records()
      talk[first](DATA, opening)
      talk[first === 'up' ? 'down' : 'up'](DATA, opening)
      const records = talk.records()
      assert.deepEqual(records.map(({ flags, data }) => [flags & FLAG_NOT_HTTP, data.length]),
        passes ? [[0, opening.length], [0, opening.length]] : [[FLAG_NOT_HTTP, opening.length]], `${port} ${first}`)
    }
    const late = new Talk(bench, 42502)
    late.up(DATA, opening)
    assert.deepEqual(late.records(), [])
  }
})

kernelTest('a greeting of a server that speaks first is no request', () => {
  using bench = new ProgramBench()
  for (const [at, greeting] of ['SSH-2.0-OpenSSH_9.2 Debian\r\n', '220 mail ESMTP\r\n', '+OK POP3\r\n', 'J\0\0\0\n8.0\0'].entries()) {
    const talk = new Talk(bench, 43000 + at).handshake()
    talk.records()
    talk.down(DATA, greeting)
    talk.up(DATA, 'EHLO me\r\n')
    const records = talk.records()
    assert.deepEqual(records.map((record) => record.flags & FLAG_NOT_HTTP), [FLAG_NOT_HTTP], greeting)
  }
  const talk = new Talk(bench, 43100).handshake()
  talk.records()
  // SETTINGS with one parameter: an HTTP/2 server may speak first (RFC 9113 section 3.4).
  const settings = '\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64'
  talk.down(DATA, settings)
  talk.up(DATA, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  assert.deepEqual(talk.data(), [settings, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'])
})

kernelTest('joined late, a connection is known from its next request or response on', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench)
  for (const middle of ['rest of a body', '{"a": 1}', 'GET key\r\n and more', 'SELECT * FROM t', '\0\0\0\0\0\0\0\0\0\0\0\0\0\0']) {
    talk.up(DATA, middle)
    assert.deepEqual(talk.records(), [], middle)
  }
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), 5)
  talk.up(DATA, REQUEST)
  talk.down(DATA, RESPONSE)
  talk.up(DATA, 'anything')
  const records = talk.records()
  assert.deepEqual(records.map((record) => record.data.toString('latin1')), [REQUEST, RESPONSE, 'anything'])
  assert.ok(records.every((record) => (record.flags & FLAG_MIDSTREAM) !== 0))
  assert.deepEqual(records.map((record) => record.number), [0, 0, 1])
  const response = new Talk(bench, 40001)
  response.down(DATA, 'HTTP/1.1 404 Not Found\r\n')
  assert.equal(response.records().length, 1)
})

kernelTest('a RST or FIN of a connection that was never known is not delivered', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench)
  talk.up(RST, '')
  talk.down(FIN | ACK, '')
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), 2)
  talk.up(SYN, '')
  talk.down(RST | ACK, '')
  assert.deepEqual(talk.records().map((record) => record.tcpFlags), [SYN, RST | ACK])
})

kernelTest('a SYN with another sequence number is another connection; the same one again is not', () => {
  using bench = new ProgramBench()
  const first = new Talk(bench).handshake()
  first.up(SYN, '', { sequence: CLIENT_START })
  const records = first.records()
  assert.equal(new Set(records.map((record) => record.tag)).size, 1)
  assert.equal(records.at(-1)?.retransmissions, 1)
  const second = new Talk(bench, 40000, 777_000).handshake()
  second.up(DATA, REQUEST)
  const again = second.records()
  assert.notEqual(again[0]!.tag, records[0]!.tag)
  assert.deepEqual(again.filter((record) => record.sourcePort === 40000).map((record) => record.number), [0, 1, 2])
})

kernelTest('packets, bytes and retransmissions are counted, also across the end of the sequence numbers', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench, 40000, 0xffff_fff0).handshake()
  talk.up(DATA, REQUEST)
  const wrapped = talk.client
  assert.ok(wrapped < 100, 'the sequence numbers have wrapped')
  talk.up(DATA, REQUEST, { sequence: 0xffff_fff1 })
  talk.up(DATA, 'more')
  const last = talk.records().at(-1)!
  assert.deepEqual([last.seenPackets, last.seenBytes, last.retransmissions], [5, REQUEST.length * 2 + 4, 1])
  assert.equal(last.sequence, wrapped)
})

kernelTest('skipped payload is left out, the packet that crosses the mark is delivered from there on', () => {
  for (const start of [CLIENT_START, 0xffff_ff00]) {
    using bench = new ProgramBench()
    const talk = new Talk(bench, 40000, start).handshake()
    talk.up(DATA, REQUEST)
    const tag = talk.records()[0]!.tag
    const until = (talk.client + 1000) >>> 0
    bench.directives.skip(tag, 0, until)
    for (let at = 0; at < 3; at++) talk.up(DATA, 'b'.repeat(300))
    assert.deepEqual(talk.records(), [])
    assert.equal(bench.counters().notWanted.get('skipped_body'), 3)
    talk.down(DATA, RESPONSE)
    assert.deepEqual(talk.data(), [RESPONSE], 'the other direction is not skipped')
    talk.up(DATA, 'b'.repeat(100) + REQUEST)
    const [crossing] = talk.records()
    assert.equal(crossing?.data.toString('latin1'), REQUEST)
    assert.deepEqual([crossing?.skipped, crossing?.payloadLength], [100, 100 + REQUEST.length])
    talk.up(DATA, 'after')
    assert.deepEqual(talk.data(), ['after'])
  }
})

kernelTest('a packet that ends at the mark is delivered without bytes, so that the end has a time', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  const tag = talk.records()[0]!.tag
  bench.directives.skip(tag, 0, talk.client + 50)
  talk.up(DATA, 'b'.repeat(50))
  const [end] = talk.records()
  assert.deepEqual([end?.skipped, end?.payloadLength, end?.data.length], [50, 50, 0])
})

kernelTest('a mark once passed means nothing when the sequence numbers come round again', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  const tag = talk.records()[0]!.tag
  bench.directives.skip(tag, 0, talk.client + 10)
  talk.up(DATA, 'b'.repeat(20))
  assert.equal(talk.records()[0]!.data.length, 10)
  // Two jumps of nearly 2 GiB each: the sequence stands before the old mark again.
  for (let jump = 0; jump < 2; jump++) {
    talk.client = (talk.client + 0x7fff_ff00) >>> 0
    talk.up(DATA, 'far')
  }
  assert.deepEqual(talk.data(), ['far', 'far'])
})

kernelTest('FIN and RST pass in the midst of skipped payload', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  const tag = talk.records()[0]!.tag
  bench.directives.skip(tag, 0, talk.client + 1_000_000)
  talk.up(DATA | FIN, 'b'.repeat(30))
  talk.up(RST, '')
  assert.deepEqual(talk.records().map((record) => [record.tcpFlags, record.skipped, record.data.length]), [[DATA | FIN, 30, 0], [RST, 0, 0]])
})

kernelTest('of an ignored connection only the end is told, even when another takes its slot', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  const tag = talk.records()[0]!.tag
  bench.directives.ignore(tag + 65536)
  talk.up(DATA, REQUEST)
  assert.equal(talk.records().length, 1, 'a directive for another tag does not hold')
  bench.directives.ignore(tag)
  talk.up(DATA, REQUEST)
  assert.deepEqual(talk.records(), [])
  bench.directives.ignore(tag + 65536)
  talk.up(DATA, REQUEST)
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('ignored'), 2)
  talk.up(DATA | FIN, REQUEST)
  talk.down(RST, '')
  assert.deepEqual(talk.records().map(({ tcpFlags, payloadLength, data }) => [tcpFlags, payloadLength, data.length]),
    [[DATA | FIN, REQUEST.length, 0], [RST, 0, 0]])
})

kernelTest('with packets asked for, an ignored connection gives its headers', () => {
  using bench = new ProgramBench({}, { packets: true })
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  const tag = talk.records()[0]!.tag
  bench.directives.ignore(tag)
  talk.up(DATA, REQUEST)
  assert.deepEqual(talk.records().map(({ payloadLength, data }) => [payloadLength, data.length]), [[REQUEST.length, 0]])
})

/** A ClientHello record with `length` bytes behind its header, of which the first 6 are right. */
function clientHello(length: number): Uint8Array {
  const bytes = new Uint8Array(5 + length)
  bytes.set([0x16, 3, 1, length >> 8, length & 0xff, 1, 0, (length - 4) >> 8, (length - 4) & 0xff, 3, 3])
  return bytes
}

kernelTest('a TLS handshake is delivered: a hello over two segments, in either order, and what answers it', () => {
  for (const order of [[0, 1], [1, 0]]) {
    using bench = new ProgramBench()
    const talk = new Talk(bench).handshake()
    talk.records()
    const hello = clientHello(1800)
    const at = talk.client
    for (const half of order) talk.up(DATA, half === 0 ? hello.subarray(0, 1400) : hello.subarray(1400), { sequence: at + half * 1400 })
    talk.down(DATA, Uint8Array.of(0x16, 3, 3, 0, 4, 2, 0, 0, 0))
    assert.deepEqual(talk.records().map(({ data }) => data.length).sort((a, b) => a - b), [9, 405, 1400])
  }
})

kernelTest('hellos in other forms are delivered, and what only looks like one is not', () => {
  using bench = new ProgramBench()
  let port = 41000
  const judge = (payload: Bytes, isServer = false): boolean => {
    const talk = new Talk(bench, port++).handshake()
    talk.records()
    if (isServer) talk.down(DATA, payload)
    else talk.up(DATA, payload)
    return (talk.records()[0]!.flags & FLAG_NOT_HTTP) === 0
  }
  assert.equal(judge(clientHello(200).subarray(0, 1)), true, 'one byte')
  assert.equal(judge(Uint8Array.of(0x16, 3, 0, 0, 1, 1)), true, 'a record of one byte')
  assert.equal(judge(Uint8Array.of(0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16, 1, 0, 128)), true, 'in the form of SSL 2.0')
  assert.equal(judge(Uint8Array.of(5, 2, 0, 2)), true, 'SOCKS 5')
  assert.equal(judge(Uint8Array.of(4, 1, 1, 187, 10, 0, 0, 1, 0)), true, 'SOCKS 4')
  assert.equal(judge(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 40), true), true, 'an alert as the first word of a server')
  assert.equal(judge(Uint8Array.of(0x16, 4, 1, 0, 200, 1)), false, 'another version')
  assert.equal(judge(Uint8Array.of(0x17, 3, 3, 0, 200, 1)), false, 'encrypted data')
  assert.equal(judge(Uint8Array.of(5, 2, 0, 2, 0)), false, 'one byte too many')
})

kernelTest('of a TLS connection met in its middle nothing is delivered but a ClientHello', () => {
  using bench = new ProgramBench()
  const encrypted = new Uint8Array(300).fill(0x5a)
  encrypted.set([0x17, 3, 3, 1, 0x27])
  const talk = new Talk(bench)
  talk.up(DATA, encrypted)
  talk.down(DATA, encrypted)
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), 2)
  talk.up(DATA, clientHello(200))
  assert.equal(talk.records().length, 1)
})

kernelTest('with packets asked for, every packet of every connection gives its headers', () => {
  using bench = new ProgramBench({}, { packets: true })
  const talk = new Talk(bench)
  talk.up(DATA, 'not http')
  talk.down(ACK, '')
  const opened = new Talk(bench, 40001).handshake()
  opened.up(DATA, '\x16\x03\x01'.padEnd(100, 'x'))
  opened.down(ACK, '')
  opened.down(DATA, 'more')
  opened.down(RST, '')
  const records = opened.records()
  assert.deepEqual(records.map((record) => record.data.length), [0, 0, 0, 0, 0, 64, 0, 0, 0])
  assert.deepEqual(records.map((record) => record.skipped), [8, 0, 0, 0, 0, 0, 0, 4, 0])
  assert.equal(bench.counters().delivered, 9)
})

kernelTest('a direction is captured on the path that showed it first, and follows new data to another', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  assert.equal(talk.records().length, 4)
  // The same packets again at another hook: a bridge shows them once more.
  talk.up(SYN, '', { sequence: CLIENT_START, program: 'lintel_egress' })
  talk.up(DATA, REQUEST, { sequence: CLIENT_START + 1, program: 'lintel_egress' })
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('other_path'), 2)
  talk.up(DATA, 'new data', { program: 'lintel_egress' })
  const [moved] = talk.records()
  assert.deepEqual([moved?.data.toString('latin1'), moved?.direction, moved?.number], ['new data', 2, 3])
  talk.up(DATA, 'new data', { sequence: talk.client - 8 })
  assert.deepEqual(talk.records(), [], 'the old path is the other one now')
  talk.up(RST, '', { program: 'lintel_egress' })
  talk.up(RST, '')
  assert.deepEqual(talk.records().map((record) => record.tcpFlags), [RST])
})

kernelTest('what a full ring loses shows as a gap in the record numbers and in the ledger', () => {
  using bench = new ProgramBench({ ringBytes: 65536 })
  const talk = new Talk(bench).handshake()
  talk.records()
  for (let at = 0; at < 200; at++) talk.up(DATA, `GET /${at} HTTP/1.1\r\n`.padEnd(1000, 'x'))
  const before = talk.records()
  const lost = bench.counters().lost.get('ring_full')!
  assert.equal(before.length + lost, 200)
  assert.ok(lost > 100)
  talk.up(DATA, REQUEST)
  const [after] = talk.records()
  assert.equal(after!.number - before.at(-1)!.number - 1, lost, 'the gap is as wide as the loss')
  assert.equal(after!.seenPackets, 203)
})

kernelTest('a connection that had to leave the table comes back with its next request', () => {
  using bench = new ProgramBench({ connections: 64 })
  for (let connection = 0; connection < 2000; connection++) new Talk(bench, 10000 + connection).handshake()
  bench.records()
  const talk = new Talk(bench, 10000)
  talk.client = CLIENT_START + 1
  talk.up(DATA, REQUEST)
  const [record] = talk.records()
  assert.equal(record?.data.toString('latin1'), REQUEST)
  assert.equal(record!.flags & FLAG_MIDSTREAM, FLAG_MIDSTREAM)
})

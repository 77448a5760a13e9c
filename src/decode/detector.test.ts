import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import type { Side, StreamControl, StreamHandler } from '../connection/mod.ts'
import { DETECT } from './decoder.ts'
import type { Protocol } from './decoder.ts'
import { Detector } from './detector.ts'
import { createProtocols } from './registry.ts'
import { MessageRecorder } from './testing/message-recorder.ts'
import { TestConnection } from './testing/test-connection.ts'
import type { TestConnectionOptions } from './testing/test-connection.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const request = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'
const response = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

function open(options: TestConnectionOptions = {}, protocols: readonly Protocol[] = createProtocols(memory)) {
  const connection = new TestConnection(memory, input, options)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols, sink: recorder, control: connection }))
  let time = 0
  const send = (side: Side, text: string): void => connection.send(side, Buffer.from(text, 'latin1'), ++time)
  const close = (): MessageRecorder => {
    connection.close(++time)
    assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
    return recorder
  }
  return { connection, recorder, send, close }
}

test('HTTP/1 is found whole, byte by byte, and behind empty lines', () => {
  for (const pieces of [[request], [...request], ['\r\n\r\n', request]]) {
    const { send, close } = open()
    for (const piece of pieces) send(0, piece)
    send(1, response)
    assert.deepEqual(close().pairs, [['/1', 200]])
  }
})

test('a long body behind a head that came in two parts is skipped to its end, and not beyond', () => {
  for (const first of [1, 3, 4, 10]) {
    const post = `POST /1 HTTP/1.1\r\nContent-Length: 9000\r\n\r\n${'b'.repeat(1000)}`
    const { connection, send, close } = open()
    send(0, post.slice(0, first))
    send(0, post.slice(first))
    assert.equal(connection.skipping[0], 8000)
    send(0, 'b'.repeat(8000))
    send(0, request.replace('/1', '/2'))
    assert.deepEqual(close().requests.map(({ target, bodyBytes }) => [target, bodyBytes]), [['/1', 9000], ['/2', 0]])
  }
})

test('joined mid-way, empty lines before a first request or response hide neither it nor who asks', () => {
  const talks: [Side, string][] = [[0, `\r\n\r\n${request}`], [1, `\r\n${response}`]]
  for (const [side, text] of talks) {
    const { connection, recorder, send, close } = open({ fromStart: false, client: undefined })
    send(side, text)
    assert.equal(connection.client, 0)
    close()
    assert.equal(recorder.requests.length + recorder.responses.length, 1)
  }
})

test('a first request of any written version is found; the preface of HTTP/2 is none of them', () => {
  for (const version of ['0.9', '1.2', '2.0', '3.0']) {
    const { send, close } = open()
    send(0, `GET /1 HTTP/${version}\r\nHost: a\r\n\r\n`)
    send(1, 'HTTP/1.1 505 No\r\nContent-Length: 0\r\n\r\n')
    const recorder = close()
    assert.deepEqual(recorder.pairs, [['/1', 505]], version)
    assert.deepEqual(recorder.requests[0]!.fields, [['Host', 'a']])
  }
  const { send, close } = open()
  send(0, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  assert.deepEqual(close().requests, [])
})

test('a first line longer than what detection needs is found', () => {
  const target = `/${'x'.repeat(5000)}`
  for (const method of ['GET', 'SUBSCRIBE', 'BREW']) {
    const { send, close } = open()
    for (const piece of [`${method} ${target.slice(0, 300)}`, target.slice(300, 2000), `${target.slice(2000)} HTTP/1.1\r\nHost: a\r\n\r\n`]) send(0, piece)
    assert.deepEqual(close().requests.map((message) => message.target), [target], method)
  }
})

test('other protocols are ignored once neither side can be read, and counted', () => {
  const starts: [Side, string, string][] = [
    [0, '\x16\x03\x01\x02\x00\x10\x00\x01\xfc\x03\x03', '\x16\x03\x03\x00\x7a\x10\x00\x00\x76\x03\x03'],
    [1, 'SSH-2.0-OpenSSH_9.2\r\n', 'SSH-2.0-Go\r\n'], [1, '220 mail ESMTP\r\n', 'EHLO a\r\n'],
    [0, '*1\r\n$4\r\nPING\r\n', '+PONG\r\n'],
    [0, 'OPTIONS sip:a SIP/2.0\r\n', 'SIP/2.0 200 OK\r\n'], [0, 'get a key\r\n', 'VALUE a 0 1\r\n'],
  ]
  for (const [side, text, answer] of starts) {
    const { connection, send, close } = open()
    send(side, text)
    assert.equal(connection.isIgnored, false, text)
    send(side === 0 ? 1 : 0, answer)
    assert.ok(connection.isIgnored, text)
    const { messages, anomalies, closed } = close()
    assert.deepEqual([messages, anomalies, closed], [[], ['protocol_unknown'], undefined], text)
  }
})

test('a side that cannot be read is not waited for without bound while the other is silent', () => {
  const { connection, send, close } = open()
  for (let count = 0; count < 15; count++) send(0, '\0'.repeat(4096))
  assert.equal(connection.isIgnored, false)
  send(0, '\0'.repeat(4096))
  assert.ok(connection.isIgnored)
  assert.deepEqual(close().anomalies, ['protocol_unknown'])
})

test('a connection of which one side was never heard and the other cannot be read is counted', () => {
  const { send, close } = open()
  send(0, '\0\0\0\x08\x04\xd2\x16\x2f')
  assert.deepEqual(close().anomalies, ['protocol_unknown'])
})

test('the answer to a request line that cannot be read is a response of its own, however the line came', () => {
  // RFC 9112 3: a server should answer an invalid request line with 400.
  for (const line of [' GET /txt HTTP/1.1', 'GET HTTP/1.1', 'GET / HTTP/1.', `GET /${'x'.repeat(600)} HTTP/1.`, '\x16\x04\x01\x02']) {
    const text = `${line}\r\nHost: a\r\n\r\n`
    for (const cut of [text.length, 3, text.length - 20]) {
      const { connection, send, close } = open()
      send(0, text.slice(0, cut))
      if (cut < text.length) send(0, text.slice(cut))
      send(1, 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
      assert.equal(connection.isIgnored, false)
      const { requests, responses, pairs } = close()
      assert.deepEqual([requests.length, responses.map(({ status }) => status), pairs], [0, [400], []], `${JSON.stringify(line)} cut at ${cut}`)
    }
  }
})

test('a connection that ends before its first bytes can be told is counted', () => {
  const { send, close } = open()
  send(0, 'GE')
  assert.deepEqual(close().anomalies, ['protocol_undecided'])
})

test('a connection joined inside a body waits for the next message', () => {
  const { connection, send, close } = open({ fromStart: false, client: undefined })
  for (let count = 0; count < 20; count++) send(1, 'the rest of a body '.repeat(50))
  assert.equal(connection.isIgnored, false)
  send(0, request)
  send(1, response)
  assert.equal(connection.client, 0)
  // What was under way before is not known: that the response is the answer is likely, with nothing to prove it.
  const { responses, pairs } = close()
  assert.deepEqual([pairs, responses.map(({ isLikely }) => isLikely)], [[['/1', 200]], [true]])
})

test('a connection joined mid-way that stays strange is ignored at its bound', () => {
  const { connection, send, close } = open({ fromStart: false, client: undefined })
  const strange = '\0'.repeat(1 << 19)
  for (let count = 0; count < 7; count++) send(0, strange)
  assert.equal(connection.isIgnored, false)
  send(0, strange)
  assert.ok(connection.isIgnored)
  assert.deepEqual(close().anomalies, ['protocol_unknown'])
})

test('a lost first segment makes the pairs that follow it doubtful, not the messages', () => {
  const { connection, send, close } = open()
  connection.lose(0, 50, 0)
  send(0, request)
  send(1, response)
  const { responses, pairs } = close()
  assert.deepEqual([pairs, responses.map(({ isLikely }) => isLikely)], [[['/1', 200]], [true]])
})

test('a side that was over before the other began is over for the protocol that is found', () => {
  for (const text of ['', '\0\0', 'GE']) {
    const { connection, send, close } = open()
    send(0, text)
    connection.end(0, 1)
    send(1, 'HTTP/1.1 408 Request Timeout\r\n\r\nbye')
    const { responses, closed } = close()
    assert.deepEqual(responses.map(({ status }) => status), [408], text)
    assert.notEqual(closed, undefined, text)
  }
})

/** A protocol that claims a stream starting with `magic` and writes down what it is given. */
function plain(magic: string, taken: string[]): Protocol {
  return {
    name: magic,
    detectBytesMax: magic.length,
    detect(_side, pointer, length) {
      const known = Math.min(length, magic.length)
      if (memory.latin1(pointer, known) !== magic.slice(0, known)) return DETECT.no
      return known === magic.length ? DETECT.yes : DETECT.more
    },
    open(_control: StreamControl): StreamHandler {
      return {
        data: (side, pointer, length, time) => { taken.push(`${side}@${time}:${memory.latin1(pointer, length)}`) },
        gap: (side, length) => { taken.push(`${side}:gap ${length}`) },
        skipped: () => {},
        end: (side) => { taken.push(`${side}:end`) },
      }
    },
  }
}

test('bytes held while protocols decide reach the one that claims them, in order and with their time', () => {
  const taken: string[] = []
  const { send, close } = open({}, [plain('abcdef', taken), plain('abx', taken)])
  send(0, 'a')
  send(1, 'ab')
  send(0, 'b')
  send(0, 'xyz')
  send(1, 'cd')
  close()
  assert.deepEqual(taken, ['0@1:abxyz', '1@2:ab', '1@5:cd', '0:end', '1:end'])
})

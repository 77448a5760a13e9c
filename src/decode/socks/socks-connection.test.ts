import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { randomFrom } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const REQUEST = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
type Talk = readonly (readonly [Side, string])[]

function play(segments: Talk): MessageRecorder {
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: createProtocols(memory), sink: recorder, control: connection }))
  segments.forEach(([side, text], time) => { connection.send(side, Buffer.from(text, 'latin1'), time) })
  connection.close(segments.length)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return recorder
}

const HANDSHAKES: Readonly<Record<string, Talk>> = {
  '4': [[0, '\x04\x01\0\x50\xc0\0\x02\x01user\0'], [1, '\0\x5a\0\0\0\0\0\0']],
  '4A': [[0, '\x04\x01\0\x50\0\0\0\x01user\0a.example\0'], [1, '\0\x5a\0\0\0\0\0\0']],
  '5': [[0, '\x05\x01\0'], [1, '\x05\0'], [0, '\x05\x01\0\x01\xc0\0\x02\x01\0\x50'], [1, '\x05\0\0\x01\0\0\0\0\0\0']],
  '5 with a password': [[0, '\x05\x02\0\x02'], [1, '\x05\x02'], [0, '\x01\x04user\x06secret'], [1, '\x01\0'],
    [0, '\x05\x01\0\x03\x09a.example\0\x50'], [1, `\x05\0\0\x04${'\0'.repeat(18)}`]],
}

for (const [name, handshake] of Object.entries(HANDSHAKES)) {
  test(`SOCKS ${name}: HTTP behind the handshake is read, at every split of it`, () => {
    const talk: Talk = [...handshake, [0, REQUEST], [1, RESPONSE]]
    talk.forEach(([side, text], index) => {
      for (let at = 1; at < text.length; at++) {
        const { pairs, anomalies } = play([...talk.slice(0, index), [side, text.slice(0, at)], [side, text.slice(at)], ...talk.slice(index + 1)])
        assert.deepEqual(pairs, [['/1', 200]], `segment ${index} split at ${at}`)
        assert.deepEqual(anomalies, [])
      }
    })
  })
}

test('a client that does not wait for the last answer is read all the same', () => {
  const [greeting, method, connect, reply] = HANDSHAKES['5']!
  assert.deepEqual(play([greeting!, method!, [0, connect![1] + REQUEST], [1, reply![1] + RESPONSE]]).pairs, [['/1', 200]])
})

test('what is refused, or no connection, is named and ignored', () => {
  const [greeting, method, connect] = HANDSHAKES['5']!
  assert.deepEqual(play([HANDSHAKES['4']![0]!, [1, '\0\x5b\0\0\0\0\0\0'], [0, REQUEST]]).anomalies, ['socks_refused'])
  assert.deepEqual(play([greeting!, [1, '\x05\xff']]).anomalies, ['socks_refused'])
  assert.deepEqual(play([greeting!, method!, connect!, [1, '\x05\x05\0\x01\0\0\0\0\0\0']]).anomalies, ['socks_refused'])
  assert.deepEqual(play([greeting!, method!, [0, '\x05\x03\0\x01\xc0\0\x02\x01\0\x50']]).anomalies, ['socks_refused'], 'UDP')
  assert.deepEqual(play([greeting!, [1, 'HTTP/1.1 400 Bad Request\r\n\r\n']]).anomalies, ['socks_malformed'])
  assert.deepEqual(play([[0, `\x04\x01\0\x50\xc0\0\x02\x01${'u'.repeat(600)}`]]).anomalies, ['socks_malformed'])
})

test('a client that sends without end before the handshake is over is given up', () => {
  const flood: Talk = Array.from({ length: 10 }, () => [0, 'x'.repeat(10_000)] as const)
  assert.deepEqual(play([HANDSHAKES['5']![0]!, ...flood]).anomalies, ['socks_held_too_long'])
})

test('damaged handshakes never throw', () => {
  const random = randomFrom(7)
  for (let round = 0; round < 4000; round++) {
    const names = Object.keys(HANDSHAKES)
    const talk: Talk = [...HANDSHAKES[names[Math.floor(random() * names.length)]!]!, [0, REQUEST], [1, RESPONSE]]
    play(talk.map(([side, text]) => {
      const bytes = Buffer.from(text, 'latin1')
      if (random() < 0.5) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      return [side, bytes.toString('latin1')] as const
    }))
  }
})

/** The example's decoder passes what every built-in decoder must pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, REQUEST, RESPONSE } from '../../examples/length-prefixed/frame.ts'
import type { Frame } from '../../examples/length-prefixed/frame.ts'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { END } from '../../src/connection/mod.ts'
import { testDecoder } from '../../src/decode/decoder.suite.ts'
import { OwnProtocol } from '../../src/decode/mod.ts'
import { OwnScene, exampleDecoder } from './testing/own-scene.ts'

const memory = new ByteMemory()
const PORTS = [40_000, 9400] as const
const quiet = { log: () => {}, anomaly: () => {} }
const CLIENT = 0
const SERVER = 1

function request(id: number, body = '', headers: Frame['headers'] = { 'x-a': 'b' }): Buffer {
  return encodeFrame({ type: REQUEST, id, line: `PUT /items/${id}`, headers, body: Buffer.from(body) })
}

function response(id: number, body = ''): Buffer {
  return encodeFrame({ type: RESPONSE, id, line: 'ok', headers: { 'x-c': 'd' }, body: Buffer.from(body) })
}

testDecoder({
  name: 'length-prefixed',
  memory,
  protocol: new OwnProtocol(memory, await exampleDecoder(), 0, quiet),
  ports: PORTS,
  conversations: [
    {
      name: 'one after the other',
      messages: 4,
      segments: [
        { side: CLIENT, bytes: request(1, 'a body') }, { side: SERVER, bytes: response(1, 'x'.repeat(300)) },
        { side: CLIENT, bytes: request(2) }, { side: SERVER, bytes: response(2) },
      ],
    },
    {
      name: 'answered out of order',
      messages: 6,
      segments: [
        { side: CLIENT, bytes: Buffer.concat([request(1), request(2, 'body'), request(3)]) },
        { side: SERVER, bytes: Buffer.concat([response(3, 'three'), response(1)]) }, { side: SERVER, bytes: response(2, 'two') },
      ],
    },
  ],
})

test('responses find their requests by correlation, in any order', async () => {
  const scene = await OwnScene.open(await exampleDecoder(), memory)
  scene.send(CLIENT, Buffer.concat([request(7), request(8), request(9)]))
  scene.send(SERVER, Buffer.concat([response(9), response(7)]))
  scene.send(SERVER, response(8))
  const { messages } = scene.close()
  assert.deepEqual(messages.map(({ kind, exchange }) => [kind, exchange]),
    [['request', 1], ['request', 2], ['request', 3], ['response', 3], ['response', 1], ['response', 2]])
  assert.deepEqual([messages[0]?.method, messages[0]?.target, messages[3]?.method], ['PUT', '/items/7', 'ok'])
  assert.deepEqual(messages[0]?.fields, [['x-a', 'b']])
})

test('a body that is still to come is skipped, and the message is over when it has gone by', async () => {
  const scene = await OwnScene.open(await exampleDecoder(), memory)
  const bytes = request(1, 'x'.repeat(100_000))
  scene.send(CLIENT, bytes.subarray(0, 5000))
  assert.equal(scene.connection.skipping[CLIENT], bytes.length - 5000)
  assert.equal(scene.recorder.messages[0]?.ended, undefined)
  scene.send(CLIENT, bytes.subarray(5000))
  assert.deepEqual([scene.recorder.messages[0]?.ended, scene.recorder.messages[0]?.bodyBytes], ['complete', 100_000])
  scene.send(CLIENT, request(2))
  assert.equal(scene.close().messages.length, 2)
})

test('a body that the connection cuts off ends its message as cut', async () => {
  const scene = await OwnScene.open(await exampleDecoder(), memory)
  scene.send(CLIENT, request(1, 'x'.repeat(100_000)).subarray(0, 5000))
  const [message] = scene.close(END.shutdown).messages
  assert.deepEqual([message?.ended, message?.cutBy], ['cut', 'shutdown'])
})

/** WebSockets as HTTP/1 opens them: through the decoder's suite, and what the sink is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END } from '../../connection/mod.ts'
import type { End, Side } from '../../connection/mod.ts'
import { testDecoder } from '../decoder.suite.ts'
import { Http1Protocol } from '../http1/mod.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { closeFrame, frame, OPCODE } from './testing/frame.ts'
import type { WebSocket } from './web-socket.ts'
import { FRAMES } from './web-socket-frames.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const CLIENT = 0
const SERVER = 1
const mask = 0x01020304

const request = Buffer.from('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: a, chat\r\n\r\n')
const response = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\n' +
  'Sec-WebSocket-Extensions: x-own\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n')

class Scene {
  readonly recorder = new MessageRecorder(memory)
  readonly connection = new TestConnection(memory, input)
  #time = 0

  constructor() {
    this.connection.use(new Http1Protocol(memory).open(this.connection, this.recorder))
  }

  static opened(): Scene {
    const scene = new Scene()
    scene.send(CLIENT, request)
    scene.send(SERVER, response)
    return scene
  }

  send(side: Side, bytes: Uint8Array): void {
    this.connection.send(side, bytes, ++this.#time)
  }

  close(cause: End = END.fin): WebSocket {
    this.connection.close(++this.#time, cause)
    assert.equal(memory.allocator.allocatedBytes(), 0)
    assert.equal(this.recorder.webSockets.length, 1)
    return this.recorder.webSockets[0]!
  }
}

testDecoder({
  name: 'websocket',
  memory,
  protocol: new Http1Protocol(memory),
  conversations: [{
    name: 'both sides speak, both close',
    messages: 2,
    segments: [
      { side: CLIENT, bytes: request },
      { side: SERVER, bytes: Buffer.concat([response, frame({ payload: 'welcome' })]) },
      { side: CLIENT, bytes: Buffer.concat([frame({ payload: 'a', mask }), frame({ opcode: OPCODE.ping, mask })]) },
      { side: SERVER, bytes: Buffer.concat([frame({ opcode: OPCODE.pong }), frame({ payload: 'deflated', reserved: 4 })]) },
      { side: CLIENT, bytes: closeFrame(1001, 'leaving', mask) },
      { side: SERVER, bytes: closeFrame(1001) },
    ],
  }],
})

test('the upgrade is an exchange of its own, over when the 101 came', () => {
  const scene = Scene.opened()
  assert.deepEqual(scene.recorder.messages.map(({ kind, status, ended }) => [kind, status, ended]),
    [['request', 0, 'complete'], ['response', 101, 'tunnel']])
  assert.deepEqual(scene.recorder.webSockets, [])
  scene.close()
})

test('close frames of both sides end it at once, and only once', () => {
  const scene = Scene.opened()
  scene.send(CLIENT, frame({ payload: 'hello', mask }))
  scene.send(SERVER, closeFrame(4001, 'go away'))
  assert.equal(scene.recorder.webSockets.length, 0)
  scene.send(CLIENT, closeFrame(4001, '', mask))
  const [webSocket] = scene.recorder.webSockets
  assert.equal(webSocket?.cause, undefined)
  assert.equal(webSocket?.closedBy, SERVER)
  assert.equal(webSocket.frames(SERVER).closeCode, 4001)
  assert.equal(Buffer.from(webSocket.frames(SERVER).closeReason!).toString(), 'go away')
  assert.equal(webSocket.frames(CLIENT).messages, 1)
  assert.equal(webSocket.subprotocol, 'chat')
  assert.equal(webSocket.extensions, 'x-own, permessage-deflate; server_no_context_takeover')
  assert.deepEqual([webSocket.startTime, webSocket.lastTime], [2, 5])
  assert.equal(scene.close(), webSocket)
  assert.deepEqual(scene.recorder.anomalies, [])
})

for (const cause of [END.fin, END.reset, END.idle, END.evicted, END.replaced, END.shutdown]) {
  test(`without close frames it ends with the connection: ${cause}`, () => {
    const scene = Scene.opened()
    scene.send(SERVER, frame({ payload: 'hello' }))
    const webSocket = scene.close(cause)
    assert.equal(webSocket.cause, cause)
    assert.equal(webSocket.closedBy, undefined)
    assert.equal(webSocket.frames(SERVER).messages, 1)
    assert.equal(webSocket.lastTime, cause === END.fin || cause === END.reset ? 4 : 3)
  })
}

test('frames that the client sent before the 101 was seen are counted', () => {
  const scene = new Scene()
  scene.send(CLIENT, Buffer.concat([request, frame({ payload: 'early', mask })]))
  scene.send(CLIENT, frame({ payload: 'too', mask }).subarray(0, 3))
  scene.send(SERVER, response)
  scene.send(CLIENT, frame({ payload: 'too', mask }).subarray(3))
  assert.equal(scene.close().frames(CLIENT).messages, 2)
})

test('a long frame is skipped, and counted when it has gone by', () => {
  const scene = Scene.opened()
  const long = frame({ opcode: OPCODE.binary, payload: Buffer.alloc(300_000) })
  scene.send(SERVER, long.subarray(0, 1000))
  assert.equal(scene.connection.skipping[SERVER], long.length - 1000)
  scene.send(SERVER, long.subarray(1000, 200_000))
  scene.send(CLIENT, frame({ payload: 'meanwhile', mask }))
  scene.send(SERVER, Buffer.concat([long.subarray(200_000), frame({ payload: 'next' })]))
  const webSocket = scene.close()
  assert.deepEqual([webSocket.frames(SERVER).messages, webSocket.frames(SERVER).bytes], [2, 300_004])
  assert.equal(webSocket.frames(CLIENT).messages, 1)
  assert.deepEqual(scene.recorder.anomalies, [])
})

test('a long frame that is cut off by the end is not counted as a message', () => {
  const scene = Scene.opened()
  scene.send(SERVER, frame({ opcode: OPCODE.binary, payload: Buffer.alloc(300_000) }).subarray(0, 1000))
  const webSocket = scene.close(END.reset)
  assert.deepEqual([webSocket.frames(SERVER).messages, webSocket.frames(SERVER).frames], [0, 1])
})

test('after a loss one side stops counting and says so, the other goes on', () => {
  const scene = Scene.opened()
  scene.send(SERVER, frame({ payload: 'one' }))
  scene.connection.lose(SERVER, 10, 10)
  scene.send(SERVER, frame({ payload: 'two' }))
  scene.send(CLIENT, frame({ payload: 'three', mask }))
  const webSocket = scene.close()
  assert.deepEqual([webSocket.frames(SERVER).messages, webSocket.frames(SERVER).state], [1, FRAMES.lost])
  assert.deepEqual([webSocket.frames(CLIENT).messages, webSocket.frames(CLIENT).state], [1, FRAMES.whole])
  assert.deepEqual(scene.recorder.anomalies, ['websocket_framing_lost'])
})

test('a 101 to something else opens no WebSocket', () => {
  const scene = new Scene()
  scene.send(CLIENT, request)
  scene.send(SERVER, Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'))
  assert.ok(scene.connection.isIgnored)
  scene.connection.close(9)
  assert.deepEqual(scene.recorder.webSockets, [])
})

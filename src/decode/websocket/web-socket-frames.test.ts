import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../testing/conversation.ts'
import { WEBSOCKET_ANOMALY as A } from './anomaly.ts'
import { closeFrame, frame, OPCODE } from './testing/frame.ts'
import { FRAMES, WebSocketFrames } from './web-socket-frames.ts'

interface Read {
  readonly frames: WebSocketFrames
  readonly anomalies: readonly string[]
}

/** Reads `bytes` in pieces that end at `cuts`. */
function read(bytes: Uint8Array, { isClient = false, mayCompress = false, cuts = [] as number[] } = {}): Read {
  const anomalies: string[] = []
  const frames = new WebSocketFrames({ u8: bytes, isClient, mayCompress, anomaly: (name) => { anomalies.push(name) } })
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    frames.take(at, cut)
    at = cut
  }
  return { frames, anomalies }
}

function counts({ frames, anomalies }: Read): object {
  const { messages, compressedMessages, frames: data, bytes, pings, pongs, isClosed, closeCode, closeReason, state } = frames
  return {
    messages, compressedMessages, data, bytes, pings, pongs, isClosed, closeCode, state, anomalies,
    closeReason: closeReason === undefined ? undefined : Buffer.from(closeReason).toString(),
  }
}

const mask = 0xa1b2c3d4
const conversation = Buffer.concat([
  frame({ payload: 'hello', mask }),
  frame({ payload: 'a'.repeat(125), mask }), frame({ payload: 'b'.repeat(126), mask }),
  frame({ payload: 'c'.repeat(300), isFinal: false, mask, reserved: 4 }),
  frame({ opcode: OPCODE.ping, payload: 'now', mask }),
  frame({ opcode: OPCODE.continuation, payload: 'd', isFinal: false, mask }), frame({ opcode: OPCODE.continuation, payload: '', mask }),
  frame({ opcode: OPCODE.pong, mask }), frame({ opcode: OPCODE.binary, payload: '', mask }),
  closeFrame(1000, 'au revoir €', mask),
])

test('messages, fragments, control frames between them, close', () => {
  assert.deepEqual(counts(read(conversation, { isClient: true, mayCompress: true })), {
    messages: 5, compressedMessages: 1, data: 7, bytes: 5 + 125 + 126 + 300 + 1, pings: 1, pongs: 1,
    isClosed: true, closeCode: 1000, closeReason: 'au revoir €', state: FRAMES.whole, anomalies: [],
  })
})

test('every cut in two, and pieces of any size, count the same', () => {
  const options = { isClient: true, mayCompress: true }
  const whole = counts(read(conversation, options))
  for (let cut = 1; cut < conversation.length; cut++) {
    assert.deepEqual(counts(read(conversation, { ...options, cuts: [cut] })), whole, `cut at ${cut}`)
  }
  for (let size = 1; size < 20; size++) {
    const cuts = Array.from({ length: Math.ceil(conversation.length / size) - 1 }, (_, index) => (index + 1) * size)
    assert.deepEqual(counts(read(conversation, { ...options, cuts })), whole, `pieces of ${size}`)
  }
})

test('64-bit lengths: payload passed over unseen, beyond 4 GiB too', () => {
  const header = Buffer.from([0x82, 127, 0, 0, 0, 5, 0, 0, 0, 7])
  const { frames, anomalies } = read(header)
  const length = 5 * 2 ** 32 + 7
  assert.equal(frames.unneeded, length)
  frames.pass(length - 1)
  assert.equal(frames.messages, 0)
  frames.pass(1)
  assert.deepEqual([frames.messages, frames.bytes, frames.unneeded, anomalies], [1, length, 0, []])
})

test('a gap inside a payload costs nothing; elsewhere the counts stop and say so', () => {
  const bytes = frame({ payload: 'x'.repeat(50) })
  const { frames } = read(bytes.subarray(0, 12))
  frames.lose(40)
  assert.deepEqual([frames.messages, frames.bytes, frames.state], [1, 50, FRAMES.whole])
  for (const missing of [0, 1, 50]) {
    const { frames: cut, anomalies } = read(bytes.subarray(0, missing === 50 ? 12 : 1))
    cut.lose(missing)
    cut.take(0, bytes.length)
    assert.deepEqual([cut.messages, cut.state, anomalies], [0, FRAMES.lost, [A.framingLost]], `${missing} bytes`)
  }
})

const ODD: readonly (readonly [name: string, bytes: Buffer, anomalies: readonly string[], messages: number, isClient?: boolean])[] = [
  ['a client without mask', frame({ payload: 'a' }), [A.unmasked], 1, true],
  ['a server with mask', frame({ payload: 'a', mask }), [A.masked], 1],
  ['first reserved bit, nothing agreed', frame({ reserved: 4 }), [A.reservedBits], 1],
  ['second and third reserved bit', frame({ reserved: 3 }), [A.reservedBits], 1],
  ['reserved opcode', Buffer.concat([frame(), frame({ opcode: 3 }), frame()]), [A.opcode], 1],
  ['reserved control opcode', Buffer.concat([frame(), frame({ opcode: 11 }), frame()]), [A.opcode], 1],
  ['length of 2^63', Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), [A.length], 0],
  ['16-bit length of 5', frame({ payload: 'short', lengthBytes: 2 }), [A.lengthNotMinimal], 1],
  ['64-bit length of 300', frame({ payload: 'x'.repeat(300), lengthBytes: 8 }), [A.lengthNotMinimal], 1],
  ['ping in fragments', frame({ opcode: OPCODE.ping, isFinal: false }), [A.control], 0],
  ['ping of 126 bytes', frame({ opcode: OPCODE.ping, payload: 'p'.repeat(126) }), [A.control], 0],
  ['continuation of nothing', frame({ opcode: OPCODE.continuation, payload: 'a' }), [A.continuation], 1],
  ['message in a message', Buffer.concat([frame({ isFinal: false }), frame()]), [A.interleaved], 1],
  ['close with one byte', frame({ opcode: OPCODE.close, payload: 'x' }), [A.closeCode], 0],
  ['close with 1005', closeFrame(1005), [A.closeCode], 0],
  ['close with 999', closeFrame(999), [A.closeCode], 0],
  ['close with 5000', closeFrame(5000), [A.closeCode], 0],
  ['close with 4999', closeFrame(4999), [], 0],
  ['close without code', frame({ opcode: OPCODE.close }), [], 0],
  ['close with a reason that is no UTF-8', frame({ opcode: OPCODE.close, payload: Buffer.from([3, 232, 0xff]) }), [A.closeReason], 0],
  ['a message after the close', Buffer.concat([closeFrame(1000), frame()]), [A.afterClose], 0],
]

for (const [name, bytes, anomalies, messages, isClient = false] of ODD) {
  test(`${name}: ${anomalies.join(', ') || 'nothing odd'}`, () => {
    const found = read(bytes, { isClient })
    assert.deepEqual(found.anomalies, anomalies)
    assert.equal(found.frames.messages, messages)
  })
}

test('on a frame that cannot be read the counts stop and say so', () => {
  assert.equal(read(frame({ opcode: 3 })).frames.state, FRAMES.malformed)
})

test('random frames: counted as they were made, whatever the cuts', () => {
  const random = randomFrom(20_251_125)
  for (let round = 0; round < 300; round++) {
    const expected = { messages: 0, data: 0, bytes: 0, pings: 0, pongs: 0, compressedMessages: 0 }
    const parts: Buffer[] = []
    for (let message = Math.floor(random() * 8); message > 0; message--) {
      const isCompressed = random() < 0.3
      const pieces = 1 + Math.floor(random() * 3)
      for (let piece = 0; piece < pieces; piece++) {
        const payload = Buffer.alloc(Math.floor(random() ** 4 * 70_000), 'x')
        const opcode = piece > 0 ? OPCODE.continuation : random() < 0.5 ? OPCODE.text : OPCODE.binary
        parts.push(frame({ opcode, payload, mask: Math.floor(random() * 2 ** 32), isFinal: piece === pieces - 1,
          reserved: isCompressed && piece === 0 ? 4 : 0 }))
        expected.data++
        expected.bytes += payload.length
        if (random() > 0.3) continue
        const isPing = random() < 0.5
        parts.push(frame({ opcode: isPing ? OPCODE.ping : OPCODE.pong, payload: 'x'.repeat(random() * 126), mask: 7 }))
        expected[isPing ? 'pings' : 'pongs']++
      }
      expected.messages++
      if (isCompressed) expected.compressedMessages++
    }
    const bytes = Buffer.concat(parts)
    const cuts = Array.from({ length: 20 }, () => Math.floor(random() * bytes.length)).sort((a, b) => a - b)
    const { messages, data, bytes: payload, pings, pongs, compressedMessages, anomalies } =
      counts(read(bytes, { isClient: true, mayCompress: true, cuts })) as typeof expected & { anomalies: string[] }
    assert.deepEqual({ messages, data, bytes: payload, pings, pongs, compressedMessages }, expected, `round ${round}`)
    assert.deepEqual(anomalies, [], `round ${round}`)
  }
})

test('random bytes: no failure, no endless work, bounded counts', () => {
  const random = randomFrom(7)
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 400) }, () => Math.floor(random() * 256)))
    const { frames } = read(bytes, { isClient: random() < 0.5, cuts: [Math.floor(bytes.length / 2)] })
    assert.ok(frames.messages <= bytes.length / 2 && frames.bytes <= bytes.length)
    frames.lose(Math.floor(random() * 100))
    if (frames.unneeded > 0) frames.pass(frames.unneeded)
  }
})

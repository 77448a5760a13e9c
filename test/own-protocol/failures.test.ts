/** Whatever a decoder of the user's own does wrong: it is named and counted, and costs its own connections only. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { loadDecoders } from '../../src/decode/mod.ts'
import type { DecodedMessage, Decoder, DecoderConnection } from '../../src/decode/own/contract.ts'
import { OwnRun, OwnScene } from './testing/own-scene.ts'

const SECRET = 'hunter2-is-my-password'
const CLIENT = 0
const SERVER = 1
const memory = new ByteMemory()
const folder = mkdtempSync(join(tmpdir(), 'lintel-decoder-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })

/** A decoder of lines: `data` is called for each, and says what it stands for. */
function lines(onLine: (line: string, connection: DecoderConnection) => DecodedMessage | undefined, more: Partial<Decoder> = {}): Decoder {
  return {
    name: 'lines',
    ports: [9400],
    detect: (bytes) => (bytes[0] === 0x3e ? 'yes' : 'no'),
    open: (connection) => ({
      data: (_side, bytes) => {
        let at = 0
        for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
          const message = onLine(Buffer.from(bytes.subarray(at, end)).toString('latin1'), connection)
          if (message !== undefined) connection.message(message)
          at = end + 1
        }
        return at
      },
    }),
    ...more,
  }
}

const plain = (line: string): DecodedMessage => {
  const [kind, correlation] = [line.startsWith('>?') ? 'request' : 'response', line.slice(2)] as const
  return { kind, correlation, method: 'ask' }
}

function noBlocksLeft(): void {
  assert.equal(memory.allocator.allocatedBytes(), 0)
}

test('a throw ends its connection with what was given before, and the next connection is read', () => {
  const run = new OwnRun(lines((line) => {
    if (line.includes('bad')) throw new RangeError(`cannot read ${line}`)
    return plain(line)
  }), memory)
  const broken = run.connect()
  broken.send(CLIENT, `>?1\n>?bad ${SECRET}\n>?3\n`)
  broken.send(SERVER, '>!1\n')
  assert.ok(broken.connection.isIgnored)
  const { messages, anomalies, unansweredExchanges } = broken.close()
  assert.deepEqual(messages.map(({ kind, exchange }) => [kind, exchange]), [['request', 1]])
  assert.deepEqual(unansweredExchanges, [1])
  assert.deepEqual(anomalies, ['decoder_failed:lines'])
  const next = run.connect()
  next.send(CLIENT, '>?1\n')
  next.send(SERVER, '>!1\n')
  assert.equal(next.close().messages.length, 2)
  noBlocksLeft()
})

test('what is told of a failure holds its class and place, and nothing of its text', async () => {
  const path = join(folder, 'throwing.ts')
  writeFileSync(path, `const decoder = {
  name: 'throwing', ports: [9400], detect: () => 'yes',
  open: () => ({
    data(side: string, bytes: Uint8Array): number {
      const error = new RangeError('cannot read ' + Buffer.from(bytes).toString())
      error.name = Buffer.from(bytes).toString()
      throw error
    },
  }),
}
export default decoder
`)
  const run = new OwnRun((await loadDecoders([path]))[0]!, memory)
  const scene = run.connect()
  scene.send(CLIENT, SECRET)
  scene.close()
  assert.deepEqual(run.logged, ['warn: decoder "throwing" failed with RangeError at throwing.ts:5:21; the connection is not read any further'])
  noBlocksLeft()
})

for (const [what, thrown] of [['a string', SECRET], ['null', null], ['an object', { message: SECRET }]] as const) {
  test(`throwing ${what} tells nothing of it`, () => {
    const run = new OwnRun(lines(() => { throw thrown }), memory)
    const scene = run.connect()
    scene.send(CLIENT, '>?1\n')
    scene.close()
    assert.deepEqual(run.logged, ['warn: decoder "lines" failed with something thrown that is no Error; the connection is not read any further'])
  })
}

test('an error whose stack throws, or that is a trap, ends no more than its connection', () => {
  const thrown = [
    Object.defineProperty(new Error('x'), 'stack', { get() { throw new Error('again') } }),
    new Proxy(new Error('x'), { getPrototypeOf() { throw new Error('again') } }),
  ]
  for (const error of thrown) {
    const run = new OwnRun(lines(() => { throw error }), memory)
    const scene = run.connect()
    scene.send(CLIENT, '>?1\n')
    assert.deepEqual(scene.close().anomalies, ['decoder_failed:lines'])
    assert.match(run.logged[0]!, /failed with an Error that cannot be looked at/)
  }
})

test('a header value that grows while the message is given keeps the length that it had', async () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 4096 })
  const growing = {
    * [Symbol.iterator](): Generator<[string, Uint8Array]> {
      yield ['a', new Uint8Array(buffer)]
      buffer.resize(4096)
      yield ['b', new Uint8Array([0x62])]
    },
  }
  const scene = await OwnScene.open(lines(() => ({ kind: 'request', headers: growing })), memory)
  scene.send(CLIENT, '>?1\n')
  assert.deepEqual(scene.close().messages[0]?.fields, [['a', '\0\0\0\0'], ['b', 'b']])
  noBlocksLeft()
})

test('HTTP on the same port and on others goes on while every call throws; after ten failures the decoder is off', () => {
  const boom = (): never => { throw new Error('boom') }
  const run = new OwnRun(lines(plain, { detect: boom }), memory)
  for (let count = 0; count < 15; count++) {
    const scene = run.connect(count % 2 === 0 ? [40_000, 9400] : [40_000, 80])
    scene.send(CLIENT, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    scene.send(SERVER, 'HTTP/1.1 204 No Content\r\n\r\n')
    assert.equal(scene.close().messages.length, 2)
  }
  for (let count = 0; count < 10; count++) {
    const scene = run.connect()
    scene.send(CLIENT, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.equal(scene.close().messages.length, 1)
  }
  assert.equal(run.logged.filter((line) => line.startsWith('error: decoder "lines" is switched off')).length, 1)
  assert.equal(run.logged.length, 11)
  assert.deepEqual(run.anomalies, Array.from({ length: 10 }, () => 'decoder_failed:lines'))
  noBlocksLeft()
})

test('connections that are open when it is switched off are given up, their requests unanswered', () => {
  const run = new OwnRun(lines((line) => {
    if (line.includes('bad')) throw new Error('boom')
    return plain(line)
  }), memory)
  const open = run.connect()
  open.send(CLIENT, '>?1\n')
  for (let count = 0; count < 10; count++) {
    const scene = run.connect()
    scene.send(CLIENT, '>bad\n')
    scene.close()
  }
  open.send(SERVER, '>!1\n')
  assert.ok(open.connection.isIgnored)
  assert.deepEqual(open.close().unansweredExchanges, [1])
  noBlocksLeft()
})

const WRONG: readonly (readonly [what: string, message: unknown, told: string])[] = [
  ['no object', 7, 'it must be an object'],
  ['another kind', { kind: SECRET }, 'its kind must be "request" or "response"'],
  ['a method that is no string', { kind: 'request', method: 5 }, 'method must be a string'],
  ['a path that is no string', { kind: 'request', path: {} }, 'path must be a string'],
  ['a status that is neither', { kind: 'response', status: true }, 'status must be a string'],
  ['headers that are no list', { kind: 'request', headers: 5 }, 'headers must be a Map or a list of [name, value]'],
  ['a header that is no pair', { kind: 'request', headers: [[SECRET]] }, 'a header must be [name, value]'],
  ['a header without name', { kind: 'request', headers: [['', 'x']] }, 'a header name must have 1 to 256 bytes'],
  ['a header value that is a number', { kind: 'request', headers: [['x', 5]] }, 'a header value must be a string'],
  ['headers without end', { kind: 'request', headers: { * [Symbol.iterator]() { for (;;) yield ['x', 'y'] } } }, 'it must have 8192 headers at most'],
  ['a value without end', { kind: 'request', headers: [['x', 'y'.repeat(300_000)]] }, 'it must have 262144 bytes at most'],
  ['a body of no bytes', { kind: 'request', bodyBytes: -1 }, 'its bodyBytes must be a whole number from 0 on'],
  ['a correlation that is an object', { kind: 'request', correlation: {} }, 'its correlation must be a string or a number'],
  ['a correlation too long', { kind: 'request', correlation: 'x'.repeat(257) }, 'its correlation must have 256 characters at most'],
]
for (const [what, message, told] of WRONG) {
  test(`a message that is ${what} is refused`, () => {
    const run = new OwnRun(lines(() => message as DecodedMessage), memory)
    const scene = run.connect()
    scene.send(CLIENT, '>?1\n')
    assert.equal(scene.close().messages.length, 0)
    assert.equal(run.logged[0], `warn: decoder "lines" failed with a message that cannot be used: ${told}; the connection is not read any further`)
    noBlocksLeft()
  })
}

for (const [what, used] of [['nothing', undefined], ['a negative number', -1], ['NaN', Number.NaN], ['a fraction', 0.5], ['a string', '3']] as const) {
  test(`"data" that gives ${what} ends the connection`, () => {
    const run = new OwnRun({ ...lines(plain), open: () => ({ data: () => used as number }) }, memory)
    const scene = run.connect()
    scene.send(CLIENT, '>?1\n')
    assert.deepEqual(scene.close().anomalies, ['decoder_failed:lines'])
    assert.match(run.logged[0]!, /gave no whole number of bytes from "data"/)
  })
}

test('"open" that gives nothing ends the connection', () => {
  const run = new OwnRun({ ...lines(plain), open: () => undefined as never }, memory)
  const scene = run.connect()
  scene.send(CLIENT, '>?1\n')
  assert.deepEqual(scene.close().anomalies, ['decoder_failed:lines'])
})

test('bytes left for later are bounded', async () => {
  const scene = await OwnScene.open({ ...lines(plain), open: () => ({ data: () => 0 }) }, memory)
  for (let count = 0; count < 300; count++) scene.send(CLIENT, `>${'x'.repeat(1023)}`)
  assert.ok(scene.connection.isIgnored)
  assert.deepEqual(scene.close().anomalies, ['decoder_held_over_bound'])
  noBlocksLeft()
})

test('a thousand requests may wait; one more costs the oldest', async () => {
  const scene = await OwnScene.open(lines(plain), memory)
  for (let count = 0; count < 1001; count++) scene.send(CLIENT, `>?${count}\n`)
  scene.send(SERVER, '>!0\n>!1000\n')
  const { anomalies, unansweredExchanges, messages } = scene.close()
  assert.deepEqual(anomalies, ['decoder_outstanding_over_bound'])
  assert.deepEqual(unansweredExchanges, [1])
  assert.deepEqual(messages.slice(-2).map(({ exchange }) => exchange), [1002, 1001])
  noBlocksLeft()
})

test('a correlation in use again gives up the request before', async () => {
  const scene = await OwnScene.open(lines(plain), memory)
  scene.send(CLIENT, '>?1\n>?1\n')
  scene.send(SERVER, '>!1\n')
  const { anomalies, unansweredExchanges, messages } = scene.close()
  assert.deepEqual([anomalies, unansweredExchanges], [['decoder_correlation_repeated'], [1]])
  assert.equal(messages[2]?.exchange, 2)
})

test('the number 1 and the text "1" are two correlations; both sides may ask under the same', async () => {
  const scene = await OwnScene.open(lines((line) => ({
    kind: line.startsWith('>?') ? 'request' : 'response', correlation: line.endsWith('n') ? 1 : '1',
  })), memory)
  scene.send(CLIENT, '>?n\n>?s\n')
  scene.send(SERVER, '>?n\n>!s\n>!n\n')
  scene.send(CLIENT, '>!n\n')
  const { messages, anomalies } = scene.close()
  assert.deepEqual(messages.map(({ kind, exchange }) => `${kind} ${exchange}`),
    ['request 1', 'request 2', 'request 3', 'response 2', 'response 1', 'response 3'])
  assert.deepEqual(anomalies, [])
})

test('a message given while no call is under way is counted, not taken', async () => {
  let kept: DecoderConnection | undefined
  const scene = await OwnScene.open(lines((_line, connection) => {
    kept = connection
    return undefined
  }), memory)
  scene.send(CLIENT, '>?1\n')
  kept!.message({ kind: 'request' })
  const { messages, anomalies } = scene.close()
  assert.deepEqual([messages.length, anomalies], [0, ['decoder_message_late']])
})

test('a gap ends the connection where the decoder does not say how to go on, and only there', async () => {
  const without = await OwnScene.open(lines(plain), memory)
  without.send(CLIENT, '>?1\n')
  without.lose(CLIENT, 5)
  assert.ok(without.connection.isIgnored)
  const { anomalies, unansweredExchanges } = without.close()
  assert.deepEqual([anomalies, unansweredExchanges], [['decoder_gap'], [1]])
  const seen: number[] = []
  const decoder = lines(plain)
  const tolerant = await OwnScene.open({ ...decoder, open: (connection) => ({ ...decoder.open(connection), gap: (_side, length) => { seen.push(length) } }) }, memory)
  tolerant.send(CLIENT, '>?1\n>?')
  tolerant.lose(CLIENT, 5)
  tolerant.send(CLIENT, '>?2\n')
  assert.deepEqual(tolerant.close().messages.map(({ exchange }) => exchange), [1, 2])
  assert.deepEqual(seen, [5])
  noBlocksLeft()
})

test('a call that takes long is counted, and what it gave stands', () => {
  const run = new OwnRun(lines((line) => {
    const end = performance.now() + 130
    while (performance.now() < end);
    return plain(line)
  }), memory)
  const scene = run.connect()
  scene.send(CLIENT, '>?1\n')
  const { messages, anomalies } = scene.close()
  assert.deepEqual([messages.length, anomalies], [1, ['decoder_slow:lines']])
  assert.match(run.logged[0]!, /^warn: decoder "lines" took \d+ ms for one call$/)
})

test('the decoder is given copies: what it writes into them changes nothing', async () => {
  const scene = await OwnScene.open(lines(plain, { detect: (bytes) => { bytes.fill(0x58); return 'no' } }), memory)
  scene.send(CLIENT, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.equal(scene.close().messages[0]?.method, 'GET')
})

test('only connections to its ports are shown to it', () => {
  const asked: string[] = []
  const run = new OwnRun(lines(plain, { detect: (_bytes, side) => { asked.push(side); return 'no' } }), memory)
  const open: readonly (readonly [ports: readonly [number, number], client: 0 | 1 | 'unknown'])[] = [
    [[9400, 80], 0], [[40_000, 80], 0], [[40_000, 80], 'unknown'], [[9400, 9400], 'unknown'],
  ]
  for (const [ports, client] of open) {
    const scene = run.connect(ports, client)
    scene.send(CLIENT, 'x\n')
    scene.close()
  }
  assert.deepEqual(asked, [])
  for (const [ports, client] of [[[9400, 80], 1], [[40_000, 9400], 'unknown']] as const) {
    const scene = run.connect(ports, client)
    scene.send(CLIENT, 'x\n')
    scene.close()
  }
  assert.deepEqual(asked, ['server', 'client'])
})

const FILES: readonly (readonly [text: string, told: RegExp])[] = [
  ['export const x = 1', /its default export must be an object/],
  ['export default { name: "A b" }', /"name" must be 1 to 32 of/],
  ['export default { name: "http" }', /"name" must not be "http"/],
  ['export default { name: "a", ports: [] }', /"ports" must be a list of 1 to 64 numbers/],
  ['export default { name: "a", ports: [70000] }', /"ports" must be a list of 1 to 64 numbers/],
  ['export default { name: "a", ports: [1], detectBytes: 0 }', /"detectBytes" must be a number from 1 to 1024/],
  ['export default { name: "a", ports: [1] }', /"detect" must be a function/],
  ['export default { name: "a", ports: [1], detect() {} }', /"open" must be a function/],
  ['export default {', /it cannot be loaded/],
  ['throw new Error("not today")', /it cannot be loaded: not today/],
]
FILES.forEach(([text, told], index) => {
  test(`a file that cannot be used is named: ${text}`, async () => {
    const path = join(folder, `wrong-${index}.ts`)
    writeFileSync(path, text)
    await assert.rejects(loadDecoders([path]), (error: Error) => error.message.startsWith(`Cannot use the decoder "${path}": `) && told.test(error.message))
  })
})

test('a file that is not there, and two decoders of one name', async () => {
  await assert.rejects(loadDecoders([join(folder, 'none.ts')]), /there is no such file; its path is taken from/)
  const path = join(folder, 'twice.ts')
  writeFileSync(path, 'export default { name: "a", ports: [1], detect() {}, open() {} }')
  await assert.rejects(loadDecoders([path, path]), /its name "a" is that of another decoder; rename one/)
})

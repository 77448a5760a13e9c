import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import type { Recorded } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import type { TestConnectionOptions } from '../testing/test-connection.ts'
import { BodyFields } from './body-fields.ts'
import type { BodyRule } from './body-fields.ts'
import { CODED_BYTES_MAX, PLAIN_BYTES_MAX } from './coded-body.ts'
import { ANSWERS, counts } from './testing/answers.ts'
import type { Answer } from './testing/answers.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const GEN_AI: BodyRule = { preset: 'gen_ai', hosts: [], paths: [] }

function open(rules: readonly BodyRule[] = [GEN_AI], options: TestConnectionOptions = {}) {
  const bodies = new BodyFields(memory)
  bodies.choose(rules)
  const connection = new TestConnection(memory, input, options)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: createProtocols(memory, { bodies }), sink: recorder, control: connection }))
  return { connection, recorder }
}

type Scene = ReturnType<typeof open>

function close({ connection, recorder }: Scene): readonly Recorded[] {
  connection.close(99)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return recorder.messages
}

interface Form {
  readonly isChunked?: boolean
  readonly coding?: string
  readonly host?: string
}

const CODERS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync,
}

function chunked(bytes: Uint8Array): Buffer {
  const parts: (Uint8Array | string)[] = []
  for (let at = 0; at < bytes.length; at += 61) {
    const part = bytes.subarray(at, at + 61)
    parts.push(`${part.length.toString(16)};x="{"\r\n`, part, '\r\n')
  }
  return Buffer.concat([...parts, '0\r\n\r\n'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}

function message(first: string, type: string, text: string | Uint8Array, { isChunked = false, coding }: Form): Buffer {
  const plain = typeof text === 'string' ? Buffer.from(text) : text
  const body = coding === undefined ? plain : CODERS[coding]?.(plain) ?? plain
  const head = [first, `Content-Type: ${type}`, ...(coding === undefined ? [] : [`Content-Encoding: ${coding}`]),
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), isChunked ? chunked(body) : body])
}

function request({ path, request: text }: Answer, form: Form = {}): Buffer {
  return message(`POST ${path}?api-version=1 HTTP/1.1\r\nHost: ${form.host ?? 'gateway.test:8080'}`, 'application/json', text, form)
}

function response({ response: text, isEvents }: Answer, form: Form = {}): Buffer {
  return message('HTTP/1.1 200 OK', isEvents ? 'text/event-stream; charset=utf-8' : 'application/json', text, form)
}

function found(messages: readonly Recorded[]) {
  return messages.map(({ kind, findings }) => {
    const model = findings?.model
    return { kind, model: model === undefined ? undefined : Buffer.from(model).toString(), counts: findings?.counts, unread: findings?.unread }
  })
}

function expected({ requestModel, model, counts: told }: Answer) {
  return [
    { kind: 'request', model: requestModel, counts: counts({}), unread: undefined },
    { kind: 'response', model, counts: told, unread: undefined },
  ]
}

const FORMS: readonly Form[] = [{}, { isChunked: true }, { coding: 'gzip' }, { coding: 'gzip', isChunked: true }, { coding: 'deflate' }, { coding: 'br' }, { coding: 'zstd' }]

for (const answer of ANSWERS) {
  test(`${answer.name}: by length, chunked and compressed, in segments of any size`, () => {
    for (const form of FORMS) {
      for (const step of [1e9, 1448, 100, 7]) {
        const scene = open()
        for (const [side, bytes] of [[0, request(answer, form)], [1, response(answer, form)]] as const) {
          for (let at = 0; at < bytes.length; at += step) scene.connection.send(side, bytes.subarray(at, at + step), at)
        }
        assert.deepEqual(found(close(scene)), expected(answer), `${JSON.stringify(form)}, steps of ${step}`)
      }
    }
  })
}

test('a response without a length is read until the connection closes', () => {
  const [chat, streamed] = ANSWERS as [Answer, Answer]
  for (const answer of [chat, streamed]) {
    const scene = open()
    scene.connection.send(0, request(answer), 1)
    const type = answer.isEvents ? 'text/event-stream' : 'application/json'
    scene.connection.send(1, Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n${answer.response}`), 2)
    assert.deepEqual(found(close(scene)), expected(answer))
  }
})

test('pipelined, with 100 Continue before, and among other exchanges: each response belongs to its own request', () => {
  const [chat, , , , embeddings] = ANSWERS as [Answer, Answer, Answer, Answer, Answer]
  const other = message('POST /other HTTP/1.1\r\nHost: x', 'application/json', '{"model":"no"}', {})
  const otherAnswer = message('HTTP/1.1 200 OK', 'application/json', '{"model":"no"}', {})
  const scene = open()
  scene.connection.send(0, Buffer.concat([request(chat), other, request(embeddings)]), 1)
  scene.connection.send(1, Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), response(chat), otherAnswer, response(embeddings)]), 2)
  const messages = found(close(scene)).filter(({ kind }) => kind !== 'interim')
  const none = { model: undefined, counts: undefined, unread: undefined }
  const [asked, answered] = expected(chat)
  const [askedThen, answeredThen] = expected(embeddings)
  assert.deepEqual(messages, [asked, { kind: 'request', ...none }, askedThen, answered, { kind: 'response', ...none }, answeredThen])
})

test('only what a rule names is read: by host, path and method', () => {
  const [chat] = ANSWERS as [Answer]
  const isRead = (rules: readonly BodyRule[], bytes: Uint8Array): boolean => {
    const scene = open(rules)
    scene.connection.send(0, bytes, 1)
    const [asked] = close(scene)
    return asked!.findings !== undefined
  }
  assert.equal(isRead([], request(chat)), false)
  assert.equal(isRead([GEN_AI], request(chat)), true)
  assert.equal(isRead([{ ...GEN_AI, hosts: ['*.TEST', 'x'] }], request(chat)), true)
  assert.equal(isRead([{ ...GEN_AI, hosts: ['gateway'] }], request(chat)), false)
  assert.equal(isRead([{ ...GEN_AI, hosts: ['g*way*test'] }], request(chat)), true)
  assert.equal(isRead([{ ...GEN_AI, hosts: ['nobody'] }, GEN_AI], request(chat)), true)
  assert.equal(isRead([{ ...GEN_AI, paths: ['/v1/chat'] }], request(chat)), false)
  assert.equal(isRead([{ ...GEN_AI, paths: ['/v1/*', '/x'] }], request(chat)), true)
  assert.equal(isRead([GEN_AI], request({ ...chat, path: 'http://GATEWAY/v1/chat/completions' })), true)
  assert.equal(isRead([{ ...GEN_AI, hosts: ['gateway'] }], request({ ...chat, path: 'http://GATEWAY/v1/chat/completions' })), true)
  assert.equal(isRead([GEN_AI], request({ ...chat, path: '/v1/chat/completions/abc' })), false)
  assert.equal(isRead([GEN_AI], Buffer.from(request(chat).toString('latin1').replace('POST', 'PUT '), 'latin1')), false)
})

test('bodies that are read are not skipped; those that are not, and what lies beyond the bound, are', () => {
  const [chat] = ANSWERS as [Answer]
  const long = (path: string): Buffer => message(`POST ${path} HTTP/1.1\r\nHost: x`, 'application/json', `{"model":"m","a":"${'x'.repeat(400_000)}"}`, {})
  const scene = open()
  scene.connection.send(0, long(chat.path).subarray(0, 5_000), 1)
  assert.deepEqual([...scene.connection.skipping], [0, 0])
  scene.connection.send(0, long(chat.path).subarray(5_000, 265_000), 2)
  assert.ok(scene.connection.skipping[0] > 130_000)
  scene.connection.send(0, long(chat.path).subarray(265_000), 3)
  const [asked] = found(close(scene))
  assert.deepEqual(asked, { kind: 'request', model: 'm', counts: counts({}), unread: 'over bound' })
  const other = open()
  other.connection.send(0, long('/other').subarray(0, 5_000), 1)
  assert.ok(other.connection.skipping[0] > 390_000)
  close(other)
})

test('compressed bodies that cannot be read, and those in other forms, are told as such', () => {
  const [chat] = ANSWERS as [Answer]
  const unreadOf = (bytes: Uint8Array): string | undefined => {
    const scene = open()
    scene.connection.send(0, request(chat), 1)
    for (let at = 0; at < bytes.length; at += 1 << 20) scene.connection.send(1, bytes.subarray(at, at + (1 << 20)), 2)
    const answered = close(scene).at(-1)!
    assert.equal(answered.ended, 'complete')
    return answered.findings!.unread
  }
  const coded = (coding: string, body: Uint8Array): Buffer => Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`), body])
  const zipped = gzipSync(chat.response)
  assert.equal(unreadOf(coded('gzip', zipped)), undefined)
  assert.equal(unreadOf(coded('compress', zipped)), 'coding')
  assert.equal(unreadOf(coded('gzip, gzip', zipped)), 'coding')
  assert.equal(unreadOf(coded('gzip', Buffer.from(chat.response))), 'damaged')
  assert.equal(unreadOf(coded('br', zipped)), 'damaged')
  assert.equal(unreadOf(coded('gzip', gzipSync(Buffer.alloc(PLAIN_BYTES_MAX + 1, ' ')))), 'over bound')
  const noise = Buffer.alloc(CODED_BYTES_MAX + 1)
  for (let at = 0, state = 1; at < noise.length; at++) noise[at] = (state = (state * 48271) % 2147483647) & 255
  assert.equal(unreadOf(coded('gzip', noise)), 'over bound')
  const binary = message('HTTP/1.1 200 OK', 'application/vnd.amazon.eventstream', '{"model":"no"}', {})
  assert.equal(unreadOf(binary), 'coding')
})

test('cut short or with missing bytes: what was read stands, also out of gzip', () => {
  const streamed = ANSWERS[1]!
  const whole = response(streamed)
  const scene = open()
  scene.connection.send(0, request(streamed), 1)
  scene.connection.send(1, whole.subarray(0, 250), 2)
  scene.connection.lose(1, 50, 3)
  scene.connection.send(1, whole.subarray(300), 4)
  assert.deepEqual(found(close(scene))[1], { kind: 'response', model: streamed.model, counts: streamed.counts, unread: 'missing' })
  const zipped = response(streamed, { coding: 'gzip' })
  const cut = open()
  cut.connection.send(0, request(streamed), 1)
  cut.connection.send(1, zipped.subarray(0, zipped.length - 9), 2)
  assert.deepEqual(found(close(cut))[1], { kind: 'response', model: streamed.model, counts: streamed.counts, unread: undefined })
  const lost = open()
  lost.connection.send(0, request(streamed), 1)
  lost.connection.send(1, zipped.subarray(0, 200), 2)
  lost.connection.lose(1, 5, 3)
  lost.connection.send(1, zipped.subarray(205), 4)
  assert.deepEqual(found(close(lost))[1], { kind: 'response', model: undefined, counts: counts({}), unread: 'missing' })
})

test('counts that Bedrock tells in its headers', () => {
  const scene = open()
  scene.connection.send(0, message('POST /model/x/invoke HTTP/1.1\r\nHost: bedrock-runtime.eu-west-1.amazonaws.com', 'application/json', '{}', {}), 1)
  scene.connection.send(1, message('HTTP/1.1 200 OK\r\nX-Amzn-Bedrock-Input-Token-Count: 12\r\nX-Amzn-Bedrock-Output-Token-Count: x', 'application/json', '{}', {}), 2)
  const [asked, answered] = close(scene)
  assert.deepEqual(asked!.findings!.api, { operation: 'chat', provider: 'aws.bedrock', model: 'x' })
  assert.deepEqual(answered!.findings!.counts, counts({ 1: 12 }))
})

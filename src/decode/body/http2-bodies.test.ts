import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END, GAP } from '../../connection/mod.ts'
import { DrivenConnection } from '../http2/testing/driven-connection.ts'
import * as T from '../http2/testing/frames.ts'
import { createProtocols } from '../registry.ts'
import type { Recorded } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { BodyFields } from './body-fields.ts'
import type { BodyRule } from './body-fields.ts'
import { ANSWERS, counts } from './testing/answers.ts'
import type { Answer } from './testing/answers.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const bodies = new BodyFields(memory)
const protocols = createProtocols(memory, { bodies })
const GEN_AI: BodyRule = { preset: 'gen_ai', hosts: [], paths: [] }

class Talk extends DrivenConnection {
  constructor(rules: readonly BodyRule[] = [GEN_AI]) {
    bodies.choose(rules)
    super(memory, protocols, new TestConnection(memory, input, { leavesOut: true }))
  }

  /** HEADERS of a request, and DATA in frames of `step` bytes. */
  ask(stream: number, { path, request }: Answer, step = 1e9, host = 'api.test'): Buffer[] {
    const head = this.client.encode([[':method', 'POST'], [':scheme', 'https'], [':authority', host], [':path', path], ['content-type', 'application/json']])
    return [T.headers(stream, head), ...frames(stream, Buffer.from(request), step)]
  }

  answer(stream: number, { response, isEvents }: Answer, step = 1e9, isZipped = false): Buffer[] {
    const head = this.server.encode([[':status', '200'], ['content-type', isEvents ? 'text/event-stream' : 'application/json'],
      ...(isZipped ? [['content-encoding', 'gzip'] as [string, string]] : [])])
    return [T.headers(stream, head), ...frames(stream, isZipped ? gzipSync(response) : Buffer.from(response), step)]
  }

  end(): ReturnType<typeof found> {
    const messages = this.close(END.fin)
    assert.deepEqual(this.recorder.anomalies, [])
    return found(messages)
  }
}

function frames(stream: number, bytes: Buffer, step: number): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += step) {
    parts.push(T.data(stream, bytes.subarray(at, at + step), at + step >= bytes.length, parts.length % 3 === 2 ? 11 : undefined))
  }
  return parts
}

function found(messages: readonly Recorded[]) {
  return messages.map(({ kind, exchange, findings }) => ({
    kind, exchange, model: findings?.model === undefined ? undefined : Buffer.from(findings.model).toString(), counts: findings?.counts, unread: findings?.unread,
  }))
}

function expected(exchange: number, { requestModel, model, counts: told }: Answer) {
  return [
    { kind: 'request', exchange, model: requestModel, counts: counts({}), unread: undefined },
    { kind: 'response', exchange, model, counts: told, unread: undefined },
  ] as const
}

test('every API, in frames of any size, with padding, in segments of any size, compressed', () => {
  for (const answer of ANSWERS) {
    for (const [step, segment, isZipped] of [[1e9, 1e9, false], [100, 1e9, false], [1e9, 97, false], [7, 3, false], [100, 500, true]] as const) {
      const talk = new Talk()
      for (const [side, parts] of [['c', talk.ask(1, answer, step)], ['s', talk.answer(1, answer, step, isZipped)]] as const) {
        const bytes = Buffer.concat(parts)
        for (let at = 0; at < bytes.length; at += segment) talk[side](bytes.subarray(at, at + segment))
      }
      assert.deepEqual(talk.end(), expected(1, answer), `${answer.name}, ${step}, ${segment}`)
    }
  }
})

test('streams that are under way together keep their bodies apart; others are not read', () => {
  const [chat, streamed, , , embeddings] = ANSWERS as [Answer, Answer, Answer, Answer, Answer]
  const talk = new Talk()
  const asked = [talk.ask(1, chat, 40), talk.ask(3, streamed, 30), talk.ask(5, { ...chat, path: '/other' }, 50), talk.ask(7, embeddings, 9)]
  const answered = [talk.answer(1, chat, 33), talk.answer(3, streamed, 31), talk.answer(5, chat, 50), talk.answer(7, embeddings, 8)]
  for (const [side, lists] of [['c', asked], ['s', answered]] as const) {
    for (let at = 0; lists.some((list) => at < list.length); at++) talk[side](...lists.flatMap((list) => list.slice(at, at + 1)))
  }
  const none = (kind: string) => ({ kind, exchange: 5, model: undefined, counts: undefined, unread: undefined })
  const [one, three, seven] = [expected(1, chat), expected(3, streamed), expected(7, embeddings)]
  assert.deepEqual(talk.end(), [one[0], three[0], none('request'), seven[0], one[1], three[1], none('response'), seven[1]])
})

test('bodies may be left out only where no rule names the host of the connection', () => {
  const [chat] = ANSWERS as [Answer]
  const wishes = (rules: readonly BodyRule[], ...hosts: string[]): boolean[] => {
    const talk = new Talk(rules)
    hosts.forEach((host, index) => { talk.c(...talk.ask(index * 2 + 1, { ...chat, path: '/other' }, 1e9, host)) })
    talk.end()
    return talk.connection.wishes
  }
  const named: BodyRule = { ...GEN_AI, hosts: ['*.llm.test'] }
  assert.deepEqual(wishes([], 'api.test'), [true])
  assert.deepEqual(wishes([GEN_AI], 'api.test', 'other.test'), [false])
  assert.deepEqual(wishes([named], 'api.test', 'other.test'), [true])
  assert.deepEqual(wishes([named], 'A.LLM.test:443', 'other.test'), [false])
  assert.deepEqual(wishes([named], 'api.test', 'a.llm.test', 'api.test'), [true, false])
})

test('long bodies that are read are not skipped, and what was left out before that is told as missing', () => {
  const [chat] = ANSWERS as [Answer]
  const talk = new Talk([{ ...GEN_AI, hosts: ['llm.test'] }])
  talk.c(...talk.ask(1, { ...chat, path: '/other' }, 1e9, 'api.test'))
  const [head, body] = talk.ask(3, chat, 1e9, 'llm.test') as [Buffer, Buffer]
  talk.c(head, body.subarray(0, 16))
  talk.connection.lose(0, body.length - 16, 50, GAP.leftOut)
  const long: Answer = { ...chat, response: `{"a":"${'x'.repeat(50_000)}",${chat.response.slice(1)}` }
  const answered = Buffer.concat(talk.answer(3, long, 16_000))
  talk.s(answered.subarray(0, 3000))
  assert.deepEqual([...talk.connection.skipping], [0, 0])
  talk.s(answered.subarray(3000))
  assert.deepEqual(talk.end().filter(({ exchange }) => exchange === 3), [
    { kind: 'request', exchange: 3, model: undefined, counts: counts({}), unread: 'missing' },
    { kind: 'response', exchange: 3, model: chat.model, counts: chat.counts, unread: undefined },
  ])
})

test('a reset, a cut and a loss leave nothing behind, and what was read stands', () => {
  const streamed = ANSWERS[1]!
  const talk = new Talk()
  talk.c(...talk.ask(1, streamed), ...talk.ask(3, streamed), ...talk.ask(5, streamed))
  talk.s(...talk.answer(1, streamed, 100).slice(0, 3), ...talk.answer(3, streamed, 100).slice(0, 4))
  talk.c(T.reset(1, 8))
  talk.s(...talk.answer(5, streamed, 100).slice(0, 4))
  const models = talk.end().filter(({ kind }) => kind === 'response').map(({ model }) => model)
  assert.deepEqual(models, [streamed.model, streamed.model, streamed.model])
  const lost = new Talk()
  lost.c(...lost.ask(1, streamed))
  const bytes = Buffer.concat(lost.answer(1, streamed, 100))
  lost.s(bytes.subarray(0, 150)).lose(1, 300).s(bytes.subarray(450))
  lost.connection.close(99)
  assert.equal(lost.recorder.responses[0]?.findings?.unread, 'missing')
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

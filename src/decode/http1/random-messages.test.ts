import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)

const tokenCharacters = [..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]
const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 40 })
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
/** field-content, white space inside only. */
const value = fc.string({
  unit: fc.oneof(visible, fc.constantFrom(' ', '\t'), fc.integer({ min: 0x80, max: 0xff }).map((code) => String.fromCharCode(code))),
  maxLength: 80,
}).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const framing = /^(content-length|transfer-encoding|connection|upgrade|host)$/i
const field = fc.tuple(token.filter((name) => !framing.test(name)), value)
const target = fc.string({ unit: visible, maxLength: 60 }).map((path) => `/${path}`)
const method = token.filter((name) => !/^(HEAD|CONNECT)$/.test(name))
const body = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constant('length' as const), text: fc.string({ unit: visible, maxLength: 3000 }) }),
  fc.record({
    kind: fc.constant('chunked' as const),
    chunks: fc.array(fc.string({ unit: visible, minLength: 1, maxLength: 60 }), { maxLength: 5 }),
    trailer: fc.array(field, { maxLength: 2 }),
  }),
)
type Body = typeof body extends fc.Arbitrary<infer Value> ? Value : never
const padding = fc.constantFrom('', ' ', '\t ', '  ')
const exchange = fc.record({
  method, target, status: fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304),
  asked: fc.array(field, { maxLength: 12 }), askedBody: body,
  answered: fc.array(field, { maxLength: 12 }), answeredBody: body,
  before: padding, after: padding,
})
type Exchange = typeof exchange extends fc.Arbitrary<infer Value> ? Value : never

type Fields = [string, string][]

/** Fields that frame the body, its bytes on the wire, and its size. */
function bodyText(content: Body): { framing: Fields; text: string; size: number; trailer: Fields } {
  if (content === undefined) return { framing: [['Content-Length', '0']], text: '', size: 0, trailer: [] }
  if (content.kind === 'length') {
    return { framing: [['Content-Length', String(content.text.length)]], text: content.text, size: content.text.length, trailer: [] }
  }
  const chunks = content.chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  const trailer = content.trailer.map(([name, text]) => `${name}: ${text}\r\n`).join('')
  const size = content.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  return { framing: [['Transfer-Encoding', 'chunked']], text: `${chunks}0\r\n${trailer}\r\n`, size, trailer: content.trailer }
}

interface Built { text: string; fields: Fields; size: number; trailer: Fields }

function message(firstLine: string, fields: Fields, content: Body, before: string, after: string): Built {
  const { framing: more, text, size, trailer } = bodyText(content)
  const all: Fields = [['Host', 'a'], ...fields, ...more]
  const lines = all.map(([name, fieldValue]) => `${name}:${before}${fieldValue}${after}\r\n`).join('')
  return { text: `${firstLine}\r\n${lines}\r\n${text}`, fields: all, size, trailer }
}

/** Cuts `text` at the given places, taken modulo its length. */
function cutAt(text: string, places: readonly number[]): string[] {
  const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...cuts].map((from, index) => text.slice(from, [...cuts, text.length][index]))
}

function check(exchanges: readonly Exchange[], askedCuts: readonly number[], answeredCuts: readonly number[]): void {
  const asked = exchanges.map((each) =>
    message(`${each.method} ${each.target} HTTP/1.1`, each.asked, each.askedBody, each.before, each.after))
  const answered = exchanges.map((each) =>
    message(`HTTP/1.1 ${each.status} Reason`, each.answered, each.answeredBody, each.before, each.after))
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({ memory, scanner, control: connection, sink: recorder }))
  let time = 0
  for (const piece of cutAt(asked.map(({ text }) => text).join(''), askedCuts)) connection.send(0, Buffer.from(piece, 'latin1'), ++time)
  for (const piece of cutAt(answered.map(({ text }) => text).join(''), answeredCuts)) connection.send(1, Buffer.from(piece, 'latin1'), ++time)
  connection.close(++time)
  const expected = (built: Built, index: number): object =>
    ({ exchange: index + 1, fields: built.fields, trailer: built.trailer, bodyBytes: built.size, ended: 'complete', oddities: [] })
  const seen = ({ exchange: number, fields, trailer, bodyBytes, ended, oddities }: (typeof recorder.messages)[number]): object =>
    ({ exchange: number, fields, trailer, bodyBytes, ended, oddities })
  assert.deepEqual(recorder.requests.map(seen), asked.map(expected))
  assert.deepEqual(recorder.responses.map(seen), answered.map(expected))
  assert.deepEqual(recorder.requests.map((request) => [request.method, request.target]), exchanges.map((each) => [each.method, each.target]))
  assert.deepEqual(recorder.responses.map((response) => response.status), exchanges.map((each) => each.status))
  assert.deepEqual(recorder.anomalies, [])
  assert.equal(memory.allocator.allocatedBytes(), 0)
}

test('random pipelined messages are read back field for field at random cuts', () => {
  const places = fc.array(fc.nat(), { maxLength: 12 })
  fc.assert(fc.property(fc.array(exchange, { minLength: 1, maxLength: 4 }), places, places, check), { numRuns: 400 })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEAD_KIND_TRAILER } from '../../../wasm/layout.ts'
import type { Side } from '../../connection/mod.ts'
import { oddityNames } from '../oddity.ts'
import type { OddityName } from '../oddity.ts'
import { corpusFile, needsCorpus } from '../testing/corpora.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { LLHTTP_DIFFERENCES, PICOHTTPPARSER_DIFFERENCES } from './differences.ts'
import type { Difference } from './differences.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'

const LLHTTP = 'http1-vectors/llhttp.vectors.json'
/** Ends a line and the head, wherever it was cut. */
const HEAD_END = '\r\n\r\n'
const PICO = 'http1-vectors/picohttpparser.vectors.json'
/** llhttp stops here and leaves what follows to its caller. */
const PAUSES = new Set(['Pause on CONNECT/Upgrade', 'Pause on PRI/Upgrade'])

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)

/** What a parser says of some bytes, in words that can be compared. */
interface Verdict {
  accepts: boolean
  messages: MessageView[]
}

interface MessageView {
  method?: string
  target?: string
  status?: number
  version: string
  fields: string[]
  bodyBytes: number
  complete: boolean
}

interface Run {
  recorder: MessageRecorder
  verdict: Verdict
}

/** Oddities that do not mark what the other parser refuses. */
type Tolerated = ReadonlySet<OddityName>

function decode(
  pieces: readonly Uint8Array[], side: Side, asked: readonly string[], tolerated: Tolerated, mayFollowLast = false,
): Run {
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({ memory, scanner, control: connection, sink: recorder }))
  asked.forEach((method, index) => {
    connection.send(0, Buffer.from(`${method} /${index} HTTP/1.1\r\nHost: a\r\n\r\n`), index)
  })
  let time = 100
  for (const piece of pieces) connection.send(side, piece, time++)
  // Oddities of a message that is not over are told at its end, which a close brings about.
  const before = recorder.messages.map((message) => message.ended)
  const ignored = mayFollowLast ? ['http1_response_unasked', 'http1_data_after_close'] : ['http1_response_unasked']
  const anomaliesBefore = recorder.anomalies.filter((name) => !ignored.includes(name)).length
  connection.close(time)
  const messages = recorder.messages.map((message, index) => ({ message, ended: before[index] }))
    .filter(({ message }) => message.side === side)
  const odd = messages.some(({ message }) => message.oddities.some((name) => !tolerated.has(name as OddityName)))
  const broken = messages.some(({ message }) => message.ended === 'malformed' || message.ended === 'lost')
  return {
    recorder,
    verdict: {
      accepts: !odd && !broken && anomaliesBefore === 0,
      messages: messages.map(({ message, ended }) => ({
        ...(side === 0 ? { method: message.method, target: message.target } : { status: message.status }),
        version: message.version === 9 ? '' : `${message.version >> 4}.${message.version & 15}`,
        fields: [...message.fields, ...message.trailer].map(([name, value]) => fieldView(name, value)),
        bodyBytes: message.bodyBytes,
        complete: ended === 'complete' || ended === 'tunnel',
      })),
    },
  }
}

/** All ways to cut `bytes`: whole, pieces of every size, and every cut in two. */
function* cuts(bytes: Buffer): Generator<Uint8Array[]> {
  yield [bytes]
  for (let size = 1; size < bytes.length; size++) {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    yield pieces
  }
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

interface LlhttpVector {
  file: string
  name: string
  kind: 'http' | 'url'
  meta: { type?: string; skipBody?: boolean }
  input_b64: string
  expected: string[]
  error: [string, string] | null
}

/** White space around names and values, and how much of it a folded line leaves, does not count. */
function fieldView(name: string, value: string): string {
  return `${name.replace(/[ \t]+$/, '')}: ${value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')}`
}

/** llhttp's log as messages. */
function llhttpMessages(vector: LlhttpVector, bytes: Buffer): MessageView[] {
  const messages: MessageView[] = []
  let current: MessageView | undefined
  let name = ''
  let value = ''
  for (const line of vector.expected) {
    const span = /^off=(\d+) len=(\d+) span\[(\w+)\]/.exec(line)
    const text = span === null ? '' : bytes.toString('latin1', Number(span[1]), Number(span[1]) + Number(span[2]))
    if (/message begin$/.test(line)) {
      current = { version: '', fields: [], bodyBytes: 0, complete: false }
      messages.push(current)
    }
    if (current === undefined) continue
    switch (span?.[3]) {
      case 'method': current.method = (current.method ?? '') + text; break
      case 'url': current.target = (current.target ?? '') + text; break
      case 'version': current.version += text; break
      case 'body': current.bodyBytes += text.length; break
      case 'header_field': name += text; break
      case 'header_value': value += text; break
    }
    if (/header_value complete$/.test(line)) {
      current.fields.push(fieldView(name, value))
      name = ''
      value = ''
    }
    const head = /headers complete (?:method=\d+ )?(?:status=(\d+) )?/.exec(line)
    if (head?.[1] !== undefined) current.status = Number(head[1])
    if (/message complete$/.test(line)) current.complete = true
  }
  // A head that never ended is no message here.
  const whole = vector.expected.filter((line) => / headers complete /.test(line)).length
  return messages.slice(0, whole)
}

/** llhttp does not ask for Host; it takes any transfer coding of a response. */
const LLHTTP_TOLERATED: readonly OddityName[] = ['host_missing', 'host_repeated']
const ANY: Tolerated = new Set(oddityNames(-1))

/** Says how one vector differs, over all cuts; undefined = it agrees. */
function llhttpDifference(vector: LlhttpVector, rest = ''): string | undefined {
  const url = Buffer.concat([Buffer.from(vector.input_b64, 'base64'), Buffer.from(rest)])
  const bytes = vector.kind === 'url' ? Buffer.concat([Buffer.from('GET '), url, Buffer.from(' HTTP/1.1\r\n\r\n')]) : url
  const type = vector.meta.type ?? 'request'
  const side: Side = type.startsWith('response') ? 1 : 0
  const isPaused = vector.error !== null && PAUSES.has(vector.error[1])
  const accepts = vector.error === null || isPaused
  const messages = vector.kind === 'url'
    ? [{ method: 'GET', target: url.toString('latin1'), version: '1.1', fields: [], bodyBytes: 0, complete: true }]
    : llhttpMessages(vector, bytes)
  const isLenient = type.includes('lenient')
  const tolerated = isLenient && accepts ? ANY
    : new Set<OddityName>(side === 1 ? [...LLHTTP_TOLERATED, 'coding_unknown'] : LLHTTP_TOLERATED)
  const asked = side === 0 ? [] : Array.from({ length: Math.max(1, messages.length) }, () => vector.meta.skipBody ? 'HEAD' : 'GET')
  for (const pieces of cuts(bytes)) {
    const { verdict, recorder } = decode(pieces, side, asked, tolerated, isLenient && accepts)
    const seen = isPaused ? verdict.messages.slice(0, messages.length) : verdict.messages
    const seenAccepts = isPaused ? seen.length === messages.length : verdict.accepts
    const place = pieces.length === 1 ? 'whole' : `${pieces.length} pieces, the first of ${pieces[0]!.length} bytes`
    if (seenAccepts !== accepts) return `${place}: ${accepts ? 'refused here' : 'taken here'}`
    if (!accepts) continue
    const finish = finishDifference(vector, recorder)
    if (finish !== undefined) return `${place}: ${finish}`
    const [mine, theirs] = [seen, messages].map((list) => JSON.stringify(list.map(inOrder)))
    if (mine !== theirs) return `${place}: here ${mine}, there ${theirs}`
  }
  return undefined
}

/** llhttp_finish: 2 = the end comes inside a message. */
function finishDifference(vector: LlhttpVector, recorder: MessageRecorder): string | undefined {
  const code = /finish=(\d)/.exec(vector.expected.at(-1) ?? '')?.[1]
  if (code === undefined) return undefined
  const isUnsafe = recorder.anomalies.includes('http1_head_cut') || recorder.messages.some(({ ended }) => ended === 'cut')
  return isUnsafe === (code === '2') ? undefined : `finish is ${isUnsafe ? 'unsafe' : 'safe'} here`
}

function inOrder({ method, target, status, version, fields, bodyBytes, complete }: MessageView): unknown[] {
  return [method, target, status, version, fields, bodyBytes, complete]
}

function judge(found: Map<string, string>, differences: readonly Difference[]): void {
  const listed = new Set(differences.map(({ vector }) => vector))
  assert.deepEqual([...found].filter(([vector]) => !listed.has(vector)), [], 'differences that are not listed')
  assert.deepEqual([...listed].filter((vector) => !found.has(vector)), [], 'listed differences that are none')
}

test('llhttp: 272 vectors agree at every cut, but for the listed differences', needsCorpus(LLHTTP), () => {
  const vectors = JSON.parse(corpusFile(LLHTTP)!.toString()) as LlhttpVector[]
  assert.equal(vectors.length, 272)
  const found = new Map<string, string>()
  for (const vector of vectors) {
    const difference = llhttpDifference(vector)
    if (difference === undefined) continue
    const name = `${vector.file}: ${vector.name}`
    found.set(name, difference)
    const isLater = LLHTTP_DIFFERENCES.some((listed) => listed.isLater === true && listed.vector === name)
    if (isLater) assert.equal(llhttpDifference(vector, HEAD_END), undefined, `${name} with its end`)
  }
  judge(found, LLHTTP_DIFFERENCES)
})

interface PicoVector {
  group: 'test_request' | 'test_response' | 'test_headers'
  name: string
  input_b64: string
  expect: 'complete' | 'incomplete' | 'error'
}

/** picohttpparser takes runs of spaces, folded lines and bytes over 0x7f, and does not look at fields' meaning. */
const PICO_TOLERATED: Tolerated = new Set<OddityName>(['host_missing', 'host_repeated', 'obs_fold', 'bare_lf', 'start_line',
  'coding_unknown', 'length_invalid'])

function picoVerdict(vector: PicoVector, pieces: readonly Uint8Array[]): PicoVector['expect'] {
  if (vector.group === 'test_headers') return headersVerdict(Buffer.concat(pieces))
  const side: Side = vector.group === 'test_request' ? 0 : 1
  const { verdict } = decode(pieces, side, side === 1 ? ['GET'] : [], PICO_TOLERATED)
  if (!verdict.accepts) return 'error'
  return verdict.messages.length > 0 ? 'complete' : 'incomplete'
}

/** Header lines alone go through the scanner as a trailer section. */
function headersVerdict(bytes: Buffer): PicoVector['expect'] {
  memory.write(input, bytes)
  const result = scanner.scan(input, bytes.length, 0, HEAD_KIND_TRAILER)
  if (result < 0) return 'error'
  if (result === 0) return 'incomplete'
  const odd = oddityNames(scanner.oddities).some((name) => !PICO_TOLERATED.has(name))
  memory.allocator.free(scanner.block, memory.u32[scanner.block >>> 2]!)
  return odd ? 'error' : 'complete'
}

test('picohttpparser: 67 vectors agree at every cut, but for the listed differences', needsCorpus(PICO), () => {
  const vectors = JSON.parse(corpusFile(PICO)!.toString()) as PicoVector[]
  assert.equal(vectors.length, 67)
  const found = new Map<string, string>()
  for (const vector of vectors) {
    for (const pieces of cuts(Buffer.from(vector.input_b64, 'base64'))) {
      const verdict = picoVerdict(vector, pieces)
      if (verdict === vector.expect) continue
      const name = `${vector.group}: ${vector.name}`
      found.set(name, `${pieces.length} pieces: ${verdict}, not ${vector.expect}`)
      const isLater = PICOHTTPPARSER_DIFFERENCES.some((listed) => listed.isLater === true && listed.vector === name)
      if (isLater) assert.equal(picoVerdict(vector, [...pieces, Buffer.from(HEAD_END)]), vector.expect, `${name} with its end`)
      break
    }
  }
  judge(found, PICOHTTPPARSER_DIFFERENCES)
})

test('no block is left', () => {
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as C from '../../../wasm/head-contract.ts'
import * as ids from '../../../wasm/header-ids.ts'
import * as L from '../../../wasm/layout.ts'
import { oddityNames } from '../oddity.ts'
import { headText } from '../testing/head-text.ts'
import { HeadScanner } from './head-scanner.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = memory.reserve(C.HEAD_BYTES_MAX * 2)

interface Scanned {
  result: number
  head: ReturnType<typeof headText> | undefined
  oddities: string[]
  body: number
  connection: number
  contentLength: number
}

function scan(text: string, kind: number = L.HEAD_KIND_REQUEST): Scanned {
  memory.write(input, Buffer.from(text, 'latin1'))
  // What lies behind the input must not matter.
  memory.u8.fill(0x0a, input + text.length, input + text.length + 64)
  const result = scanner.scan(input, text.length, 0, kind)
  const block = result > 0 ? scanner.block : 0
  const head = block === 0 ? undefined : headText(memory, block)
  scanner.free(block)
  return {
    result,
    head,
    oddities: oddityNames(scanner.oddities),
    body: scanner.body,
    connection: scanner.connection,
    contentLength: scanner.contentLength,
  }
}

function fields(lines: string): [readonly (readonly [string, string])[], string[]] {
  const scanned = scan(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`)
  assert.ok(scanned.result > 0)
  return [scanned.head!.fields.slice(1), scanned.oddities]
}

test('a request head is read into method, target, version and fields', () => {
  const scanned = scan('POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-One:1\r\nX-Empty:\r\nX-Space: \t a b \t\r\n\r\nbody')
  assert.deepEqual(scanned.head, {
    method: 'POST',
    target: '/a?b=c',
    version: 0x11,
    status: 0,
    fields: [['Host', 'example.com'], ['X-One', '1'], ['X-Empty', ''], ['X-Space', 'a b']],
  })
  assert.equal(scanned.result, 'POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-One:1\r\nX-Empty:\r\nX-Space: \t a b \t\r\n\r\n'.length)
  assert.deepEqual(scanned.oddities, [])
})

test('a status line may have an empty reason or none', () => {
  for (const [line, reason] of [['HTTP/1.1 200 All is well', 'All is well'], ['HTTP/1.0 404 ', ''], ['HTTP/1.1 301', '']]) {
    const scanned = scan(`${line}\r\n\r\n`, L.HEAD_KIND_RESPONSE)
    assert.equal(scanned.head?.method, reason, line)
    assert.deepEqual(scanned.oddities, [], line)
  }
})

test('every prefix of a head needs more, at every earlier look', () => {
  const text = 'PUT /x HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n b\r\nContent-Length: 3\r\n\r\n'
  memory.write(input, Buffer.from(text, 'latin1'))
  for (let length = 1; length < text.length; length++) {
    memory.u8.fill(0x0a, input + length, input + length + 64)
    for (let from = 0; from < length; from++) {
      assert.equal(scanner.scan(input, length, from, L.HEAD_KIND_REQUEST), 0, `${from} of ${length}`)
    }
    memory.write(input, Buffer.from(text, 'latin1'))
  }
  for (let from = 0; from < text.length; from++) {
    assert.equal(scanner.scan(input, text.length, from, L.HEAD_KIND_REQUEST), text.length, `seen ${from}`)
    assert.equal(headText(memory, scanner.block).fields.length, 3)
    scanner.free(scanner.block)
  }
})

test('a trailer section has fields only, and may be empty', () => {
  assert.equal(scan('\r\nrest', L.HEAD_KIND_TRAILER).result, 2)
  const scanned = scan('Expires: now\r\nX-Sum: 1\r\n\r\n', L.HEAD_KIND_TRAILER)
  assert.deepEqual(scanned.head?.fields, [['Expires', 'now'], ['X-Sum', '1']])
})

test('folded lines join with spaces in the copy', () => {
  assert.deepEqual(fields('X-A: one\r\n two\r\n\tthree'), [[['X-A', 'one   two  \tthree']], ['obs_fold']])
  assert.deepEqual(fields('X-A:\r\n two'), [[['X-A', 'two']], ['obs_fold']])
  assert.deepEqual(fields('X-A: one\r\n '), [[['X-A', 'one']], ['obs_fold']])
})

test('odd lines are read and named', () => {
  assert.deepEqual(fields('X-A : 1'), [[['X-A', '1']], ['space_before_colon']])
  assert.deepEqual(fields('X(A: 1'), [[['X(A', '1']], ['name_invalid']])
  assert.deepEqual(fields(': 1'), [[['', '1']], ['name_invalid']])
  assert.deepEqual(fields('X-A: 1\0'), [[['X-A', '1\0']], ['value_invalid']])
  assert.deepEqual(fields('X-A: 1\rX-B: 2'), [[['X-A', '1\rX-B: 2']], ['bare_cr']])
  assert.deepEqual(fields('X-A: 1\nX-B: 2'), [[['X-A', '1'], ['X-B', '2']], ['bare_lf']])
  assert.deepEqual(fields('no colon here\r\nX-B: 2'), [[['X-B', '2']], ['line_invalid']])
  assert.deepEqual(scan('GET / HTTP/1.1\r\n Host: a\r\n\r\n').oddities, ['line_invalid', 'host_missing'])
  assert.deepEqual(fields('X-A: D\xfcsseldorf'), [[['X-A', 'D\xfcsseldorf']], []])
})

test('the first line is judged', () => {
  const first = (line: string, kind?: number): string | number => {
    const scanned = scan(`${line}\r\nHost: a\r\n\r\n`, kind)
    return scanned.result < 0 ? scanned.result : scanned.oddities.join()
  }
  assert.equal(first('GET / HTTP/1.1'), '')
  assert.equal(first('MKCOLA http://a@b:1/c?d HTTP/1.0'), '')
  assert.equal(first('OPTIONS * HTTP/1.1'), '')
  assert.equal(first('CONNECT a:443 HTTP/1.1'), '')
  assert.equal(first('GET   /   HTTP/1.1'), 'start_line')
  assert.equal(first('GET /a b HTTP/1.1'), 'target_invalid')
  assert.equal(first('GET /\xce HTTP/1.1'), 'target_invalid')
  assert.equal(first('GET http://a@@b/ HTTP/1.1'), 'target_invalid')
  assert.equal(first('GET http:/b/ HTTP/1.1'), 'target_invalid')
  assert.equal(first('GET / HTTP/2.0'), 'start_line')
  assert.equal(first('GET / HTTP/1.1 '), 'start_line')
  assert.equal(first('GET / RTSP/1.0'), C.HEAD_ERROR_VERSION)
  assert.equal(first('GET /'), C.HEAD_ERROR_VERSION)
  assert.equal(first('GET / HTTP/1.10'), C.HEAD_ERROR_VERSION)
  assert.equal(first('G\0T / HTTP/1.1'), C.HEAD_ERROR_START_LINE)
  assert.equal(first(' GET / HTTP/1.1'), C.HEAD_ERROR_START_LINE)
  assert.equal(first('HTTP/1.1  200 OK', L.HEAD_KIND_RESPONSE), 'start_line')
  assert.equal(first('HTTP/1.1 20 OK', L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_STATUS)
  assert.equal(first('HTTP/1.1 200X', L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_STATUS)
  assert.equal(first('HTTP/11.1 200 OK', L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_VERSION)
  assert.equal(first('ICE/1.1 200 OK nothing', L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_START_LINE)
  assert.equal(first('ICY 200 OK', L.HEAD_KIND_RESPONSE), 'start_line')
  assert.equal(first('ICY 2000', L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_STATUS)
})

test('a request without a version is whole only where it is allowed', () => {
  const simple = scan('GET /path\r\nHost: a\r\n\r\n', L.HEAD_KIND_REQUEST | C.SCAN_SIMPLE)
  assert.equal(simple.result, 'GET /path\r\n'.length)
  assert.equal(simple.head?.version, 0x09)
  assert.deepEqual(simple.oddities, ['start_line'])
})

test('framing fields give the body kind', () => {
  const framing = (lines: string): [number, number, string] => {
    const scanned = scan(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`)
    return [scanned.body, scanned.contentLength, scanned.oddities.join()]
  }
  assert.deepEqual(framing('X: 1'), [L.BODY_NONE, -1, ''])
  assert.deepEqual(framing('cOnTeNt-LeNgTh: 0042 '), [L.BODY_LENGTH, 42, ''])
  assert.deepEqual(framing('Content-Length: 5, 5'), [L.BODY_LENGTH, 5, 'length_repeated'])
  assert.deepEqual(framing('Content-Length: 5\r\nContent-Length: 6'), [L.BODY_LENGTH, 5, 'length_differs'])
  for (const value of ['', '+5', '-1', '0x10', '5 6', '5,', '9007199254740992', '99999999999999999999999', '1e3', '5;']) {
    assert.match(framing(`Content-Length: ${value}`)[2], /length_invalid/, value)
  }
  assert.deepEqual(framing('Content-Length: 9007199254740991'), [L.BODY_LENGTH, 9007199254740991, ''])
  assert.deepEqual(framing('Transfer-Encoding: gzip, Chunked'), [L.BODY_CHUNKED, -1, ''])
  assert.deepEqual(framing('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked'), [L.BODY_CHUNKED, -1, ''])
  assert.deepEqual(framing('Transfer-Encoding: chunked, chunked'), [L.BODY_CHUNKED, -1, 'coding_unknown'])
  assert.deepEqual(framing('Transfer-Encoding: chunked, gzip'), [L.BODY_UNTIL_CLOSE, -1, 'coding_unknown'])
  assert.deepEqual(framing('Transfer-Encoding: chunked, identity'), [L.BODY_CHUNKED, -1, 'coding_unknown'])
  assert.deepEqual(framing('Transfer-Encoding: identity'), [L.BODY_UNTIL_CLOSE, -1, 'coding_unknown'])
  assert.deepEqual(framing('Transfer-Encoding: identity, chunked'), [L.BODY_CHUNKED, -1, ''])
  assert.deepEqual(framing('Transfer-Encoding: xchunked'), [L.BODY_UNTIL_CLOSE, -1, 'coding_unknown'])
  assert.deepEqual(framing('Transfer-Encoding: chunked\r\n x'), [L.BODY_UNTIL_CLOSE, -1, 'obs_fold,coding_unknown'])
  assert.deepEqual(framing('Content-Length: 5\r\nTransfer-Encoding: chunked'), [L.BODY_CHUNKED, 5, 'length_and_chunked'])
})

test('of a response "identity" leaves the length to say where the body ends, as it does for clients', () => {
  const framing = (coding: string): [number, string] => {
    const scanned = scan(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\nContent-Length: 3\r\n\r\n`, L.HEAD_KIND_RESPONSE)
    return [scanned.body, scanned.oddities.join()]
  }
  for (const coding of ['identity', 'Identity', '', 'identity, identity']) {
    assert.deepEqual(framing(coding), [L.BODY_LENGTH, 'coding_unknown'], coding)
  }
  assert.deepEqual(framing('identity, gzip'), [L.BODY_UNTIL_CLOSE, 'length_and_chunked,coding_unknown'])
  assert.deepEqual(framing('identity, chunked'), [L.BODY_CHUNKED, 'length_and_chunked'])
  const request = scan('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n')
  assert.equal(request.body, L.BODY_UNTIL_CLOSE)
})

test('connection tokens are found in lists', () => {
  const tokens = (lines: string): number => scan(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`).connection
  assert.equal(tokens('Connection: x, Close'), L.HEAD_CONNECTION_CLOSE)
  assert.equal(tokens('Connection: Keep-Alive'), L.HEAD_CONNECTION_KEEP_ALIVE)
  assert.equal(tokens('Connection: keep\ralive'), 0)
  assert.equal(tokens('Connection: upgrade'), 0)
  assert.equal(tokens('Connection: upgrade\r\nUpgrade: websocket'), L.HEAD_CONNECTION_UPGRADE)
})

test('fields over the bound are counted, still frame the message, and are not kept', () => {
  const many = 'A: 1\r\n'.repeat(C.HEADER_COUNT_MAX + 3)
  const text = `POST / HTTP/1.1\r\nHost: a\r\n${many}Content-Length: 7\r\n\r\n`
  memory.write(input, Buffer.from(text, 'latin1'))
  assert.equal(scanner.scan(input, text.length, 0, L.HEAD_KIND_REQUEST), text.length)
  const block = scanner.block
  assert.equal(memory.u32[(block + L.HEAD_COUNT) >>> 2], C.HEADER_COUNT_MAX)
  assert.equal(memory.u16[(block + L.HEAD_DROPPED) >>> 1], 5)
  assert.equal(scanner.contentLength, 7)
  assert.deepEqual(oddityNames(scanner.oddities), ['headers_over_bound'])
  scanner.free(block)
})

test('a head without end is refused at its bound, one of just the bound is taken', () => {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: '
  const whole = `${start}${'v'.repeat(C.HEAD_BYTES_MAX - start.length - 4)}\r\n\r\n`
  assert.equal(scan(whole).result, C.HEAD_BYTES_MAX)
  assert.equal(scan(`${whole.slice(0, -4)}vvvvv`).result, C.HEAD_ERROR_TOO_LONG)
})

test('of a response head without end what is whole is told, as cut', () => {
  const start = 'HTTP/1.1 206 Part\r\nServer: a\r\nX: '
  const text = start.padEnd(C.HEAD_BYTES_MAX, 'v')
  memory.write(input, Buffer.from(text, 'latin1'))
  // Once as it comes whole, once as the end of what came in parts.
  for (const from of [0, C.HEAD_BYTES_MAX - 10]) {
    assert.equal(scanner.scan(input, text.length, from, L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_CUT)
    const { block } = scanner
    assert.equal(scanner.status, 206)
    assert.equal(memory.u16[(block + L.HEAD_DROPPED) >>> 1], L.HEAD_CUT)
    assert.deepEqual(headText(memory, block).fields, [['Server', 'a']])
    scanner.free(block)
  }
  const line = 'HTTP/1.1 200 '.padEnd(C.HEAD_BYTES_MAX, 'O')
  memory.write(input, Buffer.from(line, 'latin1'))
  assert.equal(scanner.scan(input, line.length, 0, L.HEAD_KIND_RESPONSE), C.HEAD_ERROR_TOO_LONG)
})

test('a head that the memory limit refuses is still told', () => {
  const text = 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n'
  memory.write(input, Buffer.from(text, 'latin1'))
  memory.allocator.setLimit(0)
  const blocks: number[] = []
  // Free lists of earlier tests still hold blocks: take them all first.
  for (let block = scannerBlock(text); block !== 0; block = scannerBlock(text)) blocks.push(block)
  assert.equal(scanner.contentLength, 7)
  memory.allocator.setLimit(0xf000000)
  for (const block of blocks) scanner.free(block)
})

function scannerBlock(text: string): number {
  assert.equal(scanner.scan(input, text.length, 0, L.HEAD_KIND_REQUEST), text.length)
  return scanner.block
}

test('every known name has its id in any case, and no other name has one', () => {
  const at = input
  let known = 0
  for (const [constant, id] of Object.entries(ids)) {
    if (['HEADER_UNKNOWN', 'HEADER_COUNT', 'HEADER_FRAMING_LAST'].includes(constant)) continue
    const name = constant.slice('HEADER_'.length).toLowerCase().replaceAll('_', '-')
    for (const text of [name, name.toUpperCase()]) {
      memory.write(at, Buffer.from(`${text}: and what follows`, 'latin1'))
      assert.equal(scanner.exports.nameId(at, text.length), id, text)
    }
    for (const text of [`${name}x`, name.slice(1), `${name.slice(0, -1)}\0`]) {
      memory.write(at, Buffer.from(text, 'latin1'))
      assert.notEqual(scanner.exports.nameId(at, text.length), id, text)
    }
    known++
  }
  assert.equal(known, ids.HEADER_COUNT)
})

test('no block is left', () => {
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

/** Records of exchanges over HTTP/2: pseudo-headers, what HPACK could not tell, values that nobody may index, gRPC. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder, HpackTable } from '../../src/decode/http2/hpack-decoder.ts'
import { LITERAL, literalField, plainBlock } from '../../src/decode/http2/testing/hpack-encoder.ts'
import { ExchangeFixture } from './exchange-fixture.ts'
import type { ExchangeFacts } from './exchange-fixture.ts'

const fixture = new ExchangeFixture()
const { memory } = fixture
const decoder = new HpackDecoder(memory)
const input = memory.reserve(1 << 18)

/** A head block of `bytes`, decoded by one who knows nothing of the table. */
function head(bytes: Buffer): number {
  const table = new HpackTable(decoder, false)
  memory.write(input, bytes)
  table.decode(input, bytes.length)
  table.close()
  return decoder.block
}

function fields(facts: ExchangeFacts): Record<string, unknown> {
  return Object.fromEntries(fixture.fields({ stream: 1, ...facts }))
}

const GET = { ':method': 'GET', ':scheme': 'https', ':authority': 'shop.example:8443', ':path': '/cart?id=7' }

test('pseudo-headers become method, scheme, domain, path, query and status, and are no headers', () => {
  const record = fields({
    stream: 7,
    request: head(plainBlock({ ...GET, 'user-agent': 'curl/8', accept: '*/*' })),
    response: head(plainBlock({ ':status': '404', server: 'x' })),
  })
  assert.equal(record['network.protocol.version'], '2')
  assert.equal(record['http2.stream.id'], 7)
  assert.equal(record['http.request.method'], 'GET')
  assert.equal(record['url.scheme'], 'https')
  assert.equal(record['url.domain'], 'shop.example')
  assert.equal(record['url.path'], '/cart')
  assert.equal(record['url.query'], 'id=7')
  assert.equal(record['http.response.status_code'], 404)
  assert.deepEqual(record['http.request.header'], { 'user-agent': ['curl/8'], accept: ['*/*'] })
  assert.deepEqual(record['http.response.header'], { server: ['x'] })
  assert.equal(record['user_agent.original'], 'curl/8')
  assert.equal(record['http.request.header_bytes'], plainBlock({ ...GET, 'user-agent': 'curl/8', accept: '*/*' }).length)
  assert.equal(record['marks'], undefined)
})

test('Host stands in for a missing :authority and stays a header; cookie crumbs stay apart, in order', () => {
  const record = fields({
    request: head(plainBlock([[':method', 'GET'], [':scheme', 'http'], [':path', '/'], ['host', 'a.example'],
      ['cookie', 'theme=dark'], ['x', '1'], ['cookie', 'lang=en']])),
  })
  assert.equal(record['url.domain'], 'a.example')
  assert.deepEqual(record['http.request.header'], { host: ['a.example'], cookie: ['theme=REDACTED', 'lang=REDACTED'], x: ['1'] })
})

test('what an unseen table entry holds is left out, marked by field, and never guessed', () => {
  const reason = 'unknown: the compression table was not seen whole'
  const record = fields({
    request: head(Buffer.from('be82bf90', 'hex')),
    response: head(Buffer.concat([Buffer.of(0xc0), plainBlock({ server: 'x' })])),
  })
  assert.equal(record['http.request.method'], 'GET')
  assert.equal(record['url.path'], undefined)
  assert.equal(record['url.domain'], undefined)
  assert.equal(record['http.response.status_code'], undefined)
  assert.equal(record['http.request.header_count'], 3)
  assert.deepEqual(record['http.response.header'], { server: ['x'] })
  assert.deepEqual(record['marks'], {
    'url.domain': reason, 'url.path': reason, 'http.request.header': reason,
    'http.response.status_code': reason, 'http.response.header': reason,
  })
  const unknownMethod = fields({ request: head(Buffer.from('be', 'hex')) })
  assert.equal(unknownMethod['http.request.method'], undefined)
  assert.equal((unknownMethod['marks'] as Record<string, string>)['http.request.method'], reason)
})

test('without a table to blame, a missing pseudo-header is a malformed message', () => {
  const record = fields({ request: head(plainBlock({ ':method': 'GET' })), response: head(plainBlock({ ':status': 'x' })) })
  assert.deepEqual(record['marks'], { 'url.path': 'malformed message', 'http.response.status_code': 'malformed message' })
})

test('CONNECT has no path; extended CONNECT has one', () => {
  const plain = fields({ request: head(plainBlock({ ':method': 'CONNECT', ':authority': 'a.example:443' })) })
  assert.equal(plain['url.domain'], 'a.example')
  assert.equal(plain['url.path'], undefined)
  assert.equal(plain['marks'], undefined)
  const extended = fields({
    request: head(plainBlock({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':authority': 'a', ':path': '/chat' })),
  })
  assert.equal(extended['url.path'], '/chat')
})

const SECRET = Buffer.concat([
  plainBlock({ ':method': 'GET', ':scheme': 'https' }),
  literalField(LITERAL.never, ':authority', 'inner.example'),
  literalField(LITERAL.never, ':path', '/reset/opensesame?step=two'),
  literalField(LITERAL.never, 'x-plain-name', 'opensesame'),
  literalField(LITERAL.never, 'user-agent', 'opensesame/1'),
  literalField(LITERAL.plain, 'x-other', 'visible'),
])

test('never-indexed values are hidden wherever they would show, unless told otherwise', () => {
  const record = fields({ request: head(SECRET) })
  assert.doesNotMatch(JSON.stringify(record), /opensesame|inner/)
  assert.deepEqual(record['http.request.header'], { 'x-plain-name': ['REDACTED'], 'user-agent': ['REDACTED'], 'x-other': ['visible'] })
  assert.equal(record['url.path'], 'REDACTED')
  assert.equal(record['url.domain'], 'REDACTED')
  assert.equal(record['user_agent.original'], 'REDACTED')
  try {
    fixture.privacy({ never_indexed: 'keep' })
    const kept = fields({ request: head(SECRET) })
    assert.deepEqual(kept['http.request.header'], { 'x-plain-name': ['opensesame'], 'user-agent': ['opensesame/1'], 'x-other': ['visible'] })
    assert.equal(kept['url.path'], '/reset/opensesame')
    fixture.privacy({ hash_key_ephemeral: true })
    assert.match(JSON.stringify(fields({ request: head(SECRET) })['http.request.header']), /hmac-sha256:[0-9a-f]{32}/)
  } finally {
    fixture.privacy({})
  }
})

const CALL = { ':method': 'POST', ':scheme': 'http', ':authority': 'a', ':path': '/shop.v1.Cart/Add' }

test('gRPC: method, deadline, status and message from the trailers, message counts', () => {
  const record = fields({
    request: head(plainBlock({ ...CALL, 'content-type': 'application/grpc+proto', 'grpc-timeout': '1500m' })),
    response: head(plainBlock({ ':status': '200', 'content-type': 'application/grpc' })),
    responseTrailer: head(plainBlock({ 'grpc-status': '4', 'grpc-message': 'too late%3a %F0%9F%95%91' })),
    messages: [1, 3],
  })
  assert.equal(record['rpc.system.name'], 'grpc')
  assert.equal(record['rpc.method'], 'shop.v1.Cart/Add')
  assert.equal(record['rpc.deadline'], 1.5)
  assert.equal(record['rpc.status_code'], 'DEADLINE_EXCEEDED')
  assert.equal(record['rpc.status_message'], 'too late: 🕑')
  assert.equal(record['rpc.request.message_count'], 1)
  assert.equal(record['rpc.response.message_count'], 3)
})

test('gRPC: a response of nothing but a head; odd statuses and deadlines; no gRPC, no rpc', () => {
  const call = (status: string, timeout: string): Record<string, unknown> => fields({
    request: head(plainBlock({ ...CALL, 'content-type': 'Application/gRPC', 'grpc-timeout': timeout })),
    response: head(plainBlock({ ':status': '200', 'grpc-status': status })),
  })
  assert.equal(call('5', '8H')['rpc.status_code'], 'NOT_FOUND')
  assert.equal(call('5', '8H')['rpc.deadline'], 28800)
  assert.equal(call('99', '3n')['rpc.status_code'], '99')
  assert.equal(call('99', '3n')['rpc.deadline'], 3e-9)
  assert.equal(call('x', '3')['rpc.status_code'], undefined)
  assert.equal(call('x', '3')['rpc.deadline'], undefined)
  assert.equal(call('0', '123456789S')['rpc.deadline'], undefined)
  const other = fields({ request: head(plainBlock({ ...CALL, 'content-type': 'application/grpcish' })) })
  assert.deepEqual(Object.keys(other).filter((name) => name.startsWith('rpc.')), [])
})

test('a status message over 8 KiB stays percent-encoded, and says so', () => {
  const message = (bytes: number): Record<string, unknown> => fields({
    request: head(plainBlock({ ...CALL, 'content-type': 'application/grpc' })),
    responseTrailer: head(plainBlock({ 'grpc-status': '3', 'grpc-message': 'no%20such '.padEnd(bytes, 'x') })),
  })
  const [whole, long] = [message(8192), message(8193)]
  assert.deepEqual([String(whole['rpc.status_message']).slice(0, 9), whole['marks']], ['no such x', undefined])
  assert.equal(String(long['rpc.status_message']).slice(0, 11), 'no%20such x')
  assert.deepEqual(long['marks'], { 'rpc.status_message': 'percent-encoded as it came: more than the bound' })
  const plain = fields({
    request: head(plainBlock({ ...CALL, 'content-type': 'application/grpc' })),
    responseTrailer: head(plainBlock({ 'grpc-status': '3', 'grpc-message': 'x'.repeat(9000) })),
  })
  assert.equal(plain['marks'], undefined)
})

test('a token in a status message is hidden like anywhere else', () => {
  const record = fields({
    request: head(plainBlock({ ...CALL, 'content-type': 'application/grpc' })),
    responseTrailer: head(plainBlock({ 'grpc-status': '16', 'grpc-message': 'bad token=c2VjcmV0LXZhbHVlLTE5ODI3MzY0' })),
  })
  assert.doesNotMatch(String(record['rpc.status_message']), /c2Vjc/)
})

test('gRPC-Web over HTTP/1 shows the same fields', () => {
  const record = Object.fromEntries(fixture.fields({
    request: 'POST /shop.v1.Cart/Add HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\n\r\n',
    response: 'HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\ngrpc-status: 7\r\n\r\n',
  }))
  assert.equal(record['rpc.method'], 'shop.v1.Cart/Add')
  assert.equal(record['rpc.status_code'], 'PERMISSION_DENIED')
  assert.equal(record['http2.stream.id'], undefined)
})

test('a record of an exchange that goes on says so', () => {
  const record = fields({ request: head(plainBlock(GET)), isOpen: true })
  assert.equal(record['event.name'], 'open')
})

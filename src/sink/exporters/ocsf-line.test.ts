import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILE } from './exporter.suite.ts'
import { OcsfWriter } from './ocsf-line.ts'
import { assertInSchema, assertTells, type Json } from './testing/ocsf-checker.ts'

const writer = new OcsfWriter()

function eventOf(record: object | string): Json {
  const line = typeof record === 'string' ? record : JSON.stringify(record)
  const bytes = writer.event({ line: Buffer.from(line), id: '0123456789abcdef-7' })
  assert.ok(!bytes.includes('\n'), 'one line')
  const event = JSON.parse(bytes.toString()) as Json
  assertInSchema(event)
  assertTells(event, JSON.parse(line) as Json)
  return event
}

const BASE = {
  kind: 'exchange', time: '2026-11-22T14:13:03.123456789Z', duration: 0.0015, event: { sequence: 9 }, client: { address: '192.0.2.1', port: 4000 },
  server: { address: '2001:db8::1', port: 443 }, network: { type: 'ipv6', transport: 'tcp', protocol: { name: 'http', version: '1.1' }, connection: { id: 3 } },
  url: { scheme: 'https', domain: 'shop.example', path: '/a', query: 'x=1' },
  http: {
    request: { method: 'POST', header: { host: ['shop.example'], 'x-two': ['a', 'b'] }, header_bytes: 70, body: { size: 5 } },
    response: { status_code: 503, header: {}, header_bytes: 40, body: { size: 2 } },
  },
  user_agent: { original: 'curl/8' }, trace: { id: 'a'.repeat(32) }, request: { id: 'r-1' },
  tls: { protocol: { version: '1.3' }, cipher: 'TLS_AES_128_GCM_SHA256', client: { server_name: 'shop.example', ja4: 't13d1516h2_8daaf6152771_b186095e22b6' } },
}

test('OCSF: an exchange is HTTP Activity, by method and status, with addresses, headers, sizes and times', () => {
  const { metadata, time, duration, src_endpoint: source, connection_info: connection, http_request: request, http_response: response, ...more } = eventOf(BASE)
  assert.deepEqual(metadata, {
    version: '1.6.0', product: { name: 'Lintel', vendor_name: 'Lintel' }, uid: '0123456789abcdef-7', sequence: 9, correlation_uid: 'a'.repeat(32),
  })
  assert.deepEqual([time, duration], [Date.parse('2026-11-22T14:13:03.123Z'), 2])
  assert.deepEqual([more['class_uid'], more['category_uid'], more['activity_id'], more['type_uid'], more['severity_id'], more['status_id'], more['status_code']],
    [4002, 4, 6, 400206, 3, 2, '503'])
  assert.deepEqual(source, { ip: '192.0.2.1', port: 4000 })
  assert.deepEqual(connection, { direction_id: 0, uid: '3', protocol_name: 'tcp', protocol_ver_id: 6 })
  assert.deepEqual(request, {
    length: 75, http_method: 'POST', user_agent: 'curl/8', uid: 'r-1', version: '1.1', body_length: 5,
    url: { scheme: 'https', hostname: 'shop.example', path: '/a', query_string: 'x=1' },
    http_headers: [{ name: 'host', value: 'shop.example' }, { name: 'x-two', value: 'a' }, { name: 'x-two', value: 'b' }],
  })
  assert.deepEqual(response, { length: 42, code: 503, body_length: 2 })
  const said = [['GET', 3, 200, 1, 1], ['PATCH', 9, 404, 2, 2], ['_OTHER', 99, 301, 1, 1], ['QUERY', 99, 200, 1, 1]] as const
  for (const [method, activity, status, severity, outcome] of said) {
    const event = eventOf({ ...BASE, http: { request: { ...BASE.http.request, method }, response: { status_code: status } } })
    assert.deepEqual([event['activity_id'], event['severity_id'], event['status_id']], [activity, severity, outcome])
  }
})

test('OCSF: hostile values of headers, hosts and methods arrive whole, and forge nothing', () => {
  const values = [...HOSTILE, '\0', '","value":"x"}],"class_uid":1,"a":["', `${'é'.repeat(9000)}\n`, '', '\\']
  const header = { 'x-hostile': values, '","http_response': ['1'], name: ['{"value":1}'] }
  const record = {
    ...BASE, url: { ...BASE.url, domain: HOSTILE[3] }, user_agent: { original: HOSTILE[0] },
    http: { request: { method: '_OTHER', method_original: HOSTILE[3], header }, response: { status_code: 200, header } },
  }
  const event = eventOf(record) as { readonly class_uid: number, readonly http_request: { readonly http_headers: readonly Json[] } }
  assert.equal(event.class_uid, 4002)
  assert.deepEqual(event.http_request.http_headers.slice(0, values.length), values.map(value => ({ name: 'x-hostile', value })))
})

test('OCSF: what a group needs and is not there leaves its members under unmapped; addresses that privacy made something of are no ip', () => {
  assert.deepEqual(eventOf({ ...BASE, client: { address: 'h:5f2a', port: 1 } })['src_endpoint'], { uid: 'h:5f2a', port: 1 })
  assert.equal(eventOf({ ...BASE, client: { port: 1 } })['src_endpoint'], undefined)
  assert.equal(eventOf({ ...BASE, tls: { cipher: 'x' } })['tls'], undefined)
  assert.equal(eventOf({ ...BASE, http: { request: BASE.http.request, response: { header: { a: ['b'] } } } })['http_response'], undefined)
  assert.equal((eventOf({ ...BASE, url: { domain: 'a.example' } })['http_request'] as Json)['url'], undefined)
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`h-${index}`, ['a', 'b']]))
  const lists = [many, { ...many, more: Array.from({ length: 300 }, () => 'x') }, { ['n'.repeat(60_000)]: Array.from({ length: 90 }, () => '') }]
    .map(header => eventOf({ ...BASE, http: { request: { method: 'GET', header }, response: { status_code: 200 } } })['http_request'] as Json)
  assert.deepEqual(lists.map(request => (request['http_headers'] as readonly Json[] | undefined)?.length), [800, undefined, undefined])
})

test('OCSF: other kinds are Network Activity, or a Base Event where no end is known; lines in another form than the encoder\'s give the same', () => {
  const cases = [
    [{ ...BASE, kind: 'connection', event: { name: 'refused' }, http: undefined, url: undefined }, 4001, 5, 2],
    [{ kind: 'packet', time: BASE.time, source: { address: '10.0.0.1' }, destination: { address: '10.0.0.2', port: 53 } }, 4001, 6, 0],
    [{ kind: 'anomaly', time: BASE.time, event: { name: 'late_join', count: 3 } }, 0, 99, 0],
    [{ kind: 'exchange', client: { address: '::1' }, message: { request: { body: { size: 1 } } }, network: { protocol: { name: 'mine', version: '2' } } }, 4001, 6, 0],
    ['{}', 0, 0, 0],
    ['{ "kind": "exchange", "\\u0075rl": {"path": "/a"} }', 4002, 0, 0],
    [`{"kind":"exchange","url":{"path":"/a"},"x":"${'x'.repeat(5_000_000)}"}`, 0, 0, 0],
  ] as const
  for (const [record, ...wanted] of cases) {
    const event = typeof record === 'string' && record.length > 1e6
      ? JSON.parse(writer.event({ line: Buffer.from(record), id: 'i' }).toString()) as Json : eventOf(record)
    assert.deepEqual([event['class_uid'], event['activity_id'], event['status_id']], wanted)
  }
  const text = writer.event({ line: Buffer.from('{"kind":"exchange","event":{"sequence":9007199254740993},"url":{"path":"/"}}'), id: 'i' }).toString()
  assert.ok(text.includes('"sequence":9007199254740993'), 'no digit is lost')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILE } from './exporter.suite.ts'
import { ocsfBody } from './ocsf-body.ts'
import { recordOf } from './testing/ocsf-record.ts'

const TIME = '2026-11-22T14:13:03.123456789Z'

function eventOf(record: object | string): Record<string, unknown> {
  const line = typeof record === 'string' ? record : JSON.stringify(record)
  const text = ocsfBody({ id: '0123456789abcdef-7', line: Buffer.from(line) }, 6).toString()
  assert.ok(!text.includes('\n'), 'one line')
  return JSON.parse(text) as Record<string, unknown>
}

const exchange = {
  kind: 'exchange', time: TIME, duration: 0.0125, client: { address: '10.0.0.1', port: 5000 }, server: { address: 'fd00::1', port: 80 },
  network: { type: 'ipv4', transport: 'tcp', protocol: { name: 'http', version: '1.1' }, io: { direction: 'receive' }, connection: { id: 12 } },
  url: { scheme: 'http', domain: 'shop.example', path: '/a', query: 'b=c' },
  http: { request: { method: 'POST', header: { host: ['shop.example'], 'x-a': ['1', '2'] }, body: { size: 3 } }, response: { status_code: 503, header: {} } },
}

test('an exchange is an event of HTTP Activity', () => {
  assert.deepEqual(eventOf(exchange), {
    class_uid: 4002, category_uid: 4, activity_id: 6, type_uid: 400206, severity_id: 1, time: Date.parse(TIME), status_id: 2, status_code: '503',
    message: 'POST shop.example/a 503', duration: 13, app_name: 'http',
    metadata: { version: '1.7.0', product: { name: 'lintel', vendor_name: 'Lintel' }, uid: '0123456789abcdef-7', log_name: 'exchange' },
    src_endpoint: { ip: '10.0.0.1', port: 5000 }, dst_endpoint: { ip: 'fd00::1', port: 80 },
    connection_info: { direction_id: 1, protocol_ver_id: 4, protocol_name: 'tcp', uid: '12' },
    http_request: {
      http_method: 'POST', version: '1.1', body_length: 3, url: { path: '/a', scheme: 'http', hostname: 'shop.example', query_string: 'b=c' },
      http_headers: [{ name: 'host', value: 'shop.example' }, { name: 'x-a', value: '1' }, { name: 'x-a', value: '2' }],
    },
    http_response: { code: 503, http_headers: [] },
    unmapped: { kind: 'exchange', time: TIME, duration: 0.0125 },
  })
})

test('what an event has no room for stands in unmapped by its own name', () => {
  const odd = {
    ...exchange, client: { address: 'client-7', port: 1 }, network: { type: 'x', io: { direction: 'sideways' } }, tls: { cipher: 'A', resumed: true },
    url: { scheme: 'http' }, http: { request: { method: 'PURGE', header: { host: 'no list', 'x': [1] } }, response: { reason_phrase: 'No status' } },
  }
  const event = eventOf(odd)
  assert.equal(event['type_uid'], 400299)
  assert.deepEqual(event['src_endpoint'], { name: 'client-7', port: 1 })
  assert.deepEqual(event['unmapped'], {
    'kind': 'exchange', 'time': TIME, 'duration': 0.0125, 'tls': { resumed: true }, 'network.type': 'x', 'network.io.direction': 'sideways', 'tls.cipher': 'A', 'url.scheme': 'http',
    'http.request.method': 'PURGE', 'http.request.header': { host: 'no list', x: [1] }, 'http.response.reason_phrase': 'No status',
  })
  assert.equal(event['http_request'], undefined)
})

test('other records are events of Network Activity, and base events without addresses', () => {
  const { client, server } = exchange
  const connection = { kind: 'connection', time: TIME, client, server, connection: { client: { bytes: 7, packets: 2 }, lost_bytes: 1, exchanges: 4 } }
  const event = eventOf(connection)
  assert.deepEqual([event['class_uid'], event['activity_id'], event['traffic']], [4001, 2, { bytes_out: 7, packets_out: 2, bytes_missed: 1 }])
  assert.deepEqual(recordOf(event), connection, 'nothing is lost')
  assert.equal(eventOf({ kind: 'handshake', time: TIME, client, tls: { protocol: { version: '1.3' } } })['type_uid'], 400101)
  const base = eventOf({ kind: 'anomaly', time: TIME, event: { name: 'x', count: 3, sequence: 9 }, duration: 1 })
  assert.deepEqual([base['class_uid'], base['type_uid'], base['unmapped']], [0, 99, { kind: 'anomaly', time: TIME, event: { count: 3 }, duration: 1 }])
  const spaced = eventOf(`{ "kind": "exchange", "client": {"address": "10.0.0.1"} }`)
  assert.deepEqual([spaced['class_uid'], spaced['unmapped']], [0, { kind: 'exchange', client: { address: '10.0.0.1' } }], 'not as the encoder writes')
})

test('hostile values and names arrive as they are', () => {
  const header: Record<string, (string | undefined)[]> = Object.fromEntries([...HOSTILE.map((name, index) => [name, [HOSTILE[index], '']]), ['http.request.header', ['"],"class_uid":1,"x":["']]])
  const record = { ...exchange, url: { ...exchange.url, path: `/${HOSTILE.join()}` }, http: { ...exchange.http, request: { method: 'GET', header } } }
  const event = eventOf(record)
  assert.equal(event['class_uid'], 4002)
  const list = (event['http_request'] as { http_headers: { name: string, value: string }[] }).http_headers
  assert.deepEqual(list, Object.entries(header).flatMap(([name, values]) => values.map(value => ({ name, value }))))
})

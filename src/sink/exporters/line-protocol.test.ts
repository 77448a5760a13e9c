import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineProtocol } from './line-protocol.ts'
import { readLines } from './testing/read-lines.ts'

const lines = new LineProtocol({ measurement: 'lintel', tags: { host: 'gw 1,a=b' }, headerFields: ['x-a', '__proto__'] })

function pointOf(record: object, id = '00000000000000ab-1234567') {
  const points = readLines(lines.lines([{ id, line: Buffer.from(JSON.stringify(record)) }]).toString())
  assert.equal(points.length, 1)
  return points[0] as NonNullable<typeof points[0]>
}

test('line protocol: types, tags, and the time with the number of the record', () => {
  const { measurement, tags, fields, time } = pointOf({
    kind: 'exchange', time: '2026-11-22T14:13:03.123456789Z', duration: 2, event: { sequence: 7042 }, client: { port: 80 }, anomalies: ['a'], tls: { resumed: true },
    http: { request: { method: 'GET', header: { 'x-a': ['1', '2'], other: ['"'] }, body: { size: 0 } }, response: { status_code: 200, header: {} } },
  })
  assert.equal(measurement, 'lintel')
  assert.deepEqual([...tags], [['host', 'gw 1,a=b'], ['kind', 'exchange'], ['method', 'GET'], ['status_code', '200']])
  assert.deepEqual(new Map(fields), new Map<string, unknown>([
    ['id', '00000000000000ab-1234567'], ['time_text', '2026-11-22T14:13:03.123456789Z'], ['duration', 2], ['event.sequence', 7042n], ['client.port', 80n],
    ['anomalies', '["a"]'], ['tls.resumed', true], ['http.request.method', 'GET'], ['http.request.header', '{"x-a":["1","2"],"other":["\\""]}'],
    ['http.request.header.x-a', '1, 2'], ['http.request.body.size', 0n], ['http.response.status_code', 200n], ['http.response.header', '{}'],
  ]))
  assert.equal(time, '1795356783123007042')
  assert.equal(pointOf({ time: '1970-01-01T00:00:00.000000000Z' }).time, '0234567', 'by the id where there is no number')
  assert.match(lines.lines([{ id: 'a-1', line: Buffer.from('{"duration":3}') }]).toString(), /,duration=3 \d{13}000001\n$/, 'a whole second is no integer')
})

test('line protocol: whatever stands in texts, method and headers, the point has just these fields and tags', () => {
  const hostile = fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', '\n', '\r', '\0', 'i', '#', '\ufffd', '\u2028', 'a') })
  fc.assert(fc.property(hostile, hostile, hostile, (path, method, header) => {
    const { tags, fields, time } = pointOf({
      kind: 'exchange', time: '2026-11-22T14:13:03.5Z', url: { path }, http: { request: { method, header: { 'x-a': [header], [header || 'x']: [path] } } },
    })
    assert.deepEqual([...tags.keys()], ['host', 'kind', 'method'])
    assert.match(tags.get('method') as string, /^(_OTHER|[ai]+)$/)
    assert.deepEqual([...fields.keys()].sort(), ['http.request.header', 'http.request.header.x-a', 'http.request.method', 'id', 'time_text', 'url.path'])
    assert.deepEqual([fields.get('url.path'), fields.get('http.request.method')], [path, method])
    assert.deepEqual(JSON.parse(fields.get('http.request.header') as string), { 'x-a': [header], [header || 'x']: [path] })
    assert.equal(fields.get('http.request.header.x-a'), header)
    assert.equal(time, '1795356783500234567')
  }), { numRuns: 500 })
})

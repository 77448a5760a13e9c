import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyFields } from './empty-fields.ts'

test('fields that are there and empty are named, and nothing that only looks like one', () => {
  const line = (record: object): Buffer => Buffer.from(JSON.stringify(record))
  assert.deepEqual(emptyFields(line({ kind: 'exchange', http: { request: { header: {} }, response: { header: { a: [''] } } } })), ['http.request.header'])
  assert.deepEqual(emptyFields(line({ anomalies: [], tls: { client: { alpn: [] } }, marks: {} })), ['anomalies', 'tls.client.alpn', 'marks'])
  assert.deepEqual(emptyFields(line({ url: { path: 'a":{}b":[]' }, http: { request: { header: { x: ['":{}'] } } } })), [])
  assert.deepEqual(emptyFields(line({})), [])
})

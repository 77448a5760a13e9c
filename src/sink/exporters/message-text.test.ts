import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageText } from './message-text.ts'

function textOf(record: object): string {
  return messageText(Buffer.from(JSON.stringify(record)))
}

test('messageText() says what a record is about', () => {
  const header = { '"url":{"path":"/no"': ['"http":{"request":{"method":"NO"', '"response":{"status_code":999'], url: ['x'], event: ['y'] }
  const http = { request: { method: 'GET', header }, response: { status_code: 204, header } }
  const url = { scheme: 'https', domain: 'shop.example', path: '/a"b\\c\n{}\u00e9\ud83d\ude00', query: 'q' }
  const cases: [object, string][] = [
    [{ kind: 'exchange', event: { sequence: 1 }, url, http }, 'GET shop.example/a"b\\c\n{}\u00e9\ud83d\ude00 204'],
    [{ kind: 'exchange', event: { name: 'open', sequence: 1 }, url: { path: '/' }, http: { request: http.request } }, 'GET / open'],
    [{ kind: 'exchange', http: { response: http.response } }, '204'],
    [{ kind: 'exchange', url: { query: 'x' }, http: { request: { header } } }, 'exchange'],
    [{ kind: 'handshake', event: { name: 'answered' } }, 'handshake answered'],
    [{ kind: 'packet' }, 'packet'], [{}, 'record'], [{ time: 'x' }, 'record'],
  ]
  for (const [record, text] of cases) assert.equal(textOf(record), text)
})

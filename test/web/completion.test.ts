/** What the filter bar offers at the cursor. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparedAt, completions, type Vocabulary } from '../../src/web/page/completion.ts'

const VOCABULARY: Vocabulary = {
  fields: [
    { name: 'http.response.status_code', type: 'int', doc: '' }, { name: 'url.domain', type: 'string', doc: '' }, { name: 'url.path', type: 'string', doc: '' },
    { name: 'network.protocol.version', type: 'string', doc: '' },
  ],
  headers: ['x-tenant-id', 'user-agent'],
}

/** The texts that could stand behind what is written, with the cursor at its end. */
function offered(text: string, values: readonly string[] = []): string[] {
  const compared = comparedAt(text)
  return completions(text, text.length, VOCABULARY, compared === undefined ? undefined : { compared, values })
    .map(({ start, end, text: put }) => text.slice(0, start) + put + text.slice(end))
}

test('fields, headers and methods by what is begun', () => {
  assert.deepEqual(offered('url.'), ['url.domain', 'url.path'])
  assert.deepEqual(offered('http.request.header["x-t'), ['http.request.header["x-tenant-id"]'])
  assert.deepEqual(offered('"user'), ['"user-agent" in http.request.header'])
  assert.deepEqual(offered('url.path.starts'), ['url.path.startsWith("'])
})

test('values seen of the field that is compared: texts in quote marks, numbers without', () => {
  assert.deepEqual(offered('url.domain == "re', ['reports.test', 'a.re', 'b']), ['url.domain == "reports.test"', 'url.domain == "a.re"'])
  assert.deepEqual(offered('url.domain == ', ['a']), ['url.domain == "a"'])
  assert.deepEqual(offered('http.response.status_code != 5', ['200', '503']), ['http.response.status_code != 503'])
  assert.deepEqual(offered('network.protocol.version == "', ['2']), ['network.protocol.version == "2"'])
  assert.deepEqual(offered('x && http.request.header["x-tenant-id"][0] == "ac', ['acme']), ['x && http.request.header["x-tenant-id"][0] == "acme"'])
  assert.deepEqual(offered('url.path == "', ['a"b\\']), ['url.path == "a\\"b\\\\"'])
})

test('a comparison is known by its field, or by the first value of a header of the request', () => {
  assert.deepEqual(comparedAt('a == 1 && url.path == "/x'), { field: 'url.path', begun: '/x', isText: true })
  assert.deepEqual(comparedAt('http.request.header["x-a"][0]=="'), { field: 'http.request.header', header: 'x-a', begun: '', isText: true })
  for (const text of ['http.response.header["x-a"][0] == "', 'http.request.header == "', 'url.path == "/x" && ', 'url.path', 'url.path == "a\\"']) {
    assert.equal(comparedAt(text), undefined, text)
  }
})

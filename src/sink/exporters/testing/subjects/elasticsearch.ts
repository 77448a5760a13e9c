import assert from 'node:assert/strict'
import type { Kept, Subject } from '../../exporter.suite.ts'
import type { Received, Said } from '../receiver.ts'

interface Document {
  readonly event: { readonly id: string, readonly sequence: number }
  readonly lintel: { readonly http: { readonly request: { readonly header: Record<string, string[]> } } }
}

export function read({ path, text }: Received): Kept[] {
  assert.equal(path, '/_bulk')
  assert.ok(text.endsWith('\n'))
  const lines = text.trimEnd().split('\n').map(line => JSON.parse(line) as unknown)
  return lines.flatMap((line, index) => {
    if (index % 2 === 0) return []
    const { event, lintel } = line as Document
    assert.deepEqual(lines[index - 1], { create: { _index: 'logs-lintel-default', _id: event.id } })
    return [{ id: event.id, number: event.sequence, hostile: lintel.http.request.header['x-hostile'] }]
  })
}

/** Of a bulk request: a status for each document. */
export function answer(statuses: readonly number[]): Said {
  const items = statuses.map(status => ({ create: status < 300 ? { status } : { status, error: { type: 'document_parsing_exception', reason: 'bad record' } } }))
  return { status: 200, body: JSON.stringify({ errors: statuses.some(status => status >= 300), items }) }
}

export const ELASTICSEARCH: Subject = {
  type: 'elasticsearch', more: {}, read,
  accept: request => answer(read(request).map(() => 201)),
  refuse: (request, bad) => {
    const records = read(request)
    return { said: answer(records.map(({ number }) => bad.has(number) ? 400 : 201)), kept: records.filter(({ number }) => !bad.has(number)) }
  },
}

import assert from 'node:assert/strict'
import type { Kept, Subject } from '../../exporter.suite.ts'
import type { Received } from '../receiver.ts'

function read({ path, query, text, headers }: Received): Kept[] {
  assert.equal(path, '/insert/jsonline')
  assert.deepEqual(Object.fromEntries(query), { _time_field: 'time', _stream_fields: 'kind' })
  assert.deepEqual([headers['accountid'], headers['projectid']], ['12', '34'])
  return text.trimEnd().split('\n').map(line => {
    const { id, _msg, event, http } = JSON.parse(line) as { id: string, _msg: string, event: { sequence: number }, http: { request: { header: Record<string, string[]> } } }
    assert.equal(_msg, `GET /a ${200 + event.sequence % 5}`)
    return { id, number: event.sequence, hostile: http.request.header['x-hostile'] }
  })
}

export const VICTORIALOGS: Subject = {
  type: 'victorialogs', more: { tenant: '12:34', compression: 'zstd' }, read,
  accept: () => ({ status: 200 }),
  refuse: (request, bad) => {
    const records = read(request)
    const refused = records.some(({ number }) => bad.has(number))
    return refused ? { said: { status: 400, body: 'bad record in it' }, kept: [] } : { said: { status: 200 }, kept: records }
  },
}

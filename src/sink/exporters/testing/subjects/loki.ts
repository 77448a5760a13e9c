import assert from 'node:assert/strict'
import type { Kept, Subject } from '../../exporter.suite.ts'
import type { Received } from '../receiver.ts'

interface Push {
  readonly streams: readonly { readonly stream: Record<string, string>, readonly values: readonly (readonly [string, string])[] }[]
}

function read({ path, text, headers }: Received): Kept[] {
  assert.equal(path, '/loki/api/v1/push')
  assert.equal(headers['x-scope-orgid'], 'team-a')
  return (JSON.parse(text) as Push).streams.flatMap(({ stream, values }) => {
    assert.deepEqual(stream, { service_name: 'lintel', host: 'gw-1', kind: 'exchange' })
    return values.map(([time, line]) => {
      const { id, event, http } = JSON.parse(line) as { id: string, event: { sequence: number }, http: { request: { header: Record<string, string[]> } } }
      assert.equal(time, `${1_780_000_000_000 + event.sequence}123456`)
      return { id, number: event.sequence, hostile: http.request.header['x-hostile'] }
    })
  })
}

export const LOKI: Subject = {
  type: 'loki', more: { labels: { host: 'gw-1' }, tenant: 'team-a' }, read,
  accept: () => ({ status: 204 }),
  // Loki takes the good entries of a push and answers 400 for the others.
  refuse: (request, bad) => {
    const records = read(request)
    const kept = records.filter(({ number }) => !bad.has(number))
    const said = { status: 400, body: `entry with timestamp x ignored, reason: 'bad record', total ignored: ${records.length - kept.length} out of ${records.length}` }
    return { said: kept.length === records.length ? { status: 204 } : said, kept }
  },
}

import assert from 'node:assert/strict'
import type { Kept, Subject } from '../../exporter.suite.ts'
import type { Received, Said } from '../receiver.ts'

process.env['LINTEL_TEST_HEC'] = '1111-2222'

interface Event {
  readonly time: number
  readonly sourcetype: string
  readonly index: string
  readonly event: { readonly id: string, readonly event: { readonly sequence: number }, readonly http: { readonly request: { readonly header: Record<string, string[]> } } }
}

export function read({ path, text, headers }: Received): Kept[] {
  assert.equal(headers.authorization, 'Splunk 1111-2222')
  if (path === '/services/collector/ack') return []
  assert.equal(path, '/services/collector/event')
  return text.trimEnd().split('\n').map(line => {
    const { time, sourcetype, index, event } = JSON.parse(line) as Event
    assert.deepEqual([sourcetype, index], ['lintel', 'main'])
    assert.match(line, new RegExp(`"time":${Math.floor((1_780_000_000_000 + event.event.sequence) / 1000)}\\.\\d{9},`))
    assert.ok(time > 1.7e9)
    return { id: event.id, number: event.event.sequence, hostile: event.http.request.header['x-hostile'] }
  })
}

export const OK: Said = { status: 200, body: '{"text":"Success","code":0}' }

/** Numbers batches, and says at the second question for one that the indexers have it. */
function acknowledging(): (request: Received) => Said {
  let numbers = 0
  const asked = new Map<number, number>()
  return ({ path, text, headers, query }) => {
    assert.match(headers['x-splunk-request-channel'] as string, /^[0-9a-f-]{36}$/)
    if (path !== '/services/collector/ack') return { status: 200, body: JSON.stringify({ text: 'Success', code: 0, ackId: numbers++ }) }
    assert.equal(query.get('channel'), headers['x-splunk-request-channel'])
    const { acks } = JSON.parse(text) as { acks: number[] }
    return { status: 200, body: JSON.stringify({ acks: Object.fromEntries(acks.map(number => {
      asked.set(number, (asked.get(number) ?? 0) + 1)
      return [number, asked.get(number) === 2]
    })) }) }
  }
}

export const SPLUNK_HECS: readonly Subject[] = [false, true].map(acknowledge => {
  const say = acknowledge ? acknowledging() : () => OK
  return {
    type: 'splunk_hec', more: { token: { env: 'LINTEL_TEST_HEC' }, index: 'main', acknowledge }, read, accept: say,
    refuse: (request, bad) => {
      const records = read(request)
      const first = records.findIndex(({ number }) => bad.has(number))
      if (first < 0) return { said: say(request), kept: records }
      return { said: { status: 400, body: JSON.stringify({ text: 'Invalid data format: bad record', code: 6, 'invalid-event-number': first }) }, kept: records.slice(0, first) }
    },
  }
})

import assert from 'node:assert/strict'
import { HOSTILE, type Kept, type Subject } from '../../exporter.suite.ts'
import { readLines } from '../read-lines.ts'
import type { Received, Said } from '../receiver.ts'

process.env['LINTEL_TEST_INFLUX'] = 'tok en=1'

interface Api {
  readonly api: string
  readonly more: Readonly<Record<string, unknown>>
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization?: string
  /** Of lines by their number, from 1, that were not taken; the others were. */
  refusal(numbers: readonly number[]): Said
}

const partial = (numbers: readonly number[]): string => `partial write: bad record: input field "x" is type float, already exists as type string dropped=${numbers.length}`

const APIS: readonly Api[] = [
  {
    api: 'v1', more: { database: 'li ntel', retention_policy: 'week' }, path: '/write', query: { db: 'li ntel', rp: 'week', precision: 'ns' },
    refusal: numbers => ({ status: 400, body: JSON.stringify({ error: partial(numbers) }) }),
  },
  {
    api: 'v2', more: { org: 'o', bucket: 'b/c', token: { env: 'LINTEL_TEST_INFLUX' } }, path: '/api/v2/write', query: { org: 'o', bucket: 'b/c', precision: 'ns' },
    authorization: 'Token tok en=1',
    refusal: numbers => ({ status: 422, body: JSON.stringify({ code: 'unprocessable entity', message: partial(numbers) }) }),
  },
  {
    api: 'v3', more: { database: 'd', token: { env: 'LINTEL_TEST_INFLUX' } }, path: '/api/v3/write_lp', query: { db: 'd', precision: 'nanosecond', accept_partial: 'true' },
    authorization: 'Bearer tok en=1',
    refusal: numbers => ({ status: 400, body: JSON.stringify({
      error: 'partial write of line protocol occurred', data: numbers.map(number => ({ original_line: 'x', line_number: number, error_message: 'bad record: invalid column type' })),
    }) }),
  },
]

export const INFLUXDBS: readonly Subject[] = APIS.map(({ api, more, path, query, authorization, refusal }) => {
  const read = (request: Received): Kept[] => {
    assert.equal(request.path, path)
    assert.deepEqual(Object.fromEntries(request.query), query)
    assert.equal(request.headers.authorization, authorization)
    return readLines(request.text).map(({ measurement, tags, fields, time }) => {
      const number = Number(fields.get('event.sequence'))
      assert.equal(measurement, 'lintel')
      assert.deepEqual(Object.fromEntries(tags), { host: 'gw-1', kind: 'exchange', method: 'GET', status_code: String(200 + number % 5) })
      assert.equal(time, `${1_780_000_000_000 + number}${String(number % 1_000_000).padStart(6, '0')}`)
      const header = JSON.parse(fields.get('http.request.header') as string) as Record<string, string[]>
      const hostile = header['x-hostile']
      assert.equal(fields.get('http.request.header.x-hostile'), hostile === undefined ? undefined : HOSTILE.join(', '))
      return { id: fields.get('id') as string, number, hostile }
    })
  }
  return {
    type: 'influxdb', more: { api, tags: { host: 'gw-1' }, header_fields: ['X-Hostile'], ...more }, read,
    accept: () => ({ status: 204 }),
    refuse: (request, bad) => {
      const records = read(request)
      const numbers = records.flatMap(({ number }, index) => bad.has(number) ? [index + 1] : [])
      return { said: numbers.length === 0 ? { status: 204 } : refusal(numbers), kept: records.filter(({ number }) => !bad.has(number)) }
    },
  }
})

import assert from 'node:assert/strict'
import { exchanges, type Kept, type Subject } from '../../exporter.suite.ts'
import { type AnyValue, byName, decodeLogs, decodeSpans, expectedAttributes } from '../otlp-decoder.ts'
import type { Received, Said } from '../receiver.ts'

const TYPE = 'application/x-protobuf'
export const OK: Said = { status: 200, headers: { 'content-type': TYPE }, body: '' }

/** What `exchanges` gives by the place in the batch, not by the number. */
const BY_PLACE = new Set(['http.request.header.x-hostile', 'http.response.status_code'])

function text(found: ReadonlyMap<string, AnyValue>, name: string): string {
  return found.get(name)?.stringValue as string
}

function kept(found: ReadonlyMap<string, AnyValue>, id: string): Kept {
  const number = Number(found.get('event.sequence')?.intValue)
  const wanted = expectedAttributes(JSON.parse(Buffer.from(exchanges(number, 1).bytes).toString()) as object)
  const hostile = found.get('http.request.header.x-hostile')?.arrayValue?.values?.map(({ stringValue }) => stringValue as string)
  for (const [name, value] of wanted) if (!BY_PLACE.has(name)) assert.deepEqual(found.get(name), value)
  return { id, number, hostile }
}

export function read({ path, bytes, headers }: Received): Kept[] {
  assert.equal(headers['content-type'], TYPE)
  if (path === '/in/v1/logs') {
    return decodeLogs(bytes).flatMap(({ ones }) => ones).map(({ attributes, timeUnixNano }) => {
      const found = byName(attributes)
      const one = kept(found, text(found, 'log.record.uid'))
      assert.equal(timeUnixNano, `${1_780_000_000_000 + one.number}123456`)
      return one
    })
  }
  assert.equal(path, '/in/v1/traces')
  return decodeSpans(bytes).flatMap(({ ones }) => ones).map(({ attributes, traceId, spanId, startTimeUnixNano, endTimeUnixNano }) => {
    assert.equal(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano), 1_500_000n)
    return kept(byName(attributes), traceId + spanId)
  })
}

export const OTLPS: readonly Subject[] = [['logs'], ['traces']].map(signals => ({
  type: 'otlp', path: '/in', more: { signals, compression: signals[0] === 'logs' ? 'gzip' : 'zstd' }, read,
  accept: () => OK,
  refuse: (request, bad) => {
    const records = read(request)
    const isRefused = records.some(({ number }) => bad.has(number))
    // google.rpc.Status: code 3, message.
    const body = Buffer.concat([Buffer.from([0x08, 3, 0x12, 16]), Buffer.from('bad record in it')])
    return isRefused ? { said: { status: 400, headers: { 'content-type': TYPE }, body }, kept: [] } : { said: OK, kept: records }
  },
}))

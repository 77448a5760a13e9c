/**
 * Request smuggling shapes, sent raw: what a proxy and a server could read differently has a name in the record, and no
 * exchange that was answered gets another one's response.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { Metrics } from './testing/metrics.ts'
import { ask, RawServer } from './testing/raw-peer.ts'

const PORT = 18110
const METRICS = '127.0.0.1:18111'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let lintel: Lintel
before(async () => { lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo', '--metrics', METRICS]) })
after(async () => {
  try {
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

/** Sends `request` (its path is `/` + `name`), answers `response` behind `until`, and gives what was logged. */
async function logged(name: string, request: string, response = OK, until = '\r\n\r\n', answer = 'ok') {
  const server = await RawServer.scripted(PORT, [{ until, send: response, then: 'end' }])
  try {
    await ask(PORT, request, answer)
  } finally {
    await server.stop()
  }
  const [record] = await lintel.exchanges(`/${name}`)
  return record!
}

/** Heads of requests: what stands between the request line and the end of the head. */
const REQUESTS: readonly [name: string, fields: string, anomalies: readonly string[], body?: string][] = [
  ['length-then-chunked', 'Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', ['length_and_chunked'], '0\r\n\r\n'],
  ['chunked-then-length', 'Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n', ['length_and_chunked'], '0\r\n\r\n'],
  ['same-length-twice', 'Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n', ['length_repeated'], 'abc'],
  ['same-length-list', 'Host: a\r\nContent-Length: 3, 3\r\n', ['length_repeated'], 'abc'],
  ['lengths-differ', 'Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n', ['length_differs'], 'abcd'],
  ['length-signed', 'Host: a\r\nContent-Length: +3\r\n', ['length_invalid'], 'abc'],
  ['length-hex', 'Host: a\r\nContent-Length: 0x3\r\n', ['length_invalid'], 'abc'],
  ['coding-unknown', 'Host: a\r\nTransfer-Encoding: xchunked\r\n', ['coding_unknown'], '0\r\n\r\n'],
  ['chunked-not-last', 'Host: a\r\nTransfer-Encoding: chunked, identity\r\n', ['coding_unknown'], '0\r\n\r\n'],
  ['space-before-colon', 'Host: a\r\nTransfer-Encoding : chunked\r\n', ['space_before_colon'], '0\r\n\r\n'],
  ['folded', 'Host: a\r\nX-Folded: one\r\n two\r\n', ['obs_fold']],
  ['name-invalid', 'Host: a\r\nX(y): 1\r\n', ['name_invalid']],
  ['value-nul', 'Host: a\r\nX-Nul: a\0b\r\n', ['value_invalid']],
  ['value-bare-cr', 'Host: a\r\nX-Cr: a\rb: c\r\n', ['bare_cr']],
  ['no-colon', 'Host: a\r\nno colon here\r\n', ['line_invalid']],
  ['bare-lf', 'Host: a\nX-Lf: 1\r\n', ['bare_lf']],
  ['two-hosts', 'Host: a\r\nHost: b\r\n', ['host_repeated']],
  ['no-host', 'X-A: b\r\n', ['host_missing']],
]

for (const [name, fields, anomalies, body] of REQUESTS) {
  test(`a request with ${JSON.stringify(fields.replace('Host: a\r\n', ''))} is logged with ${anomalies.join(', ')}`, async () => {
    const record = await logged(name, `POST /${name} HTTP/1.1\r\n${fields}\r\n${body ?? ''}`)
    for (const anomaly of anomalies) assert.ok(record.anomalies?.includes(anomaly), JSON.stringify(record))
    assert.equal(record.http?.request?.method, 'POST')
  })
}

test('a request without any oddity has none', async () => {
  const record = await logged('plain', 'POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')
  assert.equal(record.anomalies, undefined)
  assert.equal(record.http?.response?.status_code, 200)
})

const RESPONSES: readonly [name: string, response: string, anomaly: string][] = [
  ['response-length-and-chunked', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'length_and_chunked'],
  ['response-lengths-differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 'length_differs'],
  ['response-chunk-size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 x\r\nok\r\n0\r\n\r\n', 'chunk_size'],
  ['response-bare-lf', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'bare_lf'],
]

for (const [name, response, anomaly] of RESPONSES) {
  test(`a response ${JSON.stringify(response)} is logged with ${anomaly}`, async () => {
    const record = await logged(name, `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`, response)
    assert.ok(record.anomalies?.includes(anomaly), JSON.stringify(record))
    assert.equal(record.http?.response?.status_code, 200)
  })
}

test('CL.TE with a request hidden behind the last chunk: what the framing leaves is a request of its own, with its own answer', async () => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
  const request = `POST /cl-te HTTP/1.1\r\nHost: a\r\nContent-Length: ${5 + hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`
  const two = 'HTTP/1.1 201 First\r\nContent-Length: 0\r\n\r\nHTTP/1.1 202 Second\r\nContent-Length: 2\r\n\r\nok'
  const record = await logged('cl-te', request, two, hidden)
  assert.ok(record.anomalies?.includes('length_and_chunked'))
  assert.equal(record.http?.response?.status_code, 201)
  const [second] = await lintel.exchanges('/hidden')
  assert.equal(second?.http?.response?.status_code, 202)
})

test('every name is counted in the figures as often as records carry it', async () => {
  await delay(400) // figures are taken each 250 ms
  const metrics = await Metrics.scrape(METRICS)
  const carried = new Map<string, number>()
  for (const name of lintel.now().flatMap((record) => record.anomalies ?? [])) carried.set(name, (carried.get(name) ?? 0) + 1)
  assert.ok(carried.size >= 14, [...carried.keys()].join())
  for (const [name, count] of carried) assert.equal(metrics.get(`lintel_anomalies_total{name="${name}"}`), count, name)
})

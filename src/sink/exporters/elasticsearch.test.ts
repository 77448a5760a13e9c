import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RecordingHost } from '../sink.suite.ts'
import { ecsDocument } from './ecs.ts'
import { ElasticsearchExporter, elasticsearchKind } from './elasticsearch.ts'
import { assertAddsUp, delivery, exchanges, exporterSuite, openOutput, range, until } from './exporter.suite.ts'
import { Receiver, type Said } from './testing/receiver.ts'
import { answer, ELASTICSEARCH, read } from './testing/subjects/elasticsearch.ts'

exporterSuite(ELASTICSEARCH)

async function sendTo(said: Said, count: number): Promise<Awaited<ReturnType<ElasticsearchExporter['send']>>> {
  const receiver = await Receiver.start(() => said)
  const exporter = new ElasticsearchExporter(elasticsearchKind.schema.parse({ type: 'elasticsearch', url: receiver.url, spool: { path: '/unused' } }))
  const records = Array.from({ length: count }, (_, index) => ({ id: `${index}`, line: Buffer.from(`{"kind":"exchange","event":{"sequence":${index}}}`) }))
  try {
    return await exporter.send(records, new AbortController().signal)
  } finally {
    exporter.close()
    await receiver.kill()
  }
}

test('elasticsearch: items that are to be tried again are sent again, and no others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-partial-'))
  const kept: number[] = []
  let turn = 0
  const receiver = await Receiver.start(request => {
    const numbers = read(request).map(({ number }) => number)
    const isFirst = turn++ === 0
    const statuses = numbers.map(number => !isFirst || number % 3 === 0 ? 201 : number % 3 === 1 ? 429 : 503)
    kept.push(...numbers.filter((_, index) => statuses[index] === 201))
    return answer(statuses)
  })
  const host = new RecordingHost()
  const sink = openOutput({ type: 'elasticsearch', url: receiver.url, spool: { path: folder }, batch: { age: '5ms' }, retry: { max_wait: '20ms' } }, host)
  sink.write(exchanges(0, 30))
  await until('all sent', () => delivery(sink).sent === 30, host)
  assert.deepEqual(kept, [...range(0, 30).filter(number => number % 3 === 0), ...range(0, 30).filter(number => number % 3 !== 0)])
  assert.deepEqual([delivery(sink).retried, delivery(sink).refused, receiver.requests.length], [20, 0, 2])
  assert.match(host.logs[0] as string, /does not take some documents now \(429 document_parsing_exception: bad record\); trying again/)
  await sink.close()
  assertAddsUp(sink)
  await receiver.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('elasticsearch: each item of an answer counts by itself', async () => {
  const said = await sendTo(answer([201, 400, 429, 409, 503, 413, 404, 200]), 8)
  assert.equal(said.outcome, 'done')
  if (said.outcome !== 'done') return
  assert.deepEqual(said.refused, [1, 5].map(index => ({ index, reason: `${index === 1 ? 400 : 413} document_parsing_exception: bad record` })))
  assert.deepEqual(said.again?.indexes, [2, 4, 6], '409: an earlier try has brought it there')
  assert.equal(said.again?.hindrance.reason, 'status 429')
})

test('elasticsearch: an answer that is none of a bulk request is no success', async () => {
  for (const body of ['', 'ok', '{}', '{"errors":true,"items":[]}', '{"errors":true}', '[]', 'null']) {
    const said = await sendTo({ status: 200, body }, 2)
    assert.equal(said.outcome, 'later', body)
    assert.match(said.outcome === 'later' ? said.hindrance.message : '', /is it the server that this output is for\?/)
  }
})

test('ECS names: what ECS has a name for gets it, all else stands under lintel, nothing is lost', () => {
  const header = { host: ['a'], ['__proto__']: ['x'], 'user-agent': ['b'] }
  const record = {
    kind: 'exchange', time: '2026-01-01T00:00:00.000000001Z', duration: 0.0015, time_to_first_byte: 0.001, event: { sequence: 7, name: 'open', count: 3 },
    client: { address: '192.0.2.7', port: 1, process: { pid: 5 } }, server: { address: 'hash:abc' },
    network: { type: 'ipv4', protocol: { name: 'http', version: '1.1' }, io: { direction: 'receive' } }, url: { path: '/a' },
    http: { request: { method: 'GET', header, body: { size: 3 } }, response: { status_code: 200, body: { size: 4 } } }, user_agent: { original: 'b' },
    tls: { protocol: { name: 'tls', version: '1.3' }, client: { ja4: 'j', server_name: 's' } }, request: { id: 'r' }, marks: { 'url.query': 'cut' },
  }
  assert.deepEqual(ecsDocument(JSON.parse(JSON.stringify(record)) as Record<string, unknown>, 'i'), {
    ecs: { version: '8.17.0' }, '@timestamp': '2026-01-01T00:00:00.000000001Z',
    event: { id: 'i', kind: 'event', module: 'lintel', dataset: 'lintel.exchange', duration: 1_500_000, sequence: 7, action: 'open' },
    client: { address: '192.0.2.7', ip: '192.0.2.7', port: 1 }, server: { address: 'hash:abc' },
    network: { type: 'ipv4', protocol: 'http', direction: 'ingress' }, url: { path: '/a' },
    http: { version: '1.1', request: { method: 'GET', id: 'r', body: { bytes: 3 } }, response: { status_code: 200, body: { bytes: 4 } } },
    user_agent: { original: 'b' }, tls: { version_protocol: 'tls', version: '1.3', client: { server_name: 's' } },
    lintel: {
      time_to_first_byte: 0.001, event: { count: 3 }, client: { process: { pid: 5 } }, network: { protocol: { version: '1.1' } },
      http: { request: { header } }, tls: { client: { ja4: 'j' } }, marks: { 'url.query': 'cut' },
    },
  })
})

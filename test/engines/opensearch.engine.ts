/** Records into a data stream of a real OpenSearch, with the index template of docs/exporters.md, and read back by its search API. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ecsDocument } from '../../src/sink/exporters/ecs.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from '../../src/sink/exporters/exporter.suite.ts'
import type { Sink } from '../../src/sink/mod.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { type Hit, OpenSearch } from './testing/opensearch-server.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { SOURCES } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-opensearch-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const STREAM = 'logs-lintel-default'
let number = 0

function open(server: OpenSearch, host: RecordingHost): Sink {
  return openOutput({
    type: 'elasticsearch', url: server.url, spool: { path: join(folder, `spool-${number++}`) }, ...PATIENT, batch: { age: '10ms' },
    retry: { max_wait: '200ms' },
  }, host)
}

/** As the documentation gives it for OpenSearch. */
function template(): unknown {
  const page = readFileSync(new URL('../../docs/exporters.md', import.meta.url), 'utf8')
  const [, json] = /^PUT _index_template\/logs-lintel\n(\{\n[\s\S]*?\n\})\n```/m.exec(page) ?? assert.fail('no index template in docs/exporters.md')
  return JSON.parse((json as string).replaceAll('"flattened"', '"flat_object"'))
}

async function start(): Promise<OpenSearch> {
  const server = await OpenSearch.start(join(folder, `node-${number++}`))
  await server.call('PUT', '/_index_template/logs-lintel', template())
  return server
}

/** Without its id. */
function plain({ _id, _source }: Hit): string {
  const { event, ...rest } = _source as { event: { id: string } }
  const { id, ...others } = event
  assert.equal(id, _id)
  return JSON.stringify(sorted({ ...rest, event: others }))
}

/** The same at every level, whatever the order of its members. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, member]) => [key, sorted(member)]))
}

interface Document {
  readonly http?: { readonly response?: { readonly status_code?: number } }
  readonly user_agent?: { readonly original?: string }
  readonly lintel?: { readonly http?: { readonly request?: { readonly header?: Readonly<Record<string, readonly string[]>> } } }
}

for (const source of SOURCES) {
  test(`OpenSearch: ${source.name}: each is there, field by field, and found by status and header`, async context => {
    const lines = await source.lines(context)
    if (lines === undefined) return
    const server = await start()
    try {
      await sendAll(host => open(server, host), lines)
      const found = await server.all(STREAM)
      const documents = lines.map(line => {
        const { event, ...rest } = ecsDocument(JSON.parse(line) as Record<string, unknown>, '') as { event: { id: string } }
        const { id: _, ...others } = event
        return sorted({ ...rest, event: others }) as Document
      })
      const [there, wanted] = [found.map(plain).sort(), documents.map(document => JSON.stringify(document)).sort()]
      const odd = wanted.findIndex((text, index) => text !== there[index])
      assert.equal(there[odd], wanted[odd], `${there.length} and ${wanted.length} records`)
      assert.equal(there.length, wanted.length)
      assert.equal(new Set(found.map(({ _id }) => _id)).size, lines.length)
      const failed = documents.filter(({ http }) => (http?.response?.status_code ?? 0) >= 400).length
      assert.equal(await server.count(STREAM, { range: { 'http.response.status_code': { gte: 400 } } }), failed)
      const agents = documents.filter(({ lintel }) => lintel?.http?.request?.header?.['user-agent']?.includes('curl/8.5.0') === true).length
      assert.equal(await server.count(STREAM, { term: { 'lintel.http.request.header.user-agent': 'curl/8.5.0' } }), agents)
      context.diagnostic(`${lines.length} records, ${failed} with a status of 400 and more, ${agents} by curl`)
    } finally {
      await server.stop('SIGKILL')
    }
  })
}

test('OpenSearch killed and started again midway: everything is there once, and nothing is forged', async () => {
  const server = await start()
  const host = new RecordingHost()
  const sink = open(server, host)
  try {
    const [batches, records] = [60, 100]
    for (let index = 0; index < batches; index++) {
      sink.write(exchanges(index * records, records))
      await sink.flush()
      if (index === 20) await until('some are sent', () => delivery(sink).sent > 0, host)
      if (index === 20) await server.stop('SIGKILL')
      if (index === 40) await until('it is told', () => sink.health().lastError !== undefined, host)
    }
    await server.run()
    await sink.close()
    assertAddsUp(sink)
    assert.equal(delivery(sink).sent, batches * records, host.logs.join('\n'))
    const found = (await server.all(STREAM)).map(({ _source }) => _source as unknown as Document & { event: { sequence: number } })
    assert.deepEqual(found.map(({ event }) => event.sequence).sort((a, b) => a - b), range(0, batches * records))
    const hostile = found.map(({ lintel }) => lintel?.http?.request?.header?.['x-hostile']).filter(values => values !== undefined)
    assert.deepEqual(hostile, Array.from({ length: batches }, () => HOSTILE))
  } finally {
    await sink.close()
    await server.stop('SIGKILL')
  }
})

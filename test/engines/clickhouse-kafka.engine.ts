/** Records from the output kafka, by a real broker, into a real ClickHouse, that reads the topic by itself. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openOutput } from '../../src/sink/exporters/exporter.suite.ts'
import { makeCertificates } from '../../src/sink/exporters/testing/certificates.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { canonical } from '../store/testing/stored.ts'
import { ClickHouse } from './testing/clickhouse-server.ts'
import { grown } from './testing/grown.ts'
import { KafkaServer } from './testing/kafka-server.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { storedRecords } from './testing/stored-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-clickhouse-kafka-'))
after(() => rmSync(folder, { recursive: true, force: true }))
/** Each block makes a part of each day; ClickHouse takes one of a hundred days at most, and needs its time for them. */
const DAYS = 5

/** What is there and empty is told by the output clickhouse, not by messages. */
function withoutEmpty(line: string): string {
  return JSON.stringify(JSON.parse(line, (_, value: unknown) => typeof value === 'object' && JSON.stringify(value) === '{}' ? undefined : value))
}

/** All of a few days in place of their own. */
function ofFewDays(lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => line.replace(/"time":"[0-9-]{10}/, `"time":"2026-01-0${index % DAYS + 1}`))
}

test('ClickHouse from Kafka: records are there once, field by field, while tables are made anew; what is none is kept apart', async context => {
  if (!hasCorpora(context)) return
  const broker = await KafkaServer.start(join(folder, 'broker'), makeCertificates(folder, 'broker', 'IP:127.0.0.1'))
  const server = await ClickHouse.start(join(folder, 'data'))
  try {
    const kafka = { brokers: broker.brokers.plain, topic: 'lintel', group: 'clickhouse' }
    await broker.createTopic('lintel', 2)
    await server.makeTables({ kafka })
    const lines = renumbered(ofFewDays(await corpusLines()))
    const half = Math.floor(lines.length / 2)
    const send = (part: readonly string[], name: string): Promise<void> => sendAll(host => openOutput({
      type: 'kafka', brokers: [broker.brokers.plain], topic: 'lintel', host_name: 'gw-1',
      spool: { path: join(folder, name) }, ...PATIENT, compression: 'zstd',
    }, host), part)
    await send(lines.slice(0, half), 'first')
    await server.makeTables({ kafka })
    await send(lines.slice(half), 'second')
    const odd = '{"kind":"exchange","event":{"sequence":"no number"}}'
    await send([odd], 'odd')
    await shows(server, 'SELECT uniqExact(id) FROM lintel.records', lines.length)
    await shows(server, 'SELECT count() FROM lintel.refused', 1)
    assert.match(await server.ask('SELECT message FROM lintel.refused FORMAT LineAsString'), /"no number"/)
    assert.equal(await server.ask('SELECT DISTINCT host_name FROM lintel.records FORMAT LineAsString'), 'gw-1\n')
    const found = await storedRecords(server)
    for (const [index, line] of lines.entries()) assert.equal(canonical(found.get(index) ?? '{}'), withoutEmpty(line))
    context.diagnostic(`${found.size} records`)
  } finally {
    await server.kill()
    await broker.close()
  }
})

/** Waits for a number: ClickHouse reads a topic in its own time. */
async function shows(server: ClickHouse, question: string, wanted: number): Promise<void> {
  let count = NaN
  await grown(question, wanted, async () => count = Number(await server.ask(question)))
  assert.equal(count, wanted, question)
}

/** Records of real captures, and hostile ones, to a real InfluxDB 1.6, and read back by its query API; and what it refuses. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { assertAddsUp, delivery, exchanges, HOSTILE, until } from '../../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { hostileLine, influxRoundTrip, openInflux } from './testing/influx-round-trip.ts'
import { InfluxServer } from './testing/influx-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-influxdb-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const COUNT = 5000
const V1 = { api: 'v1', database: 'lintel' }

test('InfluxDB 1.6: every record is one point, equal field by field, hostile ones too', async context => {
  if (!hasCorpora(context)) return
  const captured = await corpusLines()
  const chosen = Array.from({ length: COUNT - 1 }, (_, index) => captured[Math.floor(index * captured.length / COUNT)] as string)
  const server = await InfluxServer.start('influxd', join(folder, 'equal'))
  try {
    await influxRoundTrip(server, join(folder, 'equal'), V1, renumbered([hostileLine(), ...chosen]))
    context.diagnostic(`${COUNT} records`)
  } finally {
    await server.kill()
  }
})

test('InfluxDB 1.6 killed and started again midway: everything is there once; of a batch it takes in part only what it refused is a dead letter', async () => {
  const server = await InfluxServer.start('influxd', join(folder, 'killed'))
  const host = new RecordingHost()
  try {
    await server.query('CREATE DATABASE lintel')
    const sink = openInflux(server, join(folder, 'killed'), V1, host)
    const [batches, records] = [40, 100]
    for (let index = 0; index < batches; index++) {
      sink.write(exchanges(index * records, records))
      await sink.flush()
      if (index === 10) await until('some are sent', () => delivery(sink).sent > 0, host)
      if (index === 10) await server.kill('SIGKILL')
      if (index === 20) await until('it is told', () => sink.health().lastError !== undefined, host)
      if (index === 25) await server.run()
    }
    await until('all sent', () => delivery(sink).sent === batches * records, host)
    const odd = Buffer.from(exchanges(9000, 3).bytes).toString().replace('"event":{"sequence":9001}', '"event":{"sequence":"no number"}')
    sink.write({ bytes: Buffer.from(odd), count: 3, kinds: [3, 0, 0, 0, 0, 0], outputs: 1 })
    await until('through', () => delivery(sink).refused === 1 && delivery(sink).waitingRecords === 0, host)
    await sink.close()
    assertAddsUp(sink)
    const rows = await server.query('SELECT "event.sequence", "http.request.header" FROM lintel', 'lintel')
    const numbers = rows.map(row => Number(row.get('event.sequence'))).sort((a, b) => a - b)
    assert.deepEqual(numbers, [...Array.from({ length: batches * records }, (_, index) => index), 9000, 9002])
    const hostile = rows.map(row => (JSON.parse(row.get('http.request.header') as string) as Record<string, string[]>)['x-hostile']).filter(value => value !== undefined)
    assert.deepEqual(hostile, Array.from({ length: batches + 1 }, () => HOSTILE))
    const letters = readFileSync(join(folder, 'killed', 'spool', 'dead-letters.ndjson'), 'utf8').trimEnd().split('\n')
    assert.equal(letters.length, 1)
    assert.match(letters[0] as string, /"reason":"400 bad request: .*field type conflict.*","record":.*"no number"/)
  } finally {
    await server.kill()
  }
})

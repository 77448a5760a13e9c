/** All records of the captures to a real InfluxDB 1.8 by the interface of v2, read back by its query API. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { engine } from './testing/engine-folder.ts'
import { hostileLine, influxRoundTrip } from './testing/influx-round-trip.ts'
import { InfluxServer } from './testing/influx-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-influxdb-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.env['LINTEL_TEST_INFLUX'] = 'any:any'

test('InfluxDB 1.8 by /api/v2/write: every record is one point, equal field by field, hostile ones too', async context => {
  if (!hasCorpora(context)) return
  const lines = renumbered([hostileLine(), ...await corpusLines()])
  const server = await InfluxServer.start(engine('influxd'), folder)
  try {
    await influxRoundTrip(server, folder, { api: 'v2', org: 'any', bucket: 'lintel/autogen', token: { env: 'LINTEL_TEST_INFLUX' } }, lines)
    context.diagnostic(`${lines.length} records`)
  } finally {
    await server.kill()
  }
})

/** All records of the captures, and those of a live run, to a real InfluxDB 1.8 by the interface of v2, read back by its query API. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { renumbered } from '../store/testing/renumbered.ts'
import { engine } from './testing/engine-folder.ts'
import { hostileLine, influxRoundTrip } from './testing/influx-round-trip.ts'
import { InfluxServer } from './testing/influx-server.ts'
import { SOURCES } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-influxdb-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.env['LINTEL_TEST_INFLUX'] = 'any:any'

for (const source of SOURCES) {
  test(`InfluxDB 1.8 by /api/v2/write: ${source.name}: each is one point, equal field by field, hostile ones too`, async context => {
    const found = await source.lines(context)
    if (found === undefined) return
    const lines = renumbered([hostileLine(), ...found])
    const place = join(folder, String(found.length))
    const server = await InfluxServer.start(engine('influxd'), place)
    try {
      await influxRoundTrip(server, place, { api: 'v2', org: 'any', bucket: 'lintel/autogen', token: { env: 'LINTEL_TEST_INFLUX' } }, lines)
      context.diagnostic(`${lines.length} records`)
    } finally {
      await server.kill()
    }
  })
}

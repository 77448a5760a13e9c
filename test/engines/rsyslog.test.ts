/** Some records of real captures, and hostile ones, to a real rsyslogd, as syslog with each of its bodies and as JSON lines, and read back from its file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { rsyslogRoundTrip, WAYS } from './testing/rsyslog-round-trip.ts'
import { CAPTURES } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-rsyslog-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const COUNT = 2000

for (const way of WAYS) {
  test(`rsyslog by ${way.name}: every record arrives once, equal, hostile ones too`, async context => {
    const all = await CAPTURES.lines(context)
    if (all === undefined) return
    const chosen = Array.from({ length: COUNT }, (_, index) => all[Math.floor(index * all.length / COUNT)] as string)
    await rsyslogRoundTrip(join(folder, way.name), way, chosen)
  })
}

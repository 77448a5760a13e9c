/** The exchanges of a live run, to a real rsyslogd, as syslog and as JSON lines, and read back from its file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { rsyslogRoundTrip, WAYS } from './testing/rsyslog-round-trip.ts'
import { LIVE } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-rsyslog-'))
after(() => rmSync(folder, { recursive: true, force: true }))

for (const way of WAYS) {
  test(`rsyslog by ${way.name}: ${LIVE.name}: each arrives once, equal`, async context => {
    const lines = await LIVE.lines(context)
    if (lines !== undefined) await rsyslogRoundTrip(join(folder, way.name), way, lines)
  })
}

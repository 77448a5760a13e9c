/** Records of real captures, and hostile ones, to a real rsyslogd, and read back from its file. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exchanges, openOutput, until } from '../../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { batchesOf } from '../store/testing/stored.ts'
import { freePort } from './testing/free-port.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-rsyslog-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const COUNT = 2000

test('rsyslog: every record arrives once, equal, hostile ones too', async context => {
  if (!hasCorpora(context)) return
  const captured = await corpusLines()
  const forged = Buffer.from(exchanges(0, 1).bytes).toString().trimEnd()
  const lines = [forged, ...Array.from({ length: COUNT - 1 }, (_, index) => captured[Math.floor(index * captured.length / COUNT)] as string)]
  const port = await freePort()
  const [config, kept] = [join(folder, 'rsyslog.conf'), join(folder, 'kept')]
  writeFileSync(config, `global(workDirectory="${folder}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="all" type="string" string="%structured-data% %msg%\\n")
action(type="omfile" file="${kept}" template="all")
`)
  const server = spawn('rsyslogd', ['-n', '-f', config, '-i', join(folder, 'pid')], { stdio: 'ignore' })
  const host = new RecordingHost()
  const sink = openOutput({ type: 'syslog', url: `tcp://127.0.0.1:${port}`, spool: { path: join(folder, 'spool') }, batch: { age: '10ms' }, retry: { max_wait: '50ms' } }, host)
  try {
    for (const batch of batchesOf(lines)) sink.write(batch)
    await until('all kept', () => existsSync(kept) && readFileSync(kept, 'utf8').split('\n').length > COUNT, host)
  } finally {
    await sink.close()
    server.kill()
    await new Promise(resolve => { server.on('exit', resolve) })
  }
  const found = readFileSync(kept, 'utf8').trimEnd().split('\n').map(line => /^\[lintel@32473 id="([^"]+)"\] ?(.*)$/s.exec(line) ?? assert.fail(line))
  assert.equal(new Set(found.map(([, id]) => id)).size, COUNT)
  assert.deepEqual(found.map(([, , body]) => body), lines)
})

/** Records of real captures, and hostile ones, to a real rsyslogd, as syslog and as JSON lines, and read back from its file. */
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
let captured: Promise<readonly string[]> | undefined

/** @param template of a line in its file @param type of the output, and keys of it */
async function keptOf(template: string, type: string, more: Record<string, unknown> = {}): Promise<{ lines: string[], found: string[] }> {
  captured ??= corpusLines()
  const all = await captured
  const forged = Buffer.from(exchanges(0, 1).bytes).toString().trimEnd()
  const lines = [forged, ...Array.from({ length: COUNT - 1 }, (_, index) => all[Math.floor(index * all.length / COUNT)] as string)]
  const port = await freePort()
  const [config, kept] = [join(folder, `${type}.conf`), join(folder, type)]
  writeFileSync(config, `global(workDirectory="${folder}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="all" type="string" string="${template}\\n")
action(type="omfile" file="${kept}" template="all")
`)
  const server = spawn('rsyslogd', ['-n', '-f', config, '-i', join(folder, `${type}.pid`)], { stdio: 'ignore' })
  const host = new RecordingHost()
  const sink = openOutput({
    type, url: `tcp://127.0.0.1:${port}`, spool: { path: join(folder, `spool-${type}`) }, batch: { age: '10ms' }, retry: { max_wait: '50ms' }, ...more,
  }, host)
  try {
    for (const batch of batchesOf(lines)) sink.write(batch)
    await until('all kept', () => existsSync(kept) && readFileSync(kept, 'utf8').split('\n').length > COUNT, host)
  } finally {
    await sink.close()
    server.kill()
    await new Promise(resolve => { server.on('exit', resolve) })
  }
  return { lines, found: readFileSync(kept, 'utf8').trimEnd().split('\n') }
}

/** Id and line of each. */
function assertKept(found: readonly string[], form: RegExp, lines: readonly string[]): void {
  const parts = found.map(line => form.exec(line) ?? assert.fail(line))
  assert.equal(new Set(parts.map(([, id]) => id)).size, lines.length)
  assert.deepEqual(parts.map(([, , body]) => body), lines)
}

test('rsyslog by syslog: every record arrives once, equal, hostile ones too', async context => {
  if (!hasCorpora(context)) return
  const { lines, found } = await keptOf('%structured-data% %msg%', 'syslog')
  assertKept(found, /^\[lintel@32473 id="([^"]+)"\] ?(.*)$/s, lines)
})

test('rsyslog by JSON lines: every record arrives once, equal, hostile ones too', async context => {
  if (!hasCorpora(context)) return
  const { lines, found } = await keptOf('%rawmsg%', 'logstash', { format: 'json_lines' })
  assertKept(found.map(line => line.replace(/^(\{"id":"[^"]+")(?:,"@timestamp":"[^"]+")?,/, '$1 {')), /^\{"id":"([^"]+)" (.*)$/s, lines)
})

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exchanges, openOutput } from '../../../src/sink/exporters/exporter.suite.ts'
import { accepts } from '../../gateway/testing/gateway.ts'
import { Running } from '../../gateway/testing/process.ts'
import { freePort } from './free-port.ts'
import { grown } from './grown.ts'
import { PATIENT, sendAll } from './send-all.ts'

/** How rsyslogd is spoken to, and what it keeps. */
interface Way {
  /** Of a line in its file. */
  readonly template: string
  /** Of the output, with keys of it. */
  readonly options: Readonly<Record<string, unknown>> & { readonly type: string }
  /** Id and line in a line of its file. */
  readonly form: RegExp
  /** Brings a line of its file to that form. */
  plain?(line: string): string
}

export const WAYS: readonly Way[] = [
  { template: '%structured-data% %msg%', options: { type: 'syslog' }, form: /^\[lintel@32473 id="([^"]+)"\] ?(.*)$/s },
  {
    template: '%rawmsg%', options: { type: 'logstash', format: 'json_lines' }, form: /^\{"id":"([^"]+)" (.*)$/s,
    plain: line => line.replace(/^(\{"id":"[^"]+")(?:,"@timestamp":"[^"]+")?,/, '$1 {'),
  },
]

/** Sends the lines, and hostile ones, through a real rsyslogd into a file: each stands there once, equal, in order. */
export async function rsyslogRoundTrip(folder: string, { template, options, form, plain = line => line }: Way, captured: readonly string[]): Promise<void> {
  const lines = [Buffer.from(exchanges(0, 1).bytes).toString().trimEnd(), ...captured]
  mkdirSync(folder)
  const port = await freePort()
  const [config, kept] = [join(folder, 'rsyslog.conf'), join(folder, 'kept')]
  writeFileSync(config, `global(workDirectory="${folder}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="all" type="string" string="${template}\\n")
action(type="omfile" file="${kept}" template="all")
`)
  const server = new Running('rsyslogd', ['-n', '-f', config, '-i', join(folder, 'pid')])
  try {
    await server.until(() => accepts(String(port)), 'listening port')
    const spool = { path: join(folder, 'spool') }
    await sendAll(host => openOutput({ ...options, url: `tcp://127.0.0.1:${port}`, spool, ...PATIENT, batch: { age: '10ms' } }, host), lines)
    await grown('lines of rsyslogd', lines.length, () => existsSync(kept) ? lineEnds(readFileSync(kept)) : 0)
  } finally {
    await server.stop()
  }
  const parts = readFileSync(kept, 'utf8').trimEnd().split('\n').map(line => form.exec(plain(line)) ?? assert.fail(line))
  assert.equal(new Set(parts.map(([, id]) => id)).size, lines.length)
  assert.deepEqual(parts.map(([, , body]) => body), lines)
}

function lineEnds(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++
  return count
}

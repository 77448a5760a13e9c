import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exchanges, openOutput } from '../../../src/sink/exporters/exporter.suite.ts'
import { assertInSchema, assertTells, type Json } from '../../../src/sink/exporters/testing/ocsf-checker.ts'
import { readCef, readLeef } from '../../../src/sink/exporters/testing/siem-readers.ts'
import { accepts } from '../../gateway/testing/gateway.ts'
import { Running } from '../../gateway/testing/process.ts'
import { START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'
import { grown } from './grown.ts'
import { PATIENT, sendAll } from './send-all.ts'

/** How rsyslogd is spoken to, and what it keeps. */
interface Way {
  readonly name: string
  /** Of a line in its file. */
  readonly template: string
  /** Of the output, with keys of it. */
  readonly options: Readonly<Record<string, unknown>> & { readonly type: string }
  /** Id and line in a line of its file. */
  readonly form: RegExp
  /** Brings a line of its file to that form. */
  plain?(line: string): string
  /** That the body of a line of its file tells of this record; none = it is the record. */
  assertTells?(body: string, id: string, record: string): void
}

const SYSLOG = { template: '%structured-data% %msg%', form: /^\[lintel@32473 id="([^"]+)"\] ?(.*)$/s }

/** Headers are what a forger has: each must stand in the one field that holds what has no key. */
function assertHeaders(rest: string | undefined, record: string): void {
  const headers = (text: string): unknown[] => {
    const { http } = JSON.parse(text) as { http?: { request?: { header?: unknown }, response?: { header?: unknown } } }
    return [http?.request?.header, http?.response?.header]
  }
  assert.deepEqual(headers(rest ?? ''), headers(record))
}

export const WAYS: readonly Way[] = [
  { ...SYSLOG, name: 'syslog', options: { type: 'syslog' } },
  {
    ...SYSLOG, name: 'syslog, cef', options: { type: 'syslog', format: 'cef' },
    assertTells(body, id, record) {
      const { head, keys } = readCef(body)
      assert.deepEqual([...head.slice(0, 3), keys.get('externalId')], ['CEF:0', 'Lintel', 'lintel', id])
      assertHeaders(keys.get('cs1'), record)
    },
  },
  {
    ...SYSLOG, name: 'syslog, leef', options: { type: 'syslog', format: 'leef' },
    assertTells(body, id, record) {
      const { head, keys } = readLeef(body)
      assert.deepEqual([...head.slice(0, 3), keys.get('id')], ['LEEF:2.0', 'Lintel', 'lintel', id])
      assertHeaders(keys.get('record'), record)
    },
  },
  {
    ...SYSLOG, name: 'syslog, ocsf', options: { type: 'syslog', format: 'ocsf' },
    assertTells(body, id, record) {
      const event = JSON.parse(body) as Json
      assert.equal((event['metadata'] as Json)['uid'], id)
      assertInSchema(event)
      assertTells(event, JSON.parse(record) as Json)
    },
  },
  {
    name: 'logstash', template: '%rawmsg%', options: { type: 'logstash', format: 'json_lines' }, form: /^\{"id":"([^"]+)" (.*)$/s,
    plain: line => line.replace(/^(\{"id":"[^"]+")(?:,"@timestamp":"[^"]+")?,/, '$1 {'),
  },
]

/** Sends the lines, and hostile ones, through a real rsyslogd into a file: each stands there once, equal, in order. */
export async function rsyslogRoundTrip(folder: string, { template, options, form, plain = line => line, assertTells: check }: Way, captured: readonly string[]): Promise<void> {
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
    await server.until(() => accepts(String(port)), 'listening port', START_MS_MAX)
    const spool = { path: join(folder, 'spool') }
    await sendAll(host => openOutput({ ...options, url: `tcp://127.0.0.1:${port}`, spool, ...PATIENT, batch: { age: '10ms' } }, host), lines)
    await grown('lines of rsyslogd', lines.length, () => existsSync(kept) ? lineEnds(readFileSync(kept)) : 0)
  } finally {
    await server.stop()
  }
  const parts = readFileSync(kept, 'utf8').trimEnd().split('\n').map(line => form.exec(plain(line)) ?? assert.fail(line))
  assert.equal(new Set(parts.map(([, id]) => id)).size, lines.length)
  if (check === undefined) assert.deepEqual(parts.map(([, , body]) => body), lines)
  else for (const [index, [, id = '', body = '']] of parts.entries()) check(body, id, lines[index] as string)
}

function lineEnds(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++
  return count
}

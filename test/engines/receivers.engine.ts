/** Records of captures and of a live run, and hostile ones, to the Collector's receiver of Fluent forward, and to Elastic's server of Lumberjack. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { exchanges, openOutput, range, until } from '../../src/sink/exporters/exporter.suite.ts'
import { makeCertificates } from '../../src/sink/exporters/testing/certificates.ts'
import type { Sink } from '../../src/sink/mod.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { GoReceiver } from './testing/go-receiver.ts'
import { grown } from './testing/grown.ts'
import { PATIENT, sendAll } from './testing/send-all.ts'
import { CAPTURES, LIVE, type Source } from './testing/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-receivers-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

/** Of a source, and hostile ones. */
async function linesOf(source: Source, context: TestContext): Promise<readonly string[] | undefined> {
  const lines = await source.lines(context)
  return lines === undefined ? undefined : [Buffer.from(exchanges(0, 1).bytes).toString().trimEnd(), ...lines]
}

function open(options: Record<string, unknown>, host: RecordingHost): Sink {
  const spool = { path: join(folder, `spool-${number++}`) }
  const shared = { spool, ...PATIENT, batch: { records: 500, age: '10ms' }, retry: { max_wait: '100ms' } }
  return openOutput({ ...shared, ...options }, host)
}

const HEAD = /^\{"id":"([0-9a-f]{16}-\d+)"(?:,"@timestamp":"([^"]*)")?,?/

/** Texts of the records, without what the output put in front, and their ids. */
function untagged(events: readonly string[]): { lines: string[], ids: Set<string> } {
  const ids = new Set<string>()
  const lines = events.map(event => {
    const [head = '', id = '', time] = HEAD.exec(event) ?? assert.fail(event)
    ids.add(id)
    if (time !== undefined) assert.equal((JSON.parse(event) as { time: string }).time, time)
    return `{${event.slice(head.length)}`
  })
  return { lines, ids }
}

for (const [more, source] of [[{}, CAPTURES], [{ compression: 'none' }, CAPTURES], [{ tls: true }, CAPTURES], [{}, LIVE]] as const) {
  test(`go-lumber by logstash ${JSON.stringify(more)}: ${source.name}: each is there, byte for byte`, async context => {
    const lines = await linesOf(source, context)
    if (lines === undefined) return
    const files = 'tls' in more ? makeCertificates(folder, 'lumber', 'IP:127.0.0.1') : undefined
    const server = await GoReceiver.start('lumber', join(folder, `lumber-${number}`), files === undefined ? [] : [files.cert, files.key])
    try {
      const options = files === undefined ? { ...more, url: `tcp://${server.address}` } : { url: `tls://${server.address}`, tls: { ca: files.ca } }
      await sendAll(host => open({ type: 'logstash', ...options }, host), lines)
      const found = untagged(server.lines())
      assert.deepEqual(found.lines, lines)
      assert.equal(found.ids.size, lines.length)
      context.diagnostic(`${lines.length} records`)
    } finally {
      await server.stop()
    }
  })
}

test('go-lumber killed and started again, many times: everything is there, a batch at most twice for each kill', async context => {
  const file = join(folder, 'killed')
  const server = await GoReceiver.start('lumber', file)
  const [kills, records] = [10, 5000]
  try {
    const host = new RecordingHost()
    const sink = open({ type: 'logstash', url: `tcp://${server.address}`, batch: { records: 100, age: '10ms' } }, host)
    for (let kill = 0; kill < kills; kill++) {
      const before = existsSync(file) ? statSync(file).size : 0
      sink.write(exchanges(kill * records, records))
      await until('the first of them arrive', () => existsSync(file) && statSync(file).size > before, host)
      await server.stop('SIGKILL')
      await server.run()
    }
    await until('all sent', () => sink.health().delivery?.sent === kills * records, host)
    await sink.close()
    const events = server.lines().map(line => JSON.parse(line) as { id: string, event: { sequence: number } })
    const unique = new Map(events.map(event => [event.id, event.event.sequence]))
    assert.deepEqual([...unique.values()], range(0, kills * records))
    assert.ok(events.length - unique.size <= kills * 100, `${events.length - unique.size} twice`)
    assert.match(host.logs.join('\n'), /works again/, 'a kill fell within a batch')
    context.diagnostic(`${events.length} events of ${unique.size} records`)
  } finally {
    await server.stop()
  }
})

interface FluentLine { readonly tag: string, readonly nanoseconds: string, readonly record: Record<string, unknown>, readonly body: unknown }

/** As an EventTime has it: seconds of 32 bits, the last of them for what is beyond. */
function nanoseconds(time: string): string {
  const [, seconds, fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(time) as unknown as [string, string, string?]
  return BigInt(`${Math.min(Date.parse(`${seconds}Z`) / 1000, 0xffff_ffff)}${fraction.padEnd(9, '0')}`).toString()
}

for (const [compression, source] of [['none', CAPTURES], ['gzip', CAPTURES], ['gzip', LIVE]] as const) {
  test(`the Collector by fluent, compression ${compression}: ${source.name}: each is there, field by field`, async context => {
    const lines = await linesOf(source, context)
    if (lines === undefined) return
    const server = await GoReceiver.start('fluent', join(folder, `fluent-${number}`))
    try {
      await sendAll(host => open({ type: 'fluent', compression, url: `tcp://${server.address}` }, host), lines)
      await grown('records of the Collector', lines.length, () => server.lines().length)
      const found = server.lines().map(line => JSON.parse(line) as FluentLine)
      const ids = new Set(found.map(({ record }) => record['id']))
      for (const [index, { tag, nanoseconds: at, record, body }] of found.entries()) {
        const { id: _, ...rest } = record
        const expected = JSON.parse(lines[index] as string) as { time: string }
        assert.deepEqual(body === null || body === '' ? rest : { ...rest, message: body }, expected) // "message" is the Collector's name for a body
        assert.deepEqual([tag, at], ['lintel', nanoseconds(expected.time)])
      }
      assert.deepEqual([found.length, ids.size], [lines.length, lines.length])
      context.diagnostic(`${lines.length} records`)
    } finally {
      await server.stop()
    }
  })
}

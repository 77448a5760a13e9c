import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { SafeBatch } from './batch.ts'
import { ChosenFieldsSink } from './chosen-fields.ts'
import { FileSink } from './file.ts'
import { openSink, type SinkOptions } from './registry.ts'
import type { SinkHost } from './sink.ts'
import { makeBatch, RecordingHost, sinkSuite } from './sink.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-chosen-fields-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function open(host: SinkHost, leftOut: readonly string[], queueBytesMax = 8 * 1024 * 1024): { sink: ChosenFieldsSink, path: string } {
  const path = join(folder, `${number++}.ndjson`)
  const options = {
    path, mode: 0o600, rotateBytes: 2 ** 40, rotateMs: 2 ** 31 - 1, keepFiles: 1000, keepBytes: 2 ** 40, compress: true, queueBytesMax,
  }
  return { path, sink: new ChosenFieldsSink(leftOut, host, own => new FileSink(options, own)) }
}

function batchOf(lines: readonly string[]): SafeBatch {
  return { bytes: Buffer.from(lines.map(line => `${line}\n`).join('')), count: lines.length, kinds: [lines.length, 0, 0, 0, 0, 0], outputs: 1 }
}

async function written(lines: readonly string[], leftOut: readonly string[]): Promise<string> {
  const host = new RecordingHost()
  const { sink, path } = open(host, leftOut)
  const batch = batchOf(lines)
  sink.write(batch)
  await sink.close()
  assert.deepEqual(host.fates, [{ batch, written: lines.length, reason: undefined }])
  return readFileSync(path, 'utf8')
}

sinkSuite('chosen fields', async host => {
  const { sink, path } = open(host, ['pad'])
  return { sink, collect: async () => readFileSync(path, 'utf8') }
})

test('fields that are left out are cut out of every line, their empty groups with them', async () => {
  const line = '{"kind":"exchange","url":{"path":"/a","query":"x=1"},"http":{"request":{"method":"GET","header":{"host":["a"]}}},"user_agent":{"original":"c"}}'
  assert.equal(await written([line, line], ['url.query', 'http.request.header', 'user_agent.original']),
    '{"kind":"exchange","url":{"path":"/a"},"http":{"request":{"method":"GET"}}}\n'.repeat(2))
  assert.equal(await written(['{"kind":"exchange"}', line], ['kind', 'url.path', 'url.query', 'http.request.method', 'http.request.header', 'user_agent.original']), '{}\n{}\n')
})

test('a line in another form than the encoder\'s loses the same, and one that is very long', async () => {
  const long = 'x'.repeat(5 * 1024 * 1024)
  assert.equal(await written(['{ "kind": "exchange", "url": {"path": "/a", "query": "x"} }', `{"kind":"exchange","url":{"path":"${long}","query":"y"}}`, '{"kind":"exchange","url":{"query":"z"}}'],
    ['url.query', 'missing.field']), `{"kind":"exchange","url":{"path":"/a"}}\n{"kind":"exchange","url":{"path":"${long}"}}\n{"kind":"exchange"}\n`)
})

test('a batch that does not fit into the queue is dropped whole, and settled as the one that was given', () => {
  const host = new RecordingHost()
  const { sink } = open(host, ['kind'], 100)
  const batches = [makeBatch(0, 20), makeBatch(20, 20), makeBatch(40, 20)]
  for (const batch of batches) sink.write(batch)
  assert.deepEqual(host.fates.map(({ batch }) => batch), host.fates.map((_, index) => batches[index + 3 - host.fates.length]))
  assert.ok(host.fates.length > 0 && host.fates.every(({ written: count, reason }) => count === 0 && reason !== undefined))
})

test('an output that leaves fields out is not opened by one who does not say which', () => {
  const options = { type: 'stdout', fields: { exclude: ['url.query'] } } as unknown as SinkOptions
  assert.throws(() => openSink(options, new RecordingHost()), /which fields it leaves out was not said/)
})

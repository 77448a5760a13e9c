import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { makeBatch, RecordingHost, sinkSuite } from './sink.suite.ts'
import { StdoutSink } from './stdout.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-stdout-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

sinkSuite('stdout', async host => {
  const path = join(folder, `${number++}`)
  const stream = createWriteStream(path)
  return {
    sink: new StdoutSink(host, stream),
    collect: async () => {
      stream.end()
      await once(stream, 'finish')
      return readFileSync(path, 'utf8')
    },
  }
})

test('a slow reader gets everything the queue holds; what comes over that is dropped whole and named', async () => {
  const reader = spawn('sh', ['-c', 'read line; sleep 0.3; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const host = new RecordingHost()
  const sink = new StdoutSink(host, reader.stdin, 512 * 1024)
  const got = text(reader.stdout)
  for (let index = 0; index < 200; index++) sink.write(makeBatch(index * 10, 10, 1000))
  await sink.close()
  reader.stdin.end()
  const lines = (await got).split('\n').slice(0, -1)
  const health = sink.health()
  assert.deepEqual([...health.droppedRecords.keys()], ['reader too slow'])
  // The first line was taken by `read`.
  assert.equal(lines.length + 1, health.writtenRecords)
  assert.equal(health.writtenRecords + (health.droppedRecords.get('reader too slow') ?? 0), 2000)
  for (const line of lines) JSON.parse(line)
})

test('a reader that goes away ends the sink as an ordinary end', async () => {
  const reader = spawn('true', { stdio: ['pipe', 'ignore', 'inherit'] })
  const host = new RecordingHost()
  const sink = new StdoutSink(host, reader.stdin)
  await once(reader, 'exit')
  for (let index = 0; index < 50; index++) sink.write(makeBatch(index, 1, 10_000))
  await sink.flush()
  await sink.close()
  assert.deepEqual(host.endings, [undefined])
  assert.deepEqual(host.reasons, ['reader gone'])
  assert.equal(host.fates.length, 50)
  sink.write(makeBatch(0, 1))
  assert.equal(host.fates.length, 51)
})

test('a full disk behind standard output ends the sink with an error that names it', async () => {
  const stream = createWriteStream('', { fd: openSync('/dev/full', 'w') })
  const host = new RecordingHost()
  const sink = new StdoutSink(host, stream)
  sink.write(makeBatch(0, 3))
  await sink.flush()
  await sink.close()
  assert.match(host.endings[0] ?? '', /Cannot write to standard output: ENOSPC/)
  assert.deepEqual(host.fates.map(({ written, reason }) => ({ written, reason })), [{ written: 0, reason: 'standard output: ENOSPC' }])
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RecordingHost } from '../sink.suite.ts'
import { delivery, exchanges, exporterSuite, openOutput, range, until } from './exporter.suite.ts'
import { Receiver } from './testing/receiver.ts'
import { OK, read, SPLUNK_HECS } from './testing/subjects/splunk-hec.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-splunk-'))
after(() => rmSync(folder, { recursive: true, force: true }))
for (const subject of SPLUNK_HECS) exporterSuite(subject)

function options(url: string, name: string): Record<string, unknown> {
  return {
    type: 'splunk_hec', url, token: { env: 'LINTEL_TEST_HEC' }, index: 'main', acknowledge: true, acknowledge_within: '300ms',
    spool: { path: join(folder, name) }, batch: { records: 20, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '50ms',
  }
}

test('splunk_hec: what the indexers do not acknowledge is not delivered, and is sent again', async () => {
  const kept: number[] = []
  let isIndexing = false
  const receiver = await Receiver.start(request => {
    kept.push(...read(request).map(({ number }) => number))
    return request.path.endsWith('/ack') ? { status: 200, body: JSON.stringify({ acks: { 7: isIndexing } }) } : { status: 200, body: '{"code":0,"ackId":7}' }
  })
  const host = new RecordingHost()
  const sink = openOutput(options(receiver.url, 'not-indexed'), host)
  sink.write(exchanges(0, 10))
  await until('it is told', () => sink.health().lastError !== undefined, host)
  assert.match(sink.health().lastError as string, /has taken a batch that its indexers have not acknowledged in time/)
  assert.equal(delivery(sink).sent, 0)
  isIndexing = true
  await until('all sent', () => delivery(sink).sent === 10, host)
  await sink.close()
  await receiver.kill()
  assert.deepEqual([...new Set(kept)], range(0, 10))
  assert.ok(kept.length >= 20)
})

test('splunk_hec: a question for an acknowledgement that fails does not send the batch again', async () => {
  let [questions, kept] = [0, 0]
  const receiver = await Receiver.start(request => {
    kept += read(request).length
    if (!request.path.endsWith('/ack')) return { status: 200, body: '{"code":0,"ackId":0}' }
    return questions++ === 0 ? { status: 503 } : { status: 200, body: '{"acks":{"0":true}}' }
  })
  const host = new RecordingHost()
  const sink = openOutput({ ...options(receiver.url, 'asked'), acknowledge_within: '1m' }, host)
  sink.write(exchanges(0, 10))
  await until('all sent', () => delivery(sink).sent === 10, host)
  await sink.close()
  await receiver.kill()
  assert.deepEqual([questions, kept], [2, 10])
})

test('splunk_hec: a token without acknowledgement, and a wrong index, hold back and say what to look at', async () => {
  for (const [said, expected] of [
    [OK, /without an ackId; is indexer acknowledgement on for this token/],
    [{ status: 400, body: '{"text":"Incorrect index","code":7,"invalid-event-number":1}' }, /answers 400 \(.*Incorrect index.*\); look at token, index and acknowledge/],
  ] as const) {
    const receiver = await Receiver.start(() => said)
    const host = new RecordingHost()
    const sink = openOutput(options(receiver.url, `held-${said.status}`), host)
    sink.write(exchanges(0, 5))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, expected)
    await sink.close()
    await receiver.kill()
    assert.deepEqual([delivery(sink).waitingRecords, delivery(sink).refused], [5, 0])
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MILLISECOND, RecordedTable } from './testing/recorded-table.ts'

test('an answer that the capture shows before what it answers comes after it, with its own time', () => {
  const t = new RecordedTable().handshake()
  t.server('PA', 5001, 'answer', { acknowledgement: 1004 }).client('PA', 1001, 'ask', { acknowledgement: 5001 })
  assert.deepEqual(t.log, ['1.0 ask', '1.1 answer'])
  assert.deepEqual(t.times.map((time) => time / MILLISECOND), [5, 4])
  assert.equal(t.count('out_of_order'), 0)
  assert.equal(t.close(), 0)
})

test('each answer waits for its own question, also when several are held', () => {
  const t = new RecordedTable().handshake()
  t.server('PA', 5001, 'A1', { acknowledgement: 1003 }).server('PA', 5003, 'A2', { acknowledgement: 1005 })
  assert.deepEqual(t.log, [])
  t.client('PA', 1001, 'Q1', { acknowledgement: 5001 })
  assert.deepEqual(t.log, ['1.0 Q1', '1.1 A1'])
  t.client('PA', 1003, 'Q2', { acknowledgement: 5003 })
  assert.deepEqual(t.log, ['1.0 Q1', '1.1 A1', '1.0 Q2', '1.1 A2'])
  assert.equal(t.close(), 0)
})

test('what was asked and never captured is a gap before its answer, after eight more packets', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'answer', { acknowledgement: 1101 })
  for (let packet = 0; packet < 8; packet++) {
    assert.deepEqual(t.log, [])
    t.client('A', 1101, '', { acknowledgement: 5007 })
  }
  assert.deepEqual(t.log, ['1.0 gap 99 unseen', '1.1 answer'])
  assert.equal(t.close(), 0)
})

test('the time alone brings the answer out as well, and so does the end', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'answer', { acknowledgement: 1101 })
  t.table.tick(t.now + 600 * MILLISECOND)
  assert.deepEqual(t.log, ['1.0 gap 99 unseen', '1.1 answer'])
  const ended = new RecordedTable().handshake().server('PA', 5001, 'answer', { acknowledgement: 1101 })
  assert.equal(ended.close(), 0)
  assert.deepEqual(ended.log.slice(0, 2), ['1.0 gap 99 unseen', '1.0 end shutdown'])
  assert.equal(ended.log[2], '1.1 answer')
  assert.equal(t.close(), 0)
})

test('an answer to one byte more may be one to a FIN, and does not wait', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'ask').server('PA', 5001, 'answer', { acknowledgement: 1005 })
  assert.deepEqual(t.log, ['1.0 ask', '1.1 answer'])
  assert.equal(t.close(), 0)
})

test('two sides that each claim to answer the other do not wait for ever', () => {
  const t = new RecordedTable().handshake()
  t.server('PA', 5001, 'answer', { acknowledgement: 1101 }).client('PA', 1001, 'ask', { acknowledgement: 5101 })
  assert.equal(t.log[0], '1.0 ask')
  assert.equal(t.close(), 0)
  assert.ok(t.log.includes('1.1 answer'))
})

test('bytes that wait for a question are bounded as all held bytes are', () => {
  const t = new RecordedTable({ limits: { bufferBytesMax: 4096 } }).handshake()
  for (let index = 0; index < 100; index++) t.server('PA', 5001 + 100 * index, 'x'.repeat(100), { acknowledgement: 2001 })
  assert.ok(t.log.filter((entry) => entry.startsWith('1.1 x')).length > 50)
  assert.equal(t.close(), 0)
})

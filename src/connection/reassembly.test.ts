import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MILLISECOND, RecordedTable } from './testing/recorded-table.ts'

const numbered = (record: number): { tag: number; record: number } => ({ tag: 7, record })

test('segments out of order come out in order, with the times of their packets', () => {
  const t = new RecordedTable().handshake().client('PA', 1005, 'ef').client('PA', 1003, 'cd').client('PA', 1001, 'ab')
  assert.deepEqual(t.log, ['1.0 ab', '1.0 cd', '1.0 ef'])
  assert.deepEqual(t.times.map((time) => time / MILLISECOND), [6, 5, 4])
  assert.equal(t.count('out_of_order'), 2)
  assert.equal(t.close(), 0)
})

test('streams go on past sequence number 2^32, in order and out of order', () => {
  const t = new RecordedTable().handshake(0xfffffffc, 0x7ffffffe)
  t.client('PA', 0xfffffffd, 'abcdef').client('PA', 5, 'ij').client('PA', 3, 'gh')
  t.server('PA', 0x7fffffff, 'xy').server('PA', 0x80000003, 'cd').server('PA', 0x80000001, 'ab')
  assert.deepEqual(t.log, ['1.0 abcdef', '1.0 gh', '1.0 ij', '1.1 xy', '1.1 ab', '1.1 cd'])
  assert.equal(t.close(), 0)
})

test('repeated bytes are not given twice', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'abcd').client('PA', 1001, 'abcd').client('PA', 1003, 'cdef')
  t.client('PA', 1002, 'b')
  assert.deepEqual(t.log, ['1.0 abcd', '1.0 ef'])
  assert.equal(t.count('retransmitted'), 2)
  assert.equal(t.count('trimmed'), 1)
  assert.equal(t.close(), 0)
})

test('of two segments for the same bytes the first one received wins, and the contradiction is counted', () => {
  const t = new RecordedTable().handshake().client('PA', 1003, 'CD').client('PA', 1001, 'abcdef')
  assert.deepEqual(t.log, ['1.0 ab', '1.0 CD', '1.0 ef'])
  assert.equal(t.count('overlap_differs'), 1)
  const same = new RecordedTable().handshake().client('PA', 1003, 'cd').client('PA', 1002, 'bcde').client('PA', 1001, 'a')
  assert.deepEqual(same.log.join(''), '1.0 a1.0 b1.0 cd1.0 e')
  assert.equal(same.count('overlap_same'), 1)
  assert.equal(same.count('overlap_differs'), 0)
  assert.equal(t.close() + same.close(), 0)
})

test('a segment that covers many held ones fills only the holes between them', () => {
  const t = new RecordedTable().handshake().client('A', 1002, 'B').client('A', 1004, 'D').client('A', 1006, 'F').client('A', 1001, 'abcdefg')
  assert.equal(t.log.map((entry) => entry.slice(4)).join(''), 'aBcDeFg')
  assert.equal(t.count('overlap_differs'), 1)
  assert.equal(t.close(), 0)
})

test('a held segment sent again is a retransmission', () => {
  const t = new RecordedTable().handshake().client('PA', 1003, 'cd').client('PA', 1003, 'cd')
  assert.equal(t.count('retransmitted'), 1)
  assert.equal(t.count('out_of_order'), 1)
  assert.equal(t.close(), 0)
})

test('a hole whose record number never comes is lost after 64 later records', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0))
  for (let record = 2; record <= 64; record++) t.client('PA', 1001 + record, 'x', { ...numbered(record), time: t.now + 1000 })
  assert.deepEqual(t.log, ['1.0 a'])
  t.client('PA', 1066, 'x', { ...numbered(65), time: t.now + 1000 })
  assert.equal(t.log[1], '1.0 gap 1 lost')
  assert.equal(t.log.length, 2 + 64)
  assert.equal(t.count('records_lost'), 1)
  assert.equal(t.close(), 0)
})

test('a hole whose record number is missing for 50 ms is lost, at the next packet or tick', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0)).client('PA', 1004, 'c', numbered(2))
  assert.equal(t.tick(40).log.length, 1)
  assert.deepEqual(t.tick(15).log, ['1.0 a', '1.0 gap 2 lost', '1.0 c'])
  t.client('PA', 1006, 'e', numbered(4)).server('A', 5001, '', { time: t.now + 60 * MILLISECOND })
  assert.deepEqual(t.log.slice(3), ['1.0 gap 1 lost', '1.0 e'])
  assert.equal(t.close(), 0)
})

test('a record that another CPU overtook fills its hole', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0)).client('PA', 1003, 'c', numbered(2)).client('PA', 1002, 'b', numbered(1))
  assert.deepEqual(t.tick(1000).log, ['1.0 a', '1.0 b', '1.0 c'])
  assert.equal(t.count('records_lost'), 0)
  assert.equal(t.close(), 0)
})

test('a hole without a missing record waits: the packet was late before the kernel saw it', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0)).client('PA', 1003, 'c', numbered(1)).tick(300)
  assert.deepEqual(t.log, ['1.0 a'])
  t.client('PA', 1002, 'b', numbered(2))
  assert.deepEqual(t.log, ['1.0 a', '1.0 b', '1.0 c'])
  assert.equal(t.close(), 0)
})

test('of two holes only the one with a lost record between its neighbours is lost', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0)).client('PA', 1003, 'c', numbered(2)).client('PA', 1005, 'e', numbered(3))
  assert.deepEqual(t.tick(60).log, ['1.0 a', '1.0 gap 1 lost', '1.0 c'])
  t.client('PA', 1004, 'd', numbered(4))
  assert.deepEqual(t.log.slice(3), ['1.0 d', '1.0 e'])
  assert.equal(t.close(), 0)
})

test('a lost record that carried no bytes makes no gap', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', numbered(0)).client('PA', 1002, 'b', numbered(2)).tick(100)
    .server('A', 5001, '', { acknowledgement: 1004 })
  for (let i = 0; i < 20; i++) t.server('A', 5001, '', { acknowledgement: 1004 })
  assert.deepEqual(t.tick(10_000).log, ['1.0 a', '1.0 b'])
  assert.equal(t.close(), 0)
  assert.equal(t.count('records_lost'), 1)
  assert.deepEqual(t.log.slice(2), ['1.0 end shutdown', '1.1 end shutdown'])
})

test('a hole that the peer has acknowledged is unseen after a few more packets, not at once', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'ab').server('PA', 5005, 'ef')
  t.client('A', 1001, '', { acknowledgement: 5007 })
  assert.deepEqual(t.log, ['1.1 ab'])
  for (let i = 0; i < 7; i++) t.client('A', 1001, '', { acknowledgement: 5007 })
  assert.deepEqual(t.log, ['1.1 ab'])
  t.client('A', 1001, '', { acknowledgement: 5007 })
  assert.deepEqual(t.log, ['1.1 ab', '1.1 gap 2 unseen', '1.1 ef'])
  assert.equal(t.close(), 0)
})

test('an acknowledgement captured before its data makes no gap', () => {
  const t = new RecordedTable().handshake().client('A', 1001, '', { acknowledgement: 5003 }).server('PA', 5001, 'ab')
  for (let i = 0; i < 20; i++) t.client('A', 1001, '', { acknowledgement: 5003 })
  assert.deepEqual(t.log, ['1.1 ab'])
  assert.equal(t.close(), 0)
})

test('bytes at the end of a stream that only the acknowledgement shows are unseen, the last one left open for a FIN', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'ab').client('A', 1001, '', { acknowledgement: 5011 }).tick(600)
  t.tick(600)
  assert.deepEqual(t.log, ['1.1 ab', '1.1 gap 7 unseen'])
  t.server('PA', 5011, 'kl')
  t.client('A', 1001, '', { acknowledgement: 5013 }).tick(600).tick(6000)
  assert.equal(t.log.slice(2).join(), '1.1 gap 1 unseen,1.1 kl')
  assert.equal(t.close(), 0)
})

test('one forged acknowledgement far ahead loses nothing', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'ab').client('A', 1001, '', { acknowledgement: 900_000 })
  for (let i = 0; i < 20; i++) t.server('PA', 5003 + i, String(i % 10)).client('A', 1001, '', { acknowledgement: 5004 + i })
  assert.equal(t.log.length, 21)
  assert.equal(t.count('bytes_lost'), 0)
  assert.equal(t.close(), 0)
})

test('a hole that nothing explains is given up after waitMsMax', () => {
  const t = new RecordedTable().handshake().client('PA', 1003, 'cd').tick(4900)
  assert.deepEqual(t.log, [])
  assert.deepEqual(t.tick(200).log, ['1.0 gap 2 bound', '1.0 cd'])
  t.client('PA', 1001, 'ab')
  assert.equal(t.count('retransmitted'), 1)
  assert.equal(t.close(), 0)
})

test('a hole before a FIN is waited for like any other', () => {
  const t = new RecordedTable().handshake().client('FA', 1004).tick(6000)
  assert.deepEqual(t.log, ['1.0 gap 3 bound', '1.0 end fin'])
  assert.equal(t.close(), 0)
})

test('bytes that the capture cut off are a gap', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'abcdef', { captured: 4 }).client('PA', 1007, 'gh')
  assert.deepEqual(t.log, ['1.0 abcd', '1.0 gap 2 cut', '1.0 gh'])
  const held = new RecordedTable().handshake().client('PA', 1003, 'cdef', { captured: 1 }).client('PA', 1001, 'ab').client('PA', 1001, '0123', { captured: 0 })
  assert.deepEqual(held.log, ['1.0 ab', '1.0 c', '1.0 gap 3 cut'])
  assert.equal(t.count('gaps_cut'), 1)
  assert.equal(t.close() + held.close(), 0)
})

test('what is held at the end of the capture goes out with its gaps, in the order of the connections', () => {
  const t = new RecordedTable().handshake().client('PA', 1003, 'cd').server('PA', 5001, 'x')
  const other = { from: { address: '10.0.0.9', port: 5 }, to: { address: '10.0.0.2', port: 80 } }
  t.send({ ...other, flags: 'S', sequence: 0 }).send({ ...other, flags: 'PA', sequence: 4, payload: 'z' })
  assert.equal(t.close(), 0)
  assert.deepEqual(t.log, ['1.1 x', '1.0 gap 2 bound', '1.0 cd', '1.0 end shutdown', '1.1 end shutdown',
    '2.0 end shutdown', '2.1 gap 3 bound', '2.1 z', '2.1 end shutdown'])
})

test('a segment further ahead than any window is not of the stream', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a').client('PA', 1002 + 2 ** 30 + 5, 'forged').client('PA', 1002, 'b')
  assert.deepEqual(t.log, ['1.0 a', '1.0 b'])
  assert.equal(t.count('sequence_implausible'), 1)
  const scaled = new RecordedTable().client('S', 1000, '', { windowScale: 7 }).server('SA', 5000, '', { acknowledgement: 1001, windowScale: 7 })
  scaled.client('PA', 1001, 'a').client('PA', 1002 + 2 ** 27, 'forged')
  assert.equal(scaled.count('sequence_implausible'), 1)
  assert.equal(t.close() + scaled.close(), 0)
})

test('four segments in a row that fit each other but not the stream are a new connection whose SYN was missed', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'old')
  for (let i = 0; i < 6; i++) t.client('PA', 0xc0000000 + i * 2, `n${i}`)
  assert.deepEqual(t.log, ['1.0 old', '1.0 end replaced', '1.1 end replaced', '2.0 n3', '2.0 n4', '2.0 n5'])
  assert.equal(t.controls[1]!.fromStart, false)
  assert.equal(t.close(), 0)
})

test('the urgent pointer takes nothing out of the stream', () => {
  const t = new RecordedTable().handshake().client('PAU', 1001, 'abc')
  assert.deepEqual(t.log, ['1.0 abc'])
  assert.equal(t.close(), 0)
})

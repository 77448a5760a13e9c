import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT, RecordedTable, SERVER } from './testing/recorded-table.ts'

test('a handshake makes streams that begin at their first byte, and names the client', () => {
  const t = new RecordedTable().handshake()
  assert.deepEqual(t.log, [])
  t.client('PA', 1001, 'GET /', { acknowledgement: 5001 }).server('PA', 5001, '200', { acknowledgement: 1006 })
  assert.deepEqual(t.log, ['1.0 GET /', '1.1 200'])
  assert.equal(t.controls[0]!.fromStart, true)
  assert.equal(t.controls[0]!.client, 0)
  assert.equal(t.close(), 0)
})

test('FIN of both sides ends both streams once', () => {
  const t = new RecordedTable().handshake()
  t.client('PA', 1001, 'a').client('FA', 1002, '').server('PA', 5001, 'b').server('FA', 5002).client('A', 1003)
  assert.deepEqual(t.log, ['1.0 a', '1.0 end fin', '1.1 b', '1.1 end fin'])
  t.client('FA', 1002).server('FA', 5002)
  assert.equal(t.log.length, 4)
  assert.equal(t.count('late_packets'), 3)
  assert.equal(t.close(), 0)
  assert.equal(t.log.length, 4)
})

test('one side may go on long after the other has ended', () => {
  const t = new RecordedTable().handshake().client('FPA', 1001, 'q')
  for (let i = 0; i < 5; i++) t.server('PA', 5001 + i, String(i))
  t.server('FA', 5006)
  assert.deepEqual(t.log, ['1.0 q', '1.0 end fin', '1.1 0', '1.1 1', '1.1 2', '1.1 3', '1.1 4', '1.1 end fin'])
  assert.equal(t.close(), 0)
})

test('a FIN with data ends the stream after the data', () => {
  const t = new RecordedTable().handshake().client('FPA', 1001, 'last')
  assert.deepEqual(t.log, ['1.0 last', '1.0 end fin'])
  assert.equal(t.close(), 0)
})

test('a FIN that overtakes data waits for them', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a').client('FA', 1003).client('PA', 1002, 'b')
  assert.deepEqual(t.log, ['1.0 a', '1.0 b', '1.0 end fin'])
  assert.equal(t.close(), 0)
})

test('data after a FIN are no part of the stream', () => {
  const t = new RecordedTable().handshake().client('FPA', 1001, 'a').client('PA', 1002, 'smuggled')
  assert.deepEqual(t.log, ['1.0 a', '1.0 end fin'])
  assert.equal(t.count('data_after_fin'), 1)
  const early = new RecordedTable().handshake().client('PA', 1004, 'xyz').client('FA', 1005).client('PA', 1001, 'abc')
  assert.deepEqual(early.log, ['1.0 abc', '1.0 x', '1.0 end fin'])
  assert.equal(early.count('data_after_fin'), 1)
  assert.equal(t.close() + early.close(), 0)
})

test('a SYN sent again opens nothing new', () => {
  const t = new RecordedTable().client('S', 1000).client('S', 1000).server('SA', 5000, '', { acknowledgement: 1001 })
  t.server('SA', 5000, '', { acknowledgement: 1001 }).client('PA', 1001, 'x', { acknowledgement: 5001 }).client('S', 1000)
  assert.deepEqual(t.log, ['1.0 x'])
  assert.equal(t.count('retransmitted'), 3)
  assert.equal(t.table.size, 1)
  assert.equal(t.close(), 0)
})

test('a SYN/ACK alone tells both first bytes and the client', () => {
  const t = new RecordedTable().server('SA', 5000, '', { acknowledgement: 1001 }).client('PA', 1003, 'cd').client('PA', 1001, 'ab')
  assert.deepEqual(t.log, ['1.0 ab', '1.0 cd'])
  assert.equal(t.controls[0]!.fromStart, true)
  assert.equal(t.controls[0]!.client, 0)
  assert.equal(t.close(), 0)
})

test('a SYN and what follows without the SYN/ACK is one connection', () => {
  const t = new RecordedTable().client('S', 1000).client('PA', 1001, 'ab').server('PA', 5001, 'cd')
  assert.deepEqual(t.log, ['1.0 ab', '1.1 cd'])
  t.tick(40_000)
  assert.equal(t.table.size, 1)
  assert.equal(t.close(), 0)
})

test('a simultaneous open is one connection, its client the first to speak', () => {
  const t = new RecordedTable().client('S', 1000).server('S', 5000)
    .client('SA', 1000, '', { acknowledgement: 5001 }).server('SA', 5000, '', { acknowledgement: 1001 })
    .client('PA', 1001, 'a', { acknowledgement: 5001 }).server('PA', 5001, 'b', { acknowledgement: 1002 })
  assert.deepEqual(t.log, ['1.0 a', '1.1 b'])
  assert.equal(t.controls[0]!.client, 0)
  assert.equal(t.close(), 0)
})

test('a split handshake does not turn client and server round', () => {
  const t = new RecordedTable().client('S', 1000).server('A', 5000, '', { acknowledgement: 1001 }).server('S', 5000)
    .client('SA', 1000, '', { acknowledgement: 5001 }).server('A', 5001, '', { acknowledgement: 1001 })
    .client('PA', 1001, 'a', { acknowledgement: 5001 }).server('PA', 5001, 'b', { acknowledgement: 1002 })
  assert.deepEqual(t.log, ['1.0 a', '1.1 b'])
  assert.equal(t.controls[0]!.client, 0)
  assert.equal(t.close(), 0)
})

test('a SYN/ACK that answers another SYN is counted and changes nothing', () => {
  const t = new RecordedTable().client('S', 1000).server('SA', 7000, '', { acknowledgement: 999_999 })
    .server('SA', 5000, '', { acknowledgement: 1001 }).client('PA', 1001, 'a', { acknowledgement: 5001 }).server('PA', 5001, 'b')
  assert.deepEqual(t.log, ['1.0 a', '1.1 b'])
  assert.equal(t.count('handshake_mismatch'), 1)
  assert.equal(t.close(), 0)
})

test('data in a SYN count once the peer has taken them', () => {
  const t = new RecordedTable().client('S', 1000, 'GET /')
  assert.deepEqual(t.log, [])
  t.server('SA', 5000, '', { acknowledgement: 1006 })
  assert.deepEqual(t.log, ['1.0 GET /'])
  t.client('PA', 1006, ' x')
  assert.deepEqual(t.log, ['1.0 GET /', '1.0  x'])
  assert.equal(t.close(), 0)
})

test('data in a SYN that the peer did not take are not what it got', () => {
  const t = new RecordedTable().client('S', 1000, 'EVIL!').server('SA', 5000, '', { acknowledgement: 1001 }).client('PA', 1001, 'GET /')
  assert.deepEqual(t.log, ['1.0 GET /'])
  assert.equal(t.count('syn_data_refused'), 1)
  const unseen = new RecordedTable().client('S', 1000, 'EVIL!').client('PA', 1001, 'GET /')
  assert.deepEqual(unseen.log, ['1.0 GET /'])
  assert.equal(t.close() + unseen.close(), 0)
})

test('data in a SYN count when the SYN/ACK was missed and the next data follow them', () => {
  const t = new RecordedTable().client('S', 1000, 'GET /').client('PA', 1006, ' x')
  assert.deepEqual(t.log, ['1.0 GET /', '1.0  x'])
  assert.equal(t.close(), 0)
})

test('without a handshake the first data of a side begin its stream', () => {
  const t = new RecordedTable().client('A', 700).client('PA', 777, 'GET /').server('PA', 99, 'ok')
  assert.deepEqual(t.log, ['1.0 GET /', '1.1 ok'])
  assert.equal(t.controls[0]!.fromStart, false)
  assert.equal(t.controls[0]!.client, undefined)
  assert.equal(t.count('late_join'), 1)
  assert.equal(t.count('stray'), 1)
  t.client('PA', 770, 'earlier')
  assert.equal(t.log.length, 2)
  assert.equal(t.count('retransmitted'), 1)
  assert.equal(t.close(), 0)
})

test('a keep-alive probe starts nothing and is no data', () => {
  const t = new RecordedTable().client('A', 776, '\0')
  assert.equal(t.table.size, 0)
  t.client('PA', 777, 'abc').server('PA', 50, 'x', { acknowledgement: 780 }).client('A', 779, '\0').client('A', 779)
  assert.deepEqual(t.log, ['1.0 abc', '1.1 x'])
  assert.equal(t.count('retransmitted'), 1)
  assert.equal(t.close(), 0)
})

test('another SYN on closed ports is another connection', () => {
  const t = new RecordedTable().handshake().client('FPA', 1001, 'a').server('FPA', 5001, 'b')
  t.handshake(9000, 7000).client('PA', 9001, 'c')
  assert.deepEqual(t.log, ['1.0 a', '1.0 end fin', '1.1 b', '1.1 end fin', '2.0 c'])
  assert.equal(t.count('replaced'), 0)
  assert.equal(t.close(), 0)
})

test('another SYN on a live connection replaces it once the peer has answered', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'old').client('S', 9000)
  assert.deepEqual(t.log, ['1.0 old'])
  t.server('SA', 7000, '', { acknowledgement: 9001 })
  assert.deepEqual(t.log, ['1.0 old', '1.0 end replaced', '1.1 end replaced'])
  t.client('PA', 9001, 'new').server('PA', 7001, 'yes')
  assert.deepEqual(t.log.slice(3), ['2.0 new', '2.1 yes'])
  assert.equal(t.controls[1]!.fromStart, true)
  assert.equal(t.count('replaced'), 1)
  assert.equal(t.close(), 0)
})

test('another SYN on a live connection replaces it when its data follow', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'old').client('S', 9000).client('PA', 9001, 'new')
  assert.deepEqual(t.log, ['1.0 old', '1.0 end replaced', '1.1 end replaced', '2.0 new'])
  assert.equal(t.close(), 0)
})

test('a forged SYN does not stop a live connection', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a').client('S', 123_456)
    .server('A', 5001, '', { acknowledgement: 1002 }).client('PA', 1002, 'b').server('PA', 5001, 'c', { acknowledgement: 1003 })
  assert.deepEqual(t.log, ['1.0 a', '1.0 b', '1.1 c'])
  assert.equal(t.count('syn_on_live'), 1)
  // The peer refuses the forged one.
  t.server('RA', 0, '', { acknowledgement: 123_457 }).client('PA', 1003, 'd')
  assert.deepEqual(t.log.slice(3), ['1.0 d'])
  assert.equal(t.close(), 0)
})

test('a SYN with another number takes the place of one that nobody answered', () => {
  const t = new RecordedTable().client('S', 1000).client('S', 2000).server('SA', 5000, '', { acknowledgement: 2001 }).client('PA', 2001, 'x')
  assert.deepEqual(t.log, ['2.0 x'])
  assert.equal(t.close(), 0)
})

test('the same ports the other way round, and IPv6, are connections of their own', () => {
  const t = new RecordedTable().handshake()
  const six = { from: { address: '2001:db8::1', port: 1 }, to: { address: '2001:db8::2', port: 2 } }
  t.send({ ...six, flags: 'S', sequence: 5 }).send({ from: six.to, to: six.from, flags: 'SA', sequence: 9, acknowledgement: 6 })
  t.send({ ...six, flags: 'PA', sequence: 6, payload: 'six' })
  t.send({ from: { ...CLIENT, port: SERVER.port }, to: { ...SERVER, port: CLIENT.port }, flags: 'PA', sequence: 1, payload: 'other' })
  assert.deepEqual(t.log, ['2.0 six', '3.0 other'])
  assert.equal(t.close(), 0)
})

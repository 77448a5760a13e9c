import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordedTable } from './testing/recorded-table.ts'

function established(): RecordedTable {
  return new RecordedTable().handshake().client('PA', 1001, 'ab', { acknowledgement: 5001, window: 1000 })
    .server('PA', 5001, 'cd', { acknowledgement: 1003, window: 1000 })
}

test('a RST at the expected number ends both streams', () => {
  const t = established().client('R', 1003)
  assert.deepEqual(t.log.slice(2), ['1.0 end reset', '1.1 end reset'])
  assert.equal(t.count('reset_ignored'), 0)
  assert.equal(t.close(), 0)
})

test('a RST inside of the window counts, one before it or far after it does not', () => {
  for (const [sequence, isValid] of [[1002, false], [500, false], [1003, true], [2000, true], [1003 + 1_000_000_000, false]] as const) {
    const t = established().client('R', sequence)
    assert.equal(t.log.length, isValid ? 4 : 2, `RST at ${sequence}`)
    assert.equal(t.count('reset_ignored'), isValid ? 0 : 1)
    if (!isValid) assert.equal(t.client('PA', 1003, 'ef').log[2], '1.0 ef')
    assert.equal(t.close(), 0)
  }
})

test('the data of a RST are no part of the stream', () => {
  const t = established().server('RA', 5003, 'go away')
  assert.deepEqual(t.log.slice(2), ['1.0 end reset', '1.1 end reset'])
  assert.equal(t.count('reset_with_data'), 1)
  assert.equal(t.close(), 0)
})

test('a RST after the FIN of its side ends the other side', () => {
  for (const sequence of [1003, 1004]) {
    const t = established().client('FA', 1003).client('R', sequence)
    assert.deepEqual(t.log.slice(2), ['1.0 end fin', '1.1 end reset'])
    assert.equal(t.close(), 0)
  }
})

test('what is held when a RST comes goes out first, with its gaps', () => {
  const t = established().server('PA', 5010, 'late').client('RA', 1003)
  assert.deepEqual(t.log.slice(2), ['1.0 end reset', '1.1 gap 7 bound', '1.1 late', '1.1 end reset'])
  assert.equal(t.close(), 0)
})

test('a RST that answers a SYN refuses the connection', () => {
  const closed: string[] = []
  const events = { closed: (_: unknown, cause: string) => { closed.push(cause) } }
  const t = new RecordedTable({ events }).client('S', 1000).server('RA', 0, '', { acknowledgement: 77 })
  assert.equal(t.count('reset_ignored'), 1)
  t.server('RA', 0, '', { acknowledgement: 1001 })
  assert.deepEqual(closed, ['refused'])
  assert.deepEqual(t.log, [])
  t.server('RA', 0, '', { acknowledgement: 1001 })
  assert.equal(t.count('late_packets'), 1)
  assert.equal(t.close(), 0)
  assert.deepEqual(closed, ['refused'])
})

test('a client that gives up before the answer resets, and data in its SYN never were', () => {
  const closed: string[] = []
  const events = { closed: (_: unknown, cause: string) => { closed.push(cause) } }
  const t = new RecordedTable({ events }).client('S', 1000, 'early').server('RA', 0, '', { acknowledgement: 1006 })
  assert.deepEqual(closed, ['refused'])
  assert.deepEqual(t.log, [])
  assert.equal(t.close(), 0)
})

test('a stray RST, FIN or ACK makes no connection', () => {
  const t = new RecordedTable().client('R', 1).client('FA', 1).client('A', 1)
  assert.equal(t.table.size, 0)
  assert.equal(t.count('stray'), 3)
  assert.equal(t.close(), 0)
})

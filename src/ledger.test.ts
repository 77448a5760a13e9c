import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addsUp, kindsSeen, outputLines, outputsLost, recordLedger, recordsOff, statsLine, totalsLine, type Stats, type Totals } from './ledger.ts'

const STATS: Totals = {
  uptimeMs: 61_000,
  packets: {
    seen: 100, delivered: 60, notWanted: new Map([['port', 25], ['no_payload', 10]]), lost: new Map([['ring_full', 5]]), bytesDelivered: 9000, bytesCut: 12,
  },
  tlsSessions: new Map(),
  records: { seen: 20, logged: 12, filtered: 3, sampled: 1, dropped: new Map([['disk full', 3], ['queue full', 1]]), queued: 0 },
  kinds: new Map([['exchange', 20]]),
  anomalies: new Map([['bare_lf', 2]]),
  connectionsOpen: 4,
  connectionsShare: 1,
  failures: 0,
  known: true,
  outputs: [{ name: 'stdout', queuedBytes: 0, queuedRecords: 0, writtenRecords: 12, writtenBytes: 1200, droppedRecords: new Map() }],
}

test('totalsLine() adds up, by reason, the largest first', () => {
  assert.equal(addsUp(STATS), true)
  assert.equal(totalsLine(STATS), 'totals after 1m1s: records seen 20 = logged 12 + filtered 3 + sampled 1 + dropped 4 (disk full 3, queue full 1); ' +
    'packets seen 100 = delivered 60 + not wanted 35 (port 25, no_payload 10) + lost 5 (ring_full 5); adds up')
})

test('totalsLine() says by how much it does not add up', () => {
  const wrong = { ...STATS, records: { ...STATS.records, seen: 21, queued: 2 } }
  assert.equal(addsUp(wrong), false)
  assert.equal(recordsOff(wrong.records), -1)
  assert.match(totalsLine(wrong), /DOES NOT ADD UP \(records off by -1, packets by 0, 2 still queued\)$/)
  const tlsCalls = { ...STATS.packets, seen: 7, delivered: 4, notWanted: new Map([['ignored', 1]]), lost: new Map() }
  assert.equal(addsUp({ ...STATS, tlsCalls }), false)
  assert.match(totalsLine({ ...STATS, tlsCalls }), /TLS calls seen 7 = delivered 4 .*packets by 0, TLS calls by 2, 0 still queued\)$/)
  const tlsSessions = new Map([['opened', 2], ['other_end', 0], ['bytes_lost', 9]])
  assert.match(totalsLine({ ...STATS, tlsSessions }), /; TLS sessions opened 2, bytes_lost 9; adds up$/)
})

test('statsLine() gives the rate since the line before, and what hinders an output', () => {
  const before = { ...STATS, uptimeMs: 51_000, records: { ...STATS.records, seen: 15 } }
  const now = { ...STATS, outputs: [{ ...STATS.outputs[0] as Stats['outputs'][number], lastError: 'Cannot write' }] }
  assert.match(statsLine(now, before), /^stats 1m1s: 0\.5 records\/s; .* 4 connections open, 0 records \(0 bytes\) queued; stdout: Cannot write$/)
})

test('recordLedger() adds up while batches are between the threads, whichever side is ahead', () => {
  const dropped = new Map([['memory limit reached', 2]])
  const worker = { seen: 58, emitted: 50, emittedKinds: [50, 0, 0, 0], filtered: 5, sampled: 1, dropped }
  const outlets = { taken: 40, takenKinds: [40, 0, 0, 0], logged: 28, dropped: new Map([['disk full', 4]]), unkept: 2, queued: 6 }
  const behind = recordLedger([worker, worker], outlets, false)
  assert.equal(recordsOff(behind), 0)
  assert.equal(behind.queued, 6 + 60)
  assert.equal(behind.filtered, 12, 'what only outputs have that keep nothing was not wanted by the others')
  const ahead = recordLedger([{ ...worker, seen: 38, emitted: 30 }], outlets, false)
  assert.equal(recordsOff(ahead), 0)
  assert.equal(ahead.queued, 6)
  assert.equal(recordsOff(recordLedger([{ ...worker, seen: 59 }], outlets, false)), 1, 'a record that a worker lost is noticed')
  assert.deepEqual(ahead.dropped, new Map([['disk full', 4], ['memory limit reached', 2]]))
})

test('kindsSeen() sums up to the records seen, whichever side is ahead; at the end it hides nothing', () => {
  const kinds = new Map([['exchange', 33], ['connection', 5], ['packet', 0], ['anomaly', 0]])
  const worker = { seen: 38, emitted: 30, emittedKinds: [28, 2, 0, 0], filtered: 5, sampled: 1, dropped: new Map([['memory limit reached', 2]]) }
  for (const takenKinds of [[34, 5, 0, 1], [28, 2, 0, 0], [20, 1, 0, 0]]) {
    const taken = takenKinds.reduce((sum, count) => sum + count)
    const outlets = { taken, takenKinds, logged: taken, dropped: new Map<string, number>(), unkept: 0, queued: 0 }
    const seen = [...kindsSeen(kinds, worker, outlets, false).values()].reduce((sum, count) => sum + count)
    assert.equal(seen, recordLedger([worker], outlets, false).seen)
    assert.deepEqual(kindsSeen(kinds, worker, outlets, true), kinds)
  }
})

test('recordLedger() hides no mismatch at the end: records beyond the last figures of the worker show', () => {
  const worker = { seen: 30, emitted: 30, emittedKinds: [30, 0, 0, 0], filtered: 0, sampled: 0, dropped: new Map<string, number>() }
  const outlets = { taken: 40, takenKinds: [40, 0, 0, 0], logged: 40, dropped: new Map<string, number>(), unkept: 0, queued: 0 }
  const records = recordLedger([worker], outlets, true)
  assert.equal(recordsOff(records), -10)
  assert.match(totalsLine({ ...STATS, records }), /DOES NOT ADD UP \(records off by -10/)
})

test('totals after a capture that broke are not known, whatever they sum up to', () => {
  const broken = { ...STATS, known: false }
  assert.equal(addsUp(broken), false)
  assert.match(totalsLine(broken), /the totals are NOT KNOWN: the capture broke after these figures$/)
})

test('an output that lost records has a line of its own; a reader that left took what it wanted', () => {
  const [output] = STATS.outputs as [Stats['outputs'][number]]
  const full = { ...STATS, outputs: [output, { ...output, name: 'file:x', writtenRecords: 14, droppedRecords: new Map([['disk full', 26]]) }] }
  assert.deepEqual(outputLines(full), ['output file:x: written 14, dropped 26 (disk full 26)'])
  assert.match(statsLine(full), /; output file:x: written 14, dropped 26/)
  assert.equal(outputsLost(full), true)
  const gone = { ...STATS, outputs: [{ ...output, droppedRecords: new Map([['reader gone', 3]]) }] }
  assert.deepEqual([outputLines(gone).length, outputsLost(gone), outputsLost(STATS)], [1, false, false])
})

/** While user space cannot keep up, the kernel reads a share of the connections, whole ones (settings.admit_below). */
import assert from 'node:assert/strict'

import { EVENT_LEFT, EVENT_SEGMENT, FLAG_MIDSTREAM } from '../../src/capture/events.gen.ts'
import { ACK, PSH } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench } from './testing/program-bench.ts'
import { Talk } from './testing/talk.ts'

const DATA = ACK | PSH
const REQUEST = 'GET / HTTP/1.1\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\n\r\n'
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
const HEADERS = '\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84'
/** So few that none of the test's connections is among them. */
const NONE = 1 / 65536

function followed(bench: ProgramBench, port = 40000): Talk {
  const talk = new Talk(bench, port).handshake()
  talk.up(DATA, REQUEST)
  talk.down(DATA, RESPONSE)
  assert.equal(talk.records().length, 5)
  return talk
}

kernelTest('a new connection is not read, and counted', () => {
  using bench = new ProgramBench()
  bench.setAdmitted(NONE)
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  talk.down(DATA, RESPONSE)
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('overload'), 4, 'all but the bare acknowledgement, which costs nothing')
})

kernelTest('a followed connection is left where its next request begins, after the response under way', () => {
  using bench = new ProgramBench()
  const talk = followed(bench)
  talk.up(DATA, 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n')
  bench.setAdmitted(NONE)
  talk.up(DATA, 'body')
  talk.down(DATA, RESPONSE)
  assert.deepEqual(talk.records().map(({ kind }) => kind), [EVENT_SEGMENT, EVENT_SEGMENT, EVENT_SEGMENT])
  talk.up(DATA, REQUEST)
  const left = talk.records()
  assert.deepEqual(left.map(({ kind, data }) => [kind, data.length]), [[EVENT_LEFT, 0]])
  assert.notEqual(left[0]!.tag, 0)
  talk.down(DATA, RESPONSE)
  talk.up(DATA, REQUEST)
  assert.deepEqual(talk.records(), [])
  assert.equal(bench.counters().notWanted.get('overload'), 2)
})

kernelTest('once all are read again, a connection that was left comes back as one joined midway', () => {
  using bench = new ProgramBench()
  const talk = followed(bench)
  bench.setAdmitted(NONE)
  talk.up(DATA, REQUEST)
  const [left] = talk.records()
  talk.down(DATA, RESPONSE)
  bench.setAdmitted(1)
  talk.up(DATA, REQUEST)
  talk.down(DATA, RESPONSE)
  const records = talk.records()
  assert.deepEqual(records.map(({ kind, flags, number }) => [kind, flags & FLAG_MIDSTREAM, number]),
    [[EVENT_SEGMENT, FLAG_MIDSTREAM, 0], [EVENT_SEGMENT, FLAG_MIDSTREAM, 0]])
  assert.notEqual(records[0]!.tag, left!.tag)
})

kernelTest('HTTP/2, whose streams overlap, is left at once', () => {
  using bench = new ProgramBench()
  const talk = new Talk(bench).handshake()
  talk.up(DATA, PREFACE)
  talk.up(DATA, HEADERS)
  assert.ok(talk.records().length >= 5)
  bench.setAdmitted(NONE)
  talk.down(DATA, PREFACE.slice(24))
  assert.deepEqual(talk.records().map(({ kind }) => kind), [EVENT_LEFT])
  talk.up(DATA, HEADERS)
  assert.deepEqual(talk.records(), [])
})

kernelTest('of many connections the share that was asked for is read, and the same at each larger share', () => {
  using bench = new ProgramBench()
  const read = (share: number, first: number): Set<number> => {
    bench.setAdmitted(share)
    for (let index = 0; index < 1000; index++) new Talk(bench, first + index).up(2, '')
    return new Set(bench.records().map(({ sourcePort }) => sourcePort))
  }
  const half = read(0.5, 20_000)
  assert.ok(half.size > 400 && half.size < 600, `${half.size} of 1,000`)
  using other = new ProgramBench()
  other.setAdmitted(0.25)
  for (let index = 0; index < 1000; index++) new Talk(other, 20_000 + index).up(2, '')
  const quarter = new Set(other.records().map(({ sourcePort }) => sourcePort))
  assert.ok(quarter.size > 150 && quarter.size < 350, `${quarter.size} of 1,000`)
  assert.equal(quarter.difference(half).size, 0)
})

kernelTest('no room in the ring for the last record: the connection is left at its next message', () => {
  using bench = new ProgramBench({ ringBytes: 4096 })
  const talk = new Talk(bench).handshake()
  talk.up(DATA, REQUEST)
  talk.down(DATA, RESPONSE)
  bench.records()
  while ((bench.counters().lost.get('ring_full') ?? 0) === 0) talk.up(DATA, REQUEST)
  bench.setAdmitted(NONE)
  talk.up(DATA, REQUEST)
  bench.records()
  talk.up(DATA, REQUEST)
  assert.deepEqual(talk.records().map(({ kind }) => kind), [EVENT_LEFT])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordedTable } from './testing/recorded-table.ts'
import type { RecordedOptions } from './testing/recorded-table.ts'
import type { SegmentFields } from './testing/segment-builder.ts'

const KIB = 1024
const GIB = 1024 ** 3

/** Skips `bytes` of side 1 after the data `head`. */
function skipping(bytes: number, options: RecordedOptions = {}): RecordedTable {
  return new RecordedTable({
    ...options,
    onData: (control, side, text) => { if (side === 1 && text === 'head') control.skip(1, bytes) },
  }).handshake()
}

const tagged = (record: number): Partial<SegmentFields> => ({ tag: 9, record })

test('skipped bytes are not given, and the handler learns when they are past', () => {
  const t = skipping(4).server('PA', 5001, 'head').server('PA', 5005, 'bod').server('PA', 5008, 'yNEXT')
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.1 NEXT'])
  assert.equal(t.times[1], t.now)
  assert.equal(t.count('bytes_skipped'), 4)
  assert.equal(t.close(), 0)
})

test('a skip that ends with its packet is told with that packet', () => {
  const t = skipping(4).server('PA', 5001, 'head').server('PA', 5005, 'body')
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped'])
  assert.equal(t.close(), 0)
})

test('a skip of nothing is past at once', () => {
  const t = skipping(0).server('PA', 5001, 'head').server('PA', 5005, 'next')
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.1 next'])
  assert.equal(t.close(), 0)
})

test('skips follow each other', () => {
  let left = 3
  const t = skipping(2, { onSkipped: (control) => { if (left-- > 0) control.skip(1, 2) } })
  t.server('PA', 5001, 'head').server('PA', 5005, '11223344next')
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.1 skipped', '1.1 skipped', '1.1 skipped', '1.1 next'])
  assert.equal(t.close(), 0)
})

test('bytes that the source left out are no gap: a packet beyond the target, one at it, one across it', () => {
  const cases: [string, (t: RecordedTable) => RecordedTable][] = [
    ['at', (t) => t.server('PA', 5005 + 100 * KIB, 'next')],
    ['across', (t) => t.server('PA', 5005 + 100 * KIB - 3, 'xyznext', { skipped: 3 })],
    ['across, delivered whole', (t) => t.server('PA', 5005 + 100 * KIB - 3, 'xyznext')],
    ['empty, then at', (t) => t.server('PA', 5005, 'abc', { skipped: 3 }).server('PA', 5005 + 100 * KIB, 'next')],
  ]
  for (const [name, send] of cases) {
    const t = send(skipping(100 * KIB).server('PA', 5001, 'head'))
    assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.1 next'], name)
    assert.equal(t.count('bytes_lost'), 0, name)
    assert.equal(t.close(), 0)
  }
})

test('bytes missing after the target are a hole of their own', () => {
  const t = skipping(1000).server('PA', 5001, 'head').server('PA', 5005 + 1010, 'later')
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped'])
  t.server('PA', 5005 + 1000, 'next bytes')
  assert.deepEqual(t.log.slice(2), ['1.1 next bytes', '1.1 later'])
  assert.equal(t.close(), 0)
})

test('bytes left out without a skip are a cut gap', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'abcdef', { skipped: 4 })
  assert.deepEqual(t.log, ['1.1 gap 4 cut', '1.1 ef'])
  const part = skipping(2).server('PA', 5001, 'head').server('PA', 5005, '12345678', { skipped: 5 })
  assert.deepEqual(part.log, ['1.1 head', '1.1 skipped', '1.1 gap 3 cut', '1.1 678'])
  assert.equal(t.close() + part.close(), 0)
})

test('a directive goes to the source when it saves more than 4 KiB and the kernel knows the connection', () => {
  const large = skipping(10_000).server('PA', 5001, 'head', tagged(0))
  assert.deepEqual(large.directives, [`skip 9 1 ${5005 + 10_000}`])
  const more = large.server('PA', 5005, 'some', tagged(1))
  assert.deepEqual(more.directives.length, 1)
  const small = skipping(4096).server('PA', 5001, 'head', tagged(0))
  assert.deepEqual(small.directives, [])
  const file = skipping(10_000).server('PA', 5001, 'head')
  assert.deepEqual(file.directives, [])
  assert.equal(large.close() + small.close() + file.close(), 0)
})

test('a directive that would save little because the bytes are in hand already is not sent', () => {
  const t = new RecordedTable({ onData: (control, side, text) => { if (text.startsWith('head')) control.skip(side, 6000) } }).handshake()
  t.server('PA', 5005, 'x'.repeat(5000), tagged(1)).server('PA', 5001, 'head', tagged(0))
  assert.deepEqual(t.directives, [])
  assert.equal(t.count('bytes_skipped'), 5000)
  assert.equal(t.close(), 0)
})

test('a skip of many GiB goes by in directives of at most 1 GiB', () => {
  const bytes = 5 * GIB + 12_345
  const t = skipping(bytes).server('PA', 5001, 'head', tagged(0))
  let record = 1
  let at = 5005
  const end = 5005 + bytes
  for (let count = 0; at < end && count < 100; count++) {
    const until = Number(t.directives.at(-1)!.split(' ')[3])
    const step = (until - at % 2 ** 32 + 2 ** 32) % 2 ** 32
    assert.ok(step > 0 && step <= GIB, `step of ${step} bytes`)
    at += step
    // The source delivers the packet that crosses the directive's end.
    t.server('PA', (at - 2) % 2 ** 32, at === end ? 'zznext' : 'zzz', { skipped: 2, ...tagged(record++) })
    if (at < end) at += 1
  }
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.1 next'])
  assert.equal(t.count('bytes_lost'), 0)
  assert.equal(t.count('bytes_skipped'), bytes)
  assert.equal(t.close(), 0)
})

test('a FIN inside of a skip ends the stream', () => {
  const t = skipping(1000).server('PA', 5001, 'head').server('FA', 5105)
  assert.deepEqual(t.log, ['1.1 head', '1.1 end fin'])
  const exact = skipping(1000).server('PA', 5001, 'head').server('FA', 6005)
  assert.deepEqual(exact.log, ['1.1 head', '1.1 skipped', '1.1 end fin'])
  assert.equal(t.close() + exact.close(), 0)
})

test('the acknowledgement of the last skipped byte ends a skip whose packets never come', () => {
  const t = skipping(100 * KIB).server('PA', 5001, 'head', tagged(0)).client('PA', 1001, 'GET', { acknowledgement: 5005 + 100 * KIB, ...tagged(0) })
  assert.deepEqual(t.log, ['1.1 head', '1.1 skipped', '1.0 GET'])
  t.server('PA', 5005 + 100 * KIB, 'HTTP', tagged(1))
  assert.deepEqual(t.log.slice(3), ['1.1 HTTP'])
  assert.equal(t.close(), 0)
})

test('an acknowledged FIN that moved a skip one byte too far still ends the stream', () => {
  const t = skipping(1000).server('PA', 5001, 'head').client('A', 1001, '', { acknowledgement: 5106 }).server('FA', 5105)
  assert.deepEqual(t.log, ['1.1 head', '1.1 end fin'])
  assert.equal(t.close(), 0)
})

test('a skip asked for by the data of the other side takes what is held too', () => {
  const t = new RecordedTable({ onData: (control, side, text) => { if (side === 0 && text === 'go') control.skip(1, 6) } }).handshake()
  t.server('PA', 5001, 'ab').server('PA', 5007, 'ghIJ').client('PA', 1001, 'go')
  assert.deepEqual(t.log, ['1.1 ab', '1.0 go', '1.1 skipped', '1.1 IJ'])
  assert.equal(t.count('bytes_lost'), 0)
  assert.equal(t.close(), 0)
})

test('an ignored connection gives nothing but its ends', () => {
  const t = new RecordedTable({ onData: (control) => { control.ignore() } }).handshake()
  t.client('PA', 1001, 'abc', tagged(0)).client('PA', 1010, 'late', tagged(1)).server('PA', 5001, 'xyz', tagged(0)).client('PA', 1004, 'mid')
  assert.deepEqual(t.log, ['1.0 abc'])
  assert.deepEqual(t.directives, ['ignore 9'])
  t.client('FA', 4_000_000).server('FA', 5004)
  assert.deepEqual(t.log.slice(1), ['1.0 end fin', '1.1 end fin'])
  assert.equal(t.count('ignored'), 1)
  assert.equal(t.close(), 0)
})

test('ignoring while bytes are held gives them up', () => {
  const t = new RecordedTable({ onData: (control) => { control.ignore() } }).handshake().client('PA', 1005, 'held').client('PA', 1001, 'abc')
    .server('PA', 5009, 'held')
  assert.equal(t.table.space.heldBytes, 0)
  assert.deepEqual(t.log, ['1.0 abc'])
  assert.equal(t.close(), 0)
})

test('a connection that the kernel judged to be of no known protocol is never opened', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'SSH-2.0', { marks: 32, tag: 4, record: 3 }).server('PA', 5001, 'SSH')
  assert.deepEqual(t.log, [])
  assert.deepEqual(t.directives, [])
  assert.equal(t.count('not_http'), 1)
  t.client('FA', 1008).server('FA', 5004)
  assert.equal(t.close(), 0)
  assert.deepEqual(t.log, [])
})

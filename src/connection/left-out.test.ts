import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Side, StreamControl } from './stream.ts'
import { RecordedTable } from './testing/recorded-table.ts'
import type { RecordedOptions } from './testing/recorded-table.ts'
import type { SegmentFields } from './testing/segment-builder.ts'

const tagged = (record: number, more: Partial<SegmentFields> = {}): Partial<SegmentFields> => ({ tag: 9, record, ...more })

/** Says with the data `frame` of side 1 that the next `bytes` may stay away, and with `next` that nothing may. */
function awaiting(bytes: number): RecordedOptions {
  return {
    onData: (control: StreamControl, side: Side, text: string) => {
      if (side === 1) control.mayStayAway!(1, text === 'frame' ? bytes : 0)
    },
  }
}

function lossesOf(t: RecordedTable): number[] {
  return [t.count('bytes_lost'), t.count('gaps_cut'), t.count('gaps_unseen'), t.count('gaps_lost'), t.count('gaps_bound')]
}

const NO_LOSS = [0, 0, 0, 0, 0]

test('what the source says it left out is told as such, and is no loss', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'frame')
  // In front of the captured bytes of a packet; before it, in packets that never came; both.
  t.server('PA', 5006, 'xxxxnext', tagged(1, { skipped: 4, leftOut: 4 }))
  t.server('PA', 5114, 'after', tagged(2, { leftOut: 100 }))
  t.server('PA', 5219, 'xxend', tagged(3, { skipped: 2, leftOut: 102 }))
  assert.deepEqual(t.log, [
    '1.1 frame', '1.1 gap 4 left_out', '1.1 next', '1.1 gap 100 left_out', '1.1 after', '1.1 gap 102 left_out', '1.1 end',
  ])
  assert.deepEqual(lossesOf(t), NO_LOSS)
  assert.equal(t.count('bytes_left_out'), 206)
  assert.equal(t.close(), 0)
})

test('a packet without bytes tells what was left out up to its end', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'frame')
  t.server('PA', 5406, 'x'.repeat(50), tagged(1, { skipped: 50, leftOut: 450 }))
  assert.deepEqual(t.log, ['1.1 frame', '1.1 gap 450 left_out'])
  t.server('FA', 5466, 'xxxx', tagged(2, { skipped: 4, leftOut: 14 }))
  assert.deepEqual(t.log.slice(2), ['1.1 gap 14 left_out', '1.1 end fin'])
  assert.deepEqual(lossesOf(t), NO_LOSS)
  assert.equal(t.close(), 0)
})

test('what was left out is held until what comes before it is there, and bytes that came all the same win', () => {
  const t = new RecordedTable().handshake()
  t.server('PA', 5106, 'after', tagged(1, { leftOut: 80 }))
  t.server('PA', 5050, 'REAL', tagged(2))
  t.server('PA', 5001, 'x'.repeat(25), tagged(0))
  assert.deepEqual(t.log, [`1.1 ${'x'.repeat(25)}`, '1.1 gap 80 left_out', '1.1 after'])
  const real = new RecordedTable().handshake()
  real.server('PA', 5050, 'REAL', tagged(2)).server('PA', 5106, 'after', tagged(1, { leftOut: 80 })).server('PA', 5001, 'x'.repeat(25), tagged(0))
  assert.deepEqual(real.log.slice(1), ['1.1 gap 24 left_out', '1.1 REAL', '1.1 gap 52 left_out', '1.1 after'])
  assert.deepEqual(lossesOf(t), NO_LOSS)
  assert.deepEqual(lossesOf(real), NO_LOSS)
  assert.equal(t.close() + real.close(), 0)
})

test('bytes left out and given already are not told twice', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'frame0123456789')
  t.server('PA', 5016, 'after', tagged(1, { leftOut: 10 })).server('PA', 5001, 'frame', tagged(2, { leftOut: 0 }))
  assert.deepEqual(t.log, ['1.1 frame0123456789', '1.1 after'])
  assert.equal(t.count('bytes_left_out'), 0)
  assert.equal(t.close(), 0)
})

test('an acknowledgement of bytes that may stay away tells of no hole and holds no answer back; one beyond them does', () => {
  const t = new RecordedTable(awaiting(1000)).handshake().server('PA', 5001, 'frame', tagged(0))
  for (let at = 0; at < 40; at++) t.client('A', 1001, '', tagged(at, { acknowledgement: 5006 + 500 + at }))
  t.tick(60_000)
  t.client('PA', 1001, 'ask', tagged(40, { acknowledgement: 6006 }))
  assert.deepEqual(t.log, ['1.1 frame', '1.0 ask'])
  t.server('PA', 6006, 'next', tagged(1, { leftOut: 1000 }))
  assert.deepEqual(t.log.slice(2), ['1.1 gap 1000 left_out', '1.1 next'])
  assert.deepEqual(lossesOf(t), NO_LOSS)
  // Nothing was said of these: the acknowledgement tells of a hole.
  for (let at = 41; at < 80; at++) t.client('A', 1004, '', tagged(at, { acknowledgement: 6110 }))
  t.tick(60_000)
  assert.deepEqual(t.log.slice(4), ['1.1 gap 99 unseen'])
  assert.equal(t.close(), 0)
})

test('a lost record behind bytes that may stay away is a loss', () => {
  const t = new RecordedTable(awaiting(1000)).handshake().server('PA', 5001, 'frame', tagged(0))
  t.server('PA', 6106, 'later', tagged(2, { leftOut: 50 }))
  t.tick(60_000)
  assert.deepEqual(t.log, ['1.1 frame', '1.1 gap 1050 lost', '1.1 gap 50 left_out', '1.1 later'])
  assert.equal(t.count('bytes_lost'), 1050)
  assert.equal(t.close(), 0)
})

test('lengths that contradict each other are no leave to miss bytes', () => {
  const t = new RecordedTable().handshake().server('PA', 5001, 'frame')
  t.server('PA', 5006, 'xxxxnext', tagged(1, { skipped: 4, leftOut: 3 }))
  assert.deepEqual(t.log, ['1.1 frame', '1.1 gap 4 cut', '1.1 next'])
  t.server('PA', 5014, 'far', tagged(2, { leftOut: 2 ** 31 }))
  assert.equal(t.count('malformed'), 1)
  assert.equal(t.close(), 0)
})

test('the wish reaches the source with the connection\'s tag, and nothing is promised where there is none', () => {
  const answers: (boolean | undefined)[] = []
  const options: RecordedOptions = { onData: (control, _side, text) => { answers.push(control.leaveOut!(text === 'yes')) } }
  const t = new RecordedTable(options).handshake().client('PA', 1001, 'yes', tagged(0)).client('PA', 1004, 'no', tagged(1))
  const file = new RecordedTable(options).handshake().client('PA', 1001, 'yes')
  assert.deepEqual(t.directives, ['leave out 9 true', 'leave out 9 false'])
  assert.deepEqual(file.directives, [])
  assert.deepEqual(answers, [true, false, false])
  assert.equal(t.close() + file.close(), 0)
})

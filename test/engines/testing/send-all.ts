import assert from 'node:assert/strict'
import { RecordingHost } from '../../../src/sink/sink.suite.ts'
import type { Sink } from '../../../src/sink/mod.ts'
import { batchesOf } from '../../store/testing/stored.ts'

/** Of an output whose server may be slow, as all are on a busy machine: what is late is not sent again. */
export const PATIENT = { drain: '10m', timeout: '10m' } as const

/** Sends records through an output that `open` opens, to the last of them: all are sent, none is refused, nothing is told. */
export async function sendAll(open: (host: RecordingHost) => Sink, lines: readonly string[]): Promise<void> {
  const host = new RecordingHost()
  const sink = open(host)
  for (const batch of batchesOf(lines)) {
    sink.write(batch)
    await sink.flush()
  }
  await sink.close()
  const { sent, refused, waitingRecords } = sink.health().delivery as NonNullable<ReturnType<Sink['health']>['delivery']>
  assert.deepEqual({ sent, refused, waitingRecords, logs: host.logs }, { sent: lines.length, refused: 0, waitingRecords: 0, logs: [] })
}

/**
 * Captures that nobody of this project wrote, whole and damaged: none may throw, hang, leak or take memory out of proportion.
 *
 * Not asserted: how long a file takes. A replay that does not answer within half a minute counts as hanging.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CORPORA, hasCorpora, truthRows } from './testing/corpora.ts'
import type { Damage } from './testing/damage.ts'
import { replayBatch } from './testing/replay-batch.ts'
import type { ReplayJob, ReplayReport } from './testing/replay-child.ts'

/** Everything there is to write: each kind of record, each field. */
const EVERYTHING = { kinds: ['exchange', 'connection', 'packet', 'anomaly', 'handshake'], fields: ['*'], withoutRecords: true } as const
/** The file reader's window, and what a stage may hold whatever the file is like. */
const SHARED_BASE_BYTES = 2 * 1024 * 1024
/** Node, the compiled modules, the shared memory's fixed parts, and what the engine has not collected yet. */
const RESIDENT_BASE_BYTES = 400 * 1024 * 1024
const SNAP_LENGTHS = [54, 68, 96, 128, 256]

function faultsOf({ job, result, thrown, inputBytes, residentBytes }: ReplayReport): string[] {
  const name = `${job.path.slice(CORPORA.length + 1)}${job.damage === undefined ? '' : ` ${JSON.stringify(job.damage)}`}`
  if (result === undefined) return [`${name}: ${thrown}`]
  const { recordsOff, packetsOff, heldBytes, peakBytes } = result
  const faults: string[] = []
  if (recordsOff !== 0) faults.push(`record ledger off by ${recordsOff}`)
  if (packetsOff !== 0) faults.push(`packet ledger off by ${packetsOff}`)
  if (heldBytes !== 0) faults.push(`${heldBytes} bytes of shared memory not given back`)
  if (peakBytes > 10 * inputBytes + SHARED_BASE_BYTES) faults.push(`${peakBytes} bytes held at a time for a file of ${inputBytes}`)
  if (residentBytes > 10 * inputBytes + RESIDENT_BASE_BYTES) faults.push(`${residentBytes} bytes resident`)
  return faults.map((fault) => `${name}: ${fault}`)
}

interface Sum {
  files: number
  refused: number
  records: number
  packets: number
  peak: number
  resident: number
}

async function replayAll(jobs: readonly ReplayJob[]): Promise<Sum> {
  const faults: string[] = []
  const sum: Sum = { files: 0, refused: 0, records: 0, packets: 0, peak: 0, resident: 0 }
  for await (const report of replayBatch(jobs, EVERYTHING)) {
    faults.push(...faultsOf(report))
    sum.files++
    sum.refused += report.result?.refusal === undefined ? 0 : 1
    sum.records += report.result?.recordCount ?? 0
    sum.packets += report.result?.packets.seen ?? 0
    sum.peak = Math.max(sum.peak, report.result?.peakBytes ?? 0)
    sum.resident = Math.max(sum.resident, report.residentBytes)
  }
  assert.deepEqual(faults, [])
  assert.equal(sum.files, jobs.length)
  return sum
}

function show({ files, refused, records, packets, peak, resident }: Sum): string {
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
  return `${files} files (${refused} refused as no capture), ${packets} packets, ${records} records; at most ${mib(peak)} of shared `
    + `memory held, ${mib(resident)} resident`
}

/** Every `step`-th capture, damaged. */
function damagedJobs(step: number, start: number, damages: (index: number) => readonly Damage[]): ReplayJob[] {
  return truthRows().filter((_, index) => index % step === start)
    .flatMap((row, index) => damages(index).map((damage) => ({ path: `${CORPORA}/${row.file}`, damage })))
}

test('every capture is replayed with every record kind and field, its ledgers exact and its memory given back', async (context) => {
  if (!hasCorpora(context)) return
  const sum = await replayAll(truthRows().map((row) => ({ path: `${CORPORA}/${row.file}` })))
  context.diagnostic(show(sum))
  assert.ok(sum.records > 10_000, `only ${sum.records} records`)
})

test('captures cut to a snap length are replayed all the same', async (context) => {
  if (!hasCorpora(context)) return
  const sum = await replayAll(damagedJobs(4, 1, () => SNAP_LENGTHS.map((bytes): Damage => ({ kind: 'snap length', bytes }))))
  context.diagnostic(show(sum))
})

test('captures with flipped bytes, or that end anywhere, are replayed all the same', async (context) => {
  if (!hasCorpora(context)) return
  const sum = await replayAll(damagedJobs(3, 2, (index) => [
    { kind: 'flipped bytes', seed: index, count: 3 },
    { kind: 'flipped bytes', seed: index + 10_000, count: 100 },
    { kind: 'cut file', seed: index },
  ]))
  context.diagnostic(show(sum))
})

/**
 * Several workers that share the flows of a file say together what one says: every capture of the corpora is read by one, and by each of
 * two or of three (with LINTEL_FUZZ_ROUNDS above 1 of both).
 *
 * What may differ: `event.sequence` and `network.connection.id`, which workers give out in turns; the order of records of different
 * connections; and how the occurrences of an anomaly are spread over anomaly records (each worker tells its first), not their sum.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PacketCounters } from '../../src/capture/mod.ts'
import { CORPORA, hasCorpora, truthRows } from './testing/corpora.ts'
import type { LogRecord } from './testing/log-record.ts'
import { Replayer } from './testing/replay.ts'
import type { ReplayResult } from './testing/replay.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)
const KINDS = ['exchange', 'connection', 'handshake', 'websocket', 'packet', 'anomaly'] as const

function workers(count: number): Replayer[] {
  return Array.from({ length: count }, (_, index) => new Replayer({ kinds: KINDS, fields: ['*'], share: { index, count } }))
}

/** What must be the same of one worker and of several together. */
function said(results: readonly ReplayResult[]): unknown {
  return {
    records: results.flatMap(({ records }) => records).filter(({ kind }) => kind !== 'anomaly').map(withoutNumbers).sort(),
    anomalies: sums(results.flatMap(({ anomalies }) => [...anomalies])),
    packets: packetSums(results.map(({ packets }) => packets)),
    refusals: [...new Set(results.map(({ refusal }) => refusal))],
  }
}

function withoutNumbers(record: LogRecord): string {
  const { event, network, ...rest } = structuredClone(record) as unknown as Record<string, Record<string, unknown> | undefined>
  delete event?.['sequence']
  if (network !== undefined) delete network['connection']
  return JSON.stringify([event, network, rest])
}

function sums(counts: readonly (readonly [string, number])[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const [name, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) all[name] = (all[name] ?? 0) + count
  return all
}

function packetSums(all: readonly PacketCounters[]): unknown {
  const add = (of: (counters: PacketCounters) => number): number => all.reduce((total, each) => total + of(each), 0)
  return {
    seen: add(({ seen }) => seen), delivered: add(({ delivered }) => delivered),
    bytesDelivered: add(({ bytesDelivered }) => bytesDelivered), bytesCut: add(({ bytesCut }) => bytesCut),
    notWanted: sums(all.flatMap(({ notWanted }) => [...notWanted])), lost: sums(all.flatMap(({ lost }) => [...lost])),
  }
}

test('two or three workers say together what one says, of every capture', (context) => {
  if (!hasCorpora(context)) return
  const [alone] = workers(1) as [Replayer]
  const together = [workers(2), workers(3)]
  const faults: string[] = []
  let shared = 0
  for (const [index, { file }] of truthRows().entries()) {
    const path = `${CORPORA}/${file}`
    const expected = said([alone.run(path)])
    for (const group of ROUNDS > 1 ? together : [together[index % 2]!]) {
      const results = group.map((worker) => worker.run(path))
      for (const { recordsOff, packetsOff, heldBytes } of results) {
        if (recordsOff !== 0 || packetsOff !== 0 || heldBytes !== 0) faults.push(`${file}: off by ${recordsOff}, ${packetsOff}; ${heldBytes} held`)
      }
      if (results.filter(({ records }) => records.some(({ kind }) => kind !== 'anomaly')).length > 1) shared++
      try {
        assert.deepEqual(said(results), expected)
      } catch (error) {
        faults.push(`${file}, ${group.length} workers: ${(error as Error).message.slice(0, 1500)}`)
      }
    }
  }
  context.diagnostic(`${shared} times records came of more than one worker`)
  assert.deepEqual(faults, [])
  assert.ok(shared > 200, `only ${shared}`)
})

test('numbers of records and connections stand once among several workers', (context) => {
  if (!hasCorpora(context)) return
  const path = `${CORPORA}/zeek-btest/traces/http/bro.org.pcap`
  const records = workers(3).flatMap((worker) => worker.run(path).records) as unknown as {
    kind: string; event: { sequence: number; name?: string }; network?: { connection?: { id: number } }
  }[]
  const sequences = records.map(({ event }) => event.sequence)
  assert.ok(sequences.length > 100)
  assert.equal(new Set(sequences).size, sequences.length)
  const opened = records.filter(({ kind, event }) => kind === 'connection' && event.name === 'open').map(({ network }) => network?.connection?.id)
  assert.ok(opened.length > 3)
  assert.equal(new Set(opened).size, opened.length)
})

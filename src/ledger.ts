import type { PacketCounters } from './capture/source.ts'
import { type DeliveryHealth, type OutletCounts, PAGE_SLOW, type SinkHealth } from './sink/mod.ts'
import type { TallyFigures } from './tally-series.ts'
import { formatDuration } from '../lib/units/mod.ts'

/**
 * Records of a run, each in one place: `seen` equals `logged` + `filtered` + `sampled` + all of `dropped` + `queued`,
 * and `queued` is 0 at the end.
 */
export interface RecordLedger {
  seen: number
  /** One output at least has it. */
  logged: number
  /** Not wanted by the configuration: kind or filter. */
  filtered: number
  /** Left out by sampling. */
  sampled: number
  /** By reason, e.g. `disk full`, `memory limit reached`. */
  dropped: Map<string, number>
  /** On the way to an output. */
  queued: number
}

/** What a running agent tells of itself. */
export interface Stats {
  /** Milliseconds since the start. */
  readonly uptimeMs: number
  readonly packets: PacketCounters
  /** Calls of TLS libraries that moved bytes; missing when none is read. */
  readonly tlsCalls?: PacketCounters | undefined
  /** Their sessions: opened, other_end, not_wanted, idle; and the bytes_lost of those opened. */
  readonly tlsSessions: ReadonlyMap<string, number>
  readonly records: RecordLedger
  /** Records of each kind that were seen, in the order of KIND_*. */
  readonly kinds: ReadonlyMap<string, number>
  /** Anomalies by name. */
  readonly anomalies: ReadonlyMap<string, number>
  /** Connections that are followed now. */
  readonly connectionsOpen: number
  /** See WorkerStats. */
  readonly connectionsShare: number
  readonly outputs: readonly SinkHealth[]
  /** With capture.mode metrics, what the kernel has counted. */
  readonly tallies?: TallyFigures | undefined
  /** What could not be done and was told as an error while the run went on, e.g. files that are no captures. */
  readonly failures: number
}

/** The same when the run is over. */
export interface Totals extends Stats {
  /** False when the capture broke: what it saw since its last figures nobody knows. */
  readonly known: boolean
}

/** What the capture worker knows of the records: those that left it in batches, and those that did not. */
export interface WorkerCounts {
  /** Records that came to be, counted before anything is decided about them. */
  readonly seen: number
  /** Put into batches. */
  readonly emitted: number
  /** The same by kind, in the order of KIND_*. */
  readonly emittedKinds: readonly number[]
  readonly filtered: number
  readonly sampled: number
  readonly dropped: ReadonlyMap<string, number>
}

/**
 * One ledger of what the workers and the outputs counted, each on its own side of the thread's wall.
 *
 * @param final the workers' figures are their last: what the outputs have beyond them is a fault, and shows
 */
export function recordLedger(workers: readonly WorkerCounts[], outlets: OutletCounts, final: boolean): RecordLedger {
  const dropped = new Map(outlets.dropped)
  const ledger = { seen: 0, logged: outlets.logged, filtered: outlets.unkept, sampled: 0, dropped, queued: outlets.queued }
  let emitted = 0
  for (const worker of workers) {
    emitted += worker.emitted
    ledger.filtered += worker.filtered
    ledger.sampled += worker.sampled
    for (const [reason, count] of worker.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + count)
    ledger.seen += worker.seen
  }
  // Batches on the way between the threads; or, when a worker's figures are older than its batches, records it told not yet.
  ledger.queued += Math.max(0, emitted - outlets.taken)
  if (!final) ledger.seen += Math.max(0, outlets.taken - emitted)
  return ledger
}

/**
 * Records seen by kind, so that they sum up to `seen` of `recordLedger`: batches can be here before the figures that count them.
 *
 * @param seen  by kind as the worker told it, in the order of KIND_*
 * @param final as for `recordLedger`
 */
export function kindsSeen(seen: ReadonlyMap<string, number>, worker: WorkerCounts, outlets: OutletCounts, final: boolean): Map<string, number> {
  return new Map([...seen].map(([kind, count], index) => {
    const ahead = (outlets.takenKinds[index] ?? 0) - (worker.emittedKinds[index] ?? 0)
    return [kind, final ? count : count + Math.max(0, ahead)]
  }))
}

/** Sum of a count by reason. */
export function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

/** What is missing (positive) or too much (negative) in the records; 0 = it adds up. */
export function recordsOff(records: RecordLedger): number {
  return records.seen - records.logged - records.filtered - records.sampled - sum(records.dropped) - records.queued
}

/** The same for packets. */
export function packetsOff(packets: PacketCounters): number {
  return packets.seen - packets.delivered - sum(packets.notWanted) - sum(packets.lost)
}

/** The same for calls of TLS libraries. */
function callsOff({ tlsCalls }: Stats): number {
  return tlsCalls === undefined ? 0 : packetsOff(tlsCalls)
}

/** True when all ledgers are known and add up, and nothing is on the way any more. */
export function addsUp(totals: Totals): boolean {
  return totals.known && recordsOff(totals.records) === 0 && packetsOff(totals.packets) === 0 && callsOff(totals) === 0 &&
    totals.records.queued === 0
}

/** Why outputs lose records without any fault: the reader of a pipe had enough, a page cannot show all. */
const NO_FAULT: ReadonlySet<string> = new Set(['reader gone', PAGE_SLOW])

/** True when an output lost records; a reader that went away took what it wanted. */
export function outputsLost(stats: Stats): boolean {
  return stats.outputs.some(({ droppedRecords, delivery }) =>
    [...droppedRecords, ...delivery?.dropped ?? []].some(([reason, count]) => count > 0 && !NO_FAULT.has(reason)))
}

/** A line for each output that lacks records, without LF: the record ledger counts as logged what another output has. */
export function outputLines(stats: Stats): string[] {
  return stats.outputs.filter(({ droppedRecords }) => sum(droppedRecords) > 0)
    .map(({ name, writtenRecords, droppedRecords }) => `output ${name}: written ${writtenRecords}, dropped ${withReasons(droppedRecords)}`)
}

/** A line for each output with a spool, without LF: what became of the records behind it. */
export function deliveryLines(stats: Stats): string[] {
  return stats.outputs.flatMap(({ name, delivery }) => delivery === undefined ? [] : [`output ${name}: ${deliveryText(delivery)}`])
}

/** The counts add up: spooled + found = sent + refused + dropped + waiting. */
function deliveryText({ state, spooled, found, sent, retried, refused, dropped, waitingRecords, waitingBytes, lagSeconds }: DeliveryHealth): string {
  return `${state}, spooled ${spooled} + found ${found} = sent ${sent} + refused ${refused} + dropped ${withReasons(dropped)} + ` +
    `waiting ${waitingRecords} (${waitingBytes} bytes); retried ${retried}${lagSeconds === 0 ? '' : `, lag ${formatDuration(lagSeconds * 1000)}`}`
}

/** One line for the end of a run, without LF. */
export function totalsLine(totals: Totals): string {
  const calls = totals.tlsCalls === undefined ? '' : `, TLS calls by ${callsOff(totals)}`
  const wrong = `DOES NOT ADD UP (records off by ${recordsOff(totals.records)}, packets by ${packetsOff(totals.packets)}${calls}, ` +
    `${totals.records.queued} still queued)`
  const verdict = addsUp(totals) ? 'adds up' : totals.known ? wrong : 'the totals are NOT KNOWN: the capture broke after these figures'
  return `totals after ${formatDuration(totals.uptimeMs)}: ${recordText(totals.records)}; ` +
    `${trafficText(totals)}${tallyText(totals)}; ${verdict}`
}

/** One line for `--stats`, without LF; rates are taken over the time since `before`. */
export function statsLine(now: Stats, before?: Stats): string {
  const seconds = (now.uptimeMs - (before?.uptimeMs ?? 0)) / 1000
  const rate = seconds <= 0 ? 0 : (now.records.seen - (before?.records.seen ?? 0)) / seconds
  const queuedBytes = now.outputs.reduce((bytes, output) => bytes + output.queuedBytes, 0)
  return `stats ${formatDuration(now.uptimeMs)}: ${rate.toFixed(rate < 100 ? 1 : 0)} records/s; ` +
    `${recordText(now.records)}; ${trafficText(now)}${tallyText(now)}; ${now.connectionsOpen} connections open, ` +
    `${now.records.queued} records (${queuedBytes} bytes) queued` +
    [...outputLines(now), ...deliveryLines(now)].map(line => `; ${line}`).join('') +
    now.outputs.map(output => output.lastError === undefined ? '' : `; ${output.name}: ${output.lastError}`).join('')
}

function recordText(records: RecordLedger): string {
  return `records seen ${records.seen} = logged ${records.logged} + filtered ${records.filtered} + sampled ` +
    `${records.sampled} + dropped ${withReasons(records.dropped)}${records.queued === 0 ? '' : ` + queued ${records.queued}`}`
}

/** Packets, and TLS calls and sessions where there were any. */
function trafficText({ packets, tlsCalls, tlsSessions }: Stats): string {
  const sessions = [...tlsSessions].filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`)
  return packetText('packets', packets) + (tlsCalls === undefined || tlsCalls.seen === 0 ? '' : `; ${packetText('TLS calls', tlsCalls)}`) +
    (sessions.length === 0 ? '' : `; TLS sessions ${sessions.join(', ')}`)
}

/** What the kernel has counted: every request that began is counted, or under way. */
function tallyText({ tallies }: Stats): string {
  if (tallies === undefined) return ''
  const { totals: { begun, counts, noRoom, leftOut }, evicted } = tallies
  const lost = new Map([['evicted', evicted], ['no room', noRoom]])
  return `; requests begun ${begun} = over ${counts.requests} + under way ${begun - counts.requests}; of those over lost ${withReasons(lost)}; ` +
    `left out ${withReasons(leftOut)}`
}

function packetText(what: string, packets: PacketCounters): string {
  return `${what} seen ${packets.seen} = delivered ${packets.delivered} + not wanted ${withReasons(packets.notWanted)} ` +
    `+ lost ${withReasons(packets.lost)}`
}

/** `3 (disk full 2, queue full 1)`; the largest first, entries of 0 left out. */
function withReasons(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].filter(([, count]) => count !== 0).sort((a, b) => b[1] - a[1])
  const total = sum(counts)
  return entries.length === 0 ? String(total)
    : `${total} (${entries.map(([reason, count]) => `${reason} ${count}`).join(', ')})`
}

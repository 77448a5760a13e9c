import type { Labels, MetricFamily, NumberFamily } from '../lib/prometheus/mod.ts'
import type { Stats } from './ledger.ts'

export interface ProcessFigures {
  readonly version: string
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Seconds since the epoch. */
  readonly startSeconds: number
}

/**
 * The agent's figures for Prometheus. Label values are names from closed sets (reasons, kinds, outputs):
 * nothing from traffic becomes a series.
 */
export function agentFamilies(stats: Stats, figures: ProcessFigures): MetricFamily[] {
  const text = new Exposition()
  packetMetrics(text, stats)
  tlsMetrics(text, stats)
  recordMetrics(text, stats)
  outputMetrics(text, stats)
  text.family('lintel_connections_open', 'gauge', 'Connections that are followed now.')
  text.sample([], stats.connectionsOpen)
  text.family('lintel_connections_share', 'gauge', 'Of the wanted connections the share that is read; under 1 while the agent cannot keep up.')
  text.sample([], stats.connectionsShare)
  text.family('lintel_anomalies_total', 'counter', 'Oddities of traffic, by name.')
  for (const [name, count] of stats.anomalies) text.sample([['name', name]], count)
  text.family('lintel_build_info', 'gauge', 'Always 1; the version is a label.')
  text.sample([['version', figures.version], ['node', process.versions.node]], 1)
  text.family('process_cpu_seconds_total', 'counter', 'User and system CPU time spent, all threads.')
  text.sample([], figures.cpuSeconds)
  text.family('process_resident_memory_bytes', 'gauge', 'Resident memory.')
  text.sample([], figures.residentBytes)
  text.family('process_start_time_seconds', 'gauge', 'Start of the process since the epoch.')
  text.sample([], figures.startSeconds)
  return text.families
}

function packetMetrics(text: Exposition, { packets }: Stats): void {
  text.family('lintel_packets_seen_total', 'counter', 'Packets seen; the sum of lintel_packets_total.')
  text.sample([], packets.seen)
  text.family('lintel_packets_total', 'counter', 'Packets by outcome and reason.')
  text.sample([['outcome', 'delivered'], ['reason', '']], packets.delivered)
  for (const [reason, count] of packets.notWanted) text.sample([['outcome', 'not_wanted'], ['reason', reason]], count)
  for (const [reason, count] of packets.lost) text.sample([['outcome', 'lost'], ['reason', reason]], count)
  text.family('lintel_packet_bytes_total', 'counter', 'Bytes of payload that left the kernel, and that were cut off there.')
  text.sample([['outcome', 'delivered']], packets.bytesDelivered)
  text.sample([['outcome', 'cut']], packets.bytesCut)
}

function tlsMetrics(text: Exposition, { tlsCalls, tlsSessions }: Stats): void {
  if (tlsCalls === undefined) return
  text.family('lintel_tls_calls_seen_total', 'counter', 'Calls of TLS libraries that moved bytes; the sum of lintel_tls_calls_total.')
  text.sample([], tlsCalls.seen)
  text.family('lintel_tls_calls_total', 'counter', 'Calls of TLS libraries by outcome and reason.')
  text.sample([['outcome', 'delivered'], ['reason', '']], tlsCalls.delivered)
  for (const [reason, count] of tlsCalls.notWanted) text.sample([['outcome', 'not_wanted'], ['reason', reason]], count)
  for (const [reason, count] of tlsCalls.lost) text.sample([['outcome', 'lost'], ['reason', reason]], count)
  text.family('lintel_tls_sessions_total', 'counter', 
    'TLS sessions in the clear: opened, other_end (that end tells it), not_wanted (by a filter), idle (forgotten: silent for too long).')
  for (const [event, count] of tlsSessions) if (event !== 'bytes_lost') text.sample([['event', event]], count)
  text.family('lintel_tls_bytes_lost_total', 'counter', 'Bytes in the clear that are missing in the TLS sessions opened.')
  text.sample([], tlsSessions.get('bytes_lost') ?? 0)
}

function recordMetrics(text: Exposition, { records, kinds }: Stats): void {
  text.family('lintel_records_seen_total', 'counter', 'Records made, by kind.')
  for (const [kind, count] of kinds) text.sample([['kind', kind]], count)
  text.family('lintel_records_total', 'counter', 'Records by outcome and reason; with lintel_records_queued they add up to those seen.')
  text.sample([['outcome', 'logged'], ['reason', '']], records.logged)
  text.sample([['outcome', 'filtered'], ['reason', '']], records.filtered)
  text.sample([['outcome', 'sampled'], ['reason', '']], records.sampled)
  for (const [reason, count] of records.dropped) text.sample([['outcome', 'dropped'], ['reason', reason]], count)
  text.family('lintel_records_queued', 'gauge', 'Records on the way to an output.')
  text.sample([], records.queued)
}

function outputMetrics(text: Exposition, { outputs }: Stats): void {
  text.family('lintel_output_records_total', 'counter', 'Records by output, outcome and reason.')
  for (const output of outputs) {
    text.sample([['output', output.name], ['outcome', 'written'], ['reason', '']], output.writtenRecords)
    for (const [reason, count] of output.droppedRecords) {
      text.sample([['output', output.name], ['outcome', 'dropped'], ['reason', reason]], count)
    }
  }
  text.family('lintel_output_bytes_total', 'counter', 'Bytes written by output.')
  for (const output of outputs) text.sample([['output', output.name]], output.writtenBytes)
  text.family('lintel_output_queued_bytes', 'gauge', 'Bytes that wait for the output.')
  for (const output of outputs) text.sample([['output', output.name]], output.queuedBytes)
  text.family('lintel_output_up', 'gauge', '1 when nothing hinders the output.')
  for (const output of outputs) text.sample([['output', output.name]], output.lastError === undefined ? 1 : 0)
  sampleMetrics(text, outputs)
  deliveryMetrics(text, outputs)
}

function sampleMetrics(text: Exposition, outputs: Stats['outputs']): void {
  const pushing = outputs.flatMap(({ name, samples }) => samples === undefined ? [] : [{ name, samples }])
  if (pushing.length === 0) return
  text.family('lintel_output_samples_total', 'counter', 'Samples of metrics by output that pushes them beside records, outcome and reason.')
  for (const { name, samples } of pushing) {
    text.sample([['output', name], ['outcome', 'sent'], ['reason', '']], samples.sent)
    for (const [reason, count] of samples.dropped) text.sample([['output', name], ['outcome', 'dropped'], ['reason', reason]], count)
  }
}

function deliveryMetrics(text: Exposition, outputs: Stats['outputs']): void {
  const spooling = outputs.flatMap(({ name, delivery }) => delivery === undefined ? [] : [{ name, delivery }])
  if (spooling.length === 0) return
  text.family('lintel_delivery_records_total', 'counter', 'Records in spools: spooled + found = sent + refused + dropped + those waiting.')
  for (const { name, delivery } of spooling) {
    for (const outcome of ['spooled', 'found', 'sent', 'refused'] as const) {
      text.sample([['output', name], ['outcome', outcome], ['reason', '']], delivery[outcome])
    }
    for (const [reason, count] of delivery.dropped) text.sample([['output', name], ['outcome', 'dropped'], ['reason', reason]], count)
  }
  text.family('lintel_delivery_retried_total', 'counter', 'Records that were sent once more, each time.')
  for (const { name, delivery } of spooling) text.sample([['output', name]], delivery.retried)
  text.family('lintel_delivery_waiting_records', 'gauge', 'Records in the spool that are not through.')
  for (const { name, delivery } of spooling) text.sample([['output', name]], delivery.waitingRecords)
  text.family('lintel_delivery_waiting_bytes', 'gauge', 'Bytes of them.')
  for (const { name, delivery } of spooling) text.sample([['output', name]], delivery.waitingBytes)
  text.family('lintel_delivery_lag_seconds', 'gauge', 'Age of the oldest record that is being sent; 0 when none is.')
  for (const { name, delivery } of spooling) text.sample([['output', name]], delivery.lagSeconds)
}

class Exposition {
  readonly families: NumberFamily[] = []

  family(name: string, type: 'counter' | 'gauge', help: string): void {
    this.families.push({ name, type, help, samples: [] })
  }

  sample(labels: Labels, value: number): void {
    this.families.at(-1)?.samples.push({ labels, value })
  }
}

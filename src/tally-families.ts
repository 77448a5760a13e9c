import type { Labels, MetricFamily, NumberFamily } from '../lib/prometheus/mod.ts'
import type { TallyFigures, TallySeries } from './tally-series.ts'

const NONE: Labels = []

/**
 * What the kernel has counted, for Prometheus. Where a figure means what one of `RequestMetrics` does it has the same name: only one of
 * the two is served.
 */
export function tallyFamilies(figures: TallyFigures | undefined): MetricFamily[] {
  if (figures === undefined) return []
  const { series, totals, evicted, others, keys } = figures
  const reasons = (counts: readonly (readonly [string, number])[], label: string): NumberFamily['samples'] =>
    counts.map(([name, value]) => ({ labels: [[label, name]], value }))
  return [
    bySeries('lintel_requests_total', 'Requests, counted in the kernel when their response begins or their connection ends.', series, 'requests'),
    bySeries('lintel_request_bytes_total', 'Bytes of these requests, heads and bodies.', series, 'requestBytes'),
    bySeries('lintel_response_bytes_total', 'Bytes of their responses, heads and bodies.', series, 'responseBytes'),
    { name: 'lintel_requests_begun_total', type: 'counter', help: 'Requests seen in the kernel, those under way included.',
      samples: [{ labels: NONE, value: totals.begun }] },
    { name: 'lintel_requests_lost_total', type: 'counter', help: 'Requests that are over and in no series, by reason.',
      samples: reasons([['evicted', evicted], ['no_room', totals.noRoom]], 'reason') },
    { name: 'lintel_request_metrics_other_total', type: 'counter',
      help: 'Requests whose labels all say other, because there are too many sets of labels.', samples: reasons([['all', others]], 'label') },
    { name: 'lintel_request_metrics_left_out_total', type: 'counter',
      help: 'What was not counted as a request, by reason: packets, and connections of other protocols.',
      samples: reasons([...totals.leftOut], 'reason') },
    { name: 'lintel_request_metrics_series', type: 'gauge', help: 'Sets of labels that are told apart.',
      samples: [{ labels: NONE, value: series.length }] },
    { name: 'lintel_request_metrics_keys', type: 'gauge', help: 'Sets of labels that the kernel holds.', samples: [{ labels: NONE, value: keys }] },
  ]
}

function bySeries(name: string, help: string, series: readonly TallySeries[], of: 'requests' | 'requestBytes' | 'responseBytes'): NumberFamily {
  return { name, type: 'counter', help, samples: series.map((each) => ({ labels: each.labels, value: each[of] })) }
}

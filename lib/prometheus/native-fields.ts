import type { ProtoWriter } from '../protobuf/mod.ts'
import type { NativeBuckets } from './family.ts'
import { spansOf } from './native-buckets.ts'

/**
 * What metrics of a scraper and series of remote write have alike, at different numbers of fields: schema, zero threshold and zero count from
 * `first` on, and from `spans` on the spans and the differences of their counts.
 */
export function writeNative(histogram: ProtoWriter, native: NativeBuckets, first: number, spans: number): void {
  histogram.sint(first, native.schema)
  histogram.double(first + 1, native.zeroThreshold)
  histogram.uint(first + 2, native.zeroCount)
  const runs = spansOf(native)
  for (const { offset, length } of runs.spans) {
    histogram.message(spans, span => {
      span.sint(1, offset)
      span.uint(2, length)
    })
  }
  histogram.packedSints(spans + 1, runs.deltas)
}

import type { NativeBuckets } from './family.ts'

/** Buckets grow by 2^(1/8), 9 %. */
export const SCHEMA = 3
const PER_OCTAVE = 2 ** SCHEMA

/** Index of the bucket that a value above 0 falls into: the least i with value <= 2^(i/8). Exact, also on the bounds. */
export function nativeIndex(value: number): number {
  const near = Math.ceil(Math.log2(value) * PER_OCTAVE) + 0 // never -0
  if (value <= upperBound(near - 1)) return near - 1
  return value > upperBound(near) ? near + 1 : near
}

/** As Prometheus has them: powers of two times one of eight numbers. */
function upperBound(index: number): number {
  const octave = Math.floor(index / PER_OCTAVE)
  return (FRACTIONS[index - octave * PER_OCTAVE] as number) * 2 ** octave
}

const FRACTIONS = Array.from({ length: PER_OCTAVE }, (_, index) => 2 ** (index / PER_OCTAVE))

export interface Span {
  /** From the end of the span before; of the first, its index. */
  readonly offset: number
  readonly length: number
}

/** Up to so many empty buckets are cheaper as counts of 0 than as a span of their own. */
const GAP_MAX = 2

/** Runs of buckets that are not empty, and the differences of their counts, one after the other. */
export function spansOf({ offset, counts }: NativeBuckets): { readonly spans: readonly Span[], readonly deltas: readonly number[] } {
  const spans: { offset: number, length: number }[] = []
  const deltas: number[] = []
  let [end, before] = [0, 0] // of the last span; count of the last bucket
  for (let at = 0; at < counts.length; at++) {
    const count = counts[at] as number
    if (count === 0) continue
    const index = offset + at
    const last = spans.at(-1)
    if (last !== undefined && index - end <= GAP_MAX) {
      for (; end < index; end++) {
        deltas.push(-before)
        before = 0
        last.length++
      }
      last.length++
    } else spans.push({ offset: index - end, length: 1 })
    end = index + 1
    deltas.push(count - before)
    before = count
  }
  return { spans, deltas }
}

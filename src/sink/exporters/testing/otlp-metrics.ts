/** Metrics of OTLP as protobufjs and the Collector's file exporter tell of them, both in the names of OTLP's JSON. */
import { type AnyValue, byName, type KeyValue } from './otlp-decoder.ts'

export interface Point {
  readonly attributes?: readonly KeyValue[]
  readonly startTimeUnixNano?: string
  readonly timeUnixNano: string
  /** Of a histogram. */
  readonly count?: string
  readonly sum?: number
  readonly bucketCounts?: readonly string[]
  readonly explicitBounds?: readonly number[]
  readonly scale?: number
  readonly zeroCount?: string
  readonly zeroThreshold?: number
  readonly positive?: { readonly offset?: number, readonly bucketCounts?: readonly string[] }
  readonly exemplars?: readonly { readonly timeUnixNano: string, readonly asDouble: number, readonly traceId: string | Buffer }[]
  /** Of a number. */
  readonly asInt?: string
}

interface Points {
  readonly dataPoints: readonly Point[]
  readonly aggregationTemporality?: number
  readonly isMonotonic?: boolean
}

export interface Metric {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly histogram?: Points
  readonly exponentialHistogram?: Points
  readonly sum?: Points
  readonly gauge?: Points
}

export function pointsOf(metrics: readonly Metric[], name: string): readonly Point[] {
  return metrics.filter(metric => metric.name === name)
    .flatMap(({ histogram, exponentialHistogram, sum, gauge }) => (histogram ?? exponentialHistogram ?? sum ?? gauge)?.dataPoints ?? [])
}

/** Attributes as one text, in order of their names. */
export function labelsOf({ attributes = [] }: Point): string {
  const text = ({ stringValue, intValue, boolValue }: AnyValue): string => stringValue ?? intValue ?? String(boolValue)
  return [...byName(attributes)].map(([name, value]) => `${name}=${text(value)}`).sort().join(' ')
}

export function counted(points: readonly Point[]): number {
  return points.reduce((sum, { count, asInt }) => sum + Number(count ?? asInt), 0)
}

import type { Histogram, HistogramFamily, Labels } from '../../../lib/prometheus/mod.ts'
import { prometheusName } from './request-labels.ts'

export const SIDES = ['server', 'client'] as const
/** Whose requests: those that came to a server, or those that a client on this machine sent elsewhere. */
export type Side = (typeof SIDES)[number]

/** What is counted of requests, as OpenTelemetry names it behind `http.server.` and `http.client.`. */
export const QUANTITIES = ['request.duration', 'request.body.size', 'response.body.size'] as const
export type Quantity = (typeof QUANTITIES)[number]

/** All histograms of one quantity, as they are now. */
export interface RequestHistograms {
  readonly side: Side
  readonly quantity: Quantity
  /** Labels are by the names of the fields that they are of. */
  readonly histograms: readonly Histogram[]
  /** The labels of that histogram, if it is there, in which all is counted that found no room. */
  readonly overflow: Labels | undefined
}

const UNITS = { 'request.duration': 's', 'request.body.size': 'By', 'response.body.size': 'By' } as const satisfies Record<Quantity, string>
const PROMETHEUS_UNITS = { s: 'seconds', By: 'bytes' } as const
const HELP = {
  'request.duration': 'Duration of HTTP requests', 'request.body.size': 'Size of bodies of HTTP requests',
  'response.body.size': 'Size of bodies of responses to HTTP requests',
} as const satisfies Record<Quantity, string>
const WHOSE = { server: 'that came to a server.', client: 'that a client on this machine sent to servers elsewhere.' } as const

/** Name and unit as OpenTelemetry has them (https://opentelemetry.io/docs/specs/semconv/http/http-metrics), and what it is. */
export function instrumentOf({ side, quantity }: RequestHistograms): { readonly name: string, readonly unit: string, readonly help: string } {
  return { name: `http.${side}.${quantity}`, unit: UNITS[quantity], help: `${HELP[quantity]} ${WHOSE[side]}` }
}

/** The same in Prometheus's names. */
export function prometheusFamily(all: RequestHistograms): HistogramFamily {
  const { name, help } = instrumentOf(all)
  const histograms = all.histograms.map(one => ({ ...one, labels: one.labels.map(([label, value]) => [prometheusName(label), value] as const) }))
  return { name: `${prometheusName(name)}_${PROMETHEUS_UNITS[UNITS[all.quantity]]}`, type: 'histogram', help, histograms }
}

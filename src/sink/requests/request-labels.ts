/** Where sections of a record's line begin: behind these texts. Nothing else looks so: quotes in values are escaped, and headers are no objects. */
export const SECTIONS = { server: '"server":{"address":"', url: '"url":{', http: '"http":{' } as const

export type Section = keyof typeof SECTIONS

/** How a label's value is found: behind this text, which ends in the first `within` bytes of a section. */
export interface LabelPlace {
  readonly section: Section
  /** Empty: it is what the section begins with. */
  readonly needle: string
  /** None = as far as the line goes. */
  readonly within?: number
  readonly isNumber?: true
}

/** The labels to choose from, by the name of their field. In the order of the line. */
export const REQUEST_LABELS = {
  'server.address': { section: 'server', needle: '' },
  'server.port': { section: 'server', needle: '"port":', within: 64, isNumber: true }, // behind the longest address
  'url.scheme': { section: 'url', needle: '"scheme":"', within: 10 },
  'url.domain': { section: 'url', needle: '"domain":"', within: 40 }, // behind the scheme
  'http.request.method': { section: 'http', needle: '"request":{"method":"', within: 21 },
  'http.response.status_code': { section: 'http', needle: '"response":{"status_code":', isNumber: true },
} as const satisfies Record<string, LabelPlace>

export type RequestLabel = keyof typeof REQUEST_LABELS
export const REQUEST_LABEL_NAMES = Object.keys(REQUEST_LABELS) as RequestLabel[]

/** As OpenTelemetry's names are written for Prometheus. */
export function prometheusName(name: string): string {
  return name.replaceAll('.', '_')
}

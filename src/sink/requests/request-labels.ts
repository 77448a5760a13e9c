/** How a label's value is found in a record's line: behind this text. Nothing in a value can look so: quotes in it are escaped. */
export interface LabelPlace {
  readonly needle: string
  /** Where the needle alone stands elsewhere too: it must end in the first `within` bytes behind this text. */
  readonly section?: { readonly needle: string, readonly within: number }
  readonly isNumber?: true
}

/** The longest address, its quote and comma, and the needle. */
const PORT_WITHIN = 64
/** A scheme, and the needle. */
const DOMAIN_WITHIN = 40

/** The labels to choose from, by the name of their field. In the order of the line. */
export const REQUEST_LABELS = {
  'server.address': { needle: '"server":{"address":"' },
  'server.port': { section: { needle: '"server":{"address":"', within: PORT_WITHIN }, needle: '"port":', isNumber: true },
  'url.scheme': { needle: '"url":{"scheme":"' },
  'url.domain': { section: { needle: '"url":{', within: DOMAIN_WITHIN }, needle: '"domain":"' },
  'http.request.method': { needle: '"http":{"request":{"method":"' },
  'http.response.status_code': { needle: '"response":{"status_code":', isNumber: true },
} as const satisfies Record<string, LabelPlace>

export type RequestLabel = keyof typeof REQUEST_LABELS
export const REQUEST_LABEL_NAMES = Object.keys(REQUEST_LABELS) as RequestLabel[]

/** As OpenTelemetry's names are written for Prometheus. */
export function prometheusName(name: string): string {
  return name.replaceAll('.', '_')
}

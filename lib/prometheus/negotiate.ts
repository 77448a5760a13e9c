export type Format = 'text' | 'openmetrics' | 'protobuf'

/** Which of the formats a scraper would have, by its Accept header (RFC 9110 12.5.1): the one of the most weight, the first of such; else text. */
export function negotiate(accept: string | undefined): Format {
  let best: Format = 'text'
  let weight = 0
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...rest] = part.split(';').map(word => word.trim().toLowerCase())
    const parameters = new Map(rest.map(word => word.split('=', 2).map(side => side.trim().replaceAll('"', '')) as [string, string]))
    const format = formatOf(type, parameters)
    const q = Number(parameters.get('q') ?? 1)
    if (format === undefined || !(q > weight)) continue
    best = format
    weight = q
  }
  return best
}

function formatOf(type: string, parameters: ReadonlyMap<string, string>): Format | undefined {
  switch (type) {
    case 'application/vnd.google.protobuf':
      return parameters.get('proto') === 'io.prometheus.client.metricfamily' && parameters.get('encoding') === 'delimited' ? 'protobuf' : undefined
    case 'application/openmetrics-text': return (parameters.get('version') ?? '1.0.0') === '1.0.0' ? 'openmetrics' : undefined
    case 'text/plain': case 'text/*': case '*/*': return 'text'
    default: return undefined
  }
}

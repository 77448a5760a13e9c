import { type Dashboard, TextBoxVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/loki'
import type { RecordKind } from '../../src/exchange/mod.ts'
import { registered, underscored } from './field-names.ts'
import { dashboard, type PanelPlan } from './grafana.ts'

/**
 * Lines of one kind, with these fields as labels, and no others: headers would make one each. Exchanges that go on are told again once
 * they are over.
 */
function lines(kind: RecordKind, ...names: string[]): string {
  const all = kind === 'exchange' ? ['event.name', ...names] : names
  for (const name of all) {
    if (!registered(name).kinds.includes(kind)) throw new RangeError(`Cannot make a panel of "${name}": a record of kind ${kind} has none`)
  }
  const json = all.length === 0 ? '' : ` | json ${all.map(name => `${underscored(name)}="${name}"`).join(', ')}`
  return `{service_name="$service", kind="${kind}"}${json}${kind === 'exchange' ? ` | ${underscored('event.name')}!="open"` : ''}`
}

const STATUS = underscored('http.response.status_code')
const VERSION = underscored('tls.protocol.version')
const exchanges = (...names: string[]): string => lines('exchange', ...names)
const rate = (text: string, by?: string): string => `sum${by === undefined ? '' : ` by (${by})`} (rate(${text} [$__auto]))`
const top = (name: string): string => {
  const label = underscored(name)
  return `topk(15, sum by (${label}) (count_over_time(${exchanges(name)} | ${label}!="" [$__range])))`
}
const quantile = (share: number): string =>
  `quantile_over_time(${share}, ${exchanges('duration')} | duration!="" | unwrap duration | __error__="" [$__auto]) by ()`
const summed = (name: string, kind: RecordKind): string =>
  `sum (sum_over_time(${lines(kind, name)} | ${underscored(name)}!="" | unwrap ${underscored(name)} | __error__="" [$__auto]))`
const errors = (): string => `${exchanges('http.response.status_code')} | ${STATUS}=~"5.."`

const PANELS: readonly PanelPlan[] = [
  { title: 'Requests', about: 'Requests a second.', shows: 'number', unit: 'reqps', queries: [{ text: rate(exchanges()) }] },
  {
    title: 'Server errors', about: 'Share of requests with a status of 5xx.', shows: 'number', unit: 'percentunit',
    queries: [{ text: `(${rate(errors())} or vector(0)) / ${rate(exchanges())}` }],
  },
  { title: 'p99', about: 'Time that 99 of 100 requests stay below.', shows: 'number', unit: 's', queries: [{ text: quantile(0.99) }] },
  {
    title: 'Anomalies', about: 'Records of oddities, a second.', shows: 'number', unit: 'cps',
    queries: [{ text: `${rate(lines('anomaly'))} or vector(0)` }],
  },
  {
    title: 'Requests by status', about: 'Empty: no response.', shows: 'stacked', unit: 'reqps',
    queries: [{ text: rate(exchanges('http.response.status_code'), STATUS), legend: `{{${STATUS}}}` }],
  },
  {
    title: 'Durations', about: 'First byte of the request to last byte of the response.', shows: 'lines', unit: 's',
    queries: [0.5, 0.9, 0.99].map(share => ({ text: quantile(share), legend: `p${share * 100}` })),
  },
  ...['url.domain', 'url.path', 'client.address', 'user_agent.original'].map((name): PanelPlan => (
    { title: `Requests by ${name}`, about: registered(name).doc, shows: 'table', queries: [{ text: top(name) }] })),
  {
    title: 'Body bytes', about: 'Of requests and responses, summed by interval.', shows: 'lines', unit: 'bytes',
    queries: ['http.request.body.size', 'http.response.body.size'].map(name => ({ text: summed(name, 'exchange'), legend: name })),
  },
  {
    title: 'Anomalies by name', about: '', shows: 'lines', unit: 'cps',
    queries: [{ text: rate(lines('anomaly', 'event.name'), underscored('event.name')), legend: `{{${underscored('event.name')}}}` }],
  },
  {
    title: 'How connections end', about: 'Where connection records are logged (kinds).', shows: 'lines', unit: 'cps',
    queries: [{ text: rate(lines('connection', 'event.name'), underscored('event.name')), legend: `{{${underscored('event.name')}}}` }],
  },
  {
    title: 'Retransmissions and resets', about: 'Where connection records and these fields are logged.', shows: 'lines',
    queries: ['tcp.retransmissions', 'tcp.resets'].map(name => ({ text: summed(name, 'connection'), legend: name })),
  },
  {
    title: 'TLS versions', about: 'Of handshakes, as the servers chose.', shows: 'lines', unit: 'cps',
    queries: [{ text: rate(lines('handshake', 'tls.protocol.version'), VERSION), legend: `{{${VERSION}}}` }],
  },
  {
    title: 'Bytes the capture did not get', about: 'Of connections that are logged.', shows: 'lines', unit: 'bytes',
    queries: [{ text: summed('connection.lost_bytes', 'connection') }],
  },
  { title: 'Server errors', about: 'The records themselves.', shows: 'logs', queries: [{ text: errors() }] },
]

/** Of the lines that the output `loki` sends. */
export function lokiDashboard(): Dashboard {
  return dashboard({
    uid: 'lintel-loki', title: 'Lintel: requests (Loki)', about: 'Out of the records of the output loki.', source: 'loki',
    variables: [new TextBoxVariableBuilder('service').label('service_name').defaultValue('lintel')],
    rows: [{ title: 'Requests and connections', panels: PANELS }],
    target: ({ text, legend }, shows, refId) => {
      const instant = shows === 'number' || shows === 'table'
      const query = new DataqueryBuilder().expr(text).refId(refId).queryType(instant ? 'instant' : 'range')
      return legend === undefined ? query : query.legendFormat(legend)
    },
  })
}

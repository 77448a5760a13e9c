import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { type Dashboard, TextBoxVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { registered, underscored } from './field-names.ts'
import { dashboard, type PanelPlan, type Query } from './grafana.ts'

const SOURCE = 'grafana-clickhouse-datasource'
const TIME = underscored('time')
const STATUS = underscored('http.response.status_code')
const DURATION = underscored('duration')
const FROM = 'FROM "${database}".records'
const SPAN = `$__timeFilter_ms(${TIME})`
const KIND = underscored('kind')
const EVENT = underscored('event.name')
/** Exchanges that go on are told again once they are over. */
const EXCHANGES = `${SPAN} AND ${KIND} = 'exchange' AND coalesce(${EVENT}, '') != 'open'`
const ROWS_MAX = 20
const TOP_OF = ['url.domain', 'url.path', 'client.address', 'user_agent.original', 'server.address', 'client.process.executable.name']

/** Lines over time, a second. @param label SQL of what tells them apart; none = one line */
function perSecond(where: string, count = 'count()', label?: string): string {
  const [chosen, grouped] = label === undefined ? ['', ''] : [`${label} AS label, `, ', label']
  return `SELECT $__timeInterval(${TIME}) AS at, ${chosen}${count} / $__interval_s AS value ${FROM} WHERE ${where} GROUP BY at${grouped} ORDER BY at`
}

function top(name: string): string {
  const column = underscored(name)
  return `SELECT ${column}, count() AS requests, countIf(${STATUS} >= 500) AS server_errors, countIf(${STATUS} >= 400 AND ${STATUS} < 500) AS ` +
    `client_errors, quantile(0.5)(${DURATION}) AS p50, quantile(0.99)(${DURATION}) AS p99 ${FROM} WHERE ${EXCHANGES} AND ${column} IS NOT NULL ` +
    `GROUP BY ${column} ORDER BY requests DESC LIMIT ${ROWS_MAX}`
}

const text = (column: string): string => `coalesce(toString(${column}), 'none')`
const CLASS = `if(${STATUS} IS NULL, 'none', concat(toString(intDiv(${STATUS}, 100)), 'xx'))`
const number = (value: string, where = EXCHANGES): string => `SELECT ${value} AS value ${FROM} WHERE ${where}`
const kind = (name: string): string => `${SPAN} AND ${KIND} = '${name}'`
const sum = (name: string): string => `sum(${underscored(name)})`

const PANELS: readonly PanelPlan[] = [
  { title: 'Requests', about: 'Of the whole span.', shows: 'number', queries: [{ text: number('count()') }] },
  {
    title: 'Server errors', about: 'Share of requests with a status of 5xx.', shows: 'number', unit: 'percentunit',
    queries: [{ text: number(`countIf(${STATUS} >= 500) / count()`) }],
  },
  {
    title: 'p99', about: 'Time that 99 of 100 requests stay below.', shows: 'number', unit: 's',
    queries: [{ text: number(`quantile(0.99)(${DURATION})`) }],
  },
  {
    title: 'Without a response', about: 'Requests that got none, as far as the capture saw.', shows: 'number',
    queries: [{ text: number(`countIf(${STATUS} IS NULL)`) }],
  },
  {
    title: 'Requests by status', about: 'By class of status; none: no response.', shows: 'stacked', unit: 'reqps',
    queries: [{ text: perSecond(EXCHANGES, 'count()', CLASS) }],
  },
  {
    title: 'Durations', about: 'First byte of the request to last byte of the response.', shows: 'lines', unit: 's',
    queries: [{
      text: `SELECT $__timeInterval(${TIME}) AS at, ${[50, 90, 99].map(share => `quantile(${share / 100})(${DURATION}) AS p${share}`).join(', ')} ` +
        `${FROM} WHERE ${EXCHANGES} GROUP BY at ORDER BY at`,
    }],
  },
  ...TOP_OF.map((name): PanelPlan => (
    { title: `Requests by ${name}`, about: registered(name).doc, shows: 'table', queries: [{ text: top(name) }] })),
  {
    title: 'Body bytes', about: 'Of requests and responses, a second.', shows: 'lines', unit: 'Bps',
    queries: ['http.request.body.size', 'http.response.body.size'].map(name => ({ text: perSecond(EXCHANGES, sum(name), `'${name}'`) })),
  },
  {
    title: 'Header names', about: 'Requests that carry each.', shows: 'table',
    queries: [{
      text: `SELECT arrayJoin(mapKeys(${underscored('http.request.header')})) AS header, count() AS requests ${FROM} WHERE ${EXCHANGES} ` +
        `GROUP BY header ORDER BY requests DESC LIMIT ${ROWS_MAX}`,
    }],
  },
  { title: 'Anomalies by name', about: '', shows: 'lines', queries: [{ text: perSecond(kind('anomaly'), sum('event.count'), text(EVENT)) }] },
  {
    title: 'How connections end', about: 'Where connection records are logged.', shows: 'lines',
    queries: [{ text: perSecond(kind('connection'), 'count()', text(EVENT)) }],
  },
  {
    title: 'Retransmissions and resets', about: 'A second, where connection records and these fields are logged.', shows: 'lines',
    queries: ['tcp.retransmissions', 'tcp.resets'].map(name => ({ text: perSecond(kind('connection'), sum(name), `'${name}'`) })),
  },
  {
    title: 'TLS versions', about: 'Of handshakes, as the servers chose.', shows: 'lines',
    queries: [{ text: perSecond(kind('handshake'), 'count()', text(underscored('tls.protocol.version'))) }],
  },
  {
    title: 'Newest server errors', about: '', shows: 'table',
    queries: [{
      text: `SELECT ${['time', 'client.address', 'http.request.method', 'url.domain', 'url.path', 'http.response.status_code', 'duration', 'trace.id']
        .map(underscored).join(', ')} ${FROM} WHERE ${EXCHANGES} AND ${STATUS} >= 500 ORDER BY ${TIME} DESC LIMIT 100`,
    }],
  },
]

/** Columns are named as those of a store. */
export function clickhouseDashboard(): Dashboard {
  return dashboard({
    uid: 'lintel-clickhouse', title: 'Lintel: requests (ClickHouse)', source: SOURCE,
    about: 'Out of the table records. What is sent again after a failure counts twice until its parts are merged.',
    variables: [new TextBoxVariableBuilder('database').label('Database').defaultValue('lintel')],
    rows: [{ title: 'Requests and connections', panels: PANELS }],
    target: (query, shows, refId) => new ClickHouseQuery(query, shows, refId),
  })
}

/** As the plugin grafana-clickhouse-datasource 4 keeps a query that was written as SQL; the SDK has no type for it. */
class ClickHouseQuery implements Builder<Dataquery> {
  readonly #made: object

  constructor({ text: rawSql }: Query, shows: PanelPlan['shows'], refId: string) {
    const isSeries = shows === 'lines' || shows === 'stacked'
    this.#made = {
      refId, datasource: { type: SOURCE, uid: '${datasource}' }, pluginVersion: '4.0.0', editorType: 'sql', rawSql,
      queryType: isSeries ? 'timeseries' : 'table', format: isSeries ? 0 : 1,
    }
  }

  build(): Dataquery {
    return this.#made as Dataquery
  }
}

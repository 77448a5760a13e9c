import { CustomVariableBuilder, type Dashboard, QueryVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { underscored } from './field-names.ts'
import { dashboard, type PanelPlan, type Query } from './grafana.ts'

const METHOD = underscored('http.request.method')
const STATUS = underscored('http.response.status_code')
const SERVER = underscored('server.address')
const JOB = '{job=~"$job",instance=~"$instance"}'
/** http_server_... or http_client_...: whose end was watched. */
const DURATION = 'http_${side}_request_duration_seconds'
const CLASS = 'status_class'

function rate(metric: string, more = ''): string {
  return `rate(${metric}{job=~"$job",instance=~"$instance"${more}}[$__rate_interval])`
}

/** Histograms are scraped classic or native, as the server is set up: one of both is there. */
function requests(by: string, more = ''): string {
  return `sum${by} (${rate(`${DURATION}_count`, more)}) or sum${by} (histogram_count(${rate(DURATION, more)}))`
}

/** `none` where there was no response. */
function byClass(): string {
  const replaced = (text: string): string =>
    `label_replace(label_replace(${text}, "${CLASS}", "none", "${STATUS}", ""), "${CLASS}", "$\{1}xx", "${STATUS}", "(.)..")`
  return `sum by (${CLASS}) (${replaced(rate(`${DURATION}_count`))}) or sum by (${CLASS}) (${replaced(`histogram_count(${rate(DURATION)})`)})`
}

function quantile(share: number, by = ''): string {
  const classic = `histogram_quantile(${share}, sum by (${['le', by].filter(name => name !== '').join(', ')}) (${rate(`${DURATION}_bucket`)}))`
  return `${classic} or histogram_quantile(${share}, sum${by === '' ? '' : ` by (${by})`} (${rate(DURATION)}))`
}

function mean(by: string): string {
  const classic = `sum by (${by}) (${rate(`${DURATION}_sum`)}) / sum by (${by}) (${rate(`${DURATION}_count`)})`
  const native = `sum by (${by}) (histogram_sum(${rate(DURATION)})) / sum by (${by}) (histogram_count(${rate(DURATION)}))`
  return `${classic} or ${native}`
}

const asked = (text: string, legend?: string): Query => legend === undefined ? { text } : { text, legend }

const REQUESTS: readonly PanelPlan[] = [
  { title: 'Requests', about: 'Requests a second.', shows: 'number', unit: 'reqps', queries: [asked(requests(''))] },
  {
    title: 'Server errors', about: 'Share of requests with a status of 5xx.', shows: 'number', unit: 'percentunit',
    queries: [asked(`((${requests('', `,${STATUS}=~"5.."`)}) or vector(0)) / (${requests('')})`)],
  },
  { title: 'p99', about: 'Time that 99 of 100 requests stay below.', shows: 'number', unit: 's', queries: [asked(quantile(0.99))] },
  {
    title: 'Records lost', about: 'Records an output dropped, a second. Anything but 0 is a gap in the logs.', shows: 'number', unit: 'cps',
    queries: [asked(`sum (${rate('lintel_records_total', ',outcome="dropped"')}) or vector(0)`)],
  },
  {
    title: 'Requests by status', about: 'By class of status; none: no response.', shows: 'stacked', unit: 'reqps',
    queries: [asked(byClass(), `{{${CLASS}}}`)],
  },
  {
    title: 'Durations', about: 'First byte of the request to last byte of the response.', shows: 'lines', unit: 's',
    queries: [0.5, 0.9, 0.99].map(share => asked(quantile(share), `p${share * 100}`)),
  },
  { title: 'Requests by method', about: '', shows: 'lines', unit: 'reqps', queries: [asked(requests(` by (${METHOD})`), `{{${METHOD}}}`)] },
  { title: 'p99 by server', about: '', shows: 'lines', unit: 's', queries: [asked(quantile(0.99, SERVER), `{{${SERVER}}}`)] },
  { title: 'Requests by server', about: '', shows: 'lines', unit: 'reqps', queries: [asked(requests(` by (${SERVER})`), `{{${SERVER}}}`)] },
  { title: 'Mean duration by method', about: '', shows: 'lines', unit: 's', queries: [asked(mean(METHOD), `{{${METHOD}}}`)] },
]

const by = (labels: string, metric: string, more = ''): string => `sum by (${labels}) (${rate(metric, more)})`

const CAPTURE: readonly PanelPlan[] = [
  {
    title: 'Packets', about: 'Packets by outcome: lost ones leave holes, which records tell.', shows: 'lines', unit: 'pps',
    queries: [asked(by('outcome, reason', 'lintel_packets_total'), '{{outcome}} {{reason}}')],
  },
  {
    title: 'Share that is read', about: 'Under 1 while the agent cannot keep up, and leaves connections out.', shows: 'lines', unit: 'percentunit',
    queries: [asked(`lintel_connections_share${JOB}`, '{{instance}}')],
  },
  { title: 'Records', about: '', shows: 'lines', unit: 'cps', queries: [asked(by('kind', 'lintel_records_seen_total'), '{{kind}}')] },
  {
    title: 'What became of records', about: 'Those seen are logged, filtered, sampled or dropped.', shows: 'lines', unit: 'cps',
    queries: [asked(by('outcome, reason', 'lintel_records_total'), '{{outcome}} {{reason}}')],
  },
  {
    title: 'Anomalies', about: 'Oddities of traffic, by name.', shows: 'lines', unit: 'cps',
    queries: [asked(by('name', 'lintel_anomalies_total'), '{{name}}')],
  },
  {
    title: 'Open connections', about: 'Connections that are followed.', shows: 'lines',
    queries: [asked(`lintel_connections_open${JOB}`, '{{instance}}')],
  },
  { title: 'CPU', about: 'Cores used.', shows: 'lines', queries: [asked(rate('process_cpu_seconds_total'), '{{instance}}')] },
  { title: 'Resident memory', about: '', shows: 'lines', unit: 'bytes', queries: [asked(`process_resident_memory_bytes${JOB}`, '{{instance}}')] },
]

const OUTPUTS: readonly PanelPlan[] = [
  {
    title: 'Written', about: 'Records by output.', shows: 'lines', unit: 'cps',
    queries: [asked(by('output, outcome', 'lintel_output_records_total'), '{{output}} {{outcome}}')],
  },
  {
    title: 'Outputs up', about: '0 while something hinders one.', shows: 'lines',
    queries: [asked(`min by (output) (lintel_output_up${JOB})`, '{{output}}')],
  },
  {
    title: 'Delivery', about: 'Records of spools: sent, refused, dropped.', shows: 'lines', unit: 'cps',
    queries: [asked(by('output, outcome', 'lintel_delivery_records_total'), '{{output}} {{outcome}}')],
  },
  {
    title: 'Lag of delivery', about: 'Age of the oldest record on its way.', shows: 'lines', unit: 's',
    queries: [asked(`max by (output) (lintel_delivery_lag_seconds${JOB})`, '{{output}}')],
  },
  {
    title: 'Waiting in spools', about: '', shows: 'lines', unit: 'bytes',
    queries: [asked(`sum by (output) (lintel_delivery_waiting_bytes${JOB})`, '{{output}}')],
  },
  {
    title: 'Waiting in memory', about: '', shows: 'lines', unit: 'bytes',
    queries: [asked(`sum by (output) (lintel_output_queued_bytes${JOB})`, '{{output}}')],
  },
]

/** Of the agent's metrics and, where `metrics.requests` is switched on, those of the requests. */
export function prometheusDashboard(): Dashboard {
  const values = (name: string, label: string): QueryVariableBuilder => new QueryVariableBuilder(name)
    .datasource({ type: 'prometheus', uid: '${datasource}' }).query(`label_values(lintel_build_info, ${label})`).includeAll(true).multi(true)
    .allValue('.*').current({ text: 'All', value: '$__all' })
  return dashboard({
    uid: 'lintel-prometheus', title: 'Lintel: requests and agent (Prometheus)', source: 'prometheus',
    about: 'Out of the metrics that Lintel serves or pushes. The requests need metrics.requests.enabled, with its standard labels.',
    variables: [
      values('job', 'job'), values('instance', 'instance'),
      new CustomVariableBuilder('side').label('Side').values('server,client').current({ text: 'server', value: 'server' })
        .description('server: requests that came in; client: those that programs on the machine sent to others'),
    ],
    rows: [{ title: 'Requests', panels: REQUESTS }, { title: 'Capture', panels: CAPTURE }, { title: 'Outputs', panels: OUTPUTS }],
    target: ({ text, legend }, shows, refId) => {
      const query = new DataqueryBuilder().expr(text).refId(refId).format(PromQueryFormat.TimeSeries)
      if (legend !== undefined) query.legendFormat(legend)
      return shows === 'number' ? query.instant() : query.range()
    },
  })
}

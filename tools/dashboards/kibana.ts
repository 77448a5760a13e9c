import { ecsName, plainFields, registered } from './field-names.ts'

/** https://www.elastic.co/guide/en/kibana/8.17/saved-objects-api.html: imported by Stack Management, or POST /api/saved_objects/_import. */
export interface SavedObject {
  readonly id: string
  readonly type: 'index-pattern' | 'lens' | 'search' | 'dashboard'
  readonly attributes: Readonly<Record<string, unknown>>
  readonly references: readonly { readonly id: string, readonly name: string, readonly type: string }[]
  readonly coreMigrationVersion: string
  readonly typeMigrationVersion: string
}

const DATA_VIEW = 'lintel-records'
const LAYER = 'layer'
const [GRID_COLUMNS, LENS_HEIGHT, SEARCH_HEIGHT] = [48, 12, 18]
const TOP = 10

/** Versions of each type's form that Kibana 8.9 and later bring up to their own. */
const FORM = { 'index-pattern': '8.0.0', lens: '8.9.0', search: '8.0.0', dashboard: '8.9.0' } as const

type References = SavedObject['references']

function savedObject(type: SavedObject['type'], id: string, attributes: SavedObject['attributes'], references: References): SavedObject {
  return { id, type, attributes, references, coreMigrationVersion: '8.8.0', typeMigrationVersion: FORM[type] }
}

/** Formats and texts of the fields are those of the registry. */
function dataView(): SavedObject {
  const [formats, texts]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}]
  for (const { name, unit, doc } of plainFields()) {
    const ecs = ecsName(name)
    texts[ecs] = { customDescription: doc.slice(0, DESCRIPTION_MAX) }
    if (unit === 'By') formats[ecs] = { id: 'bytes' }
    else if (unit === 's') {
      const inputFormat = ecs === ecsName('duration') ? 'nanoseconds' : 'seconds' // as src/sink/exporters/ecs.ts has it
      formats[ecs] = { id: 'duration', params: { inputFormat, outputFormat: 'asMilliseconds', outputPrecision: 2 } }
    }
  }
  return savedObject('index-pattern', DATA_VIEW, {
    title: 'logs-lintel-*', name: 'Lintel', timeFieldName: ecsName('time'), allowNoIndex: true,
    fieldFormatMap: JSON.stringify(formats), fieldAttrs: JSON.stringify(texts),
    runtimeFieldMap: '{}', sourceFilters: '[]', fields: '[]', typeMeta: '{}',
  }, [])
}

/** Kibana's own bound of a field's description. */
const DESCRIPTION_MAX = 300

type Column = Readonly<Record<string, unknown>>

interface Chart {
  readonly id: string
  readonly title: string
  /** lnsXY: lines or bars over time; lnsDatatable: a table; lnsMetric: a number. */
  readonly as: 'lnsXY' | 'lnsDatatable' | 'lnsMetric'
  /** KQL. */
  readonly where: string
  readonly columns: Readonly<Record<string, Column>>
}

const overTime: Column = {
  label: ecsName('time'), dataType: 'date', operationType: 'date_histogram', isBucketed: true, scale: 'interval', sourceField: ecsName('time'),
  params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
}
const count: Column = {
  label: 'Records', dataType: 'number', operationType: 'count', isBucketed: false, scale: 'ratio',
  sourceField: '___records___', params: { emptyAsNull: true },
}

function figure(name: string, operationType: 'sum' | 'percentile', percentile?: number): Column {
  return {
    label: percentile === undefined ? ecsName(name) : `p${percentile}`, dataType: 'number', operationType, isBucketed: false,
    scale: 'ratio', customLabel: true, sourceField: ecsName(name), params: percentile === undefined ? { emptyAsNull: true } : { percentile },
  }
}

function values(name: string, by: string): Column {
  const isNumber = registered(name).type === 'int'
  return {
    label: ecsName(name), dataType: isNumber ? 'number' : 'string', operationType: 'terms', isBucketed: true, scale: 'ordinal', customLabel: true,
    sourceField: ecsName(name),
    params: {
      size: TOP, orderBy: { type: 'column', columnId: by }, orderDirection: 'desc', otherBucket: true, missingBucket: true,
      parentFormat: { id: 'terms' },
    },
  }
}

/** Documents of a kind; exchanges that go on are told again once they are over. */
function kind(name: string): string {
  const where = `${ecsName('kind')}: "lintel.${name}"`
  return name === 'exchange' ? `${where} and not ${ecsName('event.name')}: "open"` : where
}

const failed = `${kind('exchange')} and ${ecsName('http.response.status_code')} >= 500`
const quantiles = { p50: figure('duration', 'percentile', 50), p99: figure('duration', 'percentile', 99) }
const over = (id: string, title: string, where: string, name: string): Chart =>
  ({ id, title, as: 'lnsXY', where, columns: { split: values(name, 'count'), at: overTime, count } })
const summed = (id: string, title: string, where: string, names: readonly string[]): Chart => {
  const sums = Object.fromEntries(names.map((name, index) => [`sum${index}`, figure(name, 'sum')]))
  return { id, title, as: 'lnsXY', where, columns: { at: overTime, ...sums } }
}

const CHARTS: readonly Chart[] = [
  { id: 'requests', title: 'Requests', as: 'lnsMetric', where: kind('exchange'), columns: { count } },
  { id: 'server-errors', title: 'Server errors', as: 'lnsMetric', where: failed, columns: { count } },
  over('statuses', 'Requests by status', kind('exchange'), 'http.response.status_code'),
  { id: 'durations', title: 'Durations', as: 'lnsXY', where: kind('exchange'), columns: { at: overTime, ...quantiles } },
  ...['url.domain', 'url.path', 'client.address', 'user_agent.original'].map((name): Chart => ({
    id: name.replaceAll(/[._]/g, '-'), title: `Requests by ${ecsName(name)}`, as: 'lnsDatatable', where: kind('exchange'),
    columns: { split: values(name, 'count'), count, ...quantiles },
  })),
  summed('bodies', 'Body bytes', kind('exchange'), ['http.request.body.size', 'http.response.body.size']),
  over('anomalies', 'Anomalies', kind('anomaly'), 'event.name'),
  over('connections', 'How connections end', kind('connection'), 'event.name'),
  summed('retransmissions', 'Retransmissions and resets', kind('connection'), ['tcp.retransmissions', 'tcp.resets']),
  over('tls-versions', 'TLS versions', kind('handshake'), 'tls.protocol.version'),
  over('methods', 'Requests by method', kind('exchange'), 'http.request.method'),
]

function lens({ id, title, as, where, columns }: Chart): SavedObject {
  const columnOrder = Object.keys(columns)
  const isBucket = (key: string): boolean => columns[key]?.['isBucketed'] === true
  return savedObject('lens', `lintel-${id}`, {
    title, description: '', visualizationType: as,
    state: {
      datasourceStates: { formBased: { layers: { [LAYER]: { columns, columnOrder, incompleteColumns: {}, sampling: 1 } } } },
      visualization: visualization(as, columnOrder, isBucket), query: { query: where, language: 'kuery' }, filters: [],
      internalReferences: [], adHocDataViews: {},
    },
  }, [{ id: DATA_VIEW, name: `indexpattern-datasource-layer-${LAYER}`, type: 'index-pattern' }])
}

function visualization(as: Chart['as'], columns: readonly string[], isBucket: (key: string) => boolean): object {
  switch (as) {
    case 'lnsMetric': return { layerId: LAYER, layerType: 'data', metricAccessor: columns[0] }
    case 'lnsDatatable': return { layerId: LAYER, layerType: 'data', columns: columns.map(columnId => ({ columnId })) }
    case 'lnsXY': {
      const split = columns.find(key => isBucket(key) && key !== 'at')
      const seriesType = split === undefined ? 'line' : 'bar_stacked'
      const layer = { layerId: LAYER, layerType: 'data', seriesType, xAccessor: 'at', accessors: columns.filter(key => !isBucket(key)) }
      return {
        legend: { isVisible: true, position: 'bottom' }, preferredSeriesType: seriesType, valueLabels: 'hide',
        layers: [split === undefined ? layer : { ...layer, splitAccessor: split }],
      }
    }
  }
}

/** The newest records that were not answered well, one a row. */
function errors(): SavedObject {
  const columns = ['client.address', 'http.request.method', 'url.domain', 'url.path', 'http.response.status_code', 'duration'].map(ecsName)
  const search = {
    query: { query: failed, language: 'kuery' }, filter: [], indexRefName: 'kibanaSavedObjectMeta.searchSourceJSON.index',
  }
  return savedObject('search', 'lintel-newest-errors', {
    title: 'Newest server errors', description: '', columns, sort: [[ecsName('time'), 'desc']],
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(search) },
  }, [{ id: DATA_VIEW, name: 'kibanaSavedObjectMeta.searchSourceJSON.index', type: 'index-pattern' }])
}

/** Two beside each other; what is a list of records, across. */
function board(shown: readonly SavedObject[]): SavedObject {
  const half = GRID_COLUMNS / 2
  const panels = shown.map(({ type }, index) => {
    const isWide = type === 'search'
    const y = Math.ceil(index / 2) * LENS_HEIGHT
    const place = isWide ? { x: 0, y, w: GRID_COLUMNS, h: SEARCH_HEIGHT }
      : { x: index % 2 * half, y: Math.floor(index / 2) * LENS_HEIGHT, w: half, h: LENS_HEIGHT }
    return {
      type, panelIndex: String(index), panelRefName: `panel_${index}`, gridData: { ...place, i: String(index) },
      embeddableConfig: { enhancements: {} },
    }
  })
  return savedObject('dashboard', 'lintel-requests', {
    title: 'Lintel: requests', description: 'Out of the records of the output elasticsearch.', version: 1,
    timeRestore: true, timeFrom: 'now-1h', timeTo: 'now', refreshInterval: { pause: false, value: 30_000 }, panelsJSON: JSON.stringify(panels),
    optionsJSON: JSON.stringify({ useMargins: true, syncColors: false, syncCursor: true, syncTooltips: false, hidePanelTitles: false }),
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }) },
  }, shown.map(({ type, id }, index) => ({ type, id, name: `${index}:panel_${index}` })))
}

/** In the order in which one needs the other. */
export function kibanaObjects(): readonly SavedObject[] {
  const shown = [...CHARTS.map(lens), errors()]
  return [dataView(), ...shown, board(shown)]
}

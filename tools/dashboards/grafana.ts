import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { GraphDrawStyle, LegendDisplayMode, LegendPlacement, StackingMode } from '@grafana/grafana-foundation-sdk/common'
import * as common from '@grafana/grafana-foundation-sdk/common'
import {
  type Dashboard, DashboardBuilder, DashboardCursorSync, DatasourceVariableBuilder, type Panel, RowBuilder, type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as LogsPanel } from '@grafana/grafana-foundation-sdk/logs'
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as SeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'

export interface Query {
  readonly text: string
  /** Name of the lines, e.g. `{{kind}}`; for the sources that name them so. */
  readonly legend?: string
}

export interface PanelPlan {
  readonly title: string
  /** What the figures are, for who looks at them. */
  readonly about: string
  readonly shows: 'lines' | 'stacked' | 'number' | 'table' | 'logs'
  /** Of Grafana: s, reqps, bytes, percentunit, ... */
  readonly unit?: string
  readonly queries: readonly Query[]
}

export interface DashboardPlan {
  readonly uid: string
  readonly title: string
  readonly about: string
  /** Type of the data source, by the id of its plugin. */
  readonly source: string
  readonly variables?: readonly Builder<VariableModel>[]
  readonly rows: readonly { readonly title: string, readonly panels: readonly PanelPlan[] }[]
  readonly target: (query: Query, shows: PanelPlan['shows'], refId: string) => Builder<Dataquery>
}

const GRID_COLUMNS = 24
const SPAN: Readonly<Record<PanelPlan['shows'], number>> = { lines: 12, stacked: 12, number: 6, table: 12, logs: GRID_COLUMNS }
const HEIGHT: Readonly<Record<PanelPlan['shows'], number>> = { lines: 8, stacked: 8, number: 4, table: 9, logs: 10 }

/** A dashboard as Grafana imports it; which data source it asks is chosen on it. */
export function dashboard({ uid, title, about, source, variables = [], rows, target }: DashboardPlan): Dashboard {
  const made = new DashboardBuilder(title).uid(uid).description(about).tags(['lintel']).time({ from: 'now-1h', to: 'now' }).refresh('30s')
    .timezone('browser').tooltip(DashboardCursorSync.Crosshair).readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type(source))
  for (const variable of variables) made.withVariable(variable)
  let id = 1
  for (const row of rows) {
    made.withRow(new RowBuilder(row.title).id(id++))
    for (const plan of row.panels) made.withPanel(panel(plan, id++, source, target))
  }
  return made.build()
}

function panel(plan: PanelPlan, id: number, source: string, target: DashboardPlan['target']): Builder<Panel> {
  const made = shape(plan.shows).id(id).title(plan.title).description(plan.about).span(SPAN[plan.shows]).height(HEIGHT[plan.shows])
    .datasource({ type: source, uid: '${datasource}' })
  if (plan.unit !== undefined) made.unit(plan.unit)
  plan.queries.forEach((query, index) => made.withTarget(target(query, plan.shows, String.fromCharCode(65 + index))))
  return made
}

function shape(shows: PanelPlan['shows']): SeriesPanel | StatPanel | TablePanel | LogsPanel {
  switch (shows) {
    case 'lines': return lines()
    case 'stacked': return lines().drawStyle(GraphDrawStyle.Bars).fillOpacity(60)
      .stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    case 'number': return new StatPanel().reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull'])).noValue('none')
    case 'table': return new TablePanel()
    case 'logs': return new LogsPanel().showTime(true).wrapLogMessage(true)
  }
}

function lines(): SeriesPanel {
  return new SeriesPanel().min(0)
    .legend(new common.VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
}

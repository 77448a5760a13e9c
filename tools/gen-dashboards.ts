/**
 * Writes the dashboards of deploy/ for others' tools: Grafana over Prometheus, Loki or ClickHouse, and Kibana's saved objects. The names of
 * fields are those of the registry (src/exchange/fields.ts); what it has no name for cannot be asked for.
 *
 * In: `--check` as argument: writes nothing, exit code 1 when a file is stale.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clickhouseDashboard } from './dashboards/clickhouse.ts'
import { kibanaObjects } from './dashboards/kibana.ts'
import { lokiDashboard } from './dashboards/loki.ts'
import { prometheusDashboard } from './dashboards/prometheus.ts'

const folder = fileURLToPath(new URL('../deploy/', import.meta.url))
const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
const files = new Map([
  ['grafana/lintel-prometheus.json', pretty(prometheusDashboard())],
  ['grafana/lintel-loki.json', pretty(lokiDashboard())],
  ['grafana/lintel-clickhouse.json', pretty(clickhouseDashboard())],
  ['kibana/lintel.ndjson', kibanaObjects().map(object => `${JSON.stringify(object)}\n`).join('')],
])

for (const [name, text] of files) {
  const path = folder + name
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`deploy/${name} is stale: run node tools/gen-dashboards.ts`)
    process.exitCode = 1
  }
}

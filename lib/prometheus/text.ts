import type { Bucket, Exemplar, Histogram, Labels, MetricFamily } from './family.ts'

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** The Prometheus text format 0.0.4: histograms by their fixed bounds only, no exemplars. */
export function textFormat(families: readonly MetricFamily[]): string {
  return families.map(family => {
    const { name, type, help } = family
    return `# HELP ${name} ${escapeHelp(help, /[\\\n]/g)}\n# TYPE ${name} ${type}\n${samples(family, false)}`
  }).join('')
}

/** OpenMetrics 1.0: histograms by their fixed bounds, with exemplars. */
export function openMetrics(families: readonly MetricFamily[]): string {
  const parts = families.map(family => {
    const name = family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name
    return `# TYPE ${name} ${family.type}\n# HELP ${name} ${escapeHelp(family.help, /["\\\n]/g)}\n${samples(family, true)}`
  })
  return `${parts.join('')}# EOF\n`
}

function samples(family: MetricFamily, isOpen: boolean): string {
  if (family.type === 'histogram') return family.histograms.map(histogram => histogramLines(family.name, histogram, isOpen)).join('')
  return family.samples.map(({ labels, value }) => `${family.name}${braces(labels)} ${number(value)}\n`).join('')
}

function histogramLines(name: string, { labels, buckets, sum, count }: Histogram, isOpen: boolean): string {
  const bucket = ({ upper, cumulative, exemplar }: Bucket): string =>
    `${name}_bucket${braces([...labels, ['le', bound(upper, isOpen)]])} ${number(cumulative)}${isOpen ? exemplarText(exemplar) : ''}\n`
  const all = braces(labels)
  return `${buckets.map(bucket).join('')}${name}_sum${all} ${number(sum)}\n${name}_count${all} ${number(count)}\n`
}

function exemplarText(exemplar: Exemplar | undefined): string {
  return exemplar === undefined ? '' : ` # ${braces(exemplar.labels) || '{}'} ${number(exemplar.value)} ${exemplar.timeMs / 1000}`
}

/** OpenMetrics writes whole bounds as 1.0, so that they are the same text as in the protobuf format. */
function bound(upper: number, isOpen: boolean): string {
  const text = number(upper)
  return isOpen && Number.isInteger(upper) && !text.includes('e') ? `${text}.0` : text
}

function number(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value)
}

function braces(labels: Labels): string {
  return labels.length === 0 ? '' : `{${labels.map(([name, text]) => `${name}="${escapeLabel(text)}"`).join(',')}}`
}

function escapeLabel(text: string): string {
  return escapeHelp(text, /["\\\n]/g)
}

function escapeHelp(text: string, what: RegExp): string {
  return text.replaceAll(what, found => found === '\n' ? '\\n' : `\\${found}`)
}

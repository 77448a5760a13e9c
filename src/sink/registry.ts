import { nearest } from '../../lib/nearest/mod.ts'
import { ChosenFieldsSink } from './chosen-fields.ts'
import { clickHouseKind } from './exporters/clickhouse.ts'
import { elasticsearchKind } from './exporters/elasticsearch.ts'
import { fluentKind } from './exporters/fluent.ts'
import { influxKind } from './exporters/influxdb.ts'
import { kafkaKind } from './exporters/kafka.ts'
import { logstashKind } from './exporters/logstash.ts'
import { lokiKind } from './exporters/loki.ts'
import { moduleKind } from './exporters/module.ts'
import { otlpKind } from './exporters/otlp.ts'
import { remoteWriteKind } from './exporters/prometheus-remote-write.ts'
import { splunkHecKind } from './exporters/splunk-hec.ts'
import { syslogKind } from './exporters/syslog.ts'
import { victoriaLogsKind } from './exporters/victorialogs.ts'
import { webhookKind } from './exporters/webhook.ts'
import { fileKind } from './file.ts'
import { prettyKind } from './pretty.ts'
import type { Sink, SinkHost } from './sink.ts'
import type { SinkKind } from './sink-kind.ts'
import { stdoutKind } from './stdout.ts'
import { storeKind } from './store.ts'

/** One line per sink. */
export const SINK_KINDS = [
  fileKind,
  stdoutKind,
  prettyKind,
  storeKind,
  webhookKind,
  clickHouseKind,
  elasticsearchKind,
  fluentKind,
  influxKind,
  kafkaKind,
  logstashKind,
  lokiKind,
  otlpKind,
  remoteWriteKind,
  splunkHecKind,
  victoriaLogsKind,
  syslogKind,
  moduleKind,
] as const

type Kind = (typeof SINK_KINDS)[number]
/** One entry of `outputs`, checked, defaults filled in, without the keys that all outputs have. */
export type SinkOptions = Kind['schema']['_output']

/**
 * Opens what one entry of `outputs` asks for.
 *
 * @param leftOut names of the fields that its `fields` leave out, which only those before this stage know all of
 * @throws {Error} with what to mend, when it cannot be used
 */
export function openSink(options: SinkOptions, host: SinkHost, leftOut?: readonly string[]): Sink {
  const kind = SINK_KINDS.find(entry => entry.type === options.type) as SinkKind<SinkOptions> | undefined
  if (kind === undefined) throw new RangeError(`Cannot open output "${options.type}": no such type`)
  if (leftOut === undefined && 'fields' in options && options.fields !== undefined) {
    throw new RangeError(`Cannot open output "${options.type}": which fields it leaves out was not said`)
  }
  if (leftOut === undefined || leftOut.length === 0) return kind.open(options, host)
  return new ChosenFieldsSink(leftOut, host, own => kind.open(options, own))
}

/**
 * `--output file:PATH`, `stdout`, ... as an entry of `outputs`, not yet checked.
 *
 * @throws {RangeError} that lists what there is
 */
export function parseOutput(text: string): Record<string, unknown> {
  const colon = text.indexOf(':')
  const type = colon === -1 ? text : text.slice(0, colon)
  const kind = SINK_KINDS.find(entry => entry.type === type)
  const options = kind?.short(colon === -1 ? '' : text.slice(colon + 1))
  if (options !== undefined) return options
  const known = SINK_KINDS.filter(isShort).map(entry => usage(entry)).join(', ')
  if (kind !== undefined && !isShort(kind)) {
    throw new RangeError(`Cannot use output "${type}" on the command line: it needs more than one word; write it under outputs in a config file`)
  }
  if (kind !== undefined) throw new RangeError(`Cannot use output "${text}": write ${usage(kind)}`)
  const meant = nearest(type, SINK_KINDS.map(entry => entry.type))
  throw new RangeError(`Cannot use output "${text}": there is no type "${type}"; use one of ${known}` +
    (meant === undefined ? '' : `; did you mean "${meant}"?`))
}

/** False for those that only a config file can say all of. */
function isShort(kind: Kind): boolean {
  return kind.short('PATH') !== undefined || kind.short('') !== undefined
}

/** `file:PATH`, `stdout`: an output that cannot do without a path names it. */
function usage(kind: Kind): string {
  return kind.short('') === undefined ? `${kind.type}:PATH` : kind.type
}

/** A server for every exporter that has a spool, all of which keep what comes in one list, in the order in which it came. */
import { status } from '@grpc/grpc-js'
import type { Kept, Subject } from '../../../src/sink/exporters/exporter.suite.ts'
import { fluentConverse } from '../../../src/sink/exporters/testing/fluent-converse.ts'
import { kafkaConverse } from '../../../src/sink/exporters/testing/kafka-converse.ts'
import { linesConverse, lumberjackConverse } from '../../../src/sink/exporters/testing/lumberjack-converse.ts'
import { Collector, EMPTY } from '../../../src/sink/exporters/testing/otlp-collector.ts'
import { Receiver } from '../../../src/sink/exporters/testing/receiver.ts'
import { type Converse, StreamServer } from '../../../src/sink/exporters/testing/stream-server.ts'
import { CLICKHOUSE } from '../../../src/sink/exporters/testing/subjects/clickhouse.ts'
import { ELASTICSEARCH } from '../../../src/sink/exporters/testing/subjects/elasticsearch.ts'
import { INFLUXDBS } from '../../../src/sink/exporters/testing/subjects/influxdb.ts'
import { LOKI } from '../../../src/sink/exporters/testing/subjects/loki.ts'
import { OTLPS } from '../../../src/sink/exporters/testing/subjects/otlp.ts'
import { SPLUNK_HECS } from '../../../src/sink/exporters/testing/subjects/splunk-hec.ts'
import { VICTORIALOGS } from '../../../src/sink/exporters/testing/subjects/victorialogs.ts'
import { WEBHOOK } from '../../../src/sink/exporters/testing/subjects/webhook.ts'
import { syslogConverse } from '../../../src/sink/exporters/testing/syslog-converse.ts'

/** Outputs without one, and the user's own, which is whatever its file is. */
export const WITHOUT_SERVER = ['file', 'stdout', 'pretty', 'store', 'prometheus_remote_write', 'module'] as const

/** What a server does with a batch: by chance. */
export interface Chance {
  /** It does not take it, and says so. */
  isRefused(): boolean
  /** It has taken it, and its answer is so long on its way. */
  delayMs(): number
}

export interface Served {
  /** The output's own keys. */
  readonly options: Readonly<Record<string, unknown>> & { readonly type: string }
  /** What was sent to it is read. */
  isQuiet(): boolean
  kill(): Promise<void>
}

export async function serveEvery(kept: Kept[], chance: Chance): Promise<Served[]> {
  const http = [WEBHOOK, CLICKHOUSE, ELASTICSEARCH, LOKI, VICTORIALOGS, INFLUXDBS[0], OTLPS[0], SPLUNK_HECS[0]] as readonly Subject[]
  return await Promise.all([
    ...http.map(subject => serveHttp(subject, kept, chance)),
    serveStream({ type: 'fluent' }, fluentConverse(false), kept, chance), serveStream({ type: 'logstash' }, lumberjackConverse(true), kept, chance),
    // Of those that answer nothing a batch cannot be refused.
    serveStream({ type: 'logstash', format: 'json_lines' }, linesConverse, kept, { ...chance, isRefused: () => false }),
    serveStream({ type: 'syslog' }, syslogConverse(), kept, { ...chance, isRefused: () => false }),
    serveKafka(kept, chance), serveGrpc(kept, chance),
  ])
}

async function serveHttp(subject: Subject, kept: Kept[], chance: Chance): Promise<Served> {
  const receiver = await Receiver.start((request, response) => {
    receiver.requests.length = 0
    if (chance.isRefused()) return { status: 503, body: 'not now' }
    kept.push(...subject.read(request))
    const said = subject.accept(request)
    setTimeout(() => { response.writeHead(said.status, said.headers).end(said.body) }, chance.delayMs())
    return undefined
  })
  const options = { type: subject.type, ...subject.more, url: receiver.url + (subject.path ?? '') }
  return { options, isQuiet: () => receiver.sockets.size === 0, kill: () => receiver.kill() }
}

async function serveStream(own: { readonly type: string, readonly format?: string }, converse: Converse, kept: Kept[], chance: Chance): Promise<Served> {
  const server = await startStream(converse, kept, chance)
  return { options: { ...own, url: server.url }, isQuiet: () => server.open === 0, kill: () => server.kill() }
}

async function serveKafka(kept: Kept[], chance: Chance): Promise<Served> {
  const server = await startStream(kafkaConverse('lintel', { advertised: undefined }), kept, chance)
  return { options: { type: 'kafka', topic: 'lintel', brokers: [server.address] }, isQuiet: () => server.open === 0, kill: () => server.kill() }
}

async function startStream(converse: Converse, kept: Kept[], chance: Chance): Promise<StreamServer> {
  const server = await StreamServer.start(converse)
  server.kept = kept
  server.fate = () => chance.isRefused() ? 'acknowledge another' : 'acknowledge'
  server.delayMs = () => chance.delayMs()
  return server
}

async function serveGrpc(kept: Kept[], chance: Chance): Promise<Served> {
  const collector = await Collector.start(() => chance.isRefused() ? { code: status.UNAVAILABLE, details: 'not now' } : EMPTY)
  collector.kept = kept
  return {
    options: { type: 'otlp', protocol: 'grpc', signals: ['logs'], url: `http://${collector.address}` }, isQuiet: () => true, kill: () => collector.kill(),
  }
}

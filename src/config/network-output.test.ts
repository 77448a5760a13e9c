import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configSchema } from '../config.ts'
import { ConfigError } from './config-error.ts'
import { parseConfig } from './read-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-network-output-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const SECRET = 'open-sesame-42'

function complaint(text: string): string {
  try {
    parseConfig(Buffer.from(text), 'c.yaml', configSchema)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'ok'
}

/** A config with one webhook, whose keys are `lines`. */
function webhook(...lines: string[]): string {
  return ['outputs:', '  - type: webhook', '    spool: {path: /s}', ...lines.map(line => `    ${line}`), ''].join('\n')
}

function otlp(...lines: string[]): string {
  return webhook(...lines).replace('webhook', 'otlp')
}

/** A config with one kafka, and another key instead of, or besides, its own. */
function kafka(line = '', next = ''): string {
  const own = ['brokers: ["k:9092"]', 'topic: t', 'spool: {path: /s}'].filter(one => !line.startsWith(one.slice(0, one.indexOf(':') + 1)))
  return ['outputs:', '  - type: kafka', `    ${own[0]}`, `    ${own[1]}`, ...own.slice(2).map(one => `    ${one}`), ...line === '' ? [] : [`    ${line}`],
    ...next === '' ? [] : [`  ${next}`], ''].join('\n')
}

/** The same of one that has no spool. */
function write(...lines: string[]): string {
  return ['outputs:', '  - type: prometheus_remote_write', ...lines.map(line => `    ${line}`), ''].join('\n')
}

const URL = 'url: https://logs.example/in'
const noPem = join(folder, 'no.pem')
writeFileSync(noPem, 'nothing\n')
const empty = join(folder, 'empty')
writeFileSync(empty, '\n')
const two = join(folder, 'two')
writeFileSync(two, `${SECRET}\nx: y\n`)

const CASES: readonly (readonly [config: string, complaint: RegExp])[] = [
  [webhook(URL), /^ok$/],
  [webhook('url: logs.example/in'), /^c\.yaml:4:10: outputs\[0\]\.url: must (be an address, e\.g\. https|begin with http)/],
  [webhook('url: ftp://logs.example/in'), /url: must begin with http:\/\/ or https:\/\/$/],
  [webhook(`url: https://u:${SECRET}@logs.example/in`), /url: must not contain a user or password: secrets come from auth/],
  [webhook('uri: https://x'), /there is no such key; did you mean "url"\?/],
  [webhook(URL, 'spol: {path: /s}'), /^c\.yaml:5:5: outputs\[0\]\.spol: there is no such key; did you mean "spool"\?/],
  ['outputs: [{type: webhook, url: "http://x"}]', /outputs\[0\]\.spool: must be a section: .*; it is missing/],
  [webhook(URL, 'spool_bytes: 3'), /there is no such key/],
  [webhook(URL, `auth: {bearer: ${SECRET}}`), /^c\.yaml:5:20: outputs\[0\]\.auth\.bearer: must say where the secret is to be had: \{env: NAME\} or \{file: PATH\}$/],
  [webhook(URL, 'auth: {bearer: {env: LINTEL_NOT_SET}}'), /^c\.yaml:5:20: .*names the environment variable LINTEL_NOT_SET, which is not set: set it for lintel/],
  [webhook(URL, `auth: {bearer: {file: ${folder}/none}}`), /names the file ".*none", which cannot be read: there is no such file; give the path of one/],
  [webhook(URL, `auth: {bearer: {file: ${empty}}}`), /names the file ".*empty", which is empty: write the secret into it/],
  [webhook(URL, `auth: {bearer: {file: ${two}}}`), /names the file ".*two", which has a line break or control character in it: one line is wanted/],
  [webhook(URL, 'auth: {}'), /auth: must be one of basic and bearer/],
  [webhook(URL, 'headers: {Authorization: x}'), /headers\.Authorization: is set by lintel: use auth for credentials/],
  [webhook(URL, 'headers: {"a b": x}'), /headers\.a b: is no header name/],
  [webhook(URL, 'headers: {a: "x\\r\\ny: z"}'), /headers\.a: must not contain line breaks/],
  [webhook(URL, `tls: {ca: ${folder}/none.pem}`), /^c\.yaml:5:15: outputs\[0\]\.tls\.ca: names the file ".*none\.pem", which cannot be read: there is no such file/],
  [webhook(URL, `tls: {ca: ${noPem}}`), /tls\.ca: names the file ".*no\.pem", which is no certificate in PEM/],
  [webhook(URL, `tls: {cert: ${noPem}}`), /tls\.key: must come with the other|tls.*must come with the other/],
  [webhook(URL, 'spool: {path: /t}'), /must not have the same key twice/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, spool: {path: /s}}\n`, /must not write to \/s as outputs\[0\] does/],
  [`${webhook(URL, 'dead_letters: {path: /d}')}  - {type: webhook, ${URL}, name: b, spool: {path: /t}, dead_letters: {path: /d}}\n`, /must not write to \/d as outputs\[0\] does/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, spool: {path: /t}}\n`, /must have a name of its own: "webhook:logs\.example" is outputs\[0\]; add name: to one of them/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, name: b, spool: {path: /t}}\n`, /^ok$/],
  [webhook(URL, 'compression: zstd'), /^ok$/],
  [webhook(URL, 'compression: zstd').replace('webhook', 'loki'), /compression: must be none or gzip; it is "zstd"/],
  [webhook(URL, 'database: d').replace('webhook', 'influxdb'), /^c\.yaml:2:5: outputs\[0\]\.api: must be v1, v2 or v3; it is missing$/],
  [webhook(URL, 'api: v1').replace('webhook', 'influxdb'), /database: must be given with api: v1/],
  [webhook(URL, 'api: v1', 'database: d').replace('webhook', 'influxdb'), /^ok$/],
  [webhook(URL, 'api: v1', 'database: d', 'token: {env: PATH}').replace('webhook', 'influxdb'), /token: must be left out with api: v1; its credentials are auth/],
  [webhook(URL, 'api: v2', 'org: o', 'bucket: b').replace('webhook', 'influxdb'), /token: must be given with api: v2/],
  [webhook(URL, 'api: v2', 'org: o', 'bucket: b', 'token: {env: PATH}', 'auth: {bearer: {env: PATH}}').replace('webhook', 'influxdb'), /auth: must be left out: the token/],
  [webhook(URL, 'api: v3', 'database: d', 'org: o').replace('webhook', 'influxdb'), /^c\.yaml:7:10: outputs\[0\]\.org: must be left out with api: v3$/],
  [webhook(URL, 'api: v3', 'database: d', 'tags: {kind: a}').replace('webhook', 'influxdb'), /tags\.kind: is set by lintel: choose another name/],
  [webhook(URL, 'api: v3', 'database: d', 'tags: {a: "x\\ny"}').replace('webhook', 'influxdb'), /tags\.a: must not contain line breaks/],
  [webhook(URL, 'api: v3', 'database: d', 'header_fields: ["a b"]').replace('webhook', 'influxdb'), /header_fields\[0\]: must be a header name/],
  [webhook(URL, 'api: v3', 'database: d', 'measurement: "_x"').replace('webhook', 'influxdb'), /measurement: must be letters/],
  [write(URL), /^ok$/],
  [write(URL, 'compression: gzip'), /compression: there is no such key/],
  [write(URL, 'labels: {__name__: x}'), /^c\.yaml:4:24: outputs\[0\]\.labels\.__name__: is Prometheus's own: choose another name$/],
  [write(URL, 'histograms: exponential'), /histograms: must be classic, native or both; it is "exponential"/],
  [write(URL, 'requests: {labels: [url.path]}'), /requests\.labels\[0\]: must be server\.address, .* or http\.response\.status_code; it is "url\.path"/],
  [write(URL, 'requests: {labels: [url.domain, url.domain]}'), /requests\.labels: must not have the same label twice/],
  [write(URL, 'requests: {buckets: [0.1, 0.1]}'), /requests\.buckets: must rise from bound to bound/],
  [write(URL, 'requests: {buckets: [0]}'), /requests\.buckets\[0\]: must be above 0/],
  [write(URL, 'requests: {series_max: 3}'), /requests\.series_max: must be at least 10/],
  [`${write(URL)}  - {type: prometheus_remote_write, ${URL}}\n`, /must have a name of its own: "prometheus_remote_write:logs\.example" is outputs\[0\]/],
  [`${write(URL)}  - {type: prometheus_remote_write, url: "https://other.example"}\n`, /^ok$/],
  [`${write(URL)}  - {type: stdout}\n`, /^ok$/],
  ['metrics: {requests: {enabled: yes please}}', /^c\.yaml:1:31: metrics\.requests\.enabled: must be true or false/],
  [webhook(URL, 'labels: {kind: a}').replace('webhook', 'loki'), /labels\.kind: is the record's kind: choose another name/],
  [otlp('url: http://collector:4318', 'signals: [traces]', 'resource: {deployment.environment.name: prod}'), /^ok$/],
  [otlp('url: http://collector:4317', 'protocol: grpc', 'service_name: gate'), /^ok$/],
  [otlp('url: collector:4317', 'protocol: grpc'), /url: must (be an address|begin with http)/],
  [otlp('url: http://collector:4317/v1', 'protocol: grpc'), /^c\.yaml:4:10: outputs\[0\]\.url: must have no path with protocol: grpc, e\.g\. http/],
  [otlp(URL.replace('/in', ''), 'protocol: grpc', 'proxy: http://p:1'), /proxy: must be left out with protocol: grpc; OTLP over HTTP goes through proxies/],
  [otlp(URL.replace('/in', ''), 'protocol: grpc', 'compression: zstd'), /compression: must be none or gzip with protocol: grpc/],
  [otlp(URL, 'protocol: udp'), /protocol: must be http or grpc; it is "udp"/],
  [otlp(URL, 'signals: [metric]'), /signals\[0\]: must be logs, traces or metrics; it is "metric"/],
  [otlp(URL, 'signals: [metrics]', 'metrics: {temporality: delta, requests: {labels: [url.scheme]}}'), /^ok$/],
  [`outputs: [{type: otlp, ${URL}, signals: [metrics]}]`, /^ok$/],
  [`outputs: [{type: otlp, ${URL}}]`, /outputs\[0\]\.spool: must be given for logs and traces/],
  [otlp(URL, 'metrics: {temporality: sum}'), /metrics\.temporality: must be cumulative or delta; it is "sum"/],
  [otlp(URL, 'signals: []'), /signals: must name one signal at least/],
  [otlp(URL, 'signals: [logs, logs]'), /signals: must not name a signal twice/],
  [otlp(URL, 'signal: [logs]'), /there is no such key; did you mean "signals"\?/],
  [otlp(URL, 'resource: {service.name: a}'), /resource\.service\.name: must be given as service_name/],
  [otlp(URL, 'resource: {a: 1}'), /resource\.a: must be/],
  [otlp(URL, `auth: {bearer: ${SECRET}}`), /auth\.bearer: must say where the secret is to be had/],
  [otlp(URL, `tls: {ca: ${folder}/none.pem}`), /tls\.ca: names the file ".*none\.pem", which cannot be read/],
  [webhook(URL, 'token: {env: PATH}', 'auth: {bearer: {env: PATH}}').replace('webhook', 'splunk_hec'), /auth: must be left out/],
  [webhook(URL, 'api_key: {env: PATH}', 'auth: {bearer: {env: PATH}}').replace('webhook', 'elasticsearch'), /api_key: must not come with auth/],
  [webhook(URL, 'fields: {include: [http.request, "tls.*"], exclude: [/header$/]}'), /^ok$/],
  [webhook(URL, 'fields: {exclude: [url.pth]}'), /^c\.yaml:5:24: outputs\[0\]\.fields\.exclude\[0\]: must be a field that exists: there is no "url\.pth"; did you mean "url\.path"/],
  [webhook(URL, 'fields: {include: []}'), /fields\.include: must name one field at least; leave it out for all/],
  [webhook(URL, 'fields: {only: [url]}'), /fields\.only: there is no such key/],
  ['outputs: [{type: file, path: /f, fields: {exclude: [url.query]}}]', /^ok$/],
  ['outputs: [{type: store, path: /f, fields: {exclude: [url.query]}}]', /fields: there is no such key/],
  [webhook(URL, 'data_stream: Logs').replace('webhook', 'elasticsearch'), /data_stream: must be lower-case letters/],
  [kafka(), /^ok$/],
  [kafka('brokers: [kafka://k:9092]'), /^c\.yaml:5:15: outputs\[0\]\.brokers\[0\]: must be HOST:PORT, e\.g\. kafka-1\.example:9092.*without a scheme/],
  [kafka('brokers: ["k:9092", k]'), /outputs\[0\]\.brokers\[1\]: must be HOST:PORT/],
  [kafka('brokers: ["k:70000"]'), /brokers\[0\]: must be HOST:PORT/],
  [kafka('brokers: ["[::1]:9092"]'), /^ok$/],
  [kafka('brokers: k:9092'), /brokers: must be a list of HOST:PORT/],
  [kafka('brokers: []'), /brokers: must name one broker at least/],
  [kafka('topic: "a b"'), /topic: must be 1 to 249 letters/],
  [kafka('key: Client Address'), /key: must be none, or the name of a field, e\.g\. client\.address or trace\.id/],
  [kafka('key: http.request.header.x-tenant'), /^ok$/],
  [kafka('broker: x'), /outputs\[0\]\.broker: there is no such key; did you mean "brokers"\?/],
  [kafka(`sasl: {mechanism: plain, user: u, password: ${SECRET}}`), /sasl\.password: must say where the secret is to be had: \{env: NAME\} or \{file: PATH\}$/],
  [kafka('sasl: {mechanism: plain, user: u, password: {env: LINTEL_NOT_SET}}'), /sasl\.password: names the environment variable LINTEL_NOT_SET, which is not set/],
  [kafka('sasl: {mechanism: plain, user: u}'), /sasl\.password: must say where the secret is to be had/],
  [kafka('sasl: {mechanism: gssapi, user: u, password: {env: PATH}}'), /sasl\.mechanism: must be plain, scram-sha-256 or scram-sha-512/],
  [kafka(`tls: {ca: ${noPem}}`), /tls\.ca: names the file ".*no\.pem", which is no certificate in PEM/],
  [kafka('tls: {}'), /^ok$/],
  [kafka('compression: zst'), /compression: must be none, gzip, snappy, lz4 or zstd; it is "zst"/],
  [kafka('spool: {path: /s}', '- {type: kafka, brokers: ["k:9092"], topic: t, spool: {path: /t}}'),
    /outputs\[1\]: must have a name of its own: "kafka:k:9092\/t" is outputs\[0\]; add name: to one of them/],
  [kafka('spool: {path: /s}', '- {type: kafka, brokers: ["k:9092"], topic: u, spool: {path: /t}}'), /^ok$/],
]

for (const [config, expected] of CASES) {
  test(`network output: ${config.replaceAll(folder, '').replaceAll(/\s+/g, ' ').slice(9, 120)}`, () => {
    const said = complaint(config)
    assert.match(said, expected)
    assert.ok(!said.includes(SECRET), said)
  })
}

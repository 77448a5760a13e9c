import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configSchema, defaultConfig } from '../config.ts'
import { ConfigError } from './config-error.ts'
import { parseConfig, readConfig } from './read-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function parse(text: string | Uint8Array) {
  return parseConfig(typeof text === 'string' ? Buffer.from(text) : text, 'c.yaml', configSchema)
}

function complaint(text: string | Uint8Array): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'ok'
}

test('an empty file, one of comments, and sections that are empty mean the defaults', () => {
  const { files: _none, ...defaults } = defaultConfig()
  for (const text of ['', '# nothing\n', 'capture:\n  # ports: [80]\nprivacy:\noutputs:\n']) assert.deepEqual(parse(text), defaults, JSON.stringify(text))
})

test('a whole file is read, with sizes, durations, ranges and rules', () => {
  const config = parse(`
capture:
  interfaces: [eth0, lo]
  ports: [80, 8000-8999]
  addresses: {include: [10.0.0.0/8, "2001:db8::/32"], exclude: [10.0.0.1]}
  protocols: [tcp, udp]
  sample: 0.25
  attach: clsact
  transport: perf
  ring_bytes: 64MiB
kinds: [exchange, connection]
fields: {include: ["tcp.*", link], exclude: [url.query]}
headers: {include: ["X-*"], exclude: ["/^x-int(ernal)?-/"]}
privacy: {addresses: anonymise, hash_key_env: KEY}
trust: {proxies: ["192.0.2.0/24"]}
filter: http.response.status_code >= 500
outputs:
  - {type: file, path: a.ndjson, rotate: {bytes: 1GB, age: 1h30m}, keep: {files: 3}, filter: duration > 1}
  - type: stdout
metrics: {address: "[::1]:9000"}
stats: {interval: 10s}
limits: {messages: 64MiB, connection_idle: 90s}
data_directory: /srv/lintel
`)
  assert.deepEqual(config.capture.ports, [{ first: 80, last: 80 }, { first: 8000, last: 8999 }])
  assert.deepEqual(config.capture.addresses, { include: ['10.0.0.0/8', '2001:db8::/32'], exclude: ['10.0.0.1/32'] })
  assert.equal(config.capture.ring_bytes, 64 * 2 ** 20)
  assert.deepEqual(config.headers, { include: ['x-*'], exclude: ['/^x-int(ernal)?-/'] })
  const [file] = config.outputs
  assert.ok(file?.type === 'file')
  assert.deepEqual(file.rotate, { bytes: 1e9, age: 5_400_000 })
  assert.deepEqual(file.keep, { files: 3, bytes: 16 * 2 ** 30 })
  assert.deepEqual(config.metrics, { ...defaultConfig().metrics, address: { host: '::1', port: 9000 } })
  assert.equal(config.stats.interval, 10_000)
  assert.equal(JSON.stringify(structuredClone(config)), JSON.stringify(config), 'plain data for a worker')
})

/** Each: what is written, and what is said, in full. */
const WRONG: [text: string | Uint8Array, said: string][] = [
  ['capture:\n  ports: [80, 70000]\n', 'c.yaml:2:15: capture.ports[1]: must be between 1 and 65535; it is 70000'],
  ['capture: {ports: ["90-80"]}', 'c.yaml:1:19: capture.ports[0]: must begin with the lower port: write 80-90; it is "90-80"'],
  ['capture: {ports: [http]}', 'c.yaml:1:19: capture.ports[0]: must be a port or a range, e.g. 80 or 8000-8999; it is "http"'],
  ['capture:\n  prots: [80]\n', 'c.yaml:2:3: capture.prots: there is no such key; did you mean "ports"?'],
  ['zzz: 1', 'c.yaml:1:1: zzz: there is no such key; there are capture, kinds, fields, headers, privacy, exchanges, trust, decoders, filter, outputs, metrics, store, web, stats, workers, limits, data_directory'],
  ['capture: 80', 'c.yaml:1:10: capture: must be a section: keys with values, indented below it; it is 80'],
  ['capture: {interfaces: eth0}', 'c.yaml:1:23: capture.interfaces: must be a list, e.g. [a, b]; it is "eth0"'],
  ['capture: {interfaces: ["a/b"]}', 'c.yaml:1:24: capture.interfaces[0]: must be the name of an interface: 1 to 15 characters without "/", ":" or spaces'],
  ['capture: {addresses: {include: [10.1.2.3/8]}}', 'c.yaml:1:33: capture.addresses.include[0]: must be the first address of the network: write 10.0.0.0/8 for all of it, or 10.1.2.3 for this one address'],
  ['capture: {addresses: {include: ["2001:db8::1/64"]}}', 'c.yaml:1:33: capture.addresses.include[0]: must be the first address of the network: write 2001:db8::/64 for all of it, or 2001:db8::1 for this one address'],
  ['capture: {addresses: {exclude: [10.0.0.0/33]}}', 'c.yaml:1:33: capture.addresses.exclude[0]: must have a prefix length from 0 to 32; it is "10.0.0.0/33"'],
  ['capture: {addresses: {exclude: [lan]}}', 'c.yaml:1:33: capture.addresses.exclude[0]: must be an IPv4 or IPv6 address or network, e.g. 10.0.0.0/8 or 2001:db8::/32; it is "lan"'],
  ['capture: {attach: tc}', 'c.yaml:1:19: capture.attach: must be tcx, clsact, xdp, socket or cgroup; it is "tc"; did you mean "tcx"?'],
  ['capture: {ring_bytes: 12 parsecs}', 'c.yaml:1:23: capture.ring_bytes: Cannot read "12 parsecs" as a size: write a number and a unit, e.g. 64MiB, 1GB or 4096'],
  ['capture: {sample: 2}', 'c.yaml:1:19: capture.sample: must be at most 1: 1 keeps every connection'],
  ['kinds: [exchnge]', 'c.yaml:1:9: kinds[0]: must be exchange, connection, packet, anomaly, websocket or handshake; it is "exchnge"; did you mean "exchange"?'],
  ['kinds: []', 'c.yaml:1:8: kinds: must name one kind at least'],
  ['fields: {include: [http.request.metod]}', 'c.yaml:1:20: fields.include[0]: must be a field that exists: there is no "http.request.metod"; did you mean "http.request.method"?'],
  ['headers: {exclude: ["x y"]}', 'c.yaml:1:21: headers.exclude[0]: must be a header name or a pattern: letters, digits, "-" and "*", no colon or space; it is "x y"'],
  ['privacy: {headers: [{match: "x:", action: keep}]}', 'c.yaml:1:29: privacy.headers[0].match: must be a header name or a pattern: letters, digits, "-" and "*", no colon or space; it is "x:"'],
  ['privacy: {headers: [{match: x, action: hsh}]}', 'c.yaml:1:40: privacy.headers[0].action: must be keep, redact, hash or drop; it is "hsh"; did you mean "hash"?'],
  ['privacy: {headers: [{match: x, action: hash}]}', 'c.yaml:1:40: privacy.headers[0].action: hash needs a key: set privacy.hash_key_file, hash_key_env or hash_key_ephemeral'],
  ['privacy: {addresses: anonymise}', 'c.yaml:1:22: privacy.addresses: anonymise needs a key: set privacy.hash_key_file, hash_key_env or hash_key_ephemeral'],
  ['stats: {interval: 10}', 'c.yaml:1:19: stats.interval: must be a duration with its unit, e.g. 500ms, 10s or 24h'],
  ['stats: {interval: 1ms}', 'c.yaml:1:19: stats.interval: must be at least 100ms: it is 1ms'],
  ['filter: http.request.methd == "GET"', 'c.yaml:1:9: filter: Cannot find field "http.request.methd": did you mean "http.request.method"? (1:1)\n  http.request.methd == "GET"\n  ^^^^^^^^^^^^^^^^^^'],
  ['outputs: [{type: fil}]', 'c.yaml:1:18: outputs[0].type: must be file, stdout, pretty, store, webhook, clickhouse, elasticsearch, fluent, influxdb, kafka, logstash, loki, otlp, prometheus_remote_write, splunk_hec, victorialogs, syslog or module; it is "fil"; did you mean "file"?'],
  ['outputs: [{path: a}]', 'c.yaml:1:11: outputs[0].type: must be file, stdout, pretty, store, webhook, clickhouse, elasticsearch, fluent, influxdb, kafka, logstash, loki, otlp, prometheus_remote_write, splunk_hec, victorialogs, syslog or module; it is missing'],
  ['outputs: [{type: clickhouse, url: "http://a", fields: {exclude: [time]}, spool: {path: a}}]', 'c.yaml:1:55: outputs[0].fields: must not leave out time: clickhouse cannot keep records without'],
  ['store: {engine: clickhouse}', 'c.yaml:1:8: store.clickhouse: must be there with engine: clickhouse, e.g. {url: "http://clickhouse:8123"}'],
  ['outputs: [{type: file}]', 'c.yaml:1:11: outputs[0].path: must be a path'],
  ['outputs: [{type: stdout, filter: duration}]', 'c.yaml:1:34: outputs[0].filter: Cannot use a number as a condition: compare it, e.g. with == or has() (1:1)\n  duration\n  ^^^^^^^^'],
  ['outputs: [{type: file, path: a, rotate: {size: 1GB}}]', 'c.yaml:1:42: outputs[0].rotate.size: there is no such key; there are bytes, age'],
  ['outputs: [{type: pretty}, {type: stdout}]', 'c.yaml:1:27: outputs[1]: must not write to standard output as outputs[0] does: leave one of them out'],
  ['metrics: {address: "0.0.0.0:9464"}', 'c.yaml:1:20: metrics.address: must be a port on this machine\'s loopback, e.g. 127.0.0.1:9464; it is "0.0.0.0:9464". The figures have no password, so put a proxy with one in front of it to reach it from elsewhere'],
  ['- a', 'c.yaml:1:1: must be a section: keys with values, indented below it; it is a list'],
  ['a: 1\na: 2\n', 'c.yaml:2:1: must not have the same key twice: leave one of them out, or join them'],
  ['capture:\n\tports: [1]\n', 'c.yaml:2:1: must not be indented with a tab: use spaces'],
  ['kinds: []\n---\nkinds: []\n', 'c.yaml:2:1: must be one document: leave out what stands behind "---"'],
  ['a: [', 'c.yaml:1:5: is no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; look at quotes, brackets and indentation here and in the line before'],
  [Buffer.from('# gr\xfc\xdfe\n', 'latin1'), 'c.yaml:1:5: must be UTF-8: save the file in that encoding'],
  [Buffer.from('# ok\nkinds: [\xff]\n', 'latin1'), 'c.yaml:2:9: must be UTF-8: save the file in that encoding'],
  ['a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n', 'c.yaml: Cannot use the config file: its aliases (*name) stand for more than 100 values; write them out'],
  ['capture:\n  sample: *half\n', 'c.yaml:2:11: names the anchor "half", which is not set before it: write &half at a value above, or quote the text'],
  ['a: *late\nb: &late 1\n', 'c.yaml:1:4: names the anchor "late", which is not set before it: write &late at a value above, or quote the text'],
  ['__proto__: {a: 1}', 'c.yaml:1:1: __proto__: there is no such key; there are capture, kinds, fields, headers, privacy, exchanges, trust, decoders, filter, outputs, metrics, store, web, stats, workers, limits, data_directory'],
]

for (const [text, said] of WRONG) {
  test(`config: ${said.split('\n')[0]}`, () => assert.equal(complaint(text), said))
}

test('all problems of a file are told at once, in order of their places', () => {
  assert.deepEqual(complaint('kinds: [x]\ncapture:\n  sample: 7\n  prots: [1]\n').split('\n').map(line => line.split(': ')[0]),
    ['c.yaml:1:9', 'c.yaml:3:11', 'c.yaml:4:3'])
})

test('a file that cannot be read says why', () => {
  assert.throws(() => readConfig(join(folder, 'none.yaml'), configSchema), /none\.yaml: Cannot read the config file: there is no such file/)
  assert.throws(() => readConfig(folder, configSchema), /it is a folder/)
  const large = join(folder, 'large.yaml')
  writeFileSync(large, '#'.repeat(2 ** 20 + 1))
  assert.throws(() => readConfig(large, configSchema), /Cannot use a config file of 1048577 bytes: 1048576 are allowed/)
})

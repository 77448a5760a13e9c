/** Requests counted in the kernel: equal, by key and to the byte, to nginx's access log and to another agent's records of the same run. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../engines/testing/free-port.ts'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Metrics } from './testing/metrics.ts'
import { run } from './testing/process.ts'

const KEY = ['client_address', 'http_request_method', 'http_response_status_class', 'url_domain', 'user_agent_class'] as const

/** Requests, their bytes, and those of the responses. */
type Counts = [requests: number, requestBytes: number, responseBytes: number]

function add(table: Map<string, Counts>, key: readonly string[], counts: Counts): void {
  const name = key.join(' ')
  const before = table.get(name) ?? [0, 0, 0]
  table.set(name, before.map((value, at) => value + counts[at]!) as Counts)
}

function sorted<Value>(table: ReadonlyMap<string, Value>): [string, Value][] {
  return [...table].sort(([a], [b]) => a < b ? -1 : 1)
}

const CLASSES: readonly (readonly [begin: string, name: string])[] = [
  ['', 'none'], ['curl/', 'tool'], ['Mozilla/', 'browser'], ['Go-http-client/', 'library'], ['kube-probe/', 'probe'], ['h2load', 'other'], ['x', 'other'],
]

function classOf(agent: string): string {
  return agent === '' ? 'none' : CLASSES.slice(1).find(([begin]) => agent.startsWith(begin))![1]
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])

/** One line of the access log. */
interface Logged { client: string; host: string; method: string; status: number; agent: string; in: number; out: number }

function accessLog(gateway: Gateway): Map<string, Counts> {
  const table = new Map<string, Counts>()
  for (const line of readFileSync(join(gateway.directory, 'tally.log'), 'utf8').split('\n').filter((text) => text !== '')) {
    const { client, host, method, status, agent, in: bytesIn, out } = JSON.parse(line) as Logged
    const domain = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
    add(table, [client, METHODS.has(method) ? method : '_OTHER', `${Math.floor(status / 100)}xx`, domain, classOf(agent)], [1, bytesIn, out])
  }
  return table
}

function recordCounts(records: readonly LoggedRecord[]): Map<string, number> {
  const table = new Map<string, Counts>()
  for (const { kind, client, url, http } of records) {
    if (kind !== 'exchange') continue
    const agent = http!.request!.header?.['user-agent']?.[0] ?? ''
    const key = [client!.address!, http!.request!.method!, `${Math.floor(http!.response!.status_code! / 100)}xx`, url!.domain ?? '', classOf(agent)]
    add(table, key, [1, 0, 0])
  }
  return new Map([...table].map(([key, [requests]]) => [key, requests]))
}

/** What the kernel has counted, out of a scrape. */
function tallies(metrics: Metrics): Map<string, Counts> {
  const table = new Map<string, Counts>()
  const names = ['lintel_requests_total', 'lintel_request_bytes_total', 'lintel_response_bytes_total']
  for (const [sample, value] of metrics.samples) {
    const at = names.indexOf(sample.split('{')[0]!)
    if (at === -1) continue
    const labels = new Map([...sample.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1]!, match[2]!]))
    add(table, KEY.map((label) => labels.get(label) ?? ''), [0, 1, 2].map((place) => place === at ? value : 0) as Counts)
  }
  return table
}

/** The figures once so many requests are counted; those of the last try if they never are, so that the difference shows. */
async function untilCounted(address: string, requests: number): Promise<Metrics> {
  let metrics = await Metrics.scrape(address)
  // The totals are read before the keys, so they come last.
  const isCounted = (): boolean => Math.min(metrics.sum('lintel_requests_total'), metrics.get('lintel_requests_begun_total')) >= requests
  for (let tries = 0; tries < 100 && !isCounted(); tries++) {
    await delay(100)
    metrics = await Metrics.scrape(address)
  }
  return metrics
}

const SERVER = `
  log_format tally escape=json '{"client":"$remote_addr","host":"$http_host","method":"$request_method","status":$status,'
    '"agent":"$http_user_agent","in":$request_length,"out":$bytes_sent}';
  access_log tally.log tally;`
const LOCATION = `
  if ($uri ~ "^/moved") { return 301 /; }
  if ($uri ~ "^/lost") { return 404 "no\\n"; }
  if ($uri ~ "^/broken") { return 503 "broken\\n"; }
  if ($uri ~ "^/upload") { proxy_pass http://127.0.0.1:SINK; }
  root .; try_files $uri =405;`

/** A gateway that answers with several statuses, takes bodies and gives files of 1 MB; `SINK` answers what is uploaded. */
async function startGateway(port: number): Promise<Gateway> {
  const sink = await freePort()
  const gateway = await Gateway.start({
    listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
    http: `${SERVER} server { listen 127.0.0.1:${sink}; access_log off; location / { return 200 "taken\\n"; } }`,
    location: LOCATION.replace('SINK', String(sink)),
  })
  chmodSync(gateway.directory, 0o755) // nginx's workers are nobody
  writeFileSync(join(gateway.directory, 'index.html'), 'hello\n')
  writeFileSync(join(gateway.directory, 'large'), Buffer.alloc(1_000_000, 'GET / HTTP/1.1\r\nHost: not-a-request\r\n\r\n'))
  return gateway
}

/** Every kind of request that is counted, over IPv4 and IPv6, on connections of one and of many requests. */
async function talk(port: number, directory: string): Promise<void> {
  const body = join(directory, 'body')
  writeFileSync(body, Buffer.alloc(300_000, 'POST / HTTP/1.1\r\nHost: not-a-request\r\n\r\nHTTP/1.1 500 No\r\n\r\n'))
  const curl = async (...args: string[]): Promise<string> => await run('curl', ['-s', '--fail-early', ...args])
  for (const base of [`http://127.0.0.1:${port}`, `http://[::1]:${port}`]) {
    // One connection: curl keeps it through --next.
    await curl('-o', '/dev/null', `${base}/index.html`, '--next', '-s', '-o', '/dev/null', '-H', 'Host: a.example', `${base}/lost/1`,
      '--next', '-s', '-o', '/dev/null', '-A', 'Mozilla/5.0 (X11)', '-H', 'host: b.example:8080', `${base}/moved`,
      '--next', '-s', '-o', '/dev/null', '-A', 'Go-http-client/1.1', '-H', 'Host: a.example', `${base}/broken`,
      '--next', '-s', '-I', '-o', '/dev/null', '-H', 'User-Agent:', `${base}/index.html`,
      '--next', '-s', '-o', '/dev/null', '-X', 'PURGE', `${base}/index.html`,
      '--next', '-s', '-o', '/dev/null', '-d', 'a=1', '-A', 'kube-probe/1.29', `${base}/upload/1`,
      '--next', '-s', '-o', '/dev/null', '-T', body, '-H', 'Host: up.example', `${base}/upload/2`,
      '--next', '-s', '-o', '/dev/null', '--data-binary', `@${body}`, '-H', 'Expect: 100-continue', '-H', 'Host: up.example', `${base}/upload/3`,
      '--next', '-s', '-o', '/dev/null', '-X', 'DELETE', '-A', 'x', `${base}/index.html`,
      '--next', '-s', '-o', '/dev/null', `${base}/large`, '--next', '-s', '-o', '/dev/null', `${base}/index.html?${'q'.repeat(600)}`)
    for (let n = 0; n < 20; n++) await curl('-o', '/dev/null', '-H', `Host: h${n % 4}.example`, `${base}/index.html`)
  }
  await curl('-o', '/dev/null', '--interface', '127.0.0.2', `http://127.0.0.1:${port}/index.html`)
  // Bare load, many connections, each of many requests.
  await run('h2load', ['--h1', '-n', '6000', '-c', '24', '-t', '1', '-H', 'x-long: ' + 'v'.repeat(300), `http://127.0.0.1:${port}/index.html`])
}

function configuration(port: number, tallies = '', privacy = ''): string {
  return `capture: {mode: metrics, interfaces: [lo], ports: [${port}]}
metrics: {tallies: {interval: 200ms${tallies}}}
privacy: {${privacy}}
`
}

test('counts and bytes by key are those of the access log, and the counts those of the records', { timeout: 120_000 }, async () => {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const gateway = await startGateway(port)
  const logging = await Lintel.start(['--port', String(port), '--interface', 'lo'])
  const counting = await Lintel.configured(() => configuration(port), ['--metrics', `127.0.0.1:${metricsPort}`])
  try {
    await talk(port, counting.directory)
    await gateway.stopped()
    const wanted = accessLog(gateway)
    const requests = [...wanted.values()].reduce((sum, [count]) => sum + count, 0)
    assert.ok(requests > 6000 && wanted.size > 20, `${requests} requests by ${wanted.size} keys`)
    const metrics = await untilCounted(`127.0.0.1:${metricsPort}`, requests)
    assert.deepEqual(sorted(tallies(metrics)), sorted(wanted))
    assert.equal(metrics.get('lintel_requests_begun_total'), requests)
    assert.equal(metrics.sum('lintel_requests_lost_total'), 0)
    assert.equal(metrics.sum('lintel_request_metrics_other_total'), 0)
    assert.equal(metrics.sum('lintel_records_seen_total'), 0)
    assert.match(await counting.stop(),
      // The bodies hold what looks like a request where a packet begins.
      new RegExp(`requests begun ${requests} = over ${requests} \\+ under way 0; of those over lost 0; left out \\d+( \\(pipelined \\d+\\))?; adds up`))
    await logging.stopQuietly()
    assert.deepEqual(sorted(recordCounts(await logging.records())), sorted(new Map([...wanted].map(([key, [count]]) => [key, count]))))
  } finally {
    await counting.process.stop('SIGKILL')
    await logging.process.stop('SIGKILL')
    counting.remove()
    logging.remove()
    await gateway.stop()
  }
})

/** As many requests as names, each on a connection of its own, with the name as Host. */
async function askAs(port: number, names: readonly string[]): Promise<void> {
  for (const name of names) await run('curl', ['-s', '-o', '/dev/null', '-H', `Host: ${name}`, `http://127.0.0.1:${port}/`])
}

test('by clsact, labels go through the wall, also after a reload; sets beyond the bound are other, and the sum stays', { timeout: 60_000 }, async () => {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const address = `127.0.0.1:${metricsPort}`
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${port}`] })
  const counting = await Lintel.configured(() => configuration(port, ', series_max: 10, labels: [url.domain, client.address]'),
    ['--metrics', address, '--attach', 'clsact'])
  try {
    await askAs(port, ['plain.example', 'AKIAIOSFODNN7EXAMPLE.example'])
    const before = await untilCounted(address, 2)
    assert.equal(before.get('lintel_requests_total{client_address="127.0.0.1",url_domain="plain.example"}'), 1)
    assert.doesNotMatch([...before.samples.keys()].join(), /AKIAIOSFODNN7EXAMPLE/i)
    writeFileSync(join(counting.directory, 'lintel.yaml'), configuration(port, ', series_max: 10, labels: [url.domain, client.address]',
      'addresses: {truncate: {ipv4: 8}}, headers: [{match: host, action: drop}]'))
    counting.process.child.kill('SIGHUP')
    await counting.process.until(() => counting.process.errors.includes('configuration read anew'), 'reload')
    await askAs(port, ['plain.example', 'other.example'])
    const after = await untilCounted(address, 4)
    assert.equal(after.get('lintel_requests_total{client_address="127.0.0.1",url_domain="plain.example"}'), 1, 'what was counted keeps its labels')
    assert.equal(after.get('lintel_requests_total{client_address="127.0.0.0"}'), 2)
    writeFileSync(join(counting.directory, 'lintel.yaml'), configuration(port, ', series_max: 10, labels: [url.domain, client.address]'))
    counting.process.child.kill('SIGHUP')
    await counting.process.until(() => counting.process.errors.split('configuration read anew').length > 2, 'second reload')
    await askAs(port, Array.from({ length: 20 }, (_, n) => `n${n}.example`))
    const full = await untilCounted(address, 24)
    assert.equal(full.sum('lintel_requests_total'), 24)
    assert.equal(full.get('lintel_request_metrics_series'), 10)
    const others = full.get('lintel_requests_total{client_address="other",url_domain="other"}')
    assert.equal(others, full.get('lintel_request_metrics_other_total{label="all"}'))
    assert.equal(others, 20 - (9 - 3))
    assert.match(await counting.stop(), /adds up/)
  } finally {
    await counting.process.stop('SIGKILL')
    counting.remove()
    await gateway.stop()
  }
})

test('what cannot count in the kernel is refused at the start, with the mend', async () => {
  for (const attach of ['xdp', 'socket', 'cgroup']) {
    await assert.rejects(async () => await Lintel.configured(() => configuration(1), ['--attach', attach]),
      /capture\.mode metrics is for tcx and clsact; set capture\.attach to one of them/)
  }
})

/** The figures for Prometheus: by curl, on the loopback only, every counter there, and they add up. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import { Metrics } from './testing/metrics.ts'
import { run, Running } from './testing/process.ts'
import { wrk } from './testing/wrk.ts'

const PORT = 18118
const METRICS = '127.0.0.1:18119'

let gateway: Gateway
let lintel: Lintel
before(async () => {
  gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo', '--metrics', METRICS, '--filter', '!url.path.startsWith("/no")'])
})
after(async () => {
  await lintel.process.stop('SIGKILL')
  lintel.remove()
  await gateway.stop()
})

async function status(...args: string[]): Promise<string> {
  const curl = new Running('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '3', ...args])
  await curl.finish()
  return curl.output
}

test('at rest after load: packets and records add up, as in the totals line', { timeout: 60_000 }, async () => {
  const load = await wrk({ url: `http://127.0.0.1:${PORT}/load`, seconds: 1, connections: 8 })
  for (let n = 0; n < 3; n++) await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${PORT}/no-${n}`])
  let metrics = await Metrics.scrape(METRICS)
  for (let tries = 0; tries < 50; tries++) {
    await delay(300)
    const next = await Metrics.scrape(METRICS)
    const atRest = next.sum('lintel_records_total') === metrics.sum('lintel_records_total')
    metrics = next
    if (atRest && next.get('lintel_records_queued') === 0) break
  }
  const packets = metrics.sum('lintel_packets_total')
  // A scrape and what else crosses lo meanwhile may be in one counter and not yet in the other.
  assert.ok(Math.abs(metrics.get('lintel_packets_seen_total') - packets) <= 20, `${metrics.get('lintel_packets_seen_total')} is not ${packets}`)
  assert.equal(metrics.sum('lintel_records_seen_total'), metrics.sum('lintel_records_total') + metrics.get('lintel_records_queued'))
  assert.equal(metrics.get('lintel_records_total{outcome="filtered",reason=""}'), 3)
  const logged = metrics.get('lintel_records_total{outcome="logged",reason=""}')
  assert.ok(logged >= load.requests, `${logged} of ${load.requests}`)
  const output = `output="file:${lintel.directory}/log.ndjson"`
  assert.equal(metrics.get(`lintel_output_records_total{${output},outcome="written",reason=""}`), logged)
  assert.equal(metrics.get(`lintel_output_bytes_total{${output}}`), statSync(`${lintel.directory}/log.ndjson`).size)
  assert.equal(metrics.get(`lintel_output_up{${output}}`), 1)
  assert.equal(metrics.get(`lintel_output_queued_bytes{${output}}`), 0)
  for (const reason of ['ring_full', 'copy', 'table_full', 'malformed']) {
    assert.equal(metrics.get(`lintel_packets_total{outcome="lost",reason="${reason}"}`), 0)
  }
  for (const reason of ['port', 'no_payload', 'address', 'protocol', 'interface', 'unknown_protocol', 'sampled', 'skipped_body', 'other_path', 'ignored']) {
    assert.ok(metrics.get(`lintel_packets_total{outcome="not_wanted",reason="${reason}"}`) >= 0)
  }
  assert.ok(metrics.get('process_cpu_seconds_total') > 0)
  assert.ok(metrics.get('process_resident_memory_bytes') > 1e6)
  assert.ok(Math.abs(metrics.get('process_start_time_seconds') - Date.now() / 1000) < 120)
})

test('promtool\'s rules by eye: each family has HELP and TYPE once, no sample twice', async () => {
  const text = await run('curl', ['-s', `http://${METRICS}/metrics`])
  const families = [...text.matchAll(/^# TYPE (\S+) (counter|gauge)$/gm)].map((match) => match[1])
  assert.equal(new Set(families).size, families.length)
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.slice(0, line.lastIndexOf(' ')))
  assert.equal(new Set(samples).size, samples.length)
  for (const sample of samples) assert.ok(families.includes(sample.split('{')[0]), sample)
  for (const family of families) assert.match(text, new RegExp(`^# HELP ${family} .*\\.$`, 'm'))
})

test('only the loopback, only /metrics, only GET, only a loopback Host', async () => {
  assert.equal(await status(`http://${METRICS}/metrics`), '200')
  assert.equal(await status('-H', 'Host: evil.example', `http://${METRICS}/metrics`), '403')
  assert.equal(await status('-H', 'Host: 127.0.0.1.evil.example', `http://${METRICS}/metrics`), '403')
  assert.equal(await status('-H', 'Host: localhost:18119', `http://${METRICS}/metrics`), '200')
  assert.equal(await status(`http://${METRICS}/`), '404')
  assert.equal(await status('-X', 'POST', `http://${METRICS}/metrics`), '405')
  const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).filter((address) => !address.internal && address.family === 'IPv4')
  for (const address of [...others.map((other) => other.address), '127.0.0.2']) {
    assert.equal(await status(`http://${address}:18119/metrics`), '000', address)
  }
})

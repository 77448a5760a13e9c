/** A run from its start to its totals: ready file, duration, statistics, outputs with filters, reload. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel, LINTEL } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { run, Running } from './testing/process.ts'
import { wrk } from './testing/wrk.ts'

const PORT = 18113
const URL = `http://127.0.0.1:${PORT}`
/**
 * Where every record is counted: what is watched on the whole machine, whatever the port (a program that ran and was deleted before its
 * file could be looked at is `tls_mapping_missed`), would add anomalies of others.
 */
const OWN_TRAFFIC_ONLY = ['--port', String(PORT), '--interface', 'lo', '--no-tls', '--no-processes']

let gateway: Gateway
before(async () => {
  gateway = await Gateway.start({
    listen: [`127.0.0.1:${PORT}`], location: 'if ($arg_status = 500) { return 500; } if ($arg_status = 404) { return 404; } return 200 "ok";',
  })
})
after(async () => { await gateway.stop() })

async function get(...paths: string[]): Promise<void> {
  for (const path of paths) await run('curl', ['-s', '-o', '/dev/null', `${URL}${path}`])
}

function paths(records: readonly LoggedRecord[]): (string | undefined)[] {
  return records.filter((record) => record.kind === 'exchange').map((record) => record.url?.path)
}

function readLines(path: string): LoggedRecord[] {
  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedRecord)
}

test('--duration ends by itself; ready file, start words, --stats lines and totals say what was', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-session-'))
  const ready = join(folder, 'ready.json')
  try {
    const lintel = new Running(LINTEL, ['run', ...OWN_TRAFFIC_ONLY, '--metrics', 'off', '--output', 'stdout', '--ready-file', ready,
      '--stats', '200ms', '--duration', '1500ms'])
    await lintel.untilFile(ready)
    const said = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number, version: string, attachments: unknown[], outputs: string[] }
    assert.equal(said.pid, lintel.pid)
    assert.match(said.version, /^\d+\.\d+\.\d+/)
    assert.deepEqual(said.attachments, [{ where: 'lo', hook: 'tcx', bothDirections: true }])
    assert.deepEqual(said.outputs, ['stdout'])
    await get('/a', '/b?status=404')
    assert.equal(await lintel.finish(), 0)
    assert.equal(existsSync(ready), false, 'the ready file goes with the run')
    const records = lintel.output.trimEnd().split('\n').map((line) => JSON.parse(line) as LoggedRecord)
    assert.deepEqual(records.map((record) => record.http?.response?.status_code), [200, 404])
    assert.match(lintel.errors, /lintel: logging exchange, websocket, handshake, anomaly records on lo \(tcx\), ports 18113\n/)
    assert.match(lintel.errors, /try, in another terminal: curl http:\/\/127\.0\.0\.1:18113\/\n/)
    const stats = lintel.errors.split('\n').filter((line) => line.startsWith('lintel: stats '))
    assert.ok(stats.length >= 4, lintel.errors)
    assert.match(stats.at(-1)!, /records seen 2 = logged 2 \+ filtered 0 \+ sampled 0 \+ dropped 0; packets seen \d+ = delivered \d+ \+ not wanted \d+/)
    assert.match(lintel.errors, /lintel: totals after [\d.]+s: records seen 2 = logged 2 .*; adds up\n$/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('--filter, and two outputs with filters of their own: each gets its records, the totals count the rest as filtered', { timeout: 60_000 }, async () => {
  const lintel = await Lintel.configured((directory) => `
outputs:
  - {type: file, path: ${join(directory, 'log.ndjson')}, filter: http.response.status_code < 500}
  - {type: file, path: ${join(directory, 'errors.json')}, filter: http.response.status_code >= 404}
`, [...OWN_TRAFFIC_ONLY, '--filter', 'url.path != "/never" && !("x-no" in http.request.header)'])
  try {
    await get('/one', '/two?status=404', '/three?status=500', '/never')
    await run('curl', ['-s', '-H', 'X-No: 1', `${URL}/with-header`])
    await get('/four')
    const totals = await lintel.stop()
    assert.deepEqual(paths(await lintel.records()), ['/one', '/two', '/four'])
    assert.deepEqual(paths(readLines(join(lintel.directory, 'errors.json'))), ['/two', '/three'])
    assert.match(totals, /records seen 6 = logged 4 \+ filtered 2 \+ sampled 0 \+ dropped 0/)
    assert.match(totals, /adds up/)
    for (const name of ['log.ndjson', 'errors.json']) assert.equal(statSync(join(lintel.directory, name)).mode & 0o777, 0o600)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

test('SIGHUP: a new filter, ports and headers hold from then on; a wrong file is refused with its place and the old one stays', { timeout: 60_000 }, async () => {
  const yaml = (directory: string, more: string): string => `
capture: {interfaces: [lo], ports: [${PORT}]}
outputs:
  - {type: file, path: ${join(directory, 'log.ndjson')}}
${more}`
  const lintel = await Lintel.configured((directory) => yaml(directory, ''))
  const file = join(lintel.directory, 'lintel.yaml')
  const reload = async (text: string, answer: RegExp): Promise<void> => {
    const before = lintel.process.errors.length
    writeFileSync(file, text)
    lintel.process.child.kill('SIGHUP')
    await lintel.process.until(() => answer.test(lintel.process.errors.slice(before)), String(answer))
  }
  try {
    await get('/all-1', '/all-2?status=404')
    await lintel.exchanges('/all-2')
    await reload(yaml(lintel.directory, 'filter: http.response.status_code >= 400\nheaders: {exclude: [user-agent]}\n'), /configuration read anew/)
    await get('/filtered', '/kept?status=404')
    const [kept] = await lintel.exchanges('/kept')
    assert.equal(kept?.http?.request?.header?.['user-agent'], undefined)
    await reload(yaml(lintel.directory, 'filter: http.response.status_cod >= 400\n'),
      /error: .*lintel\.yaml:5:\d+: filter: .*did you mean "http\.response\.status_code"[^]*the configuration before stays in force/)
    await get('/filtered-too', '/kept-too?status=404')
    await lintel.exchanges('/kept-too')
    // What only the capture can refuse: nothing of the rest is taken either.
    const both = 'addresses: {include: [10.0.0.0/8], exclude: [10.0.0.0/8]}'
    await reload(yaml(lintel.directory, 'headers: {exclude: [host]}\nfilter: http.response.status_code < 400\n').replace('{interfaces', `{${both}, interfaces`),
      /Cannot include and exclude "10\.0\.0\.0\/8"[^]*the configuration before stays in force/)
    await reload(yaml(lintel.directory, 'privacy: {hash_key_file: /nonexistent/key}\nkinds: [anomaly]\n').replace(String(PORT), '1'),
      /\/nonexistent\/key[^]*the configuration before stays in force/)
    await get('/filtered-still', '/kept-still?status=404')
    const [still] = await lintel.exchanges('/kept-still')
    assert.deepEqual(still?.http?.request?.header?.['host'], [`127.0.0.1:${PORT}`])
    assert.equal(still.http.request.header['user-agent'], undefined)
    await reload(yaml(lintel.directory, '').replace(String(PORT), '1'), /configuration read anew/)
    await get('/other-port')
    await reload(yaml(lintel.directory, ''), /configuration read anew/)
    await get('/all-3')
    await lintel.exchanges('/all-3')
    assert.match(await lintel.stop(), /adds up/)
    assert.deepEqual(paths(await lintel.records()), ['/all-1', '/all-2', '/kept', '/kept-too', '/kept-still', '/all-3'])
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

test('rotation under load loses nothing: every record once, zstd files read back, mode 0600', { timeout: 60_000 }, async () => {

  const lintel = await Lintel.configured((directory) => `
outputs:
  - {type: file, path: ${join(directory, 'log.ndjson')}, rotate: {bytes: 1MiB}, keep: {files: 1000}, queue_bytes: 256MiB}
`, ['--port', String(PORT), '--interface', 'lo', '--ring-bytes', '64MiB'])
  try {
    const result = await wrk({ url: `${URL}/rotated`, seconds: 1, connections: 8 })
    const names = (): string[] => readdirSync(lintel.directory).filter((name) => name.startsWith('log'))
    await lintel.process.until(() => names().filter((name) => name.endsWith('.zst')).length >= 3, 'packed files, once it is quiet')
    const totals = await lintel.stop()
    assert.match(totals, /adds up/)
    assert.match(totals, /dropped 0;/)
    const ids = new Set<string>()
    let count = 0
    await lintel.each((record) => {
      count++
      assert.equal(record.event?.sequence, count, 'the files follow each other without a hole')
      if (record.http?.response?.status_code === 200) ids.add(record.http.request?.header?.['x-request-id']?.[0] ?? '')
    })

    const files = names()
    assert.ok(files.length > 5, files.join())
    for (const name of files) assert.equal(statSync(join(lintel.directory, name)).mode & 0o777, 0o600, name)
    assert.ok(ids.size >= result.requests, `${ids.size} of ${result.requests}`)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

test('--include and --exclude: only what has the network at one end; the rest is counted as address', { timeout: 60_000 }, async () => {
  const other = await Gateway.start({ listen: ['127.0.7.1:18114', '127.0.8.1:18114'] })
  const lintel = await Lintel.start(['--interface', 'lo', '--port', '18114', '--include', '127.0.0.0/8', '--exclude', '127.0.8.0/24'])
  try {
    await run('curl', ['-s', '-o', '/dev/null', 'http://127.0.8.1:18114/excluded'])
    await run('curl', ['-s', '-o', '/dev/null', 'http://127.0.7.1:18114/included'])
    await lintel.exchanges('/included')
    const totals = await lintel.stop()
    assert.deepEqual(paths(await lintel.records()), ['/included'])
    assert.match(totals, /address [1-9]/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await other.stop()
  }
})

test('--sample: connections are kept whole or not at all, and the rest is counted as sampled', { timeout: 60_000 }, async () => {
  const lintel = await Lintel.start(['--interface', 'lo', '--port', String(PORT), '--sample', '0.4'])
  try {
    const connections = 60
    for (let n = 0; n < connections; n++) await run('curl', ['-s', '-o', '/dev/null', `${URL}/s${n}/[1-5]`])
    await delay(300)
    const totals = await lintel.stop()
    const kept = new Map<number, number>()
    for (const record of await lintel.records()) {
      const port = record.client!.port!
      kept.set(port, (kept.get(port) ?? 0) + 1)
    }
    // Chosen by connection: binomial around 24; beyond these bounds less than once in 10^9 runs.
    assert.ok(kept.size > 3 && kept.size < 52, `${kept.size} of ${connections}`)
    for (const [, count] of kept) assert.equal(count, 5)
    assert.match(totals, /sampled [1-9]\d*/)
    assert.match(totals, /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lintel, root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-session-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const corpora = process.env['LINTEL_CORPORA'] ?? join(root, '../shared/corpora')
const pcap = join(corpora, 'zeek-btest/traces/http/get.trace')
const anyPcap = existsSync(pcap) ? pcap : join(corpora, 'zeek-btest/traces/nflog-http.pcap')
const hasCorpora = existsSync(anyPcap)
if (!hasCorpora && process.env['CI'] === 'true') throw new Error(`Cannot find the corpora in "${corpora}": set LINTEL_CORPORA`)
const needsCorpora = { skip: hasCorpora ? false : `no corpora in "${corpora}"` }
const needsRoot = { skip: process.getuid?.() === 0 ? false : 'live capture needs root' }

/** The counts of the totals line; fails when there is none or it does not add up. */
function totals(stderr: string): { seen: number, logged: number, filtered: number } {
  const line = /totals after .*: records seen (\d+) = logged (\d+) \+ filtered (\d+) .*; adds up$/m.exec(stderr)
  assert.ok(line !== null, stderr)
  return { seen: Number(line[1]), logged: Number(line[2]), filtered: Number(line[3]) }
}

test('replay writes one JSON object a line into a pipe, and the totals add up', needsCorpora, () => {
  const { status, stdout, stderr } = lintel(['replay', anyPcap])
  assert.equal(status, 0, stderr)
  const records = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as { kind: string })
  assert.ok(records.some(record => record.kind === 'exchange'))
  assert.equal(totals(stderr).logged, records.length)
})

test('replay counts what the filter leaves out, and kinds that were not asked for', needsCorpora, () => {
  const { status, stdout, stderr } = lintel(['replay', anyPcap, '--filter', 'http.response.status_code == 999', '--kind', 'exchange'])
  assert.equal(status, 0, stderr)
  assert.equal(stdout, '')
  const { seen, logged, filtered } = totals(stderr)
  assert.equal(logged, 0)
  assert.ok(seen > 0)
  assert.equal(filtered, seen)
})

test('outputs have filters of their own, each record is counted once', needsCorpora, () => {
  const config = join(folder, 'outputs.yaml')
  const all = join(folder, 'all.ndjson')
  const some = join(folder, 'some.ndjson')
  writeFileSync(config, `outputs:\n  - {type: file, path: ${all}}\n  - {type: file, path: ${some}, filter: kind == "exchange"}\n`)
  const { status, stderr } = lintel(['replay', anyPcap, '--config', config, '--kind', 'exchange', '--kind', 'connection'])
  assert.equal(status, 0, stderr)
  const kinds = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').map(line => (JSON.parse(line) as { kind: string }).kind)
  assert.equal(kinds(all).length, totals(stderr).logged)
  assert.ok(kinds(all).includes('connection'))
  assert.deepEqual([...new Set(kinds(some))], ['exchange'])
  assert.equal(kinds(some).length, kinds(all).filter(kind => kind === 'exchange').length)
  assert.equal(statSync(all).mode & 0o777, 0o600)
})

test('a path that cannot be written is told before anything starts, exit code 1', needsCorpora, () => {
  for (const [path, said] of [[folder, /it is a folder; add a file name/], ['/proc/none/x', /folder does not exist and cannot be made/]] as const) {
    const { status, stdout, stderr } = lintel(['replay', anyPcap, '--output', `file:${path}`])
    assert.match(stderr, said)
    assert.equal(stdout, '')
    assert.equal(status, 1)
  }
})

test('a reader that stops reading ends a replay quietly', needsCorpora, () => {
  const many = Array<string>(300).fill(anyPcap)
  const script = `"${root}bin/lintel" replay "$@" | head -n 1 >/dev/null; exit "\${PIPESTATUS[0]}"`
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', ...many], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stderr, /error/)
})

test('a reader of both streams that stops reading ends a replay quietly too', needsCorpora, () => {
  const script = `"${root}bin/lintel" replay "$@" 2>&1 | head -n 1 >/dev/null; exit "\${PIPESTATUS[0]}"`
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', ...Array<string>(300).fill(anyPcap)], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 0, stderr)
})

/** A running lintel, and what it has said so far. */
class Running {
  readonly process: ChildProcess
  stderr = ''

  constructor(args: readonly string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']) {
    this.process = spawn(`${root}bin/lintel`, args, { stdio, env: { ...process.env, NO_COLOR: '1' } })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
  }

  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      assert.equal(this.process.exitCode, null, this.stderr)
      await sleep(20)
    }
  }

  async ready(path: string): Promise<{ pid: number, attachments: { where: string }[], outputs: string[] }> {
    while (!existsSync(path)) {
      assert.equal(this.process.exitCode, null, this.stderr)
      await sleep(20)
    }
    return JSON.parse(readFileSync(path, 'utf8')) as { pid: number, attachments: { where: string }[], outputs: string[] }
  }

  async end(): Promise<{ code: number | null, signal: string | null }> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit')
    return { code: this.process.exitCode, signal: this.process.signalCode }
  }
}

async function request(port: number, path: string): Promise<void> {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response') as [NodeJS.ReadableStream]
  response.resume()
  await once(response, 'end')
}

function lines(path: string): { url?: { path?: string } }[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1).map(line => JSON.parse(line) as { url?: { path?: string } })
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20)
}

test('run: ready file, start message, SIGHUP with a wrong and a right file, SIGTERM with totals', needsRoot, async () => {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const config = join(folder, 'run.yaml')
  const output = join(folder, 'run', 'exchanges.ndjson')
  const readyFile = join(folder, 'ready.json')
  const text = `capture: {interfaces: [lo], ports: [${port}]}\noutputs: [{type: file, path: ${output}}]\nmetrics: {enabled: false}\n`
  writeFileSync(config, text)
  const running = new Running(['run', '--config', config, '--ready-file', readyFile])
  try {
    const ready = await running.ready(readyFile)
    assert.deepEqual([ready.attachments.map(({ where }) => where), ready.outputs], [['lo'], [`file:${output}`]])
    await running.said(/logging exchange, websocket, handshake, anomaly records on lo .*\n.*records go to file:.*\n.*curl http:\/\/127\.0\.0\.1:\d+\/\n.*Ctrl-C/)
    await request(port, '/first')
    await until(() => lines(output).length === 1)

    writeFileSync(config, `${text}zzz: 1\n`)
    running.process.kill('SIGHUP')
    await running.said(/run\.yaml:4:1: zzz: there is no such key.*\nlintel: error: the configuration before stays in force/)
    await request(port, '/second')
    await until(() => lines(output).length === 2)

    writeFileSync(config, `${text}filter: url.path != "/third"\nlimits: {connections: 100}\n`)
    running.process.kill('SIGHUP')
    await running.said(/configuration read anew\n.*warning: limits changed: these are taken at the start only/)
    await request(port, '/third')
    await request(port, '/fourth')
    await until(() => lines(output).length === 3)
    running.process.kill('SIGTERM')
    assert.deepEqual(await running.end(), { code: 0, signal: null })
    assert.deepEqual(lines(output).map(record => record.url?.path), ['/first', '/second', '/fourth'])
    assert.deepEqual(totals(running.stderr), { seen: 4, logged: 3, filtered: 1 })
    assert.ok(!existsSync(readyFile), 'the ready file is gone')
  } finally {
    running.process.kill('SIGKILL')
    server.close()
  }
})

test('run --duration ends by itself, with statistics on the way', needsRoot, async () => {
  const running = new Running(['run', '-i', 'lo', '-p', '1', '-o', `file:${join(folder, 'duration.ndjson')}`, '--metrics', 'off', '--duration', '700ms', '--stats', '200ms'])
  assert.deepEqual(await running.end(), { code: 0, signal: null })
  assert.match(running.stderr, /stats .* records\/s; records seen 0 = /)
  assert.equal(totals(running.stderr).seen, 0)
})

test('a second signal stops a session whose output is stuck', needsCorpora, async () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  // Opened for both ends: nobody ever reads, and the writer is not told.
  const end = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  const running = new Running(['replay', ...Array<string>(300).fill(anyPcap), '--stats', '100ms'], ['ignore', end, 'pipe'])
  try {
    await running.said(/[1-9]\d* records \(\d+ bytes\) queued/)
    running.process.kill('SIGTERM')
    await running.said(/SIGTERM: .*once more to stop at once/)
    // Terminals and timeout(1) send it twice: that is one wish. From a second later on it is another.
    running.process.kill('SIGTERM')
    await sleep(1100)
    assert.doesNotMatch(running.stderr, /stopped at once;/)
    assert.equal(running.process.signalCode, null)
    running.process.kill('SIGTERM')
    assert.deepEqual(await running.end(), { code: null, signal: 'SIGKILL' })
    assert.match(running.stderr, /SIGTERM again: stopped at once/)
  } finally {
    running.process.kill('SIGKILL')
  }
})

test('doctor says that live capture works where it does', needsRoot, () => {
  const { status, stdout } = lintel(['doctor'])
  assert.match(stdout, /^ok +kernel +\d/m)
  assert.match(stdout, /^ok +interface lo +loopback/m)
  assert.match(stdout, /Live capture works here: lintel run\n$/)
  assert.equal(status, 0)
})

test('doctor without privileges names each that is missing, the mend, and exits with 1', needsRoot, () => {
  const { status, stdout } = lintel(['--bounding-set=-bpf,-net_admin,-perfmon,-sys_admin', '--inh-caps=-all', `${root}bin/lintel`, 'doctor'], { program: ['setpriv'] })
  assert.match(stdout, /^missing +privilege CAP_BPF +not held/m)
  assert.match(stdout, /privilege CAP_NET_ADMIN: run as root/)
  assert.match(stdout, /Live capture cannot work here yet/)
  assert.equal(status, 1)
})

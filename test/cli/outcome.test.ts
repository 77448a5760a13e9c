/** What a run says at its end, and with which exit code, when an output, a reader, a file or the capture fails on the way. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lintel, root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-outcome-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const corpora = process.env['LINTEL_CORPORA'] ?? join(root, '../shared/corpora')
const get1 = join(corpora, 'zeek-btest/traces/http/get.trace')
const pcap = existsSync(get1) ? get1 : join(corpora, 'zeek-btest/traces/nflog-http.pcap')
const hasCorpora = existsSync(pcap)
if (!hasCorpora && process.env['CI'] === 'true') throw new Error(`Cannot find the corpora in "${corpora}": set LINTEL_CORPORA`)
const needsCorpora = { skip: hasCorpora ? false : `no corpora in "${corpora}"` }
const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' }

function shell(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null, stdout: string, stderr: string } {
  return spawnSync('bash', ['-c', script, `${root}bin/lintel`, ...args],
    { encoding: 'utf8', timeout: 60_000, env: { ...process.env, NO_COLOR: '1', ...env } })
}

function lineCount(path: string): number {
  return readFileSync(path, 'utf8').split('\n').length - 1
}

test('a reader that leaves does not take the other output with it: it has every record, and the totals are told', needsCorpora, () => {
  const file = join(folder, 'whole.ndjson')
  const many = Array<string>(300).fill(pcap)
  const script = '"$0" replay "$@" | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
  const { status, stderr } = shell(script, [...many, '-o', `file:${file}`, '-o', 'stdout'])
  assert.match(stderr, /warning: the reader of stdout is gone; the other outputs go on/)
  assert.match(stderr, new RegExp(`records seen (\\d+) = logged ${lineCount(file)} .*adds up`))
  assert.match(stderr, /warning: output stdout: written \d+, dropped \d+ \(reader gone \d+\)/)
  assert.ok(lineCount(file) >= 300)
  assert.equal(status, 0)
})

test('a reader that leaves ends a run with one output, with its totals', needsCorpora, () => {
  const script = '"$0" replay "$@" | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
  const { status, stderr } = shell(script, Array<string>(300).fill(pcap))
  assert.equal(status, 0, stderr)
  assert.match(stderr, /totals after .*reader gone.*; adds up$/m)
})

test('an output on a full disk is told beside one that has everything, exit code 1; alone as well', { skip: needsCorpora.skip || needsRoot.skip }, () => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk])
  try {
    const many = Array<string>(20).fill(pcap)
    for (const others of [['-o', `file:${join(folder, 'all.ndjson')}`], []]) {
      const path = join(disk, 'x')
      rmSync(path, { force: true })
      const { status, stderr } = lintel(['replay', ...many, '-o', `file:${path}`, ...others])
      const told = /warning: output file:.*disk\/x: written (\d+), dropped (\d+) \(disk full \d+\)/.exec(stderr)
      assert.ok(told !== null, stderr)
      assert.equal(lineCount(path), Number(told[1]))
      assert.ok(Number(told[2]) > 0)
      assert.equal(status, 1)
    }
  } finally {
    execFileSync('umount', [disk])
  }
})

test('a file that is no capture is named, those around it are read, exit code 1', needsCorpora, () => {
  const bad = join(folder, 'bad.pcap')
  writeFileSync(bad, 'this is no capture\n'.repeat(20))
  const alone = lintel(['replay', pcap, '-o', 'stdout']).stdout.split('\n').length - 1
  for (const files of [[pcap, bad, pcap], [bad, pcap, pcap], [pcap, pcap, bad]]) {
    const { status, stdout, stderr } = lintel(['replay', ...files, '-o', 'stdout'])
    assert.match(stderr, /error: Cannot read ".*bad\.pcap".*not a pcap or pcapng file.*; it is left out/)
    assert.equal(stdout.split('\n').length - 1, 2 * alone)
    assert.match(stderr, /adds up/)
    assert.equal(status, 1)
  }
})

test('replay - reads standard input, also from a slow writer', needsCorpora, () => {
  const expected = lintel(['replay', pcap, '-o', 'stdout']).stdout.split('\n').length
  const slow = shell('{ head -c 1000 "$1"; sleep 0.3; tail -c +1001 "$1"; } | "$0" replay - -o stdout', [pcap])
  assert.equal(slow.status, 0, slow.stderr)
  assert.equal(slow.stdout.split('\n').length, expected)
  assert.equal(shell('"$0" replay - -o stdout < "$1"', [pcap]).stdout.split('\n').length, expected)
})

test('no command: the help on standard error, exit code 2', () => {
  const { status, stdout, stderr } = lintel([])
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /Usage: lintel/)
})

test('a capture that breaks: the error, totals that are not known, exit code 1', needsCorpora, () => {
  // The capture thread gets a small heap and fills it while it waits for more of standard input: it dies of that.
  const preload = join(folder, 'small-heap.mjs')
  writeFileSync(preload, `import threads from 'node:worker_threads'
import { syncBuiltinESMExports } from 'node:module'
const { Worker } = threads
if (threads.isMainThread) {
  threads.Worker = class extends Worker {
    constructor(file, options) { super(file, { ...options, resourceLimits: { ...options.resourceLimits, maxOldGenerationSizeMb: 48 } }) }
  }
  syncBuiltinESMExports()
} else {
  const { wait } = Atomics
  const kept = []
  Atomics.wait = (...given) => {
    kept.push(Array.from({ length: 100_000 }, (_, n) => ({ n })))
    return wait(...given)
  }
}
`)
  const { status, stderr } = shell('"$0" replay - -o stdout >/dev/null < <(head -c 1000 "$1"; exec sleep 5)', [pcap],
    { NODE_OPTIONS: `--import ${preload}` })
  assert.match(stderr, /error: the capture broke: .*out of memory/)
  assert.match(stderr, /totals after .*; the totals are NOT KNOWN: the capture broke after these figures$/m)
  assert.equal(status, 1)
})

test('reloads: kinds and output filters are taken over, the last of ten SIGHUPs wins', { ...needsRoot, timeout: 60_000 }, async () => {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const [config, a, b] = ['reload.yaml', 'a.ndjson', 'b.ndjson'].map(name => join(folder, name)) as [string, string, string]
  // Moved into place: a signal may come in the middle of a write.
  const write = (kinds: string, outputs: string) => {
    writeFileSync(`${config}.new`, `capture: {interfaces: [lo], ports: [${port}]}\nmetrics: {enabled: false}\nkinds: [${kinds}]\noutputs: [${outputs}]\n`)
    renameSync(`${config}.new`, config)
  }
  const output = (path: string, filter: string) => `{type: file, path: ${path}, filter: '${filter}'}`
  write('exchange', `${output(a, 'url.path == "/a"')}, ${output(b, 'url.path == "/b"')}`)
  const running = spawn(`${root}bin/lintel`, ['run', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  running.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  const until = async (condition: () => boolean) => {
    const deadline = Date.now() + 20_000
    while (!condition()) {
      assert.equal(running.exitCode, null, said)
      assert.ok(Date.now() < deadline, `${condition}: ${said}`)
      await sleep(20)
    }
  }
  const reread = () => said.split('configuration read anew').length - 1
  const request = async (path: string) => {
    const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response') as [NodeJS.ReadableStream]
    response.resume()
    await once(response, 'end')
  }
  const paths = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1)
    .map(line => JSON.parse(line) as { kind: string, url?: { path?: string } }).map(record => record.url?.path ?? record.kind)
  try {
    await until(() => said.includes('stop with Ctrl-C'))
    assert.match(said, /records on lo \(/)
    // Twice, in the other order: the outputs are still those of the start.
    for (const count of [1, 2]) {
      write('exchange', `${output(b, 'url.path == "/b"')}, ${output(a, 'url.path == "/a"')}`)
      running.kill('SIGHUP')
      await until(() => reread() === count)
    }
    await request('/a')
    await request('/b')
    await until(() => lineCount(a) === 1 && lineCount(b) === 1)
    assert.deepEqual([paths(a), paths(b)], [['/a'], ['/b']])
    for (let n = 0; n < 10; n++) {
      write('exchange', output(a, `url.path == "/${n}"`))
      running.kill('SIGHUP')
    }
    while (!paths(a).includes('/9')) await request('/9')
    write('packet, connection', `${output(a, 'kind == "packet"')}, ${output(b, 'kind == "connection"')}`)
    running.kill('SIGHUP')
    while (!(paths(a).includes('packet') && paths(b).includes('connection'))) await request('/9')
    running.kill('SIGTERM')
    await once(running, 'exit')
    assert.match(said, /adds up/)
  } finally {
    running.kill('SIGKILL')
    server.close()
  }
})

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lintel, root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-query-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const corpora = process.env['LINTEL_CORPORA'] ?? join(root, '../shared/corpora')
const pcap = join(corpora, 'zeek-btest/traces/workshop_2011_browse.pcap')
const hasCorpora = existsSync(pcap)
if (!hasCorpora && process.env['CI'] === 'true') throw new Error(`Cannot find the corpora in "${corpora}": set LINTEL_CORPORA`)
const needsCorpora = { skip: hasCorpora ? false : `no corpora in "${corpora}"` }
const store = join(folder, 'store')
const all = join(folder, 'all.ndjson')

before(() => {
  if (!hasCorpora) return
  const { status, stderr } = lintel(['replay', pcap, '--output', `store:${store}`, '--output', `file:${all}`])
  assert.equal(status, 0, stderr)
})

function query(...args: string[]): string {
  const { status, stdout, stderr } = lintel(['query', '--store', store, ...args])
  assert.equal(status, 0, stderr)
  return stdout
}

function refused(args: string[], message: RegExp, code = 2): void {
  const { status, stdout, stderr } = lintel(['query', ...args])
  assert.equal(status, code, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, message)
}

test('a replay into a store and a file: the store gives the lines of the file, filtered as a replay filters', needsCorpora, () => {
  const lines = readFileSync(all, 'utf8').trimEnd().split('\n')
  const sorted = (text: string): string[] => text.trimEnd().split('\n').map(line => JSON.stringify(JSON.parse(line))).sort()
  assert.deepEqual(sorted(query('true', '--limit', '0')), sorted(lines.join('\n')))
  const filter = 'http.response.status_code == 304 || http.response.header["content-type"][0].startsWith("image/")'
  const replayed = lintel(['replay', pcap, '--filter', filter]).stdout
  const sequenceOff = (text: string): string[] => sorted(text).map(line => line.replace(/"event":\{"sequence":\d+\},?/, '')).sort()
  assert.deepEqual(sequenceOff(query(filter, '--limit', '0')), sequenceOff(replayed))
})

test('formats: table, csv, ndjson and parquet tell the same', needsCorpora, () => {
  const sql = 'SELECT http_request_method AS method, count(*) AS n FROM exchanges GROUP BY 1 ORDER BY 1'
  const rows = query(sql).trimEnd().split('\n').map(line => JSON.parse(line) as { method: string | null, n: number })
  assert.ok(rows.length > 0 && rows.every(({ n }) => n > 0))
  assert.equal(query(sql, '--format', 'csv'), `method,n\r\n${rows.map(({ method, n }) => `${method ?? ''},${n}\r\n`).join('')}`)
  const table = query(sql, '--format', 'table').trimEnd().split('\n')
  assert.match(table[0] as string, /^method\s+n$/)
  assert.equal(table.length, rows.length + 1)
  const parquet = spawnSync(join(root, 'bin/lintel'), ['query', '--store', store, sql, '--format', 'parquet'])
  assert.equal(parquet.stdout.toString('latin1', 0, 4) + parquet.stdout.toString('latin1', parquet.stdout.length - 4), 'PAR1PAR1')
})

test('a limit gives the newest of a filter in order of time, the first of SQL, and says that there are more', needsCorpora, () => {
  const times = query('kind == "exchange"', '--limit', '0').trimEnd().split('\n').map(line => (JSON.parse(line) as { time: string }).time).sort()
  const { stdout, stderr } = lintel(['query', '--store', store, 'kind == "exchange"', '--limit', '3'])
  assert.deepEqual(stdout.trimEnd().split('\n').map(line => (JSON.parse(line) as { time: string }).time), times.slice(-3))
  assert.match(stderr, /the newest 3 records; --limit N shows more, --limit 0 all/)
  const first = lintel(['query', '--store', store, 'SELECT 1 FROM records', '--limit', '2'])
  assert.equal(first.stdout.trimEnd().split('\n').length, 2)
  assert.match(first.stderr, /the first 2 rows/)
  assert.equal(query('true', '--since', '1h'), '')
})

test('values from traffic move no cursor in a table, and CSV quotes them', needsCorpora, () => {
  assert.match(query(`SELECT 'a' || chr(27) || '[2Jb' AS x`, '--format', 'table'), /^x\n[^\x1b]*b\n$/)
  assert.equal(query(`SELECT 'a"b' AS x, 'c,d' AS y`, '--format', 'csv'), 'x,y\r\n"a""b","c,d"\r\n')
})

test('what is wrong is told with its place and mend, exit code 2', needsCorpora, () => {
  refused(['--store', store, 'http.response.status >= 400'], /did you mean "http.response.status_code"\?/)
  refused(['--store', store, 'string(duration) == "1"'], /Cannot ask the store for string\(\) of a number/)
  refused(['--store', store, 'SELECT * FROM read_text(\'/etc/passwd\')'], /A query reads the store and nothing else/)
  refused(['--store', store, '--sql', 'DROP VIEW records'], /a query begins with SELECT, WITH or FROM/)
  refused(['--store', store, 'true', '--format', 'xml'], /it must be table, ndjson, csv, parquet/)
  refused(['--store', store, 'true', '--limit', 'many'], /Cannot use --limit "many"/)
  refused(['--store', store, 'true', '--since', 'yesterday'], /Cannot use --since/)
  refused(['--store', join(folder, 'nowhere'), 'true'], /Cannot read the store ".*nowhere": there is no such folder; name it with --store DIR/, 1)
})

test('a store named in a config file, and one that is empty', () => {
  const empty = join(folder, 'empty')
  const config = join(folder, 'lintel.yaml')
  mkdirSync(empty)
  writeFileSync(config, `outputs:\n  - type: store\n    path: ${empty}\n`)
  const { status, stdout, stderr } = lintel(['query', '--config', config, 'SELECT count(*) AS n FROM records'])
  assert.equal(status, 0, stderr)
  assert.equal(stdout, '{"n":0}\n')
  assert.equal(lintel(['query', '--config', config, 'true']).stdout, '')
})

test('Ctrl-C ends a query at once, exit code 130', needsCorpora, async () => {
  const running = spawn(join(root, 'bin/lintel'), ['query', '--store', store, 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 3'])
  const gone = once(running, 'close')
  await sleep(1500)
  running.kill('SIGINT')
  const [code] = await gone as [number]
  assert.equal(code, 130)
})

test('a folder is refused to two outputs, and to a second agent', needsCorpora, () => {
  const { status, stderr } = lintel(['replay', pcap, '--output', `store:${store}`, '--output', `store:${store}/`])
  assert.equal(status, 2)
  assert.match(stderr, /must not write to .*store as outputs\[0\] does/)
})

test('an HTTP Archive holds each exchange that passes, with its headers, times and marks', needsCorpora, () => {
  const filter = 'http.request.method == "GET"'
  const { status, stdout, stderr } = lintel(['query', '--store', store, 'true', '--limit', '0', '--format', 'har'])
  assert.equal(status, 0, stderr)
  const { log } = JSON.parse(stdout) as { log: { version: string, creator: { name: string }, entries: HarEntry[] } }
  assert.deepEqual([log.version, log.creator.name], ['1.2', 'Lintel'])
  const exchanges = query('true', '--limit', '0').trimEnd().split('\n').map(line => JSON.parse(line) as { kind: string })
    .filter(({ kind }) => kind === 'exchange')
  assert.equal(log.entries.length, exchanges.length)
  for (const entry of log.entries) {
    for (const key of ['startedDateTime', 'time', 'request', 'response', 'cache', 'timings']) assert.ok(key in entry, key)
    for (const key of ['method', 'url', 'httpVersion', 'cookies', 'headers', 'queryString', 'headersSize', 'bodySize']) assert.ok(key in entry.request, key)
    for (const key of ['status', 'statusText', 'httpVersion', 'cookies', 'headers', 'content', 'redirectURL', 'headersSize', 'bodySize']) assert.ok(key in entry.response, key)
    assert.ok(URL.canParse(entry.request.url), entry.request.url)
    const { send, wait, receive } = entry.timings
    assert.ok(send >= 0 && wait >= 0 && receive >= 0 && Math.abs(send + wait + receive - entry.time) < 0.01)
  }
  const css = log.entries.find(({ request }) => request.url === 'http://bro-ids.org/css/pygments.css')!
  assert.equal(css.request.headers.find(({ name }) => name === 'referer')?.value, 'http://bro-ids.org/')
  assert.equal(css.response.status, 304)
  const none = lintel(['query', '--store', store, `${filter} && url.path == "/nowhere"`, '--format', 'har'])
  assert.deepEqual((JSON.parse(none.stdout) as { log: { entries: unknown[] } }).log.entries, [])
  refused(['--store', store, 'SELECT 1', '--format', 'har'], /Cannot write an archive of SQL rows: ask by a filter/)
})

interface HarEntry {
  time: number
  request: { url: string, headers: { name: string, value: string }[] }
  response: { status: number }
  timings: { send: number, wait: number, receive: number }
}

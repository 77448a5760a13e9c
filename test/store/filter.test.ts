/** A CEL filter over a store gives the records that the same filter gives live. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FIELDS } from '../../src/exchange/fields.ts'
import { compileFilter } from '../../src/sink/filter/mod.ts'
import { filterSql } from '../../src/store/mod.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from './testing/corpus-lines.ts'
import { JsonRecord } from './testing/json-record.ts'
import { batchesOf, COLUMNS, openReader, openStore, rowsOf, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Every construct of filters, over fields of every type. */
const FILTERS = [
  'http.response.status_code >= 400', 'http.response.status_code != 200', '!(http.response.status_code == 200)', 'http.response.status_code in [200, 301, 404]',
  'http.request.method == "GET" && duration > 0.05', 'http.request.method == "POST" || has(http.request.trailer)', '!has(http.response)', 'has(http)',
  'has(http.request.header.cookie)', 'has(http.request.header["user-agent"][0])', '"user-agent" in http.request.header', '"User-Agent" in http.request.header',
  'http.request.header["Host"][0].startsWith("www.")', 'http.request.header.host[0].endsWith(".com")', 'http.request.header["accept"][0].contains("")',
  'http.request.header["cookie"].exists(v, v.contains("REDACTED"))', 'http.response.header.exists(n, n.startsWith("x-"))',
  'http.response.header.all(n, n.size() > 3)', 'http.response.header.exists_one(n, n == "server")', 'http.request.header.exists(n, n in http.response.header)',
  'http.request.header.exists(n, http.request.header[n].exists(v, v == "keep-alive"))', 'size(http.request.header) > 6', 'size(url.path) % 2 == 1',
  'url.path.matches("^/[a-z]+/.*\\\\.(gif|png)$")', 'url.path.matches("\\\\d{3,}")', 'user_agent.original.matches("Mozilla/[45]\\\\.0 \\\\(\\\\S+;")',
  'user_agent.original.matches("(?:Firefox|Chrome|[Cc]url)[ /](?<major>\\\\d+)\\\\b")', 'user_agent.original.matches("^.{2,6}/")', 'user_agent.original.matches("[^\\\\w\\\\s./;()-]")',
  'user_agent.original.lowerAscii().contains("windows")', 'url.domain.upperAscii() < "M"', 'url.domain >= "m"', 'url.domain + url.path == "www.example.com/"',
  'int(http.request.header["content-length"][0]) > 100', 'double(http.request.header["content-length"][0]) / 2 < 50.5',
  'int(duration * 1000) >= 100', 'duration < duration("20ms")', 'duration - time_to_first_byte > 0.001', '-duration < -0.5', '1 / (http.request.depth - 1) > 0', 'http.response.body.size % 7 == 3',
  'time > timestamp("2010-01-01T00:00:00Z")', 'time <= timestamp("2005-06-01T00:00:00.123456789+02:00")', 'tls.server.not_after > time', 'time == time',
  'marks["http.response.header"] == "cut: more than the bound"', '"duration" in marks', 'marks.exists(f, f.startsWith("http.response"))', 'size(marks) > 1', 'has(marks["duration"])',
  '"length_and_chunked" in anomalies', 'anomalies.exists(a, a.contains("line"))', 'size(anomalies) == 1', 'anomalies[0] != anomalies[1]', 'anomalies.all(a, a == "bare_lf")',
  'link.vlan[0] > 10', '10 in link.vlan', 'link.vlan.exists(v, v % 2 == 0)', 'link.vlan[ip.ttl - ip.ttl] >= 0', 'tls.client.alpn[1] == "http/1.1"', '"h2" in tls.client.alpn',
  'trace.sampled', '!trace.sampled', 'trace.sampled == false', 'tls.resumed != true', 'tls.client.ech ? tls.resumed : ip.options', 'kind == "packet" ? source.port < 1024 : server.port > 1024',
  'client.address == "10.0.0.1"', 'client.address.startsWith("192.168.")', 'server.port in [80, 8080, 443]', 'kind in ["connection", "handshake"]', 'has(tcp) && tcp.flags.contains("RST")',
  'connection.client.bytes > connection.server.bytes', 'event.count > 1', 'string(trace.sampled) == "true"', 'url.query.trim() == url.query', 'url.path == "/\\u00e9"', 'true', 'false', '5u > 3',
  'http.request.method in []', 'http.request.header["x"][-1] == "a"', 'http.request.header["accept"][0.5] == "a"', 'size(user_agent.original) > 100 && !(has(trace.id) || duration > 1)',
]

/** What SQL cannot say the same, with the column of the place. */
const UNTOLD = [
  ['string(duration) == "1"', 1, /string\(\) of a number/], ['has(url.path) && url.path.matches("[^]")', 35, /pattern with \[\^\]/],
  ['url.path.matches("\\\\p")', 18, /pattern with "\\p"/], ['url.path.matches("[\\\\S]")', 18, /\\S" between/],
  ['url.path.matches("\u{1f600}")', 18, /pattern with/],
] as const

test('filters give the same records from a store as over the records themselves', async (context) => {
  if (!hasCorpora(context)) return
  // A number for each, so that records are told apart by it.
  const lines = (await corpusLines()).map((line, index) => JSON.stringify({ ...JSON.parse(line), event: { ...JSON.parse(line).event, sequence: index } }))
  const path = join(folder, 'corpora')
  const store = openStore(path, new StoreHost())
  for (const batch of batchesOf(lines)) store.write(batch)
  await store.close()
  const records = lines.map(line => new JsonRecord(line))
  const reader = await openReader(path)
  let [some, all] = [0, 0]
  for (const text of FILTERS) {
    const filter = compileFilter(text, FIELDS)
    const wanted = [...records.keys()].filter(index => filter(records[index] as JsonRecord))
    const rows = await rowsOf(reader, `SELECT event_sequence FROM records WHERE ${filterSql(text, COLUMNS)} ORDER BY 1`)
    assert.deepEqual(rows.map(([index]) => Number(index)), wanted, text)
    // Three-valued logic would show here: what the filter does not give, its negation must.
    const [[rest]] = await rowsOf(reader, `SELECT count(*) FROM records WHERE NOT ${filterSql(text, COLUMNS)}`) as [[bigint]]
    assert.equal(Number(rest) + wanted.length, records.length, text)
    if (wanted.length > 0) some++
    if (wanted.length === records.length) all++
  }
  reader.close()
  // Filters that give nothing, or everything, prove little.
  assert.ok(some >= FILTERS.length * 0.7, `${some} of ${FILTERS.length} filters gave a record`)
  assert.ok(all < FILTERS.length * 0.1, `${all} of ${FILTERS.length} filters gave every record`)
})

test('what SQL cannot say the same is refused, with its place', () => {
  for (const [text, column, message] of UNTOLD) {
    assert.throws(() => filterSql(text, COLUMNS), (error: Error & { column?: number }) => {
      assert.match(error.message, message)
      assert.equal(error.column, column, text)
      return true
    })
  }
})

test('what the filter refuses the store refuses with the same words', () => {
  for (const text of ['http.response.status >= 400', 'url.path ==', 'url.path.matches("(?i)a")', '']) {
    const say = (run: () => unknown): string => {
      try {
        run()
        return 'nothing'
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.notEqual(say(() => compileFilter(text, FIELDS)), 'nothing')
    assert.equal(say(() => filterSql(text, COLUMNS)), say(() => compileFilter(text, FIELDS)))
  }
})

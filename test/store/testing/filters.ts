import assert from 'node:assert/strict'
import { FIELDS } from '../../../src/exchange/fields.ts'
import { compileFilter } from '../../../src/sink/filter/mod.ts'
import { type Dialect, DUCKDB, filterSql } from '../../../src/store/mod.ts'
import { JsonRecord } from './json-record.ts'
import { type Asked, COLUMNS, rowsOf } from './stored.ts'

/** Every construct of filters, over fields of every type. */
export const FILTERS = [
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

/** Each filter, asked of an engine that holds these records (told apart by event.sequence), gives those that it lets through. */
export async function assertSameAnswers(reader: Asked, lines: readonly string[], dialect: Dialect = DUCKDB): Promise<void> {
  const records = lines.map(line => new JsonRecord(line))
  let [some, all] = [0, 0]
  for (const text of FILTERS) {
    const filter = compileFilter(text, FIELDS)
    const wanted = [...records.keys()].filter(index => filter(records[index] as JsonRecord))
    const condition = filterSql(text, COLUMNS, dialect)
    const rows = await rowsOf(reader, `SELECT event_sequence FROM records WHERE ${condition} ORDER BY 1`)
    assert.deepEqual(rows.map(([index]) => Number(index)), wanted, text)
    // Three-valued logic would show here: what the filter does not give, its negation must.
    const [[rest]] = await rowsOf(reader, `SELECT count(*) FROM records WHERE ${filterSql(`!(${text})`, COLUMNS, dialect)}`) as [[bigint]]
    assert.equal(Number(rest) + wanted.length, records.length, text)
    if (wanted.length > 0) some++
    if (wanted.length === records.length) all++
  }
  // Filters that give nothing, or everything, prove little.
  assert.ok(some >= FILTERS.length * 0.7, `${some} of ${FILTERS.length} filters gave a record`)
  assert.ok(all < FILTERS.length * 0.1, `${all} of ${FILTERS.length} filters gave every record`)
}

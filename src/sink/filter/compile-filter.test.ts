import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Environment } from '@marcbachmann/cel-js'
import { compileFilter } from './compile-filter.ts'
import { FilterError } from './filter-error.ts'
import type { FilterField, RecordReader } from './scope.ts'

/** Fields of each type; the filter knows those that it is given, whatever the registry holds. */
const FIELDS: readonly FilterField[] = [
  ['kind', 'string'], ['time', 'time'], ['duration', 'seconds'], ['client.address', 'address'], ['client.port', 'int'],
  ['network.one_direction', 'bool'], ['url.domain', 'string'], ['url.path', 'string'], ['url.query', 'string'],
  ['http.request.method', 'string'], ['http.request.header', 'headers'], ['http.request.body.size', 'int'],
  ['http.response.status_code', 'int'], ['http.response.header', 'headers'], ['http.response.interim_status_codes', 'ints'],
  ['user_agent.original', 'string'], ['anomalies', 'strings'], ['marks', 'marks'],
].map(([name = '', type = '']) => ({ name, type }))

function fieldId(name: string): number {
  return FIELDS.findIndex(field => field.name === name) + 1
}

type Values = ReadonlyMap<string, unknown>

/** A record by field name; times as nanoseconds. */
function record(values: Values): RecordReader {
  const byId = new Map([...values].map(([name, value]) => [fieldId(name), value]))
  return {
    has: id => byId.has(id),
    get: id => byId.get(id),
    integer: id => byId.get(id) as bigint | undefined,
    header: (id, name) => (byId.get(id) as Map<string, string[]> | undefined)?.get(name)?.[0],
  }
}

const FULL: Values = new Map<string, unknown>([
  ['kind', 'exchange'], ['time', 1_767_225_600_123_456_789n], ['duration', 0.75], ['client.address', '10.1.2.3'], ['client.port', 40000],
  ['url.path', '/api/orders/7'], ['url.query', 'a=1'], ['network.one_direction', false], ['http.request.method', 'GET'],
  ['http.request.header', new Map([['host', ['example.com']], ['x-tenant-id', ['acme', 'beta']], ['x-empty', ['']]])],
  ['http.request.body.size', 0], ['http.response.status_code', 503], ['http.response.interim_status_codes', [100, 103]],
  ['http.response.header', new Map([['content-type', ['text/html; charset=utf-8']]])],
  ['anomalies', ['bare_lf', 'obs_fold']], ['marks', new Map([['duration', 'malformed message']])], ['user_agent.original', 'curl/8 é😀'],
])
const BARE: Values = new Map<string, unknown>([['kind', 'exchange'], ['client.address', '10.1.2.3']])

/** The record as the library takes it: nested, whole numbers as BigInt. */
function context(values: Values): Record<string, unknown> {
  const whole = new Set(FIELDS.filter(field => field.type === 'int' || field.type === 'ints').map(field => field.name))
  const root = new Map<string, unknown>()
  for (const [name, value] of values) {
    let at = root
    const parts = name.split('.')
    for (const part of parts.slice(0, -1)) {
      const next = (at.get(part) ?? new Map()) as Map<string, unknown>
      at.set(part, next)
      at = next
    }
    at.set(parts.at(-1) ?? '', !whole.has(name) ? value : Array.isArray(value) ? value.map(BigInt) : BigInt(value as number))
  }
  return Object.fromEntries(root)
}

const library = new Environment({ unlistedVariablesAreDyn: true })

const SAME_AS_CEL = [
  'http.request.method == "GET"', 'http.request.method != "GET"', 'http.response.status_code >= 500',
  'http.response.status_code in [200, 503]', '!(http.response.status_code in [200, 404])', 'http.response.status_code == 503',
  'http.response.status_code > 502.5', 'http.response.status_code < 503', 'http.response.status_code <= 503',
  '"x-tenant-id" in http.request.header', '!("x-none" in http.request.header)', 'http.request.header["x-tenant-id"][0] == "acme"',
  'http.request.header["x-tenant-id"][1] == "beta"', 'http.request.header["x-tenant-id"].exists(v, v.startsWith("b"))',
  'http.request.header["x-tenant-id"].all(v, v.size() == 4)', 'http.request.header["x-tenant-id"].exists_one(v, v == "acme")',
  'http.request.header["x-tenant-id"].exists_one(v, v.size() > 1)', 'http.request.header.exists(name, name.startsWith("x-"))',
  'http.request.header.host[0] == "example.com"', 'size(http.request.header) == 3', 'http.request.header["x-empty"][0] == ""',
  'duration > 0.5', 'duration > 0.75', 'duration * 2.0 == 1.5', 'url.path.startsWith("/api")', 'url.path.endsWith("/7")', 'url.path.contains("orders")',
  'url.path.matches("^/api/[a-z]+/[0-9]+$")', 'url.path.matches("^/v[0-9]")', 'has(http.response)', 'has(http.response.status_code)',
  'has(url.domain)', 'has(http.request.header.host)', 'has(http.request.header.none)', 'size(url.path) == 13', 'url.path.size() > 3 && url.path.size() < 100',
  'size(user_agent.original) == 8', '"bare_lf" in anomalies', '"other" in anomalies', 'anomalies.exists(a, a == "obs_fold")', 'size(anomalies) == 2',
  'anomalies.exists(a, http.request.header["x-tenant-id"].exists(v, v < a))',
  '103 in http.response.interim_status_codes', 'http.response.interim_status_codes[0] == 100', 'network.one_direction', '!network.one_direction',
  'network.one_direction == false', 'http.request.method == "GET" ? http.response.status_code > 500 : false',
  'http.request.method == "GET" && (http.response.status_code < 500 || duration > 0.7)', 'http.request.method.lowerAscii() == "get"',
  '" x ".trim() == "x"', 'client.port % 2 == 0', 'client.port / 2 == 20000', '-client.port < 0', 'client.port + 1 > 40000', '"a" + "b" == "ab"',
  'string(client.port) == "40000"', 'url.path < "/b"', 'url.path >= "/api"', 'marks["duration"] == "malformed message"', '"duration" in marks',
  'kind in ["exchange", "anomaly"]', 'client.address.startsWith("10.")', 'true', '1 < 2', 'double(client.port) > 3.5', 'int("12") == 12',
]

test('compileFilter() decides as the CEL library does, on a record that has the fields', () => {
  for (const text of SAME_AS_CEL) {
    const expected: unknown = library.evaluate(text, context(FULL))
    assert.equal(compileFilter(text, FIELDS)(record(FULL)), expected, text)
  }
})

test('a missing field makes every comparison false, and its negation true, without an error', () => {
  const falseOnes = [
    'http.request.method == "GET"', 'http.request.method != "GET"', 'http.response.status_code >= 500', 'http.response.status_code < 500',
    'http.response.status_code != 200', '"a" in http.request.header', 'http.request.header["a"][0] == "b"', 'http.request.header["a"].exists(v, true)',
    'http.request.header["a"].all(v, true)', 'duration > duration("1s")', 'url.path.startsWith("/")', 'url.path.matches(".*")', 'has(http.response)',
    'size(anomalies) == 0', '"x" in anomalies', 'network.one_direction', 'time > timestamp("2020-01-01T00:00:00Z")', 'client.port % 2 == 1',
    'http.response.status_code in [200]', 'url.path == url.query', 'url.path != url.query', 'client.address == url.path', 'client.port < client.port + 1',
    'url.path < "a"', 'client.port / 0 == 1', 'string(client.port) == ""', 'http.response.interim_status_codes[0] == 100', 'marks["a"] == "b"',
  ]
  for (const text of falseOnes) {
    assert.equal(compileFilter(text, FIELDS)(record(BARE)), false, text)
    assert.equal(compileFilter(`!(${text})`, FIELDS)(record(BARE)), true, `!(${text})`)
  }
})

test('what the library has not: seconds, times, names of headers in any case', () => {
  const yes = [
    'duration > duration("500ms")', 'duration == duration("750ms")', 'duration < duration("1m30s")', 'time > timestamp("2025-12-31T23:59:59Z")',
    'time == timestamp("2026-01-01T00:00:00.123456789Z")', 'time < timestamp("2026-01-01T00:00:00.123456790Z")',
    'time >= timestamp("2026-01-01T01:00:00+01:00")', '"X-Tenant-ID" in http.request.header', 'http.request.header["Host"][0] == "example.com"',
    'http.request.method.lowerAscii().matches("^get$")', 'http.response.status_code == 503.0', 'client.port in [40000.0]',
  ]
  for (const text of yes) assert.equal(compileFilter(text, FIELDS)(record(FULL)), true, text)
})

test('a filter that cannot be used says where and what to write', () => {
  const cases: [text: string, place: string, message: RegExp][] = [
    ['http.request.methd == "GET"', '1:1', /Cannot find field "http\.request\.methd": did you mean "http\.request\.method"\?/],
    ['kind == "exchange" &&\n  status_code >= 500', '2:3', /did you mean "http\.response\.status_code"\?/],
    ['http.response.status_code = 500', '1:27', /unexpected character: =; to compare write ==/],
    ['http.response.status_code >= ', '1:30', /Cannot read the filter: it ends too early/],
    ['http.response.status_code >= "500"', '1:1', /Cannot compare a number with a string: write the number without quotes/],
    ['http.request.header["a"] == "b"', '1:1', /Cannot use "==" on a list of strings/],
    ['http.request.header["a"].startsWith("b")', '1:1', /write \[0\], or \.exists\(v, v\.startsWith/],
    ['http.request == "a"', '1:1', /stands for several fields/],
    ['url.path', '1:1', /Cannot use a string as a condition/],
    ['url.path.startWith("/a")', '1:1', /did you mean startsWith\(\)\?/],
    ['startsWith(url.path)', '1:1', /write FIELD\.startsWith/],
    ['url.path.matches("(a)\\\\1")', '1:18', /leave out back-references/],
    ['url.path.matches("(?i)a")', '1:18', /write FIELD\.lowerAscii\(\)\.matches/],
    ['url.path.matches("(")', '1:18', /Cannot use the pattern "\("/],
    ['url.path.matches(url.query)', '1:18', /write the pattern as text/],
    ['duration > duration("5 parsecs")', '1:21', /Cannot read "5 parsecs" as a duration/],
    ['time > "2026"', '1:1', /write timestamp/],
    ['time > timestamp("2026")', '1:18', /Cannot read "2026" as a time/],
    ['url.path == null', '1:13', /write has\(FIELD\)/],
    ['has("a")', '1:5', /Cannot ask has\(\) for this/],
    ['url.path in [url.query]', '1:14', /Cannot use a field inside a list/],
    ['[1] == [1]', '1:1', /Cannot use a list here/],
    ['', '1:1', /Cannot use an empty filter/],
    ['{"a": 1} == 1', '1:1', /Cannot use "map"/],
    [`${'('.repeat(300)}1${')'.repeat(300)} == 1`, '1:101', /Cannot read the filter/],
    ['a'.repeat(5000), '1:4097', /4096 are allowed/],
    ['anomalies.exists(v)', '1:1', /write exists\(v, CONDITION\)/],
    ['http.request.header[1] == "a"', '1:21', /Cannot use a name between \[\] on a number/],
  ]
  for (const [text, place, message] of cases) {
    assert.throws(() => compileFilter(text, FIELDS), (error: unknown) => {
      assert.ok(error instanceof FilterError, text)
      assert.match(error.message, message)
      assert.equal(`${error.line}:${error.column}`, place, `${text}: ${error.message}`)
      return true
    })
  }
})

test('the message shows the line with the place marked', () => {
  assert.throws(() => compileFilter('kind == "a" ||\n\tdurtion > 1', FIELDS), {
    message: 'Cannot find field "durtion": did you mean "duration"? (2:2)\n   durtion > 1\n   ^^^^^^^',
  })
})

test('matches() needs time linear in the length of the value', () => {
  const filter = compileFilter('url.path.matches("(a+)+$")', FIELDS)
  const hostile = record(new Map([['url.path', `${'a'.repeat(60_000)}b`]]))
  // 60,000 letters would take a backtracking engine longer than the universe is old.
  assert.equal(filter(hostile), false)
})

test('a variable of a macro does not outlive it, and hides an outer one', () => {
  assert.throws(() => compileFilter('anomalies.exists(v, true) && v == "a"', FIELDS), /Cannot find field "v"/)
  const nested = 'anomalies.exists(v, http.request.header["host"].exists(v, v == "example.com") && v == "obs_fold")'
  assert.equal(compileFilter(nested, FIELDS)(record(FULL)), true)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { SafeBatch } from './batch.ts'
import { clean, cut, plain, prettyLine } from './pretty-line.ts'
import { PrettySink } from './pretty.ts'
import { makeBatch, RecordingHost, sinkSuite } from './sink.suite.ts'

process.env['TZ'] = 'UTC'

const EXCHANGE = {
  kind: 'exchange', time: '2026-01-31T12:34:56.789012345Z', duration: 0.0123, client: { address: '10.0.0.7' }, url: { domain: 'shop.example', path: '/a/b', query: 'q=1' },
  http: { request: { method: 'GET' }, response: { status_code: 503, body: { size: 1536 } } }, anomalies: ['bare_lf'],
  marks: { 'http.response.body.size': 'cut: more than the bound' },
}

function batchOf(records: readonly object[]): SafeBatch {
  const bytes = new Uint8Array(Buffer.from(records.map(record => `${JSON.stringify(record)}\n`).join('')))
  return { bytes, count: records.length, kinds: [records.length, 0, 0, 0, 0, 0], outputs: 1 }
}

sinkSuite('pretty', async host => {
  const stream = new PassThrough()
  return {
    sink: new PrettySink(host, stream),
    collect: async () => {
      stream.end()
      return text(stream)
    },
  }
})

test('prettyLine() shows who asked what, how it was answered and what was odd', () => {
  assert.equal(prettyLine(EXCHANGE, plain),
    '12:34:56.789 10.0.0.7        GET     503    12ms    1.5K shop.example/a/b?q=1 ! bare_lf, cut: more than the bound')
})

test('prettyLine() fits the terminal and cuts the target, not the facts', () => {
  const line = prettyLine({ ...EXCHANGE, url: { domain: 'shop.example', path: '/x'.repeat(200) } }, plain, 100)
  assert.ok(line.length <= 100, `${line.length}: ${line}`)
  assert.match(line, /^12:34:56\.789 10\.0\.0\.7 +GET +503 .*….*bare_lf/)
})

test('prettyLine() says what is missing', () => {
  assert.equal(prettyLine({ kind: 'exchange' }, plain), '--:--:--.---                 -       ---       -       - -')
  assert.equal(prettyLine({
    kind: 'handshake', time: '2026-01-31T00:00:00Z', event: { name: 'answered' }, client: { address: '::1', port: 5 }, server: { address: '::1', port: 443 },
    network: { transport: 'tcp' }, tls: { protocol: { version: '1.3' }, client: { server_name: 'a.example', ja4: 't13d00' } },
  }, plain).slice(13), 'handshake answered [::1]:5 > [::1]:443 tcp a.example TLS 1.3 t13d00')
  assert.equal(prettyLine({ kind: 'anomaly', time: '2026-01-31T00:00:00Z', event: { name: 'bare_lf', count: 3 }, client: { address: '::1', port: 5 }, server: { address: '::1', port: 80 } }, plain),
    '00:00:00.000 anomaly bare_lf [::1]:5 > [::1]:80 x3')
})

test('values from traffic cannot move the cursor, colour the terminal, forge a line or turn text around', () => {
  const hostile = '\x1b[2J\x1b]0;title\x07a\r\nb\x00\x9b31m\u202eevil\u200b\u2028x'
  const shown = clean(hostile)
  assert.doesNotMatch(shown, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029]/)
  const line = prettyLine({ ...EXCHANGE, url: { domain: hostile, path: '/\x1b[31mred' }, anomalies: ['\x1b[5m'] }, plain)
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/)
  assert.equal(clean('grüße 漢字 😀'), 'grüße 漢字 😀')
})

test('cut() counts wide characters as two columns and never cuts one in half', () => {
  assert.equal(cut('abcdef', 6), 'abcdef')
  assert.equal(cut('abcdefg', 6), 'abcde…')
  assert.equal(cut('漢字漢字', 6), '漢字…')
  assert.equal(cut('漢字漢', 6), '漢字漢')
  assert.equal(cut('a👨‍👩‍👧b', 4), 'a👨‍👩‍👧b')
})

test('at most 50 lines a second, then how many more; all count as written', async () => {
  const stream = new PassThrough()
  const host = new RecordingHost()
  const sink = new PrettySink(host, stream)
  const got = text(stream)
  for (let index = 0; index < 30; index++) sink.write(makeBatch(index * 10, 10))
  await sink.close()
  stream.end()
  const lines = (await got).split('\n').slice(0, -1)
  assert.equal(lines.length, 51)
  assert.equal(lines[50], '… 250 more')
  assert.equal(host.written, 300)
})

test('while paused nothing is shown, and what passed is told afterwards', async () => {
  const stream = new PassThrough()
  const sink = new PrettySink(new RecordingHost(), stream)
  const got = text(stream)
  sink.paused = true
  sink.write(batchOf([EXCHANGE, EXCHANGE]))
  sink.paused = false
  sink.write(batchOf([EXCHANGE]))
  await sink.close()
  stream.end()
  assert.match(await got, /^… 2 more\n12:34:56\.789 [^\n]+\n$/)
})

test('a terminal that does not read does not make the agent grow', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 })
  const host = new RecordingHost()
  const sink = new PrettySink(host, stream)
  const long = { ...EXCHANGE, url: { path: '/'.padEnd(50_000, 'x') } }
  for (let index = 0; index < 40; index++) sink.write(batchOf([long]))
  assert.ok(stream.writableLength < 400_000, `${stream.writableLength}`)
  assert.equal(host.written, 40)
  stream.resume()
  await sink.close()
  stream.end()
  await once(stream, 'end')
})

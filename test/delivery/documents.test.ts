/** What exporters make of a line without parsing it is what they make of the parsed record: over the lines of all captures. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decode } from '@msgpack/msgpack'
import { Packer } from '../../lib/msgpack/mod.ts'
import { LineArea } from '../../lib/record/mod.ts'
import { leftOutFields } from '../../src/config/choice.ts'
import { ChosenFieldsSink, cutPlainly } from '../../src/sink/chosen-fields.ts'
import { EcsWriter } from '../../src/sink/exporters/ecs-line.ts'
import { ecsDocument } from '../../src/sink/exporters/ecs.ts'
import { LineProtocol } from '../../src/sink/exporters/line-protocol.ts'
import { RequestMaker } from '../../src/sink/exporters/otlp/export-request.ts'
import { OcsfWriter } from '../../src/sink/exporters/ocsf-line.ts'
import { CEF, LEEF, mapped, mappedPlainly } from '../../src/sink/exporters/siem-body.ts'
import { assertInSchema, assertTells } from '../../src/sink/exporters/testing/ocsf-checker.ts'
import { byName, decodeLogs, decodeSpans, expectedAttributes } from '../../src/sink/exporters/testing/otlp-decoder.ts'
import { type Point, readLines } from '../../src/sink/exporters/testing/read-lines.ts'
import type { SafeBatch, Sink, SinkHealth } from '../../src/sink/mod.ts'
import { CORPORA, hasCorpora, truthRows } from '../conformance/testing/corpora.ts'
import { expectedFields, readFields } from './testing/plain-forms.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-documents-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const LINTEL = fileURLToPath(new URL('../../bin/lintel', import.meta.url))
const RECORDS_MIN = 100_000

type Json = Record<string, unknown>

/** All lines of all captures, every kind and every field. */
function replayAll(): string {
  const [config, path] = [join(folder, 'lintel.yaml'), join(folder, 'all.ndjson')]
  writeFileSync(config, 'kinds: [exchange, connection, packet, anomaly, websocket, handshake]\nfields: {include: ["*"]}\n' +
    `outputs:\n  - {type: file, path: ${path}}\n`)
  const files = truthRows().map(({ file }) => `${CORPORA}/${file}`)
  const { stderr } = spawnSync(LINTEL, ['replay', '--config', config, ...files], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  assert.match(stderr, /adds up/)
  return path
}

/** A sink that keeps what it was given, as text. */
class Kept implements Sink {
  readonly name = 'kept'
  last = ''
  write(batch: SafeBatch): void { this.last = Buffer.from(batch.bytes).toString() }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  health(): SinkHealth { throw new Error('not asked') }
}

const HOST = { settled() {}, ended() {}, log() {} }
const CHOICES = [
  { include: ['http', 'url.path', 'time'], exclude: ['http.*.header'] }, { exclude: ['/(address|port|query)$/', 'tls', 'network.*'] }, { include: ['marks'], exclude: [] },
].map(choice => {
  const [kept, leftOut] = [new Kept(), leftOutFields(choice)]
  return { kept, leftOut, sink: new ChosenFieldsSink(leftOut, HOST, () => kept) }
})

function assertChosen(line: Buffer, text: string): void {
  for (const { kept, leftOut, sink } of CHOICES) {
    sink.write({ bytes: Buffer.concat([line, Buffer.from('\n')]), count: 1, kinds: [1, 0, 0, 0, 0, 0], outputs: 1 })
    assert.deepEqual(JSON.parse(kept.last), JSON.parse(cutPlainly(text, leftOut)))
  }
}

const writer = new EcsWriter('{"create":{"_index":"logs","_id":"')

function assertEcs(line: Buffer, record: Json): void {
  writer.add(line, '0123456789abcdef-7')
  const [action, document, end] = writer.take().toString().split('\n')
  assert.equal(action, '{"create":{"_index":"logs","_id":"0123456789abcdef-7"}}')
  assert.equal(end, '')
  const plain = JSON.parse(JSON.stringify(ecsDocument(record, '0123456789abcdef-7'))) as unknown
  assert.deepEqual(JSON.parse(document as string), plain)
}

const ocsfWriter = new OcsfWriter()

function assertOcsf(line: Buffer, record: Json): void {
  const event = JSON.parse(ocsfWriter.event({ line, id: '0123456789abcdef-7' }).toString()) as Json
  assertInSchema(event)
  assertTells(event, record)
}

function assertSiem(line: Buffer): void {
  for (const table of [CEF, LEEF]) {
    const [fast, plain] = [mapped({ line, id: 'x' }, table), mappedPlainly(line, table)]
    assert.deepEqual({ ...fast, rest: JSON.parse(fast.rest.toString()) as unknown }, { ...plain, rest: JSON.parse(plain.rest.toString()) as unknown })
  }
}

const maker = new RequestMaker({ service: undefined, resource: {} })
const lines = new LineProtocol({ measurement: 'lintel', tags: {}, headerFields: [] })
const area = new LineArea()

function assertForms(line: Buffer, record: Json): void {
  const id = '0123456789abcdef-7'
  const { logs, spans, unfit } = maker.make([{ id, line }], () => true, true)
  assert.deepEqual(unfit, [])
  const ones = [...decodeLogs(logs.body).flatMap(group => group.ones), ...decodeSpans(spans.body).flatMap(group => group.ones)]
  assert.equal(ones.length, logs.count + spans.count)
  for (const { attributes } of ones) {
    const found = byName(attributes)
    for (const name of ['log.record.uid', 'lintel.trace.generated']) found.delete(name)
    assert.deepEqual(found, expectedAttributes(record))
  }
  const fields = expectedFields(record, id)
  const [point] = readLines(lines.lines([{ id, line }]).toString())
  assert.deepEqual(readFields((point as Point).fields, fields), fields)
  assert.deepEqual(decode(new Packer(0).json(area, line).bytes, { useBigInt64: false }), record)
  const escaped = Buffer.alloc(line.length * 2)
  assert.equal(`"${escaped.toString('utf8', 0, area.escape(line, escaped, 0, 0x22))}"`, JSON.stringify(line.toString()))
}

test('documents, attributes, fields and chosen fields of every line are those of the parsed record', async context => {
  if (!hasCorpora(context)) return
  let count = 0
  for await (const text of createInterface({ input: createReadStream(replayAll()), crlfDelay: Infinity })) {
    const line = Buffer.from(text)
    assertEcs(line, JSON.parse(text) as Json)
    assertOcsf(line, JSON.parse(text) as Json)
    assertSiem(line)
    assertForms(line, JSON.parse(text) as Json)
    assertChosen(line, text)
    count++
  }
  assert.ok(count > RECORDS_MIN, `only ${count} records`)
  context.diagnostic(`${count} records`)
})

test('lines in another form than the encoder\'s give the same documents, more slowly', () => {
  for (const text of ['{ "kind": "exchange", "url": { "path": "/a" } }', String.raw`{"kind":"exchange","\u0075rl":{"path":"/a"},"client":{"address":"::1","port":1}}`, '{}']) {
    assertEcs(Buffer.from(text), JSON.parse(text) as Json)
    assertSiem(Buffer.from(text))
  }
})

test('what JSON.parse gets wrong arrives as it is: whole numbers beyond 2^53, and a key behind one of a single backslash', () => {
  // V8 gives the second key of such an object a wrong name, once it has seen the first: https://github.com/nodejs/node/issues/63785
  const header = String.raw`{"\\":["a"],"\n":["b"],"\"":["c"]}`
  writer.add(Buffer.from(`{"kind":"exchange","event":{"sequence":9007199254740993},"http":{"request":{"header":${header}}}}`), 'i')
  const document = writer.take().toString().split('\n')[1] as string
  assert.ok(document.includes('"sequence":9007199254740993'), document)
  assert.ok(document.endsWith(`,"lintel":{"http":{"request":{"header":${header}}}}}`), document)
})

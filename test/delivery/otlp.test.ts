/** OTLP made of records of real captures, and read by the official descriptions: no server and no Go is needed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIELDS } from '../../src/exchange/fields.ts'
import { RequestMaker } from '../../src/sink/exporters/otlp/export-request.ts'
import { SECONDS, SLOTS } from '../../src/sink/exporters/otlp/slots.ts'
import { byName, decodeLogs, decodeSpans, encodedAgain, expectedAttributes } from '../../src/sink/exporters/testing/otlp-decoder.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'

/** In their order, which is that of the line. */
function text(attributes: ReturnType<typeof byName>): string {
  return JSON.stringify([...attributes])
}

test('otlp: the fields that it knows by name are in the registry, and all of the type "seconds" are doubles', () => {
  assert.deepEqual(FIELDS.filter(({ type }) => type === 'seconds').map(({ name }) => name).sort(), [...SECONDS].sort())
  const names = new Set(FIELDS.map(({ name }) => name))
  assert.deepEqual(SLOTS.filter(name => !names.has(name)), [])
})

/** Packets are many and alike. */
const PACKETS_EVERY = 20

test('otlp: every record of the captures is a log, every exchange a span, field by field', async context => {
  if (!hasCorpora(context)) return
  const lines = (await corpusLines()).filter((line, index) => !line.startsWith('{"kind":"packet"') || index % PACKETS_EVERY === 0)
  const maker = new RequestMaker({ service: undefined, resource: {} })
  let [logCount, spanCount] = [0, 0]
  for (let first = 0; first < lines.length; first += 1000) {
    const part = lines.slice(first, first + 1000)
    const { logs, spans, unfit } = maker.make(part.map((line, index) => ({ id: `0011223344556677-${index}`, line: Buffer.from(line) })), () => true, true)
    assert.deepEqual(unfit, [])
    assert.ok(encodedAgain('logs', logs.body).equals(logs.body) && encodedAgain('traces', spans.body).equals(spans.body))
    const expected = part.map(line => expectedAttributes(JSON.parse(line) as object))
    const ones = decodeLogs(logs.body).flatMap(group => group.ones)
    for (const [index, { attributes }] of ones.entries()) {
      const found = byName(attributes)
      assert.ok(found.delete('log.record.uid'))
      assert.equal(text(found), text(expected[index] as typeof found))
    }
    const exchanges = expected.filter(record => record.get('kind')?.stringValue === 'exchange' && record.get('event.name')?.stringValue !== 'open')
    const number = (all: ReturnType<typeof byName>): string => `${all.get('network.connection.id')?.intValue} ${all.get('event.sequence')?.intValue}`
    const made = decodeSpans(spans.body).flatMap(group => group.ones).map(({ attributes }) => byName(attributes))
    for (const span of made) if (!span.has('trace.id')) assert.ok(span.delete('lintel.trace.generated'))
    const order = (all: ReturnType<typeof byName>[]): string[] => all.map(one => `${number(one)} ${text(one)}`).sort()
    assert.deepEqual(order(made), order(exchanges))
    logCount += ones.length
    spanCount += made.length
  }
  assert.deepEqual([logCount, spanCount > 1000], [lines.length, true])
  context.diagnostic(`${logCount} log records, ${spanCount} spans`)
})

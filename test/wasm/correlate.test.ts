import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExchangeFixture } from './exchange-fixture.ts'

const fixture = new ExchangeFixture()
fixture.privacy({})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const HALF = 'a3ce929d0e0e4736'
const PADDED = `0000000000000000${HALF}`

type Found = { id?: unknown, source?: unknown, sampled?: unknown, span?: unknown }

function trace(...headers: string[]): Found {
  const fields = fixture.fields({ request: `GET / HTTP/1.1\r\nHost: a\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n` })
  const found: Found = {}
  for (const [key, name] of [['id', 'trace.id'], ['source', 'trace.source'], ['sampled', 'trace.sampled'], ['span', 'span.id']] as const) {
    if (fields.has(name)) found[key] = fields.get(name)
  }
  return found
}

function found(source: string, id: string, span?: string, sampled?: boolean): Found {
  return { id, source, ...(span === undefined ? {} : { span }), ...(sampled === undefined ? {} : { sampled }) }
}

const NONE: Found = {}

function check(rows: [header: string | string[], expected: Found][]): void {
  for (const [header, expected] of rows) assert.deepEqual(trace(...[header].flat()), expected, String(header))
}

test('traceparent as W3C Trace Context says', () => {
  const w3c = (sampled: boolean): Found => found('traceparent', TRACE, SPAN, sampled)
  check([
    [`traceparent: 00-${TRACE}-${SPAN}-01`, w3c(true)],
    [`traceparent: 00-${TRACE}-${SPAN}-00`, w3c(false)],
    [`traceparent: 00-${TRACE}-${SPAN}-ff`, w3c(true)],
    [`traceparent: 00-${TRACE}-${SPAN}-0a`, w3c(false)],
    [`TraceParent:   00-${TRACE}-${SPAN}-01  `, w3c(true)],
    [`traceparent: cc-${TRACE}-${SPAN}-01`, w3c(true)],
    [`traceparent: cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, w3c(true)],
    [`traceparent: cc-${TRACE}-${SPAN}-01.what`, NONE],
    [`traceparent: 00-${TRACE}-${SPAN}-01-more`, NONE],
    [`traceparent: 00-${TRACE}-${SPAN}-01-`, NONE],
    [`traceparent: ff-${TRACE}-${SPAN}-01`, NONE],
    [`traceparent: 00-${TRACE.toUpperCase()}-${SPAN}-01`, NONE],
    [`traceparent: 00-${TRACE}-${SPAN.toUpperCase()}-01`, NONE],
    [`traceparent: 00-${'0'.repeat(32)}-${SPAN}-01`, NONE],
    [`traceparent: 00-${TRACE}-${'0'.repeat(16)}-01`, NONE],
    [`traceparent: 00-${TRACE}-${SPAN}-0`, NONE],
    [`traceparent: 00-${TRACE}-${SPAN}-0g`, NONE],
    [`traceparent: 0-${TRACE}-${SPAN}-01`, NONE],
    [`traceparent: 00_${TRACE}_${SPAN}_01`, NONE],
    ['traceparent:', NONE],
    [[`traceparent: 00-${TRACE}-${SPAN}-01`, `traceparent: 00-${TRACE}-${SPAN}-01`], NONE],
  ])
})

test('b3 in one header', () => {
  check([
    [`b3: ${TRACE}-${SPAN}`, found('b3', TRACE, SPAN)],
    [`b3: ${TRACE}-${SPAN}-1`, found('b3', TRACE, SPAN, true)],
    [`b3: ${TRACE}-${SPAN}-0`, found('b3', TRACE, SPAN, false)],
    [`b3: ${TRACE}-${SPAN}-d-${HALF}`, found('b3', TRACE, SPAN, true)],
    [`b3: ${HALF}-${SPAN}-1-${HALF}`, found('b3', PADDED, SPAN, true)],
    [`b3: ${HALF}-${SPAN}`, found('b3', PADDED, SPAN)],
    ['b3: 0', NONE],
    ['b3: 1', NONE],
    [`b3: ${TRACE}`, NONE],
    [`b3: ${TRACE}-${SPAN}-`, NONE],
    [`b3: ${TRACE}-${SPAN}-2`, NONE],
    [`b3: ${TRACE}-${SPAN}-1-`, NONE],
    [`b3: ${TRACE}-${SPAN}-1-${HALF}0`, NONE],
    [`b3: ${TRACE}-${SPAN}-1x${HALF}`, NONE],
    [`b3: ${TRACE}-${SPAN.toUpperCase()}`, NONE],
    [`b3: ${TRACE.slice(1)}-${SPAN}`, NONE],
    [`b3: ${'0'.repeat(32)}-${SPAN}`, NONE],
    [`b3: ${TRACE}-${SPAN.slice(1)}`, NONE],
  ])
})

test('b3 in several headers', () => {
  const id = `X-B3-TraceId: ${TRACE}`
  const span = `X-B3-SpanId: ${SPAN}`
  const b3 = (spanId?: string, sampled?: boolean): Found => found('x-b3-traceid', TRACE, spanId, sampled)
  check([
    [[id, span], b3(SPAN)],
    [[id], b3()],
    [[`X-B3-TraceId: ${HALF}`, span], found('x-b3-traceid', PADDED, SPAN)],
    [[id, span, 'X-B3-Sampled: 1'], b3(SPAN, true)],
    [[id, span, 'X-B3-Sampled: 0'], b3(SPAN, false)],
    [[id, span, 'X-B3-Sampled: true'], b3(SPAN, true)],
    [[id, span, 'X-B3-Sampled: false'], b3(SPAN, false)],
    [[id, span, 'X-B3-Sampled: maybe'], b3(SPAN)],
    [[id, span, 'X-B3-Sampled: 2'], b3(SPAN)],
    [[id, span, 'X-B3-Sampled:'], b3(SPAN)],
    [[id, span, 'X-B3-Flags: 1'], b3(SPAN, true)],
    [[id, span, 'X-B3-Flags: 0'], b3(SPAN)],
    [[id, 'X-B3-SpanId: nope'], NONE],
    [[id, span, span], NONE],
    [[span], NONE],
    [['X-B3-TraceId: 123', span], NONE],
  ])
})

test('uber-trace-id with ids of any length, colons plain or encoded', () => {
  check([
    [`uber-trace-id: ${TRACE}:${SPAN}:0:1`, found('uber-trace-id', TRACE, SPAN, true)],
    [`uber-trace-id: ${TRACE}%3A${SPAN}%3a0%3A0`, found('uber-trace-id', TRACE, SPAN, false)],
    ['uber-trace-id: 5C2B:F1::3', found('uber-trace-id', '5c2b'.padStart(32, '0'), 'f1'.padStart(16, '0'), true)],
    ['uber-trace-id: 5c2b:f1:0:0F', found('uber-trace-id', '5c2b'.padStart(32, '0'), 'f1'.padStart(16, '0'), true)],
    ['uber-trace-id: 5c2b:f1:0:02', found('uber-trace-id', '5c2b'.padStart(32, '0'), 'f1'.padStart(16, '0'), false)],
    ['uber-trace-id: 5c2b:f1:0', NONE],
    ['uber-trace-id: 5c2b:f1:0:', NONE],
    ['uber-trace-id: 5c2b:f1:0:100', NONE],
    ['uber-trace-id: 5c2b:f1:0:1:1', NONE],
    ['uber-trace-id: :f1:0:1', NONE],
    ['uber-trace-id: 5c2b::0:1', NONE],
    ['uber-trace-id: 0:f1:0:1', NONE],
    ['uber-trace-id: 5c2b:0:0:1', NONE],
    ['uber-trace-id: xyz:f1:0:1', NONE],
    [`uber-trace-id: ${TRACE}0:f1:0:1`, NONE],
    [`uber-trace-id: 5c2b:${SPAN}0:0:1`, NONE],
    ['uber-trace-id: 5c2b%3', NONE],
  ])
})

test('X-Amzn-Trace-Id with its pairs in any order', () => {
  const id = '5759e988bd862e3fe1be46a994272793'
  const root = 'Root=1-5759e988-bd862e3fe1be46a994272793'
  const amazon = (span?: string, sampled?: boolean): Found => found('x-amzn-trace-id', id, span, sampled)
  check([
    [`X-Amzn-Trace-Id: ${root}`, amazon()],
    [`X-Amzn-Trace-Id: ${root};Parent=53995c3f42cd8ad8;Sampled=1`, amazon('53995c3f42cd8ad8', true)],
    [`X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678; ${root} ;Sampled=0;X=y`, amazon(undefined, false)],
    [`X-Amzn-Trace-Id: ${root};Sampled=?`, amazon()],
    [`X-Amzn-Trace-Id: ${root};`, amazon()],
    ['X-Amzn-Trace-Id: Root=2-5759e988-bd862e3fe1be46a994272793', NONE],
    ['X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a99427279', NONE],
    ['X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000', NONE],
    [`X-Amzn-Trace-Id: ${root};${root}`, NONE],
    [`X-Amzn-Trace-Id: ${root};Parent=53995c3f42cd8ad`, NONE],
    [`X-Amzn-Trace-Id: ${root};Parent=53995c3f42cd8adz`, NONE],
    ['X-Amzn-Trace-Id: Sampled=1', NONE],
    ['X-Amzn-Trace-Id: Root', NONE],
  ])
})

test('X-Cloud-Trace-Context with a decimal span', () => {
  const cloud = (span?: string, sampled?: boolean): Found => found('x-cloud-trace-context', TRACE, span, sampled)
  check([
    [`X-Cloud-Trace-Context: ${TRACE}/67667974448284343;o=1`, cloud(SPAN, true)],
    [`X-Cloud-Trace-Context: ${TRACE.toUpperCase()}/67667974448284343;o=0`, cloud(SPAN, false)],
    [`X-Cloud-Trace-Context: ${TRACE}/18446744073709551615`, cloud('f'.repeat(16))],
    [`X-Cloud-Trace-Context: ${TRACE}/0;o=1`, cloud(undefined, true)],
    [`X-Cloud-Trace-Context: ${TRACE}`, cloud()],
    [`X-Cloud-Trace-Context: ${TRACE};o=1`, NONE],
    [`X-Cloud-Trace-Context: ${TRACE}/18446744073709551616`, NONE],
    [`X-Cloud-Trace-Context: ${TRACE}/01`, NONE],
    [`X-Cloud-Trace-Context: ${TRACE}/`, NONE],
    [`X-Cloud-Trace-Context: ${TRACE}/1;o=7`, NONE],
    [`X-Cloud-Trace-Context: ${'0'.repeat(32)}/1`, NONE],
    [`X-Cloud-Trace-Context: ${TRACE.slice(1)}/1`, NONE],
  ])
})

test('x-datadog-* with decimal ids', () => {
  const hex = (decimal: string): string => BigInt(decimal).toString(16).padStart(16, '0')
  const low = '1234567890123456789'
  const id = `x-datadog-trace-id: ${low}`
  const datadog = (high: string, span?: string, sampled?: boolean): Found => (
    found('x-datadog-trace-id', high + hex(low), span, sampled))
  const zeros = '0'.repeat(16)
  check([
    [id, datadog(zeros)],
    [[id, 'x-datadog-parent-id: 987654321'], datadog(zeros, hex('987654321'))],
    [[id, 'x-datadog-parent-id: 0'], datadog(zeros)],
    [[id, 'x-datadog-sampling-priority: 2'], datadog(zeros, undefined, true)],
    [[id, 'x-datadog-sampling-priority: 0'], datadog(zeros, undefined, false)],
    [[id, 'x-datadog-sampling-priority: -1'], datadog(zeros, undefined, false)],
    [[id, 'x-datadog-sampling-priority: 3'], datadog(zeros)],
    [[id, 'x-datadog-tags: _dd.p.dm=-1,_dd.p.tid=640cfd8d00000000'], datadog('640cfd8d00000000')],
    [[id, 'x-datadog-tags: _dd.p.tid=640cfd8d00000000,_dd.p.dm=-1'], datadog('640cfd8d00000000')],
    [[id, 'x-datadog-tags: _dd.p.tid=640cfd8d000000000'], datadog(zeros)],
    [[id, 'x-datadog-tags: _dd.p.tid=640CFD8D00000000'], datadog(zeros)],
    [[id, 'x-datadog-tags: x_dd.p.tid=640cfd8d00000000'], datadog(zeros)],
    [[id, 'x-datadog-parent-id: -5'], NONE],
    [[id, 'x-datadog-parent-id: 1', 'x-datadog-parent-id: 2'], NONE],
    ['x-datadog-trace-id: 18446744073709551616', NONE],
    ['x-datadog-trace-id: 99999999999999999999', NONE],
    ['x-datadog-trace-id: 0', NONE],
    ['x-datadog-trace-id: 1e5', NONE],
    ['x-datadog-trace-id: 012', NONE],
  ])
})

test('the headers rank, and one that is not well-formed gives way to the next', () => {
  const ranked: [header: string, source: string][] = [
    [`traceparent: 00-${TRACE}-${SPAN}-01`, 'traceparent'],
    [`b3: ${TRACE}-${SPAN}`, 'b3'],
    [`X-B3-TraceId: ${TRACE}`, 'x-b3-traceid'],
    [`uber-trace-id: ${TRACE}:${SPAN}:0:1`, 'uber-trace-id'],
    ['X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793', 'x-amzn-trace-id'],
    [`X-Cloud-Trace-Context: ${TRACE}/1;o=1`, 'x-cloud-trace-context'],
    ['x-datadog-trace-id: 5', 'x-datadog-trace-id'],
  ]
  ranked.forEach(([, source], first) => {
    const rest = ranked.slice(first).map(([header]) => header).reverse()
    assert.equal(trace(...rest).source, source)
    const broken = ranked.slice(0, first).map(([header]) => `${header.slice(0, header.indexOf(':'))}: broken`)
    assert.equal(trace(...broken, ...rest).source, source)
  })
})

test('nothing of a header that gave way stays behind', () => {
  assert.deepEqual(trace(`b3: ${TRACE.slice(1)}-${SPAN}-1`, 'x-datadog-trace-id: 5'), found('x-datadog-trace-id', '5'.padStart(32, '0')))
  assert.deepEqual(trace(`X-Cloud-Trace-Context: ${'0'.repeat(32)}/7;o=1`, 'x-datadog-trace-id: 5'),
    found('x-datadog-trace-id', '5'.padStart(32, '0')))
})

test('any text in these headers gives well-formed ids or none', () => {
  const names = ['traceparent', 'b3', 'X-B3-TraceId', 'uber-trace-id', 'X-Amzn-Trace-Id', 'X-Cloud-Trace-Context', 'x-datadog-trace-id']
  const piece = fc.constantFrom('00', '-', ':', '/', ';', 'o=1', TRACE, SPAN, HALF, '0', '1', 'd', 'Root=1-', 'Parent=', 'Sampled=1',
    '%3A', 'f', 'G', ' ', '5759e988', 'bd862e3fe1be46a994272793', '18446744073709551615')
  const header = fc.tuple(fc.constantFrom(...names), fc.array(piece, { maxLength: 9 }))
  fc.assert(fc.property(fc.array(header, { maxLength: 3 }), (headers) => {
    const result = trace(...headers.map(([name, pieces]) => `${name}: ${pieces.join('')}`))
    if (result.id === undefined) return assert.deepEqual(result, NONE)
    assert.match(String(result.id), /^(?!0{32})[0-9a-f]{32}$/)
    if (result.span !== undefined) assert.match(String(result.span), /^(?!0{16})[0-9a-f]{16}$/)
    assert.ok(names.map((name) => name.toLowerCase()).includes(String(result.source)))
  }), { numRuns: 3000 })
})

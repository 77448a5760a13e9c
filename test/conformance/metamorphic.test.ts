/**
 * The same conversation carried in other ways gives the same log.
 *
 * Compared are whole exchange records, with every standard field, except `event.sequence`, `network.connection.id` and
 * `client.port`, since many variants of a connection stand in one capture, each on a port of its own; and except what the
 * change itself changes: times where packets move in time, addresses and `network.type` from IPv4 to IPv6.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TcpConversation } from '../../lib/pcap/builder.ts'
import { CORPORA, hasCorpora, truthRows } from './testing/corpora.ts'
import { Random } from './testing/damage.ts'
import type { LogRecord } from './testing/log-record.ts'
import { capture, readPackets } from './testing/packet-list.ts'
import { Replayer } from './testing/replay.ts'
import { packetsOf, traceOf, tracesOf } from './testing/trace.ts'
import type { Trace, Wrapping } from './testing/trace.ts'
import { duplicate, interleave, lose, loseAndResend, readdress, reorder, resegment, retransmit, shift, split } from './testing/transform.ts'
import { fragmentedVxlan, fragments, plain, TUNNELS } from './testing/wrapping.ts'

const FIRST_PORT = 10_000
/** Traces that go into one capture. */
const GROUP = 400

const folder = mkdtempSync(join(tmpdir(), 'lintel-metamorphic-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })
const replayer = new Replayer()

interface Variant {
  readonly name: string
  readonly trace: Trace
  readonly wrap?: Wrapping
}

interface Ignored {
  /** Packets moved in time. */
  readonly times?: boolean
  readonly addresses?: boolean
}

/** The exchanges of each variant, what must differ left out. */
function logs(variants: readonly Variant[], ignored: Ignored): string[][] {
  return exchanges(variants).map((records) => records.map((record) => comparable(record, ignored)))
}

/** The exchanges of each variant, in the order of its connection. */
function exchanges(variants: readonly Variant[]): LogRecord[][] {
  const all: LogRecord[][] = []
  for (let from = 0; from < variants.length; from += GROUP) {
    const group = variants.slice(from, from + GROUP)
    const path = join(folder, 'capture.pcap')
    writeFileSync(path, capture(group.flatMap(({ trace, wrap }, index) => packetsOf(trace, FIRST_PORT + index, wrap ?? plain))))
    const { records, refusal, recordsOff, packetsOff, heldBytes } = replayer.run(path)
    assert.deepEqual([refusal, recordsOff, packetsOff, heldBytes], [undefined, 0, 0, 0])
    const byPort = Map.groupBy(records.filter(({ kind }) => kind === 'exchange'), (record) => record.client!.port)
    group.forEach((_, index) => {
      const own = byPort.get(FIRST_PORT + index) ?? []
      all.push(own.toSorted((a, b) => a.http!.request!.depth - b.http!.request!.depth))
    })
  }
  return all
}

function comparable(record: LogRecord, ignored: Ignored): string {
  const { event, client, server, network, time, duration, time_to_first_byte: firstByte, ...rest } = record as LogRecord & { network: object }
  const { connection, type, ...net } = network as { connection?: unknown; type?: unknown }
  void event
  void connection
  return JSON.stringify({
    ...rest,
    network: ignored.addresses === true ? net : { ...net, type },
    ...(ignored.addresses === true ? {} : { client: { ...client, port: 0 }, server }),
    ...(ignored.addresses === true ? { serverPort: server?.port } : {}),
    ...(ignored.times === true ? {} : { time, duration, firstByte }),
  })
}

function expectSame(bases: readonly Trace[], make: (base: Trace) => readonly Variant[], ignored: Ignored = {}): number {
  const expected = logs(bases.map((trace) => ({ name: trace.name, trace })), ignored)
  assert.ok(expected.every((log) => log.length > 0), 'a conversation without an exchange proves nothing')
  const variants = bases.flatMap((base, index) => make(base).map((variant) => ({ ...variant, base: index })))
  const got = logs(variants, ignored)
  const faults = variants.flatMap(({ name, base }, index) => {
    const [want, have] = [expected[base]!, got[index]!]
    return want.length === have.length && want.every((line, place) => line === have[place]) ? []
      : [`${bases[base]!.name}, ${name}: expected ${want.join(' ')} but got ${have.join(' ') || 'nothing'}`]
  })
  assert.deepEqual(faults.slice(0, 3), [], `${faults.length} of ${variants.length} variants differ`)
  return variants.length
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: example.org\r\n${more}\r\n`
const ok = (body: string, more = ''): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

/** Small conversations, one for each way in which messages are framed. */
function smallTraces(): Trace[] {
  const talks: [string, [string, string][]][] = [
    ['one exchange', [[get('/a?b=c', 'User-Agent: x/1\r\nAccept: */*\r\n'), ok('hello')]]],
    ['keep-alive', [[get('/1'), ok('one')], [get('/2'), ok('')], [get('/3'), 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n']]],
    ['pipelined', [[get('/1') + get('/2') + get('/3'), ok('one') + ok('two') + ok('three')]]],
    ['chunked with trailers', [[
      'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nDigest: z\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n4\r\nwiki\r\n0\r\nX-T: 1\r\n\r\n',
    ]]],
    ['HEAD and until close', [['HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n'],
      [get('/', 'Connection: close\r\n'), 'HTTP/1.0 200 OK\r\nServer: s\r\n\r\nuntil the end']]],
    ['folded and bare LF', [['GET /f HTTP/1.1\nHost: a\nX-Long: one\n two\n\tthree\nCookie: a=1; b=2\n\n', 'HTTP/1.1 404 Not Found\nContent-Length: 2\n\nno']]],
    ['CONNECT', [['CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n', 'HTTP/1.1 200 Established\r\n\r\n'], ['\x16\x03\x01\x00\x05hello', '\x16\x03\x03\x00\x02ok']]],
  ]
  const traces = talks.map(([name, exchanges]) =>
    traceOf(name, TcpConversation.of(exchanges.map(([request, response]) => [Buffer.from(request, 'latin1'), Buffer.from(response, 'latin1')]))))
  const interim = new TcpConversation().open().send('client', 'PUT /u HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
    .send('server', 'HTTP/1.1 100 Continue\r\n\r\n').send('client', 'data').send('server', 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n').close()
  return [...traces, traceOf('100-continue', interim)]
}

/** Conversations with bodies of many segments. */
function largeTraces(): Trace[] {
  const body = (bytes: number): string => Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + (index % 26))).join('')
  const exchanges: [string, string][] = [1, 2, 3, 4].map((index) => [
    `POST /${index} HTTP/1.1\r\nHost: a\r\nX-Many: ${body(900)}\r\nContent-Length: ${3000 * index}\r\n\r\n${body(3000 * index)}`,
    ok(body(7000 * index), `X-Index: ${index}\r\n`),
  ])
  const bytes = exchanges.map(([request, response]): [Uint8Array, Uint8Array] => [Buffer.from(request), Buffer.from(response)])
  return [
    traceOf('large, MSS 1460', TcpConversation.of(bytes)),
    traceOf('large, MSS 200', TcpConversation.of(bytes, { mss: 200 })),
  ]
}

/** Connections of third-party captures that are plain TCP, whole, and logged without a mark. */
function capturedTraces(): Trace[] {
  const files = truthRows().filter(({ file, bytes }) => /^(zeek-btest\/traces\/http|packetbeat)\/.*pcap$/.test(file) && bytes < 60_000)
  const traces = files.flatMap(({ file }) => {
    const packets = readPackets(`${CORPORA}/${file}`)
    return (packets === undefined ? undefined : tracesOf(file, packets)) ?? []
  })
  const all = logs(traces.map((trace) => ({ name: trace.name, trace })), {})
  return traces.filter(({ segments }, index) => {
    const log = all[index]!
    return segments.length <= 150 && log.length > 0 && log.every((line) => !line.includes('"marks"') && !line.includes('"anomalies"'))
  })
}

function seeded(names: string, count: number, make: (base: Trace, random: Random) => Trace): (base: Trace) => Variant[] {
  return (base) => Array.from({ length: count }, (_, seed) => ({ name: `${names}, seed ${seed}`, trace: make(base, new Random(seed + 1)) }))
}

const small = smallTraces()
const large = largeTraces()
let captured: Trace[] | undefined

test('a conversation cut at each of its bytes gives the same log', (context) => {
  const count = expectSame(small, (base) => base.segments.flatMap(({ payload }, index) =>
    Array.from({ length: Math.max(0, payload.length - 1) }, (_, at) => ({ name: `segment ${index} cut at ${at + 1}`, trace: split(base, index, at + 1) }))))
  context.diagnostic(`${count} variants`)
})

test('a conversation in segments of any size gives the same log', (context) => {
  const most = [1, 2, 7, 60, 536]
  const make = (base: Trace): Variant[] => most.flatMap((bytes) => seeded(`segments of at most ${bytes}`, 3, (trace, random) => resegment(trace, random, bytes))(base))
  context.diagnostic(`${expectSame(small, make) + expectSame(large, (base) => make(base).slice(6))} variants`)
})

const DISORDERS: readonly [string, Ignored, (trace: Trace, random: Random) => Trace][] = [
  ['segments that change places', { times: true }, (trace, random) => reorder(resegment(trace, random, 150), random, 4)],
  ['segments that come twice', {}, (trace, random) => duplicate(trace, random, 6)],
  ['segments sent again, cut otherwise', {}, (trace, random) => retransmit(resegment(trace, random, 150), random)],
  ['segments lost on the way and sent again', { times: true }, (trace, random) => loseAndResend(resegment(trace, random, 150), random)],
  ['answers that stand before what they answer', { times: true }, (trace, random) => interleave(resegment(trace, random, 150), random)],
  ['all of it at once', { times: true }, (trace, random) => duplicate(reorder(retransmit(resegment(trace, random, 150), random), random, 3), random, 5)],
]
for (const [name, ignored, make] of DISORDERS) {
  test(`${name} change nothing in the log`, (context) => {
    context.diagnostic(`${expectSame([...small, ...large], seeded(name, 40, make), ignored)} variants`)
  })
}

test('sequence numbers that wrap change nothing in the log', (context) => {
  const starts = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, ...Array.from({ length: 60 }, (_, index) => 0xffffffff - index * 7)]
  const make = (base: Trace): Variant[] => starts.flatMap((start, index) => [
    { name: `both from ${start}`, trace: shift(base, start, start) },
    { name: `client from ${start}`, trace: shift(base, start, 5000) },
    { name: `from ${start}, in disorder`, trace: reorder(resegment(shift(base, start, 0xffffffff - index), new Random(index), 90), new Random(index), 3) },
  ])
  const count = expectSame([...small, ...large], make, { times: true })
  context.diagnostic(`${count} variants`)
})

/** Each response names the request that it answers. */
function namedTraces(): Trace[] {
  const exchange = (index: number, bytes: number): [string, string] => [get(`/${index}`), ok('x'.repeat(bytes), `X-Answers: /${index}\r\n`)]
  const encoded = (list: readonly [string, string][]): [Uint8Array, Uint8Array][] =>
    list.map(([request, response]) => [Buffer.from(request), Buffer.from(response)])
  const single = Array.from({ length: 12 }, (_, index) => exchange(index, 40 * index))
  const pipelined: [string, string] = [single.map(([request]) => request).join(''), single.map(([, response]) => response).join('')]
  return [
    traceOf('one after the other', TcpConversation.of(encoded(single), { mss: 200 })),
    traceOf('pipelined', TcpConversation.of(encoded([pipelined, ...single.slice(0, 4)]), { mss: 200 })),
  ]
}

for (const [name, make] of [
  ['segments that the capture lost', (trace: Trace, random: Random) => lose(trace, random, 8)],
  ['lost segments and answers before what they answer', (trace: Trace, random: Random) => interleave(lose(trace, random, 8), random)],
] as const) {
  test(`${name} may cost a pair, but never makes a wrong one`, (context) => {
    const variants = namedTraces().flatMap(seeded(name, 300, make))
    const all = exchanges(variants).flatMap((records, index) => records.map((record) => ({ record, name: variants[index]!.trace.name })))
    const paired = all.filter(({ record }) => record.url?.path !== undefined && record.http?.response !== undefined)
    const wrong = paired.filter(({ record }) => record.http?.response?.header?.['x-answers']?.[0] !== record.url?.path)
    assert.deepEqual(wrong.map(({ record, name: trace }) => `${trace}: ${JSON.stringify(record)}`), [])
    context.diagnostic(`${variants.length} variants, ${all.length} exchanges, ${paired.length} pairs`)
    assert.ok(paired.length > variants.length, 'hardly any pair is left')
  })
}

test('links and tunnels change nothing in the log', (context) => {
  const make = (base: Trace): Variant[] => [...TUNNELS].map(([name, wrap]) => ({ name, trace: base, wrap }))
  const six = [...small, ...large].map((base) => readdress(base, 'fd00::1', 'fd00::2'))
  context.diagnostic(`${expectSame([...small, ...large], make) + expectSame(six, make)} variants`)
})

test('IP fragments change nothing in the log', (context) => {
  const make = (base: Trace): Variant[] => [
    ...[8, 24, 64, 512].map((bytes) => ({ name: `of ${bytes} bytes`, trace: base, wrap: fragments(bytes) })),
    { name: 'of 32 bytes, last first', trace: base, wrap: fragments(32, (frames) => frames.toReversed()) },
    { name: 'of 40 bytes, each twice', trace: base, wrap: fragments(40, (frames) => frames.flatMap((each) => [each, each])) },
    { name: 'around VXLAN', trace: base, wrap: fragmentedVxlan },
  ]
  const six = small.map((base) => readdress(base, 'fd00::1', 'fd00::2'))
  context.diagnostic(`${expectSame([...small, ...large], make) + expectSame(six, make)} variants`)
})

test('from IPv4 to IPv6 nothing but the addresses changes', (context) => {
  const make = (base: Trace): Variant[] => [{ name: 'IPv6', trace: readdress(base, '2001:db8::10', '2001:db8::20') }]
  context.diagnostic(`${expectSame([...small, ...large], make, { addresses: true })} variants`)
})

test('connections of third-party captures, carried in other ways, give the same log', (context) => {
  if (!hasCorpora(context)) return
  captured ??= capturedTraces()
  assert.ok(captured.length >= 20, `only ${captured.length} connections are fit`)
  const still = expectSame(captured, (base) => [
    ...seeded('resegmented', 2, (trace, random) => resegment(trace, random, 300))(base),
    ...seeded('duplicated', 2, (trace, random) => duplicate(trace, random, 4))(base),
    ...seeded('retransmitted', 2, (trace, random) => retransmit(trace, random))(base),
    { name: 'near 2^32', trace: shift(base, 0xffffffff - 200, 0xffffffff - 300) },
    ...[...TUNNELS].map(([name, wrap]) => ({ name, trace: base, wrap })),
    { name: 'fragments', trace: base, wrap: fragments(64) },
  ])
  const moved = expectSame(captured, (base) => [
    ...seeded('reordered', 3, (trace, random) => reorder(trace, random, 3))(base),
    ...seeded('lost and sent again', 2, (trace, random) => loseAndResend(trace, random))(base),
  ], { times: true })
  const readdressed = expectSame(captured, (base) => [{ name: 'other addresses', trace: base.client.includes(':')
    ? readdress(base, '10.0.0.1', '10.0.0.2') : readdress(base, '2001:db8::10', '2001:db8::20') }], { addresses: true })
  context.diagnostic(`${captured.length} connections, ${still + moved + readdressed} variants`)
})

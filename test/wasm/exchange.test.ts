import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RecordView } from '../../lib/record/mod.ts'
import { FIELDS } from '../../src/exchange/fields.ts'
import * as L from '../../wasm/layout.ts'
import { generateFieldIds } from '../../tools/gen-fields.ts'
import { ExchangeFixture, ipv4 } from './exchange-fixture.ts'
import type { ExchangeFacts } from './exchange-fixture.ts'

const fixture = new ExchangeFixture()
const REQUEST = 'GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
const NO_BODY = { requestBody: 0, responseBody: 0 }

function get(facts: ExchangeFacts, name: string): unknown {
  return fixture.fields(facts).get(name)
}

function request(...headers: string[]): ExchangeFacts {
  return { request: `GET / HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n` }
}

before(() => {
  fixture.privacy({})
  fixture.exports.setClockZero(0n)
})

test('the committed field ids are those of the registry, and fit the table of chosen fields', () => {
  const file = fileURLToPath(new URL('../../wasm/field-ids.gen.ts', import.meta.url))
  assert.equal(readFileSync(file, 'utf8'), generateFieldIds())
  assert.ok(FIELDS.length < 512)
})

/** Fields that stand in a facts block (facts.test.ts), not in the blocks of this fixture. */
const OF_FACTS = /^(?:client|server)\.(?:process|systemd|container|k8s)\./

/** Every field that an exchange can carry, once. */
const EVERYTHING: ExchangeFacts = {
  request: 'BREW /pot?milk=1 HTTP/1.1\r\nHost: cafe.example:8080\r\nUser-Agent: curl/8\r\nX-Forwarded-For: 198.51.100.9\r\n'
    + 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nX-Request-ID: abc-1\r\n'
    + 'X-Multi: 1\r\nx-multi: 2\r\n\r\n',
  response: 'HTTP/1.1 418 I\'m a teapot\r\nServer: pot\r\n\r\n',
  requestTrailer: 'X-Sum: 1\r\n\r\n',
  responseTrailer: 'X-Sum: 2\r\n\r\n',
  interimHead: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nSet-Cookie: a=secret\r\n\r\n',
  requestTime: 1_000_000_000, responseTime: 1_000_250_000, responseEndTime: 1_001_500_000,
  requestBody: 12, responseBody: 34, depth: 3, oddities: L.ODDITY_OBS_FOLD | L.ODDITY_TARGET_INVALID, interim: [100, 103],
  marks: [['duration', 'hook sees one direction only']],
  addresses: [ipv4('10.0.0.2'), ipv4('192.0.2.1')], ports: [50123, 8080],
  hook: 3, interfaceIndex: 5, ethertype: 0x0800, vlans: [0x2064, 0x0007], tunnel: [1, 4096], handshake: 310_000,
  flags: L.CONNECTION_FLAG_LINK | L.CONNECTION_FLAG_IP_OPTIONS,
  sides: [
    { mac: '02:00:00:00:00:01', ttl: 63, tos: 0xb9, flags: 0x02 | 0x10, window: 502, windowScale: 7, mss: 1460,
      retransmissions: 2, resets: 1 },
    { mac: '02:00:00:00:00:02', ttl: 64, flags: 0x12 | 0x100, window: 9, windowScale: 7, retransmissions: 3 },
  ],
}

test('an exchange with everything shows every field it can carry, each with its value', () => {
  fixture.nameInterface(5, 'eth0')
  fixture.exports.setClockZero(1_795_356_782_000_000_000n)
  const fields = fixture.fields(EVERYTHING)
  fixture.exports.setClockZero(0n)
  assert.deepEqual(Object.fromEntries(fields), {
    kind: 'exchange',
    time: '2026-11-22T14:13:03.000000000Z',
    duration: 0.0015,
    time_to_first_byte: 0.00025,
    'event.sequence': 0,
    'client.address': '10.0.0.2',
    'client.port': 50123,
    'client.real_address': '198.51.100.9',
    'server.address': '192.0.2.1',
    'server.port': 8080,
    'network.type': 'ipv4',
    'network.transport': 'tcp',
    'network.interface.name': 'eth0',
    'network.protocol.name': 'http',
    'network.protocol.version': '1.1',
    'network.connection.id': 77,
    'network.hook': 'xdp',
    'network.one_direction': true,
    'url.scheme': 'http',
    'url.domain': 'cafe.example',
    'url.path': '/pot',
    'url.query': 'milk=1',
    'http.request.method': '_OTHER',
    'http.request.method_original': 'BREW',
    'http.request.header': {
      host: ['cafe.example:8080'], 'user-agent': ['curl/8'], 'x-forwarded-for': ['198.51.100.9'],
      traceparent: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'], 'x-request-id': ['abc-1'],
      'x-multi': ['1', '2'],
    },
    'http.request.header_bytes': (EVERYTHING.request as string).length,
    'http.request.header_count': 7,
    'http.request.body.size': 12,
    'http.request.trailer': { 'x-sum': ['1'] },
    'http.request.depth': 3,
    'http.response.status_code': 418,
    'http.response.reason_phrase': 'I\'m a teapot',
    'http.response.header': { server: ['pot'] },
    'http.response.header_bytes': (EVERYTHING.response as string).length,
    'http.response.header_count': 1,
    'http.response.body.size': 34,
    'http.response.trailer': { 'x-sum': ['2'] },
    'http.response.interim_status_codes': [100, 103],
    'http.response.interim_header': { link: ['</a.css>'], 'set-cookie': ['a=REDACTED'] },
    'user_agent.original': 'curl/8',
    'trace.id': '4bf92f3577b34da6a3ce929d0e0e4736',
    'trace.source': 'traceparent',
    'trace.sampled': true,
    'span.id': '00f067aa0ba902b7',
    'request.id': 'abc-1',
    'link.source.mac': '02:00:00:00:00:01',
    'link.destination.mac': '02:00:00:00:00:02',
    'link.type': '0x0800',
    'link.vlan': [100, 7],
    'tunnel.type': 'vxlan',
    'tunnel.id': 4096,
    'ip.ttl': 63,
    'ip.dscp': 46,
    'ip.ecn': 1,
    'ip.options': true,
    'tcp.flags': 'SYN,ACK,AE',
    'tcp.handshake_duration': 0.00031,
    'tcp.retransmissions': 5,
    'tcp.resets': 1,
    'tcp.window': 502 << 7,
    'tcp.mss': 1460,
    anomalies: ['obs_fold', 'target_invalid'],
    marks: { duration: 'hook sees one direction only' },
  })
  // What hangs on the connection as facts has tests of its own; streams, gRPC and exchanges that go on: exchange-http2.test.ts.
  const isElsewhere = (name: string): boolean => OF_FACTS.test(name) || /^(?:http2|rpc|gen_ai|message|tls|proxy)\.|^event\.name$/.test(name)
  const ofExchanges = FIELDS.filter(({ kinds, name }) => kinds.includes('exchange') && !isElsewhere(name)).map(({ name }) => name)
  assert.deepEqual([...fields.keys()], ofExchanges)
})

test('an exchange of the user\'s own protocol shows message.* where HTTP has url.* and http.*, and all of its connection', () => {
  const name = fixture.memory.reserve(16)
  fixture.memory.write(name, Buffer.from('ledger'))
  fixture.exports.setProtocolName(3, name, 6)
  const http = fixture.fields(EVERYTHING)
  const own = fixture.fields({ ...EVERYTHING, protocol: L.PROTOCOL_OWN + 3 })
  assert.equal(own.get('network.protocol.name'), 'ledger')
  assert.equal(own.get('message.request.method'), 'BREW')
  assert.deepEqual(own.get('message.request.header'), http.get('http.request.header'))
  assert.deepEqual(own.get('message.response.header'), http.get('http.response.header'))
  assert.equal(own.get('message.request.body.size'), http.get('http.request.body.size'))
  assert.equal(own.get('message.response.status'), http.get('http.response.reason_phrase'))
  const isOfProtocol = (field: string): boolean => /^(message|url|http)\.|^network\.protocol/.test(field)
  assert.deepEqual([...own.keys()].filter((field) => !isOfProtocol(field)), [...http.keys()].filter((field) => !isOfProtocol(field)))
  assert.deepEqual([...own.keys()].filter((field) => /^(url|http)\./.test(field)), [])
  assert.deepEqual([...own.keys()].filter((field) => field.startsWith('message.')),
    FIELDS.filter((field) => field.name.startsWith('message.')).map((field) => field.name))
  assert.equal(fixture.fields({ ...EVERYTHING, protocol: L.PROTOCOL_OWN + 4 }).has('network.protocol.name'), false)
})

test('a field that is not chosen is not in the record', () => {
  for (const { name } of FIELDS.filter(({ kinds }) => kinds.includes('exchange'))) {
    fixture.privacy({}, [name])
    const fields = fixture.fields(EVERYTHING)
    assert.equal(fields.has(name), false, name)
    assert.ok(fields.size >= 60)
  }
  fixture.privacy({})
})

test('the sides swap with the client, and without one nothing is said of either', () => {
  const swapped = fixture.fields({ ...EVERYTHING, client: 1 })
  assert.equal(swapped.get('client.address'), '192.0.2.1')
  assert.equal(swapped.get('server.port'), 50123)
  assert.equal(swapped.get('link.source.mac'), '02:00:00:00:00:02')
  assert.equal(swapped.get('ip.ttl'), 64)
  const unknown = fixture.fields({ ...EVERYTHING, client: 255 })
  for (const name of ['client.address', 'client.port', 'client.real_address', 'server.address', 'server.port', 'link.source.mac',
    'link.destination.mac', 'ip.ttl', 'tcp.window', 'tcp.mss']) assert.equal(unknown.has(name), false, name)
  assert.equal(unknown.get('tcp.retransmissions'), 5)
})

test('the other names of closed sets', () => {
  const transports: [number, string][] = [[17, 'udp'], [1, 'icmp'], [58, 'icmpv6'], [132, 'sctp'], [47, '47'], [255, '255']]
  for (const [transport, name] of transports) {
    const fields = fixture.fields({ request: REQUEST, transport })
    assert.equal(fields.get('network.transport'), name)
    assert.equal(fields.has('tcp.resets'), false)
  }
  const hooks = ['file', 'tcx', 'clsact', 'xdp', 'socket', 'cgroup', 'uprobe', undefined]
  hooks.forEach((name, hook) => assert.equal(get({ request: REQUEST, hook }, 'network.hook'), name))
  const tunnels = [undefined, 'vxlan', 'geneve', 'gre', 'ipip', 'gtpu', 'mpls', 'pppoe', 'teredo', 'other', undefined]
  tunnels.forEach((name, type) => assert.equal(get({ request: REQUEST, tunnel: [type, 1] }, 'tunnel.type'), name))
  const sides = (flags: number): ExchangeFacts => ({ request: REQUEST, sides: [{ flags }, {}] })
  assert.equal(get(sides(0x1ff), 'tcp.flags'), 'FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,AE')
  assert.equal(get(sides(0), 'tcp.flags'), undefined)
  const address = new Uint8Array(16)
  address[15] = 1
  const fields = fixture.fields({ request: REQUEST, addresses: [address, address] })
  assert.equal(fields.get('client.address'), '::1')
  assert.equal(fields.get('network.type'), 'ipv6')
})

test('every known method is itself, every other one is _OTHER with what was sent', () => {
  const line = (method: string): ExchangeFacts => ({ request: `${method} / HTTP/1.1\r\nHost: a\r\n\r\n` })
  for (const method of ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE', 'QUERY', 'CONNECT']) {
    const fields = fixture.fields(line(method))
    assert.equal(fields.get('http.request.method'), method)
    assert.equal(fields.has('http.request.method_original'), false)
  }
  for (const method of ['get', 'GETS', 'GE', 'PROPFIND', 'X', 'OPTIONSX']) {
    const fields = fixture.fields(line(method))
    assert.equal(fields.get('http.request.method'), '_OTHER')
    assert.equal(fields.get('http.request.method_original'), method)
  }
})

test('versions come from the request, else from the response', () => {
  assert.equal(get({ request: 'GET / HTTP/1.0\r\n\r\n', response: RESPONSE }, 'network.protocol.version'), '1.0')
  assert.equal(get({ request: 'GET /\r\n', response: RESPONSE }, 'network.protocol.version'), '0.9')
  assert.equal(get({ response: 'HTTP/1.0 200 OK\r\n\r\n' }, 'network.protocol.version'), '1.0')
})

test('a message of HTTP/1 that says HTTP/2.0 is none of HTTP/2', () => {
  const fields = fixture.fields({ request: 'GET /a?b HTTP/2.0\r\nHost: example.com\r\n\r\n', response: RESPONSE })
  assert.deepEqual(['network.protocol.version', 'http.request.method', 'url.path', 'url.query', 'url.scheme'].map((name) => fields.get(name)),
    ['2.0', 'GET', '/a', 'b', 'http'])
})

test('half exchanges show their half, and times are left out when not known or negative', () => {
  const only = fixture.fields({ response: RESPONSE, responseTime: 5, responseEndTime: 9,
    marks: [['http.request.method', 'lost by the capture']] })
  assert.equal(only.get('time'), '1970-01-01T00:00:00.000000005Z')
  for (const name of ['duration', 'time_to_first_byte', 'url.scheme', 'http.request.method', 'http.request.body.size',
    'user_agent.original']) assert.equal(only.has(name), false, name)
  assert.equal(only.get('http.response.status_code'), 200)
  assert.deepEqual(only.get('marks'), { 'http.request.method': 'lost by the capture' })
  const back = fixture.fields({ request: REQUEST, response: RESPONSE, requestTime: 9, responseTime: 5, responseEndTime: 7 })
  assert.equal(back.has('duration'), false)
  assert.equal(back.has('time_to_first_byte'), false)
  const same = fixture.fields({ request: REQUEST, response: RESPONSE, requestTime: 9, responseTime: 9, responseEndTime: 9 })
  assert.equal(same.get('duration'), 0)
  assert.equal(fixture.fields({ request: REQUEST }).has('time'), false)
  assert.equal(get({ request: REQUEST, ...NO_BODY }, 'http.request.body.size'), 0)
})

test('targets of every form', () => {
  type Row = [line: string, host: string | undefined, scheme: string, domain?: string | undefined, path?: string, query?: string]
  const rows: Row[] = [
    ['GET /', 'a.example', 'http', 'a.example', '/'],
    ['GET /x?', 'a.example:8080', 'http', 'a.example', '/x', ''],
    ['GET /x?a=1?b=2', '[2001:db8::1]:8080', 'http', '2001:db8::1', '/x', 'a=1?b=2'],
    ['GET /x', '[::1]', 'http', '::1', '/x'],
    ['GET /x', '2001:db8::1', 'http', '2001:db8::1', '/x'],
    ['GET /x', '', 'http', undefined, '/x'],
    ['GET /x', 'a.example:', 'http', 'a.example', '/x'],
    ['GET /x', 'a.example:http', 'http', 'a.example:http', '/x'],
    ['OPTIONS *', 'a.example', 'http', 'a.example', '*'],
    ['GET http://b.example/p?q', 'a.example', 'http', 'b.example', '/p', 'q'],
    ['GET HTTPS://b.example:444', 'a.example', 'https', 'b.example', '/'],
    ['GET http://b.example?q', 'a.example', 'http', 'b.example', '/', 'q'],
    ['GET http://[2001:db8::2]:80/', 'a.example', 'http', '2001:db8::2', '/'],
    ['GET http:///p', 'a.example', 'http', undefined, '/p'],
    ['GET ftp://b.example/p', 'a.example', 'http', 'b.example', '/p'],
    ['CONNECT b.example:443', 'a.example', 'http', 'b.example'],
    ['CONNECT [2001:db8::3]:443', 'a.example', 'http', '2001:db8::3'],
    ['CONNECT /odd', 'a.example', 'http', 'a.example', '/odd'],
    ['GET odd/path?x', 'a.example', 'http', 'a.example', 'odd/path', 'x'],
    ['GET /x', undefined, 'http', undefined, '/x'],
  ]
  for (const [line, host, scheme, domain, path, query] of rows) {
    const fields = fixture.fields({ request: `${line} HTTP/1.1\r\n${host === undefined ? '' : `Host: ${host}\r\n`}\r\n` })
    const found = ['url.scheme', 'url.domain', 'url.path', 'url.query'].map((name) => fields.get(name))
    assert.deepEqual(found, [scheme, domain, path, query], line)
  }
  assert.equal(get({ request: REQUEST, tls: true }, 'url.scheme'), 'https')
  assert.equal(get({ request: 'GET http://b.example/ HTTP/1.1\r\n\r\n', tls: true }, 'url.scheme'), 'http')
})

test('userinfo of an absolute target is in no field', () => {
  const fields = fixture.fields({ request: 'GET http://joe:opensesame@b.example/p HTTP/1.1\r\nHost: b.example\r\n\r\n' })
  assert.equal(fields.get('url.domain'), 'b.example')
  assert.doesNotMatch(JSON.stringify([...fields]), /opensesame/)
})

test('two Host fields give no domain but a mark', () => {
  const fields = fixture.fields(request('Host: a', 'Host: b'))
  assert.equal(fields.has('url.domain'), false)
  assert.deepEqual(fields.get('marks'), { 'url.domain': 'malformed message' })
})

test('bytes that are no UTF-8 are shown as ISO-8859-1 and marked; UTF-8 stays and is not', () => {
  const fields = fixture.fields(request('Host: a', 'X-Latin: caf\u00e9', 'User-Agent: \u00ff'))
  assert.deepEqual(fields.get('http.request.header'), { host: ['a'], 'x-latin': ['caf\u00e9'], 'user-agent': ['\u00ff'] })
  const reason = 'not valid UTF-8: shown as ISO-8859-1'
  assert.deepEqual(fields.get('marks'), { 'http.request.header': reason, 'user_agent.original': reason })
  const utf8 = fixture.fields(request('Host: a', `X-Utf8: ${Buffer.from('日本 long enough for more than one step').toString('latin1')}`))
  assert.deepEqual(utf8.get('http.request.header'), { host: ['a'], 'x-utf8': ['日本 long enough for more than one step'] })
  assert.equal(utf8.has('marks'), false)
})

test('request ids come from the first known header, in the request before the response', () => {
  const ordered = ['X-Request-ID', 'X-Correlation-ID', 'X-Kong-Request-Id', 'x-amzn-RequestId', 'x-amz-apigw-id', 'CF-Ray']
  ordered.forEach((_, first) => {
    const headers = ordered.slice(first).reverse().map((name) => `${name}: id-${name}`)
    assert.equal(get(request('Host: a', ...headers), 'request.id'), `id-${ordered[first]}`)
    const response = `HTTP/1.1 200 OK\r\n${headers.join('\r\n')}\r\n\r\n`
    assert.equal(get({ request: REQUEST, response }, 'request.id'), `id-${ordered[first]}`)
    assert.equal(get({ ...request('Host: a', 'CF-Ray: mine'), response }, 'request.id'), 'mine')
  })
})

test('fields follow the action of the header they come from', () => {
  const facts: ExchangeFacts = { ...request('Host: a.example', 'User-Agent: curl/8', 'X-Request-ID: abc', 'CF-Ray: ray',
    'X-Forwarded-For: 198.51.100.9', 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
    addresses: [ipv4('10.0.0.2'), ipv4('10.0.0.3')] }
  const derived = ['url.domain', 'user_agent.original', 'request.id', 'client.real_address', 'trace.id', 'span.id', 'trace.source']
  const names = ['host', 'user-agent', 'x-request-id', 'x-forwarded-for', 'traceparent']
  for (const exclude of [[], ['http.request.header']]) {
    fixture.privacy({ headers: [{ match: names, action: 'drop' }] }, exclude)
    const dropped = fixture.fields(facts)
    assert.deepEqual(derived.map((name) => dropped.get(name)),
      [undefined, undefined, 'ray', undefined, undefined, undefined, undefined])
    if (exclude.length === 0) assert.deepEqual(dropped.get('http.request.header'), { 'cf-ray': ['ray'] })
    fixture.privacy({ headers: [{ match: names, action: 'redact' }] }, exclude)
    const redacted = fixture.fields(facts)
    for (const name of derived.slice(0, 4)) assert.match(String(redacted.get(name)), /^REDACTED/, name)
    for (const name of derived.slice(4)) assert.equal(redacted.has(name), false, name)
    assert.doesNotMatch(JSON.stringify([...redacted]), /198\.51|curl|abc|a\.example|4bf92f/)
    fixture.view.at(fixture.record)
    assert.equal(fixture.view.flags(fixture.table.id('user_agent.original')) & L.ENTRY_FLAG_REDACTED, L.ENTRY_FLAG_REDACTED)
  }
  fixture.privacy({})
})

test('addresses of every field are cut when the wall cuts addresses', () => {
  fixture.privacy({ addresses: { truncate: { ipv4: 8, ipv6: 16 } } })
  const fields = fixture.fields({ ...request('Host: 203.0.113.77:80', 'X-Forwarded-For: 198.51.100.9'),
    addresses: [ipv4('10.9.8.7'), ipv4('10.9.8.6')] })
  assert.equal(fields.get('client.address'), '10.0.0.0')
  assert.equal(fields.get('server.address'), '10.0.0.0')
  assert.equal(fields.get('client.real_address'), '198.0.0.0')
  assert.doesNotMatch(JSON.stringify([...fields]), /51\.100|9\.8\.|113\.77/)
  fixture.privacy({})
})

test('a header value that is too long to be searched is hidden with the reason', () => {
  const fields = fixture.fields(request('Host: a', `X-Long: ${'a '.repeat(70_000)}`))
  assert.deepEqual((fields.get('http.request.header') as Record<string, unknown>)['x-long'], ['REDACTED'])
  assert.deepEqual(fields.get('marks'), { 'http.request.header': 'cut: more than the bound' })
  const hidden = fixture.fields(request('Host: a', `X-Api-Key: ${'a '.repeat(70_000)}`))
  assert.equal(hidden.get('marks'), undefined)
})

test('a dropped header leaves no byte in the record', () => {
  fixture.privacy({ headers: [{ match: 'x-hush*', action: 'drop' }] })
  const exchange = fixture.exchange(request('Host: a', 'X-Hush-Very-Long-Name-Of-A-Field: whisper', 'Z: 1'))
  fixture.memory.u8.fill(0x2e, fixture.record, fixture.record + 4096)
  const length = fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  fixture.free(exchange)
  assert.doesNotMatch(fixture.memory.latin1(fixture.record, length), /hush|whisper/)
  fixture.privacy({})
})

test('more marks than the exchange brought: the first of a field stands', () => {
  const fields = fixture.fields({ ...request('Host: a', 'X-Latin: \u00e9'), marks: [['http.request.header', 'malformed message']] })
  assert.deepEqual(fields.get('marks'), { 'http.request.header': 'malformed message' })
})

test('windows are scaled only when both sides can', () => {
  const window = (own: number, peer: number): unknown => get({ request: REQUEST,
    sides: [{ window: 100, windowScale: own }, { windowScale: peer }] }, 'tcp.window')
  assert.equal(window(3, 0), 800)
  assert.equal(window(255, 3), 100)
  assert.equal(window(3, 255), 100)
  assert.equal(window(200, 3), 100 << 14)
  assert.equal(get({ request: REQUEST, sides: [{ packets: 0, ttl: 3 }, {}] }, 'ip.ttl'), undefined)
})

test('interfaces without a name are left out; names can be replaced and cleared', () => {
  assert.equal(get({ request: REQUEST, interfaceIndex: 4_000_000_000 }, 'network.interface.name'), undefined)
  assert.ok(fixture.nameInterface(4_000_000_000, 'veth-a'))
  assert.ok(fixture.nameInterface(4_000_000_000, 'veth-bcd'))
  assert.equal(get({ request: REQUEST, interfaceIndex: 4_000_000_000 }, 'network.interface.name'), 'veth-bcd')
  assert.equal(fixture.nameInterface(1, 'x'.repeat(56)), false)
  fixture.exports.clearInterfaceNames()
  assert.equal(get({ request: REQUEST, interfaceIndex: 4_000_000_000 }, 'network.interface.name'), undefined)
  let kept = 0
  for (let index = 0; index < 10_000; index++) if (fixture.nameInterface(index * 8192, `i${index}`)) kept++
  assert.equal(kept, 6144)
  assert.equal(get({ request: REQUEST, interfaceIndex: 6143 * 8192 }, 'network.interface.name'), 'i6143')
  fixture.exports.clearInterfaceNames()
})

test('the sequence number is set when the record is finished', () => {
  const exchange = fixture.exchange({ request: REQUEST })
  fixture.exports.writeExchange(exchange, fixture.record, 65536)
  fixture.free(exchange)
  const id = fixture.table.id('event.sequence')
  assert.equal(fixture.exports.setRecordInt(fixture.record, id, 2 ** 40), 1)
  assert.equal(new RecordView(fixture.memory, fixture.table).at(fixture.record).get(id), 2 ** 40)
  assert.equal(fixture.exports.setRecordInt(fixture.record, fixture.table.id('event.name'), 1), 0)
})

test('a record that does not fit is refused at every room, and nothing is written behind it', () => {
  const exchange = fixture.exchange(EVERYTHING)
  const whole = fixture.exports.writeExchange(exchange, fixture.record, 1 << 20)
  assert.ok(whole > 1000)
  let fits = 0
  for (let room = 0; room < whole + 1024; room += 8) {
    fixture.memory.u8.fill(0xa5, fixture.record, fixture.record + whole + 2048)
    const length = fixture.exports.writeExchange(exchange, fixture.record, room)
    assert.ok(length === 0 || length === whole)
    if (length !== 0) fits++
    assert.ok(length <= room)
    const behind = fixture.memory.u8.subarray(fixture.record + room, fixture.record + whole + 2048)
    assert.ok(behind.every((byte) => byte === 0xa5), `room ${room}`)
  }
  assert.ok(fits > 0)
  fixture.free(exchange)
})

test('two heads of 256 KiB with 8,192 fields and more fit in the documented room, and become JSON', () => {
  const lines: string[] = []
  for (let index = 0; index < 8300; index++) lines.push(`x-${index}: ${'"\u0001'.repeat(9)}`)
  const fill = (start: string): string => `${start}\r\nHost: a\r\n${lines.join('\r\n')}\r\n\r\n`.slice(0, 262_144)
  const facts: ExchangeFacts = { request: fill('GET / HTTP/1.1'), response: fill('HTTP/1.1 200 OK') }
  assert.ok((facts.request as string).length > 230_000)
  const fields = fixture.fields(facts)
  const headers = fields.get('http.request.header') as Record<string, string[]>
  assert.equal(Object.keys(headers).length, 8192)
  assert.equal(fields.get('http.request.header_count'), 8301)
  assert.equal((fields.get('marks') as Record<string, string>)['http.response.header'], 'cut: more than the bound')
})

/** Which messages the kernel counts, under which key, and what it does with all that is none: the real programs, frames of the test's own. */
import assert from 'node:assert/strict'
import { ACK, ethernet, FIN, ipv6, PSH, RST, SYN, tcp } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ledgerOff } from './testing/program-bench.ts'
import { Talk } from './testing/talk.ts'
import { TallyBench } from './testing/tally-bench.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

function request(line: string, ...fields: string[]): string {
  return [line, ...fields, '', ''].join('\r\n')
}

const get = (host: string, ...fields: string[]): string => request('GET / HTTP/1.1', `Host: ${host}`, ...fields)

/** One turn on a connection of its own. */
function turn(bench: TallyBench, head: string, response = OK, port = 40000): Talk {
  const talk = new Talk(bench, port).handshake()
  talk.up(ACK | PSH, head)
  talk.down(ACK | PSH, response)
  return talk
}

kernelTest('turns of one connection count under their own keys, heads and bodies by their bytes, once each', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  const turns: readonly (readonly [head: string, response: string])[] = [
    [get('a.example'), OK], [get('b.example:8080'), 'HTTP/1.0 404 Not Found\r\n\r\n'], [request('HEAD /x HTTP/1.1', 'host:   a.example  '), 'HTTP/1.1 302 \r\n\r\n'],
    [request('PURGE * HTTP/1.0'), 'HTTP/1.1 500 No\r\n\r\n'], [request('GET http://c.example/ HTTP/1.1', 'Accept: */*', 'HOST: c.example'), OK],
    [request('OPTIONS * HTTP/1.1', 'Host:'), OK], ['GET / HTTP/1.1\nHost: lf.example\n\n', OK], [get('[2001:db8::1]:80'), OK], [get('user@d.example'), OK],
  ]
  for (const [head, response] of turns) {
    talk.up(ACK | PSH, head)
    talk.down(ACK | PSH, response)
  }
  talk.up(FIN | ACK, '')
  talk.down(FIN | ACK, '')
  assert.deepEqual(bench.requests(), {
    'GET 2xx a.example': 1, 'GET 4xx b.example': 1, 'HEAD 3xx a.example': 1, '_OTHER 5xx -': 1, 'GET 2xx c.example': 1, 'OPTIONS 2xx -': 1,
    'GET 2xx lf.example': 1, 'GET 2xx 2001:db8::1': 1, 'GET 2xx d.example': 1,
  })
  assert.deepEqual(bench.counts.get('GET 4xx b.example'), { requests: 1, requestBytes: turns[1]![0].length, responseBytes: turns[1]![1].length })
  const { counts, begun, noRoom } = bench.read()
  assert.deepEqual({ begun, noRoom, requests: counts.requests }, { begun: 9, noRoom: 0, requests: 9 })
  assert.equal(counts.requestBytes, turns.reduce((sum, [head]) => sum + head.length, 0))
  assert.equal(counts.responseBytes, turns.reduce((sum, [, response]) => sum + response.length, 0))
  assert.deepEqual(bench.leftOut(), {})
  assert.equal(bench.counters().delivered, 0)
  assert.equal(ledgerOff(bench.counters()), 0)
})

kernelTest('bodies in packets of their own are bytes of their request and response, also while the other side has begun to answer', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  const head = request('POST /up HTTP/1.1', 'Host: a', 'Expect: 100-continue')
  talk.up(ACK, head)
  talk.down(ACK, 'HTTP/1.1 100 Continue\r\n\r\n')
  talk.up(ACK, 'x'.repeat(1000))
  talk.up(ACK, 'y'.repeat(500))
  talk.down(ACK, 'HTTP/1.1 201 Created\r\n\r\n')
  talk.down(ACK, 'z'.repeat(700))
  talk.up(ACK, 'late'.repeat(10)) // a body that goes on behind an early answer
  talk.down(ACK, 'z'.repeat(7))
  bench.read()
  assert.deepEqual([...bench.counts], [['POST 2xx a', { requests: 1, requestBytes: head.length + 1500 + 40, responseBytes: 25 + 24 + 707 }]])
  assert.deepEqual(bench.leftOut(), { unclear: 1 })
})

kernelTest('what is sent twice, out of order or over two interfaces counts once', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  const head = get('a')
  const { client } = talk
  talk.up(ACK, head)
  talk.up(ACK, head, { sequence: client })
  talk.up(ACK, head, { sequence: client, program: 'lintel_egress' })
  const { server } = talk
  talk.down(ACK, OK)
  talk.down(ACK, OK, { sequence: server })
  talk.down(ACK, `${OK}more`, { sequence: server }) // partly new: its front is not
  talk.down(ACK, 'behind a hole', { sequence: server + OK.length + 4 + 10 })
  talk.down(ACK, 'ten bytes.', { sequence: server + OK.length + 4 })
  bench.read()
  assert.deepEqual([...bench.counts], [['GET 2xx a', { requests: 1, requestBytes: head.length, responseBytes: OK.length + 4 + 10 + 13 }]])
  assert.equal(bench.counters().notWanted.get('other_path'), 1)
  assert.deepEqual(bench.leftOut(), {})
})

kernelTest('a request without a response counts under none when the connection ends, and is under way before that', () => {
  const ends: readonly ((talk: Talk) => void)[] = [
    (talk) => { talk.down(FIN | ACK, '') }, (talk) => { talk.down(RST | ACK, '') }, (talk) => { talk.up(RST, '') },
    (talk) => { new Talk(talk.bench, 40000, 900_000).up(SYN, '') }, // the same ports, opened anew
  ]
  for (const end of ends) {
    using bench = new TallyBench()
    const talk = new Talk(bench).handshake()
    talk.up(ACK, get('a'))
    assert.deepEqual(bench.requests(), {})
    assert.equal(bench.read().begun, 1)
    talk.up(FIN | ACK, '') // the client has said all: it may still be answered
    assert.deepEqual(bench.requests(), {})
    end(talk)
    assert.deepEqual(bench.requests(), { 'GET none a': 1 })
    assert.equal(bench.read().counts.requests, 1)
  }
})

kernelTest('a response that comes with the end of its connection counts, and the end does not count again', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  talk.up(ACK, get('a'))
  talk.down(ACK | FIN, OK)
  talk.up(RST, '')
  assert.deepEqual(bench.requests(), { 'GET 2xx a': 1 })
})

kernelTest('a host beyond what is read of the first packet is unknown, one that is too long is long, and neither is cut', () => {
  using bench = new TallyBench({ labels: ['url.domain', 'user_agent.class'] })
  const long = `${'a'.repeat(64)}.example`
  const heads = [
    request('GET / HTTP/1.1', `X: ${'x'.repeat(1100)}`, 'Host: far', 'User-Agent: curl/8'), `GET /${'p'.repeat(1200)} HTTP/1.1\r\nHost: far\r\n\r\n`,
    get(long, 'User-Agent: curl/8'), get('b'.repeat(64)), 'GET / HTTP/1.1\r\nHost: cut.exam', 'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: cur', 'GET / HTTP/1.1\r\nX: 1\r\n',
  ]
  heads.forEach((head, at) => turn(bench, head, OK, 41000 + at))
  assert.deepEqual(bench.requests(), { '(unknown) unknown': 4, '(long) tool': 1, [`${'b'.repeat(64)} none`]: 1, 'a unknown': 1 })
})

kernelTest('programs are told apart by the name of their first product, whatever its letters', () => {
  using bench = new TallyBench({ labels: ['user_agent.class'] })
  const agents = ['Mozilla/5.0 (X11)', 'CURL/8.1', 'Go-http-client/1.1', 'kube-probe/1.29', 'Googlebot/2.1', 'curly/1', 'curl', 'Wget 1.2', '', ' ',
    'an-unknown-program-with-a-long-name/1', 'apache-http-more', 'curl\0/1', '(curl)']
  agents.forEach((agent, at) => turn(bench, get('a', 'Accept: */*', `user-AGENT: ${agent}`), OK, 42000 + at))
  turn(bench, get('a'), OK, 43000)
  turn(bench, get('a', 'X-User-Agent: curl/8', 'User-Agents: curl/8'), OK, 43001)
  assert.deepEqual(bench.requests(), { browser: 1, tool: 4, library: 1, probe: 1, bot: 1, other: 4, none: 4 })
})

kernelTest('clients are told apart, IPv4 and IPv6', () => {
  using bench = new TallyBench({ labels: ['client.address'] })
  turn(bench, get('a'))
  const at6 = (up: boolean, flags: number, sequence: number, payload = ''): Uint8Array => ethernet(0x86dd, ipv6({ source: up ? 7 : 2, destination: up ? 2 : 7 },
    tcp({ source: up ? 40000 : 80, destination: up ? 80 : 40000, flags, sequence }, payload)))
  const head = get('a')
  bench.send([at6(true, SYN, 10), at6(false, SYN | ACK, 20), at6(true, ACK, 11, head), at6(false, ACK, 21, OK)])
  assert.deepEqual(bench.requests(), { '10.0.0.1': 1, '32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.7': 1 })
})

kernelTest('pipelined requests are not counted, nor are their responses, and both are told', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  talk.up(ACK, get('a'))
  talk.up(ACK, get('b'))
  talk.down(ACK, OK)
  talk.down(ACK, OK)
  talk.up(ACK, get('c'))
  talk.down(ACK, OK)
  assert.deepEqual(bench.requests(), { 'GET 2xx a': 1, 'GET 2xx c': 1 })
  assert.deepEqual(bench.leftOut(), { pipelined: 1, unasked_response: 1 })
})

kernelTest('a response whose head was missed counts as unknown when the next request begins, or the connection ends', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench).handshake()
  talk.up(ACK, get('a'))
  const { server } = talk
  talk.down(ACK, 'the rest of a response', { sequence: server + OK.length })
  talk.down(ACK, OK, { sequence: server }) // comes too late to be told from a repeat
  talk.server = server + OK.length + 22
  talk.up(ACK, request('POST /b HTTP/1.1', 'Host: b'))
  talk.down(ACK, 'HTTP/1.1 100 Continue\r\n\r\n')
  talk.up(ACK, get('a body that looks like one'))
  talk.down(ACK, OK)
  talk.up(ACK, get('c'))
  talk.down(ACK, 'no status line')
  talk.down(FIN | ACK, '')
  bench.read()
  assert.deepEqual(bench.requests(), { 'GET unknown a': 1, 'POST 2xx b': 1, 'GET unknown c': 1 })
  assert.equal(bench.counts.get('GET unknown a')?.responseBytes, OK.length + 22)
  assert.equal(bench.counts.get('GET unknown a')?.requestBytes, get('a').length)
  assert.deepEqual(bench.leftOut(), { pipelined: 1 })
})

kernelTest('a final response behind 100 Continue in one packet is found', () => {
  using bench = new TallyBench()
  turn(bench, request('PUT / HTTP/1.1', 'Host: a', 'Expect: 100-continue'), 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 417 No\r\n\r\n')
  assert.deepEqual(bench.requests(), { 'PUT 4xx a': 1 })
})

kernelTest('what is not HTTP/1 in the clear is left out by connection, whoever speaks first', () => {
  using bench = new TallyBench()
  const openings: readonly ((talk: Talk) => void)[] = [
    (talk) => { talk.up(ACK, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') }, (talk) => { talk.up(ACK, '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 and more') },
    (talk) => { talk.down(ACK, 'SSH-2.0-OpenSSH_9.2\r\n') }, (talk) => { talk.up(ACK, 'GET key that is memcached\r\n') }, (talk) => { talk.up(ACK, 'GET') },
    (talk) => { talk.up(ACK, 'GET /no-version\r\nHost: a\r\n\r\n') },
  ]
  openings.forEach((open, at) => {
    const talk = new Talk(bench, 44000 + at).handshake()
    open(talk)
    talk.up(ACK, get('a'))
    talk.down(ACK, OK)
  })
  assert.deepEqual(bench.requests(), {})
  assert.deepEqual(bench.leftOut(), { other_protocol: openings.length })
  assert.equal(bench.counters().notWanted.get('unknown_protocol'), openings.length * 2)
})

kernelTest('behind a change of protocol nothing is a request, and no byte counts', () => {
  using bench = new TallyBench()
  const upgraded = turn(bench, get('ws', 'Upgrade: websocket'), 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 45000)
  const tunnel = turn(bench, request('CONNECT b:443 HTTP/1.1', 'Host: b:443'), 'HTTP/1.1 200 Established\r\n\r\n', 45001)
  for (const talk of [upgraded, tunnel]) {
    talk.up(ACK, get('inside'))
    talk.down(ACK, OK)
  }
  const refused = turn(bench, request('CONNECT c:443 HTTP/1.1', 'Host: c:443'), 'HTTP/1.1 403 No\r\n\r\n', 45002)
  refused.up(ACK, get('after'))
  refused.down(ACK, OK)
  assert.deepEqual(bench.requests(), { 'GET 1xx ws': 1, 'CONNECT 2xx b': 1, 'CONNECT 4xx c': 1, 'GET 2xx after': 1 })
  assert.equal(bench.counts.get('GET 1xx ws')?.responseBytes, 36)
  assert.deepEqual(bench.leftOut(), { tunnel: 2 })
})

kernelTest('a connection joined midway counts from its first request on; a response before that is told', () => {
  using bench = new TallyBench()
  const talk = new Talk(bench, 46000)
  talk.down(ACK, 'the rest of a body')
  talk.down(ACK, OK)
  talk.up(ACK, get('a'))
  talk.down(ACK, OK)
  assert.deepEqual(bench.requests(), { 'GET 2xx a': 1 })
  assert.deepEqual(bench.leftOut(), { unasked_response: 1 })
})

kernelTest('status lines that are odd or cut are unknown, ones that only look like it are none', () => {
  using bench = new TallyBench({ labels: ['http.response.status_class'] })
  const responses = ['HTTP/1.1 99x\r\n\r\n', 'HTTP/1.1 2', 'HTTP/1.1 999 Odd\r\n\r\n', 'HTTP/1.1 099 Odd\r\n\r\n', 'HTTP/1.1\r\n and so on and on', 'HTTP/2 200 OK\r\n\r\n', '']
  responses.forEach((response, at) => { turn(bench, get('a'), response, 47000 + at).down(FIN | ACK, '') })
  assert.deepEqual(bench.requests(), { unknown: 6, none: 1 })
})

kernelTest('labels that are not wanted tell nothing apart; ports and the sample are obeyed', () => {
  using bench = new TallyBench({ labels: [], filters: { ports: [[80, 80]] } })
  turn(bench, get('a', 'User-Agent: curl/8'), OK, 48000)
  turn(bench, request('POST / HTTP/1.1', 'Host: b'), 'HTTP/1.1 500 No\r\n\r\n', 48001)
  assert.deepEqual(bench.requests(), { '': 2 })
  using elsewhere = new TallyBench({ filters: { ports: [[81, 81]] } })
  turn(elsewhere, get('a'))
  assert.deepEqual(elsewhere.requests(), {})
  using sampled = new TallyBench({ labels: [], filters: { sample: 0.5 } })
  for (let port = 0; port < 200; port++) turn(sampled, get('a'), OK, 40000 + port)
  const { ['']: count = 0 } = sampled.requests()
  assert.ok(count > 50 && count < 150, `${count} of 200`)
})

kernelTest('keys that the map evicts are missing in the counts by exactly what the totals have beyond them', () => {
  using bench = new TallyBench({ labels: ['url.domain'], keys: 1024 })
  const talk = new Talk(bench).handshake()
  const ask = (host: string): void => {
    talk.up(ACK, get(host))
    talk.down(ACK, OK)
  }
  const sum = (): number => [...bench.counts.values()].reduce((total, { requests }) => total + requests, 0)
  for (let host = 0; host < 300; host++) ask(`h${host}`)
  bench.read()
  assert.equal(sum(), 300)
  for (let host = 0; host < 3000; host++) ask(`g${host}`)
  for (let host = 0; host < 300; host++) ask(`h${host}`) // evicted by now: what was read of them stays, and what comes is added
  const { counts, noRoom } = bench.read()
  assert.equal(counts.requests, 3600)
  const evicted = counts.requests - noRoom - sum()
  assert.ok(evicted >= 3300 - 1024 && evicted < 3300, `${evicted} evicted`)
  assert.equal(bench.counts.get('h7')?.requests, 2)
  bench.read()
  assert.equal(counts.requests - noRoom - sum(), evicted, 'nothing is counted twice')
})

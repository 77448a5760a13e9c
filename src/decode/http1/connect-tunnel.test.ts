/** What lies inside CONNECT goes to the Detector again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { makeCertificate, playTls } from '../testing/tls-conversation.ts'

const memory = new ByteMemory()
const input = TestConnection.reserveInput(memory)
const CONNECT = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n'
const talk = await playTls({ client: { servername: 'gate.example' }, server: makeCertificate('/CN=gate.example') })

/** `lost`: a segment that is missing. */
function play(segments: readonly (readonly [Side, string | Uint8Array])[], lost?: string): { recorder: MessageRecorder; isIgnored: boolean } {
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols: createProtocols(memory), sink: recorder, control: connection }))
  segments.forEach(([side, bytes], time) => {
    if (bytes === lost) connection.lose(side, bytes.length, time)
    else connection.send(side, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, time)
  })
  const { isIgnored } = connection
  connection.close(segments.length)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return { recorder, isIgnored }
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('TLS inside CONNECT tells its handshake, and is ignored', () => {
  const { recorder, isIgnored } = play([[0, CONNECT], [1, ESTABLISHED], ...talk.segments.map(({ side, bytes }) => [side, bytes] as const)])
  assert.equal(Buffer.from(recorder.handshakes[0]!.serverName!).toString(), 'gate.example')
  assert.deepEqual(recorder.messages.map(({ kind, ended }) => [kind, ended]), [['request', 'complete'], ['response', 'tunnel']])
  assert.deepEqual(recorder.anomalies, [])
  assert.ok(isIgnored)
})

test('HTTP inside CONNECT gives exchanges with numbers of their own', () => {
  const { recorder } = play([[0, CONNECT], [1, ESTABLISHED], [0, get('/1')], [1, OK], [0, get('/2')], [1, OK]])
  assert.deepEqual(recorder.pairs, [['a:443', 200], ['/1', 200], ['/2', 200]])
  assert.equal(new Set(recorder.requests.map(({ exchange }) => exchange)).size, 3)
  assert.deepEqual(recorder.anomalies, [])
  assert.equal(recorder.closed, 'fin')
})

test('pairs that are held inside CONNECT are settled there', () => {
  const lost = OK.replace('ok', 'no')
  const { recorder } = play([
    [0, CONNECT], [1, ESTABLISHED], [0, get('/1')], [1, lost], ...[2, 3, 4, 5].flatMap((turn) => [[0, get(`/${turn}`)], [1, OK]] as const),
  ], lost)
  assert.deepEqual(recorder.pairs, [['a:443', 200], ['/2', 200], ['/3', 200], ['/4', 200], ['/5', 200]])
  assert.ok(recorder.responses.every(({ isLikely }) => !isLikely))
})

test('bytes that the client sends before it is answered are read, once it is', () => {
  const { recorder } = play([[0, CONNECT + get('/early')], [1, ESTABLISHED + OK]])
  assert.deepEqual(recorder.pairs, [['a:443', 200], ['/early', 200]])
})

test('tunnels in tunnels are read down to the bound', () => {
  const nested = Array.from({ length: 10 }, () => [[0, CONNECT], [1, ESTABLISHED]] as const).flat()
  const { recorder, isIgnored } = play(nested)
  assert.equal(recorder.responses.filter(({ ended }) => ended === 'tunnel').length, 5)
  assert.ok(isIgnored, 'what lies deeper is not wanted')
})

test('an end of either side at any byte of a tunnel gives everything back', () => {
  const hello = talk.segments[0]!.bytes
  for (let at = 0; at < 40; at++) play([[0, CONNECT], [1, ESTABLISHED], [0, hello.subarray(0, at)]])
  for (const cut of [10, 20, ESTABLISHED.length]) play([[0, CONNECT + hello.subarray(0, 30).toString('latin1')], [1, ESTABLISHED.slice(0, cut)]])
})

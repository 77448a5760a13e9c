/** Every field of every response is logged, those of 1xx responses too: over HTTP/1, over HTTP/2, and of an upgrade between them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TcpConversation } from '../../lib/pcap/builder.ts'
import * as T from '../../src/decode/http2/testing/frames.ts'
import { plainBlock } from '../../src/decode/http2/testing/hpack-encoder.ts'
import { capture } from './testing/packet-list.ts'
import { Replayer } from './testing/replay.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-interim-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })

interface Response {
  readonly status_code: number
  readonly header: object
  readonly interim_status_codes?: readonly number[]
  readonly interim_header?: object
}

/** Status, interim statuses and interim fields of each exchange, the same on both paths. */
function responses(conversation: TcpConversation): unknown[] {
  const path = join(folder, 'capture.pcap')
  writeFileSync(path, capture(conversation.frames().map((bytes, index) => (
    { bytes, wire: bytes.length, seconds: 1_700_000_000, nanoseconds: index * 1_000_000, linkType: 1 }))))
  const [steady, plain] = [{}, { isPlain: true }].map((options) => {
    const { records, heldBytes, recordsOff } = new Replayer(options).run(path)
    assert.deepEqual([heldBytes, recordsOff], [0, 0])
    return records.filter(({ kind }) => kind === 'exchange').map(({ http }) => {
      const { status_code: status, interim_status_codes: interim, interim_header: header } = http!.response as unknown as Response
      return [status, interim, header]
    })
  })
  assert.deepEqual(steady, plain)
  return steady!
}

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\n\r\n'
const DONE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

test('HTTP/1', () => {
  const talk = new TcpConversation().open()
    .send('client', get('/1')).send('server', DONE)
    .send('client', get('/2')).send('server', `HTTP/1.1 100 Continue\r\n\r\n${HINT}HTTP/1.1 103 Early Hints\r\nLink: </c>\r\nSet-Cookie: s=secret\r\n\r\n`)
    .send('server', DONE).send('client', get('/3')).send('server', `${HINT}${DONE}`).send('client', get('/4')).send('server', DONE).close()
  assert.deepEqual(responses(talk), [
    [200, undefined, undefined],
    [200, [100, 103, 103], { 'link': ['</a.css>; rel=preload', '</b.js>', '</c>'], 'set-cookie': ['s=REDACTED'] }],
    [200, [103], { link: ['</a.css>; rel=preload', '</b.js>'] }],
    [200, undefined, undefined],
  ])
})

const GET = plainBlock({ ':method': 'GET', ':scheme': 'http', ':authority': 'a', ':path': '/' })

test('HTTP/2', () => {
  const talk = new TcpConversation().open().send('client', Buffer.concat([T.CLIENT_START, T.headers(1, GET, { endsStream: true })]))
    .send('server', Buffer.concat([T.settings(), T.headers(1, plainBlock([[':status', '103'], ['link', '</a>']]))]))
    .send('server', T.headers(1, plainBlock([[':status', '103'], ['link', '</b>']])))
    .send('server', T.headers(1, plainBlock({ ':status': '204' }), { endsStream: true })).close()
  assert.deepEqual(responses(talk), [[204, [103, 103], { link: ['</a>', '</b>'] }]])
})

test('an upgrade to HTTP/2', () => {
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'
  const talk = new TcpConversation().open()
    .send('client', get('/', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'))
    .send('server', Buffer.concat([Buffer.from(upgrade), T.settings(), T.headers(1, plainBlock({ ':status': '204' }), { endsStream: true })]))
    .send('client', T.CLIENT_START).close()
  assert.deepEqual(responses(talk), [[204, [101], { connection: ['Upgrade'], upgrade: ['h2c'] }]])
})

import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { testDecoder } from '../decoder.suite.ts'
import type { SuiteConversation } from '../decoder.suite.ts'
import { Http2Protocol } from './http2-protocol.ts'
import * as T from './testing/frames.ts'
import { HpackEncoder } from './testing/hpack-encoder.ts'

const memory = new ByteMemory()

function conversation(name: string, messages: number, ...parts: [who: 'c' | 's', bytes: Buffer][]): SuiteConversation {
  return { name, messages, segments: parts.map(([who, bytes]) => ({ side: (who === 'c' ? 0 : 1) as Side, bytes })) }
}

let client = new HpackEncoder()
let server = new HpackEncoder()
/** Another connection begins: tables are empty. */
const fresh = (name: string): string => {
  client = new HpackEncoder()
  server = new HpackEncoder()
  return name
}
const ask = (method: string, path: string, ...more: [string, string][]): Buffer => client.encode([
  [':method', method], [':scheme', 'http'], [':authority', 'a.example'], [':path', path], ...more])
const answer = (status: string, ...more: [string, string][]): Buffer => server.encode([[':status', status], ...more])

testDecoder({
  name: 'http2',
  memory,
  protocol: new Http2Protocol(memory),
  conversations: [
    conversation(fresh('two requests at once, answered the other way round'), 4,
      ['c', Buffer.concat([T.CLIENT_START, T.headers(1, ask('GET', '/1', ['x-a', 'b']), { endsStream: true })])],
      ['s', Buffer.concat([T.settings([3, 128]), T.settingsAck()])],
      ['c', Buffer.concat([T.settingsAck(), T.headers(3, ask('POST', '/2', ['x-a', 'b'])), T.data(3, 'body', true, 3)])],
      ['s', Buffer.concat([T.headers(3, answer('200', ['server', 's']), { padding: 4, priority: true }), T.data(3, 'hello'), T.windowUpdate(0, 5)])],
      ['s', Buffer.concat([T.headers(1, answer('404', ['server', 's'])), T.data(1, 'no', true), T.data(3, ' you', true)])]),
    conversation(fresh('interim response, trailers both ways, CONTINUATION'), 3,
      ['c', Buffer.concat([T.CLIENT_START, T.headers(1, ask('PUT', '/1', ['te', 'trailers']), { split: 7, padding: 2 }), T.data(1, 'x')])],
      ['s', Buffer.concat([T.settings(), T.headers(1, answer('103', ['link', '</a>']))])],
      ['c', T.headers(1, client.encode([['x-sum', '1']]), { endsStream: true })],
      ['s', Buffer.concat([T.headers(1, answer('200', ['server', 's']), { split: 1 }), T.data(1, 'ab'),
        T.headers(1, server.encode([['x-sum', '2']]), { endsStream: true })])]),
    conversation(fresh('pushed'), 4,
      ['c', Buffer.concat([T.CLIENT_START, T.headers(1, ask('GET', '/page'), { endsStream: true })])],
      ['s', Buffer.concat([T.settings(), T.pushPromise(1, 2, server.encode([[':method', 'GET'], [':scheme', 'http'], [':path', '/a.css']])),
        T.headers(1, answer('200'), { endsStream: true }), T.headers(2, answer('200', ['x', 'y'])), T.data(2, 'css', true)])]),
    conversation(fresh('reset by the client'), 2,
      ['c', Buffer.concat([T.CLIENT_START, T.headers(1, ask('GET', '/1'), { endsStream: true })])],
      ['s', Buffer.concat([T.settings(), T.headers(1, answer('200')), T.data(1, 'part')])],
      ['c', Buffer.concat([T.reset(1, 8), T.ping(), T.goaway(0, 0)])]),
  ],
})

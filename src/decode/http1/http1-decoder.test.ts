import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { testDecoder } from '../decoder.suite.ts'
import type { SuiteConversation } from '../decoder.suite.ts'
import { Http1Protocol } from './http1-protocol.ts'

const memory = new ByteMemory()

function conversation(name: string, messages: number, ...texts: [who: 'c' | 's', text: string][]): SuiteConversation {
  const segments = texts.map(([who, text]) => ({ side: (who === 'c' ? 0 : 1) as Side, bytes: Buffer.from(text, 'latin1') }))
  return { name, messages, segments }
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Folded: a\r\n b\r\n\r\nhello'

testDecoder({
  name: 'http1',
  memory,
  protocol: new Http1Protocol(memory),
  conversations: [
    conversation('keep-alive', 4,
      ['c', 'GET /1 HTTP/1.1\r\nHost: a\r\nCookie: b=c\r\n\r\n'], ['s', ok],
      ['c', 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody'], ['s', ok]),
    conversation('chunked with trailers', 2,
      ['c', 'PUT /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\n\r\n'],
      ['s', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n']),
    conversation('pipelined, interim, HEAD', 7,
      ['c', 'HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET http://a/3 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['s', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204\r\n\r\n']),
    conversation('until close', 2,
      ['c', 'GET /1 HTTP/1.0\r\n\r\n'], ['s', 'HTTP/1.0 200 OK\r\nServer: x\r\n\r\nsome text'], ['s', ' and more']),
    conversation('upgrade', 2,
      ['c', 'GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
      ['s', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello'], ['c', '\x81\x85\0\0\0\0hello']),
    conversation('connect refused, then a request', 4,
      ['c', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'], ['s', 'HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno'],
      ['c', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'], ['s', ok]),
  ],
})

/** Client and server of the matrix in Node: `http`, `https` and `http2`, with and without TLS. */
import { openSync, readFileSync, writeSync } from 'node:fs'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import { once } from 'node:events'

const [, , role, ...words] = process.argv
const ANSWER = 'hello from the matrix'

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, utf8(raw[index + 1]!)]] : []))
}

function serve(log: string, certificate: string, key: string, ports: number[]): void {
  const file = openSync(log, 'a')
  const pem = { cert: readFileSync(certificate), key: readFileSync(key) }

  const one = (question: http.IncomingMessage, answer: http.ServerResponse): void => {
    let body = 0
    question.on('data', (data: Buffer) => { body += data.length })
    question.on('end', () => {
      answer.setHeader('X-Served-By', 'node')
      answer.setHeader('X-Twice', ['first', 'second'])
      answer.end(ANSWER)
      // Node has no public name for the head as it was sent, with the fields that it added itself.
      const [, ...lines] = (answer as unknown as { _header: string })._header.trimEnd().split('\r\n')
      const response = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
      writeSync(file, `${JSON.stringify({
        client: question.socket.remotePort, version: question.httpVersion, method: question.method, target: question.url,
        request: pairs(question.rawHeaders), body, status: answer.statusCode, response,
      })}\n`)
    })
  }

  const two = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, _flags: number, raw: string[]): void => {
    let body = 0
    stream.on('data', (data: Buffer) => { body += data.length })
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain', 'x-served-by': 'node', 'x-twice': ['first', 'second'] })
      stream.end(ANSWER)
      const response = Object.entries(stream.sentHeaders).filter(([name]) => !name.startsWith(':'))
        .flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]))
      writeSync(file, `${JSON.stringify({
        client: stream.session!.socket.remotePort, version: '2', method: headers[':method'], target: headers[':path'],
        request: pairs(raw).filter(([name]) => !name.startsWith(':')), body, status: stream.sentHeaders[':status'], response,
      })}\n`)
    })
  }

  const servers = [http.createServer(one), https.createServer(pem, one), http2.createServer().on('stream', two),
    http2.createSecureServer(pem).on('stream', two)]
  for (const [index, server] of servers.entries()) server.listen(ports[index], '127.0.0.1')
}

async function askOne(base: URL, path: string, count: number): Promise<void> {
  const { Agent, request } = base.protocol === 'https:' ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    const question = request(new URL(`${path}/${index}?at=${index}`, base), {
      agent, method: index % 3 === 2 ? 'POST' : 'GET', rejectUnauthorized: false,
      headers: { 'X-Request-ID': `node-${index}`, 'X-Same': ['one', 'two'], 'x-odd': 'a;b="c, d"=' },
    })
    question.end(index % 3 === 2 ? 'x'.repeat(index * 1000) : undefined)
    const [answer] = await once(question, 'response') as [http.IncomingMessage]
    for await (const _ of answer);
  }))
  agent.destroy()
}

async function askTwo(base: URL, path: string, count: number): Promise<void> {
  const session = http2.connect(base, { rejectUnauthorized: false })
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    const post = index % 3 === 2
    const stream = session.request({
      ':method': post ? 'POST' : 'GET', ':path': `${path}/${index}?at=${index}`, 'x-request-id': `node-${index}`,
      'x-same': ['one', 'two'], 'x-odd': 'a;b="c, d"=',
    }, { endStream: !post })
    if (post) stream.end('x'.repeat(index * 1000))
    for await (const _ of stream);
  }))
  session.close()
}

if (role === 'serve') serve(words[0]!, words[1]!, words[2]!, words.slice(3).map(Number))
else await (words[0] === '2' ? askTwo : askOne)(new URL(words[1]!), words[2]!, Number(words[3]))

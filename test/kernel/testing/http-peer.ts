/**
 * A gateway or a client in a process of its own.
 *
 * `serve HOST PORT` prints "ready" and answers every request with its path, until stdin ends.
 * `get URL COUNT HEADER_BYTES BODY_BYTES` sends requests one after the other on one connection and prints how many were
 * answered with 200 and their own path.
 */
import { Agent, createServer, request } from 'node:http'

const [, , mode, ...words] = process.argv

if (mode === 'serve') {
  const server = createServer({ maxHeaderSize: 1 << 20 }, (message, response) => {
    message.on('data', () => {})
    message.on('end', () => response.setHeader('x-path', message.url ?? '').end(`you asked for ${message.url}\n`))
  })
  server.listen(Number(words[1]), words[0], () => process.stdout.write('ready\n'))
  process.stdin.on('end', () => process.exit()).resume()
} else {
  const [url = '', count = '1', headerBytes = '0', bodyBytes = '0'] = words
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let answered = 0
  for (let at = 0; at < Number(count); at++) if (await ask(agent, `${url}?n=${at}`, Number(headerBytes), Number(bodyBytes))) answered++
  agent.destroy()
  process.stdout.write(`${answered}\n`)
}

function ask(agent: Agent, url: string, headerBytes: number, bodyBytes: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-filler': 'f'.repeat(headerBytes), 'content-length': bodyBytes }
    const message = request(url, { method: 'POST', agent, headers }, (response) => {
      response.on('data', () => {})
      response.on('end', () => resolve(response.statusCode === 200 && url.endsWith(String(response.headers['x-path']))))
    })
    message.on('error', reject)
    message.end('b'.repeat(bodyBytes))
  })
}

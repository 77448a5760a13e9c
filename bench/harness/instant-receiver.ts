/**
 * A server that takes everything and answers at once, in a process of its own: HTTP as each exporter wants its answer, by the path, and
 * TCP without an answer. Tells both ports on standard output: `http tcp`.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'

const ANSWERS: Readonly<Record<string, string>> = {
  '/_bulk': '{"errors":false}', '/services/collector/event': '{"text":"Success","code":0}', '/events': '{"rejected":[]}',
  '/v1/logs': '', '/v1/traces': '',
}

const http = createHttpServer((request, response) => {
  request.resume()
  request.on('end', () => {
    const body = ANSWERS[(request.url as string).split('?')[0] as string]
    response.writeHead(body === undefined ? 204 : 200)
    response.end(body)
  })
})
const tcp = createServer(socket => { socket.on('error', () => {}).resume() })
for (const server of [http, tcp]) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}
console.log(`${(http.address() as AddressInfo).port} ${(tcp.address() as AddressInfo).port}`)

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type Agent as HttpAgent, Agent, createServer, request, type Server } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { Gateway } from '../../gateway/testing/gateway.ts'
import { run } from '../../gateway/testing/process.ts'
import { TlsFolder } from '../../gateway/testing/tls-peers.ts'

export const EVIL = '<script>document.title="hacked"</script><img src=x onerror="document.title=\'hacked\'">'
export const LONG_VALUE = 'v'.repeat(60_000)
export const ORDER = '0a1b2c3d-0000-4000-8000-00000000000a'

const [HTTP, HTTPS, GRPC, NOBODY, UPSTREAM] = [18_711, 18_712, 18_713, 18_714, 18_715]
const TENANTS = ['acme', 'acme', 'acme', 'globex', 'globex', 'initech']
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36', 'python-requests/2.32.3', 'Go-http-client/1.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'okhttp/4.12.0',
]
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** Connections to the upstream are kept. */
const PROXY = 'proxy_pass http://shop; proxy_set_header Host $host; proxy_http_version 1.1; proxy_set_header Connection "";'

const asIs = (bytes: Buffer): Buffer => bytes
const CALL = { requestStream: false, responseStream: false, requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs }
const CART = { add: { ...CALL, path: '/shop.v1.Cart/Add' }, pay: { ...CALL, path: '/shop.v1.Cart/Pay' } }

export interface Visit {
  readonly path: string
  readonly method?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Which of 127.0.0.1 to 127.0.0.9 asks. */
  readonly from?: number
}

/**
 * A shop behind a real nginx: an upstream that fails, is slow or asks for credentials, an upstream that is not there, files, HTTPS
 * with HTTP/2, a gRPC server beside it; and its customers.
 */
export class Shop {
  /** What an agent has to look at. */
  readonly ports = [HTTP, HTTPS, GRPC, NOBODY, UPSTREAM]
  readonly #folder: TlsFolder
  readonly #gateway: Gateway
  readonly #upstream: Server
  readonly #cart: grpc.Server
  readonly #agents: readonly HttpAgent[] = Array.from({ length: 5 }, (_, index) => new Agent({ keepAlive: true, maxSockets: 2, localAddress: `127.0.0.${index + 1}` }))

  private constructor(folder: TlsFolder, gateway: Gateway, upstream: Server, cart: grpc.Server) {
    this.#folder = folder
    this.#gateway = gateway
    this.#upstream = upstream
    this.#cart = cart
  }

  static async start(): Promise<Shop> {
    const folder = await TlsFolder.make()
    const upstream = upstreamServer()
    upstream.keepAliveTimeout = 0 // nginx keeps what it has opened: no record of a connection comes late
    upstream.listen(UPSTREAM, '127.0.0.1')
    await once(upstream, 'listening')
    const cart = new grpc.Server()
    cart.addService(CART, {
      add: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer(null, Buffer.from('added')),
      pay: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer({ code: grpc.status.UNAVAILABLE, details: 'the bank sleeps' }),
    })
    await promisify(cart.bindAsync.bind(cart))(`127.0.0.1:${GRPC}`, grpc.ServerCredentials.createInsecure())
    return new Shop(folder, await gateway(folder), upstream, cart)
  }

  /** Everybody comes: every status class, several hosts, tenants, clients and protocols; connections that are refused and reset. */
  async trade(): Promise<void> {
    await this.#browse(400)
    await this.visit({ path: '/evil', headers: { 'x-evil': EVIL, 'user-agent': EVIL, 'x-binary': 'caf\u00e9 \u0080\u00ff' } })
    await this.visit({ path: '/assets/large', host: 'static.shop.test', headers: { 'x-long': LONG_VALUE } })
    await this.visit({ path: `/${'deep/'.repeat(60)}end`, headers: { cookie: 'session=1', traceparent: TRACE } })
    for (let index = 0; index < 12; index++) await this.visit({ path: '/daily', host: 'reports.shop.test', from: index % 3 })
    const curl = ['-sk', '-o', '/dev/null', '-H', 'X-Tenant-ID: globex', '--resolve', `pay.shop.test:${HTTPS}:127.0.0.1`, `https://pay.shop.test:${HTTPS}/pay/[1-20]`]
    await run('curl', ['--http1.1', ...curl])
    await run('curl', ['--http2', ...curl])
    await run('h2load', ['-n', '200', '-c', '2', '-m', '4', '-H', 'x-tenant-id: initech', `https://127.0.0.1:${HTTPS}/catalog`])
    // Fewer than the newest exchanges that the tables of headers and values look at.
    await run('h2load', ['--h1', '-n8000', '-c4', '-H', ':authority: static.shop.test', '-H', 'x-tenant-id: acme', `http://127.0.0.1:${HTTP}/assets/app.js`])
    await this.#buy(12)
    for (let index = 0; index < 7; index++) await hangUp(NOBODY)
    for (let index = 0; index < 5; index++) await hangUp(HTTP)
  }

  /** One request through the gateway, and its answer's status. */
  async visit({ path, method = 'GET', host = 'api.shop.test', headers = {}, from = 0 }: Visit): Promise<number> {
    const given = { 'user-agent': AGENTS[from % AGENTS.length] as string, ...headers, host }
    const asked = request({ host: '127.0.0.1', port: HTTP, path, method, headers: given, agent: this.#agents[from % this.#agents.length] })
    asked.end(method === 'POST' ? '{"item":"pot"}' : undefined)
    const [response] = await once(asked, 'response') as [NodeJS.ReadableStream & { statusCode: number }]
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) agent.destroy()
    this.#cart.forceShutdown()
    this.#upstream.closeAllConnections()
    this.#upstream.close()
    await this.#gateway.stop()
    this.#folder.remove()
  }

  async #browse(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const path = [`/users/${index}`, `/articles/${'abcdefghij'[index % 10]}-${index}`, '/orders', `/orders/${ORDER}/items`, '/slow', '/broken', '/old', '/'][index % 8] as string
      const isOrder = path.startsWith('/orders')
      await this.visit({
        path: index % 5 === 0 ? `${path}?page=${index}` : path, method: path === '/orders' ? 'POST' : 'GET', from: index % 5,
        host: index % 3 === 0 ? 'www.shop.test' : 'api.shop.test',
        headers: {
          'x-tenant-id': TENANTS[index % TENANTS.length] as string, 'x-request-id': `browse-${index}`, accept: 'application/json',
          ...(isOrder && index % 3 !== 0 ? { authorization: 'Bearer not-a-real-token' } : {}), ...(index % 50 === 0 ? { traceparent: TRACE } : {}),
        },
      })
    }
  }

  async #buy(count: number): Promise<void> {
    const client = new grpc.Client(`127.0.0.1:${GRPC}`, grpc.credentials.createInsecure())
    for (let index = 0; index < count; index++) {
      const { path } = index % 3 === 0 ? CART.pay : CART.add
      await new Promise<void>(resolve => { client.makeUnaryRequest(path, asIs, asIs, Buffer.from('pot'), () => { resolve() }) })
    }
    client.close()
  }
}

/** Connects and resets in the middle of a request head; where nobody listens it is refused. */
async function hangUp(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const over = new Promise(resolve => { socket.once('close', resolve) })
  socket.on('error', () => {}) // refused is what is wanted
  socket.on('connect', () => {
    socket.write('GET /half HTTP/1.1\r\nHost: api.shop.test\r\n')
    void delay(20).then(() => { socket.resetAndDestroy() })
  })
  await over
}

function upstreamServer(): Server {
  return createServer(async (asked, answer) => {
    const path = asked.url ?? '/'
    asked.resume()
    if (path.startsWith('/slow')) await delay(40)
    const status = path.startsWith('/broken') ? 503 : path.startsWith('/old') ? 301 : /^\/users\/\d*7\b/.test(path) ? 404
      : path.startsWith('/orders') && asked.headers.authorization === undefined ? 401 : asked.method === 'POST' ? 201 : 200
    answer.writeHead(status, { 'content-type': 'application/json', 'x-evil': EVIL, ...(status === 301 ? { location: '/' } : {}) })
    answer.end(JSON.stringify({ path, items: 'x'.repeat(path.length * 20) }))
  })
}

async function gateway(folder: TlsFolder): Promise<Gateway> {
  return await Gateway.start({
    listen: [`127.0.0.1:${HTTP} default_server`],
    location: PROXY,
    http: `upstream shop { server 127.0.0.1:${UPSTREAM}; keepalive 16; keepalive_timeout 600s; } ssl_certificate ${folder.certificate}; ssl_certificate_key ${folder.key};
      server { listen 127.0.0.1:${HTTP}; server_name static.shop.test; location / { return 200 "console.log(1)\\n"; } }
      server { listen 127.0.0.1:${HTTP}; server_name reports.shop.test; location / { proxy_pass http://127.0.0.1:${NOBODY}; } }
      server { listen 127.0.0.1:${HTTPS} ssl http2; server_name pay.shop.test; location / { ${PROXY} } }`,
  })
}

/** Whether the programs that visit the shop are on this machine. */
export function hasVisitors(): boolean {
  return ['nginx', 'curl', 'h2load'].every(program => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0)
}

/** The servers of the matrix: each speaks the four protocols and records every exchange with all that it got and answered. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from '../gateway.ts'
import { Running, run } from '../process.ts'
import type { TlsFolder } from '../tls-peers.ts'
import { isSecure, portOf, PROTOCOLS, versionOf } from './cells.ts'
import type { Protocol, Recorded, ServerName } from './cells.ts'
import { readDebugLog } from './nginx-debug-log.ts'

const ANSWER = 'hello from the matrix'

/** A server under way; `recorded` gives what it wrote down, whole once it has ended. */
export interface Server {
  readonly process: Running
  recorded(): Recorded[]
}

async function listening(process: Running, server: ServerName): Promise<void> {
  for (const protocol of PROTOCOLS) {
    await process.until(async () => await accepts(String(portOf(server, protocol))), `listening port of ${server}`)
  }
}

export async function startNginx(folder: TlsFolder): Promise<Server> {
  const log = join(folder.path, 'nginx.log')
  const words = (protocol: Protocol): string => `${isSecure(protocol) ? 'ssl' : ''} ${versionOf(protocol) === '2' ? 'http2' : ''}`
  const servers = PROTOCOLS.map((protocol) => `server { listen 127.0.0.1:${portOf('nginx', protocol)} ${words(protocol)};
    location / { add_header X-Served-By nginx; return 200 "${ANSWER}"; } }`)
  // One process, so that the log is one order of events.
  const config = folder.write('nginx.conf', `daemon off; master_process off; pid ${folder.path}/nginx.pid;
  error_log ${log} debug; events {} http { access_log off; keepalive_requests 100000;
    ssl_certificate ${folder.certificate}; ssl_certificate_key ${folder.key};
    ${servers.join('\n')} }`)
  const process = new Running('nginx', ['-c', config])
  await listening(process, 'nginx')
  return { process, recorded: () => readDebugLog(readFileSync(log, 'utf8')) }
}

function haproxyFields(base64: string): [string, string][] {
  return Buffer.from(base64, 'base64').toString('utf8').split('\r\n').filter((line) => line !== '').map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
}

/**
 * `http-after-response` is haproxy's last rule: what it holds then is what it sends. It waits for bodies: it resets a stream whose
 * body it has not read, and curl takes that for an error.
 */
export async function startHaproxy(folder: TlsFolder): Promise<Server> {
  const log = join(folder.path, 'haproxy.log')
  const pair = folder.write('haproxy.pem', readFileSync(folder.certificate, 'utf8') + readFileSync(folder.key, 'utf8'))
  const words: Record<Protocol, string> = {
    http1: '', https1: `ssl crt ${pair} alpn http/1.1`, h2c: 'proto h2', h2: `ssl crt ${pair} alpn h2`,
  }
  const config = folder.write('haproxy.cfg', `global
  log stdout len 65535 format raw local0
defaults
  mode http
  option dontlognull
  option http-ignore-probes
  timeout client 10s
  timeout connect 10s
  timeout server 10s
frontend all
  log global
${PROTOCOLS.map((protocol) => `  bind 127.0.0.1:${portOf('haproxy', protocol)} ${words[protocol]}`).join('\n')}
  http-request set-var(txn.asked) req.hdrs
  http-after-response set-var(txn.told) res.hdrs
  log-format "exchange %cp %HM %HU %HV %ST %[var(txn.asked),base64] %[var(txn.told),base64]"
  http-request wait-for-body time 10s
  http-request return status 200 content-type text/plain string "${ANSWER}" hdr X-Served-By haproxy
`)
  const process = new Running('sh', ['-c', `exec haproxy -f ${config} >${log}`])
  await listening(process, 'haproxy')
  const lines = (): string[] => readFileSync(log, 'utf8').split('\n').filter((line) => line.startsWith('exchange '))
  const recorded = (): Recorded[] => lines().map((line) => {
    const [, client, method, uri, version, status, asked, told] = line.split(' ')
    const request = haproxyFields(asked!)
    // haproxy gives a request of HTTP/2 the Host that its :authority says, and writes its URI in full.
    const two = version === 'HTTP/2.0'
    return {
      server: 'haproxy', client: Number(client), version: two ? '2' : version!.slice(5), method: method!,
      target: two ? uri!.replace(/^https?:\/\/[^/]*/, '') : uri!,
      request: two ? request.filter(([name]) => name !== 'host') : request,
      status: Number(status), response: haproxyFields(told!),
    }
  })
  return { process, recorded }
}

/** Those that record as JSON, a line an exchange. */
async function startRecorder(server: 'node' | 'go', log: string, process: Running): Promise<Server> {
  await listening(process, server)
  const recorded = (): Recorded[] => readFileSync(log, 'utf8').trim().split('\n')
    .map((line) => ({ server, ...JSON.parse(line) as Omit<Recorded, 'server'> }))
  return { process, recorded }
}

function argumentsOf(server: ServerName, folder: TlsFolder, log: string): string[] {
  return ['serve', log, folder.certificate, folder.key, ...PROTOCOLS.map((protocol) => String(portOf(server, protocol)))]
}

export const NODE_PEER = fileURLToPath(new URL('node-peer.ts', import.meta.url))

export async function startNode(folder: TlsFolder): Promise<Server> {
  const log = join(folder.path, 'node.log')
  return await startRecorder('node', log, new Running(process.execPath, [NODE_PEER, ...argumentsOf('node', folder, log)]))
}

export async function startGo(folder: TlsFolder, binary: string): Promise<Server> {
  const log = join(folder.path, 'go.log')
  return await startRecorder('go', log, new Running(binary, argumentsOf('go', folder, log)))
}

/** Both ends in Go, with Debian's x/net for HTTP/2 without TLS: it lies where GOPATH says, nothing is fetched. */
export async function buildGoPeer(folder: TlsFolder): Promise<string> {
  const output = join(folder.path, 'go-peer')
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }
  await run('go', ['build', '-o', output, fileURLToPath(new URL('go/main.go', import.meta.url))], { env })
  return output
}

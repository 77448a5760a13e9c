import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Running } from './process.ts'

export interface GatewayOptions {
  /** `address:port` to listen on, as nginx writes it. */
  readonly listen: readonly string[]
  /** Network namespace to run in. */
  readonly namespace?: string
  /** Lines for the location block; default answers from memory. */
  readonly location?: string
  /** Lines for the http block. */
  readonly http?: string
  readonly workers?: number
}

/** A real nginx that logs its own count of requests, so that a test has the server's truth beside the client's. */
export class Gateway {
  readonly directory: string
  readonly #process: Running

  private constructor(directory: string, process: Running) {
    this.directory = directory
    this.#process = process
  }

  static async start(options: GatewayOptions): Promise<Gateway> {
    const directory = mkdtempSync(join(tmpdir(), 'lintel-gateway-'))
    writeFileSync(join(directory, 'nginx.conf'), configuration(options))
    const args = ['-p', directory, '-c', 'nginx.conf', '-e', 'error.log']
    const process = options.namespace === undefined ? new Running('nginx', args)
      : new Running('ip', ['netns', 'exec', options.namespace, 'nginx', ...args])
    const gateway = new Gateway(directory, process)
    await process.untilFile(join(directory, 'nginx.pid'))
    if (options.namespace === undefined) await process.until(() => accepts(options.listen[0]!), 'listening port')
    return gateway
  }

  /** Requests that nginx itself answered, from its access log. */
  requestCount(): number {
    return this.requestIds().length
  }

  /** The X-Request-ID of each request that nginx answered with its status, in its order. */
  requestIds(): string[] {
    return readFileSync(join(this.directory, 'access.log'), 'latin1').split('\n').filter((line) => line !== '')
  }

  /** Ends it once every response is out and logged; its folder stays. */
  async stopped(): Promise<void> {
    await this.#process.stop('SIGQUIT')
  }

  async stop(): Promise<void> {
    await this.stopped()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function configuration(options: GatewayOptions): string {
  return `
worker_processes ${options.workers ?? 1}; daemon off; pid nginx.pid; error_log error.log;
events { worker_connections 4096; }
http {
  log_format count '$http_x_request_id $status';
  access_log access.log count buffer=1m flush=1s;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 100000000; keepalive_timeout 600s;
  large_client_header_buffers 64 64k; client_max_body_size 64m;
  ${options.http ?? ''}
  server {
    ${options.listen.map((address) => `listen ${address};`).join(' ')}
    location / { ${options.location ?? 'return 200 "hello world\\n";'} }
  }
}
`
}

/** True when something listens there: `port` or `host:port`. */
export async function accepts(listen: string): Promise<boolean> {
  const match = /^(?:(.*):)?(\d+)/.exec(listen)
  const port = Number(match?.[2] ?? listen)
  const host = (match?.[1] ?? '127.0.0.1').replaceAll(/[[\]]/g, '')
  return await new Promise((resolve) => {
    const socket = connect({ port, host }, () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(false))
  })
}

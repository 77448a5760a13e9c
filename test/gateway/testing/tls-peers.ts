import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Gateway } from './gateway.ts'
import type { GatewayOptions } from './gateway.ts'
import { Running, run } from './process.ts'

/** A folder with a certificate for localhost that is its own issuer, and room for what a test makes. */
export class TlsFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'lintel-tls-'))
  readonly certificate = join(this.path, 'certificate.pem')
  readonly key = join(this.path, 'key.pem')

  static async make(): Promise<TlsFolder> {
    const folder = new TlsFolder()
    chmodSync(folder.path, 0o755) // nginx gives up its rights before it reads files
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', folder.key, '-out', folder.certificate,
      '-days', '2', '-subj', '/CN=localhost'])
    return folder
  }

  /** An nginx that speaks TLS on 127.0.0.1. */
  async gateway(port: number, options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    return await Gateway.start({
      ...options,
      listen: [`127.0.0.1:${port} ssl`],
      http: `ssl_certificate ${this.certificate}; ssl_certificate_key ${this.key}; ssl_protocols TLSv1.2 TLSv1.3; ${options.http ?? ''}`,
    })
  }

  write(name: string, text: string): string {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  /** Copies of the machine's OpenSSL under other inodes, in a folder of their own. */
  async copyOpenssl(name: string): Promise<string> {
    const folder = join(this.path, name)
    mkdirSync(folder)
    const libraries = await run('sh', ['-c', 'ldd "$(command -v curl)" | grep -oE "/\\S*/lib(ssl|crypto)\\.so\\.\\S+"'])
    for (const library of libraries.trim().split('\n')) copyFileSync(realpathSync(library), join(folder, library.slice(dirname(library).length + 1)))
    return folder
  }

  /** Builds the Go client and server; what it needs of the standard library is compiled at the first time. */
  async buildGo(name: string, flags: readonly string[] = []): Promise<string> {
    const output = join(this.path, name)
    await run('go', ['build', ...flags, '-o', output, '.'], { cwd: fileURLToPath(new URL('go-peer', import.meta.url)) })
    return output
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

const NODE_PEER = fileURLToPath(new URL('node-tls-peer.ts', import.meta.url))

/** An HTTPS server of Node; answers every request with the size of its body. */
export async function nodeServer(folder: TlsFolder, port: number): Promise<Running> {
  const server = new Running(process.execPath, [NODE_PEER, 'serve', String(port), folder.certificate, folder.key])
  await server.until(() => server.output.includes('listening'), 'listening port')
  return server
}

/** Sends `count` requests with X-Request-ID `prefix`0 upwards from Node; each third with a body of 1,000 times its number. */
export async function nodeRequests(url: string, prefix: string, count: number): Promise<void> {
  await run(process.execPath, [NODE_PEER, 'ask', url, prefix, String(count)])
}

export async function goServer(folder: TlsFolder, binary: string, port: number): Promise<Running> {
  const server = new Running(binary, ['serve', `127.0.0.1:${port}`, folder.certificate, folder.key])
  await server.until(() => server.output.includes('listening'), 'listening port')
  return server
}

/** As `nodeRequests`, from Go. */
export async function goRequests(binary: string, url: string, prefix: string, count: number): Promise<void> {
  await run(binary, ['ask', url, prefix, String(count)])
}

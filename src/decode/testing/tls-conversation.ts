/** Real handshakes: two ends of Node's TLS (OpenSSL) talk to each other, and what they send is kept. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { connect, createSecureContext, TLSSocket } from 'node:tls'
import type { ConnectionOptions, SecureContextOptions, TLSSocketOptions } from 'node:tls'
import type { Side } from '../../connection/mod.ts'

export interface Certificate {
  readonly key: Buffer
  readonly cert: Buffer
}

/** A certificate that signs itself, made by openssl. */
export function makeCertificate(subject: string, extensions: readonly string[] = [], days = 30): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-certificate-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert,
      '-days', String(days), '-subj', subject, ...extensions.flatMap((extension) => ['-addext', extension])], { stdio: 'pipe' })
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface TlsSegment {
  readonly side: Side
  readonly bytes: Buffer
}

/** What a handshake was like, by its own ends. */
export interface TlsTalk {
  /** In the order in which they were written; side 0 is the client. */
  readonly segments: readonly TlsSegment[]
  readonly client: TLSSocket
  /** Of a later talk that resumes this one. */
  readonly session: Buffer | undefined
}

export interface TlsTalkOptions {
  readonly client?: ConnectionOptions
  readonly server: SecureContextOptions & TLSSocketOptions
  /** The handshake is expected to fail. */
  readonly fails?: boolean
}

/** Plays one handshake, and a few bytes of data each way. */
export async function playTls({ client: clientOptions, server: serverOptions, fails = false }: TlsTalkOptions): Promise<TlsTalk> {
  const segments: TlsSegment[] = []
  const [clientEnd, clientFar] = duplexPair()
  const [serverEnd, serverFar] = duplexPair()
  relay(clientFar, serverFar, (bytes) => { segments.push({ side: 0, bytes }) })
  relay(serverFar, clientFar, (bytes) => { segments.push({ side: 1, bytes }) })
  const server = new TLSSocket(serverEnd, { isServer: true, secureContext: createSecureContext(serverOptions), ...serverOptions })
  const client = connect({ socket: clientEnd, rejectUnauthorized: false, ...clientOptions })
  let session: Buffer | undefined
  client.on('session', (data) => { session = data })
  server.on('error', () => {})
  if (fails) {
    await once(client, 'error')
    return { segments, client, session }
  }
  client.on('error', () => {})
  await once(client, 'secureConnect')
  client.write('hello from the client')
  await once(server, 'data')
  server.write('hello from the server')
  await once(client, 'data')
  return { segments, client, session }
}

function relay(from: Duplex, to: Duplex, note: (bytes: Buffer) => void): void {
  from.on('data', (bytes: Buffer) => {
    note(Buffer.from(bytes))
    to.write(bytes)
  })
  from.on('end', () => { to.end() })
}

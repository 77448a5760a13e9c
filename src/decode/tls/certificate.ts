import { hash, X509Certificate } from 'node:crypto'
import { isIPv6, SocketAddress } from 'node:net'
import { makeRoom } from '../../../lib/bounded/mod.ts'
import type { CertificateFacts } from '../connection-facts.ts'
import { ByteReader } from './byte-reader.ts'

/** Certificates whose names are kept: a server shows the same one each time. */
const KEPT_MAX = 256
const NAMES_MAX = 100

/**
 * Reads the first certificate of Certificate messages (RFC 5246 7.4.2).
 *
 * Bound: KEPT_MAX certificates are remembered, by their SHA-256; the one kept longest goes first.
 */
export class CertificateReader {
  readonly #kept = new Map<string, CertificateFacts>()

  /** @returns undefined for a message without certificate; 'malformed' for one that cannot be read */
  read(body: Uint8Array): CertificateFacts | undefined | 'malformed' {
    const reader = new ByteReader(body)
    const list = reader.part(reader.u24())
    if (reader.failed) return 'malformed'
    if (list.left === 0) return undefined
    const der = Buffer.from(list.bytes(list.u24()))
    if (list.failed || der.length === 0) return 'malformed'
    const key = hash('sha256', der, 'base64')
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const facts = factsOf(der)
    if (facts === undefined) return 'malformed'
    makeRoom(this.#kept, KEPT_MAX)
    this.#kept.set(key, facts)
    return facts
  }
}

function factsOf(der: Buffer): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(der)
    return {
      subject: distinguishedName(certificate.subject),
      issuer: distinguishedName(certificate.issuer),
      notBefore: nanoseconds(certificate.validFromDate),
      notAfter: nanoseconds(certificate.validToDate),
      names: alternativeNames(certificate.subjectAltName),
    }
  } catch {
    return undefined
  }
}

/**
 * Node gives one attribute a line, in the certificate's order, escaped as in RFC 4514; that RFC wants the last first. Where a line
 * holds several, ` + ` stands between them; a plus within a value has a backslash.
 */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '').split('\n').filter((line) => line !== '').map((line) => line.replaceAll(' + ', '+')).reverse().join(',')
}

function nanoseconds(date: Date): bigint | undefined {
  const ms = date.getTime()
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n
}

/** `DNS:a, IP Address:b, URI:"c, d"`: the names without their kinds, those with a comma quoted as in JSON; IPv6 not shortened. */
function alternativeNames(text: string | undefined): string[] {
  const names: string[] = []
  for (const [, kind, quoted, plain] of (text ?? '').matchAll(/(?:^|, )(DNS|IP Address|URI|email):(?:("(?:[^"\\]|\\.)*")|([^,]*))/gu)) {
    if (kind === undefined || names.length >= NAMES_MAX) break
    const name = quoted === undefined ? plain ?? '' : unquote(quoted)
    names.push(isIPv6(name) ? new SocketAddress({ address: name, family: 'ipv6' }).address : name)
  }
  return names
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string
  } catch {
    return text
  }
}

import { hash } from 'node:crypto'
import type { ClientHello } from './client-hello.ts'
import { EXTENSION, isGrease } from './parameters.ts'

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'], [0x0303, '12'], [0x0302, '11'], [0x0301, '10'], [0x0300, 's3'], [0x0002, 's2'],
  [0xfeff, 'd1'], [0xfefd, 'd2'], [0xfefc, 'd3'],
])
const NO_HASH = '000000000000'

/**
 * The JA4 fingerprint of a ClientHello: FoxIO's JA4, and of its family nothing else (BSD 3-clause; the others are not free).
 *
 * @param transport t = TCP, q = QUIC
 */
export function ja4(hello: ClientHello, transport: 't' | 'q'): string {
  const ciphers = hello.ciphers.filter((cipher) => !isGrease(cipher))
  const extensions = hello.extensions.filter((extension) => !isGrease(extension))
  const versions = hello.versions.filter((version) => !isGrease(version))
  const version = VERSIONS.get(versions.length > 0 ? Math.max(...versions) : hello.version) ?? '00'
  const name = extensions.includes(EXTENSION.serverName) ? 'd' : 'i'
  const head = `${transport}${version}${name}${count(ciphers)}${count(extensions)}${protocolMark(hello.protocols[0])}`
  const sorted = hexes(extensions.filter((type) => type !== EXTENSION.serverName && type !== EXTENSION.alpn)).sort()
  const algorithms = hexes(hello.signatureAlgorithms.filter((algorithm) => !isGrease(algorithm)))
  const tail = algorithms.length > 0 ? `${sorted.join(',')}_${algorithms.join(',')}` : sorted.join(',')
  return `${head}_${shortHash(hexes(ciphers).sort().join(','))}_${extensions.length === 0 ? NO_HASH : shortHash(tail)}`
}

function count(list: readonly number[]): string {
  return String(Math.min(list.length, 99)).padStart(2, '0')
}

function hexes(list: readonly number[]): string[] {
  return list.map((value) => value.toString(16).padStart(4, '0'))
}

function shortHash(text: string): string {
  return text === '' ? NO_HASH : hash('sha256', text, 'hex').slice(0, 12)
}

/** First and last character of the first protocol; of its hexadecimal form where they are no letters or digits. */
function protocolMark(protocol: Uint8Array | undefined): string {
  if (protocol === undefined || protocol.length === 0) return '00'
  const first = protocol[0]!
  const last = protocol.at(-1)!
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last)
  return `${first.toString(16).padStart(2, '0')[0]}${last.toString(16).padStart(2, '0')[1]}`
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { OpenInner, Protocol } from './decoder.ts'
import { Detector } from './detector.ts'
import { Http1Protocol } from './http1/mod.ts'
import { Http2Protocol } from './http2/mod.ts'
import { ProxyProtocol } from './proxy/mod.ts'
import { SocksProtocol } from './socks/mod.ts'
import { TlsProtocol } from './tls/mod.ts'

/** How many protocols that carry others (PROXY, SOCKS, CONNECT) may lie around one. */
const DEPTH_MAX = 4

/**
 * Every protocol that Lintel reads, in the order in which they are asked: one line each. Those of the user's own come first.
 *
 * @param depth protocols that may still be opened inside one of these
 */
export function createProtocols(memory: ByteMemory, own: readonly Protocol[] = [], depth = DEPTH_MAX): Protocol[] {
  const openInner = depth > 0 ? innerOpener(memory, own, depth - 1) : undefined
  const http2 = new Http2Protocol(memory, openInner)
  return [
    ...own,
    ...(openInner === undefined ? [] : [new ProxyProtocol(memory, openInner), new SocksProtocol(memory, openInner)]),
    new Http1Protocol(memory, openInner, (opening) => http2.upgrade(opening)),
    http2,
    new TlsProtocol(memory, openInner),
  ]
}

/** Its protocols are made once they are needed: most connections carry nothing inside. */
function innerOpener(memory: ByteMemory, own: readonly Protocol[], depth: number): OpenInner {
  let protocols: Protocol[] | undefined
  return (control, sink) => new Detector({ memory, protocols: protocols ??= createProtocols(memory, own, depth), sink, control })
}

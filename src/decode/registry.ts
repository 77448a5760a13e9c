import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { BodyFields } from './body/mod.ts'
import type { OpenInner, Protocol } from './decoder.ts'
import { Detector } from './detector.ts'
import { Http1Protocol } from './http1/mod.ts'
import { Http2Protocol } from './http2/mod.ts'
import { ProxyProtocol } from './proxy/mod.ts'
import { SocksProtocol } from './socks/mod.ts'
import { TlsProtocol } from './tls/mod.ts'

/** How many protocols that carry others (PROXY, SOCKS, CONNECT) may lie around one. */
const DEPTH_MAX = 4

/** What protocols are made with beside the memory. */
export interface ProtocolOptions {
  /** Those of the user's own. */
  readonly own?: readonly Protocol[]
  /** Whose bodies are read; undefined = nobody's. */
  readonly bodies?: BodyFields
}

/**
 * Every protocol that Lintel reads, in the order in which they are asked: one line each. Those of the user's own come first.
 *
 * @param depth protocols that may still be opened inside one of these
 */
export function createProtocols(memory: ByteMemory, options: ProtocolOptions = {}, depth = DEPTH_MAX): Protocol[] {
  const { own = [], bodies } = options
  const openInner = depth > 0 ? innerOpener(memory, options, depth - 1) : undefined
  const http2 = new Http2Protocol(memory, openInner, bodies)
  return [
    ...own,
    ...(openInner === undefined ? [] : [new ProxyProtocol(memory, openInner), new SocksProtocol(memory, openInner)]),
    new Http1Protocol(memory, openInner, (opening) => http2.upgrade(opening), bodies),
    http2,
    new TlsProtocol(memory, openInner),
  ]
}

/** Its protocols are made once they are needed: most connections carry nothing inside. */
function innerOpener(memory: ByteMemory, options: ProtocolOptions, depth: number): OpenInner {
  let protocols: Protocol[] | undefined
  return (control, sink) => new Detector({ memory, protocols: protocols ??= createProtocols(memory, options, depth), sink, control })
}

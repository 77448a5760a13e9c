import { ByteReader } from './byte-reader.ts'
import { protocolNames } from './client-hello.ts'
import { EXTENSION, RETRY_RANDOM, VERSION } from './parameters.ts'

/** What a ServerHello says (RFC 8446 4.1.3, RFC 5246 7.4.1.3). */
export interface ServerHello {
  /** The version chosen. */
  readonly version: number
  readonly cipher: number
  /** It asks for another ClientHello. */
  readonly isRetry: boolean
  /** Protocol chosen by ALPN, where it stands in the open (before TLS 1.3). */
  readonly protocol: Uint8Array | undefined
  /** Group of its key share (TLS 1.3). */
  readonly group: number | undefined
  /** A pre-shared key was taken: a session is resumed (TLS 1.3). */
  readonly hasPreSharedKey: boolean
}

/**
 * The body of a ServerHello message, without its header.
 *
 * @returns undefined when its lengths contradict each other
 */
export function parseServerHello(body: Uint8Array): ServerHello | undefined {
  const reader = new ByteReader(body)
  let version = reader.u16()
  const random = reader.bytes(32)
  const isRetry = RETRY_RANDOM.equals(random)
  // The drafts of TLS 1.3 before version 22 have neither session id nor compression.
  if (version >> 8 !== 0x7f) reader.skip(reader.u8())
  const cipher = reader.u16()
  if (version >> 8 !== 0x7f) reader.skip(1)
  let protocol: Uint8Array | undefined
  let group: number | undefined
  let hasPreSharedKey = false
  if (!reader.failed && reader.left > 0) {
    const list = reader.part(reader.u16())
    while (list.left > 0) {
      const type = list.u16()
      const content = list.part(list.u16())
      if (list.failed) return undefined
      if (type === EXTENSION.supportedVersions && content.left === 2) version = content.u16()
      else if (type === EXTENSION.keyShare && content.left >= 2) group = content.u16()
      else if (type === EXTENSION.preSharedKey) hasPreSharedKey = true
      else if (type === EXTENSION.alpn) protocol = protocolNames(content)[0]
    }
  }
  return reader.failed ? undefined : { version, cipher, isRetry, protocol, group, hasPreSharedKey }
}

/** True when what follows a ServerHello of this version is encrypted. */
export function isEncryptedFrom(version: number): boolean {
  return version >= VERSION.tls13
}

/** Group of a ServerKeyExchange with a named curve (RFC 8422 5.4); undefined = another kind. */
export function keyExchangeGroup(body: Uint8Array, cipher: string): number | undefined {
  if (!cipher.startsWith('TLS_ECDH') || body.length < 3 || body[0] !== 3) return undefined
  return body[1]! * 0x100 + body[2]!
}

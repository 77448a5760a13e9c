import { ByteReader } from './byte-reader.ts'
import { EXTENSION, VERSION } from './parameters.ts'

/** What a ClientHello says (RFC 8446 4.1.2, RFC 5246 7.4.1.2), GREASE included. Byte strings are copies. */
export interface ClientHello {
  /** `legacy_version`. */
  readonly version: number
  readonly ciphers: readonly number[]
  /** Types of the extensions, in order. */
  readonly extensions: readonly number[]
  /** Host of server_name (RFC 6066 3); undefined = none that can be read. */
  readonly serverName: Uint8Array | undefined
  /** Protocols offered by ALPN (RFC 7301 3.1), in order. */
  readonly protocols: readonly Uint8Array[]
  readonly signatureAlgorithms: readonly number[]
  /** Values of supported_versions (RFC 8446 4.2.1). */
  readonly versions: readonly number[]
  readonly hasEarlyData: boolean
  /** encrypted_client_hello, or its predecessor, is there; GREASE cannot be told from the real one (RFC 9849 6.2). */
  readonly hasEncryptedHello: boolean
}

type Draft = { -readonly [Key in keyof ClientHello]: ClientHello[Key] }

/** ALPN names that are kept. */
const PROTOCOLS_MAX = 32

/**
 * The body of a ClientHello message, without its header.
 *
 * @returns undefined when its lengths contradict each other
 */
export function parseClientHello(body: Uint8Array): ClientHello | undefined {
  const reader = new ByteReader(body)
  const version = reader.u16()
  reader.skip(32)
  reader.skip(reader.u8())
  const ciphers = numbers(reader.part(reader.u16()))
  reader.skip(reader.u8())
  const hello: Draft = { ...NOTHING, version, ciphers }
  const extensions: number[] = []
  hello.extensions = extensions
  // RFC 5246 7.4.1.2: without extensions the message ends here.
  if (!reader.failed && reader.left > 0) {
    const list = reader.part(reader.u16())
    while (list.left > 0) {
      const type = list.u16()
      const content = list.part(list.u16())
      if (list.failed) return undefined
      extensions.push(type)
      readExtension(hello, type, content)
    }
  }
  return reader.failed ? undefined : hello
}

/**
 * A hello in the form of SSL 2.0 (RFC 5246 E.2): the bytes behind its two bytes of length.
 *
 * @returns undefined when it is none
 */
export function parseSsl2Hello(body: Uint8Array): ClientHello | undefined {
  const reader = new ByteReader(body, 1)
  const version = reader.u16()
  const specs = reader.u16()
  const rest = reader.u16() + reader.u16()
  const list = reader.part(specs)
  reader.skip(rest)
  if (reader.failed || specs % 3 !== 0) return undefined
  const ciphers: number[] = []
  while (list.left > 0) {
    // A suite of SSL 3.0 and later has 0 in its first byte.
    const isSsl2 = list.u8() !== 0
    const cipher = list.u16()
    if (!isSsl2) ciphers.push(cipher)
  }
  return { ...NOTHING, version, ciphers }
}

const NOTHING: ClientHello = {
  version: VERSION.ssl2, ciphers: [], extensions: [], serverName: undefined, protocols: [], signatureAlgorithms: [], versions: [],
  hasEarlyData: false, hasEncryptedHello: false,
}

/** What an extension cannot be read for is left out: a wrong length in it is not the hello's end. */
function readExtension(hello: Draft, type: number, content: ByteReader): void {
  switch (type) {
    case EXTENSION.serverName:
      hello.serverName = hostName(content) ?? hello.serverName
      break
    case EXTENSION.alpn:
      hello.protocols = protocolNames(content)
      break
    case EXTENSION.signatureAlgorithms:
      hello.signatureAlgorithms = numbers(content.part(content.u16()))
      break
    case EXTENSION.supportedVersions:
      hello.versions = numbers(content.part(content.u8()))
      break
    case EXTENSION.earlyData:
      hello.hasEarlyData = true
      break
    case EXTENSION.encryptedClientHello:
    case EXTENSION.encryptedServerName:
      hello.hasEncryptedHello = true
      break
  }
}

/** RFC 6066 3: the first name of type host_name. */
function hostName(content: ByteReader): Uint8Array | undefined {
  const list = content.part(content.u16())
  while (list.left > 0) {
    const type = list.u8()
    const name = list.bytes(list.u16())
    if (list.failed) return undefined
    if (type === 0 && name.length > 0) return name.slice()
  }
  return undefined
}

/** RFC 7301 3.1. */
export function protocolNames(content: ByteReader): Uint8Array[] {
  const names: Uint8Array[] = []
  const list = content.part(content.u16())
  while (list.left > 0 && names.length < PROTOCOLS_MAX) {
    const name = list.bytes(list.u8())
    if (list.failed) break
    names.push(name.slice())
  }
  return names
}

function numbers(list: ByteReader): number[] {
  const values: number[] = []
  while (list.left >= 2) values.push(list.u16())
  return values
}

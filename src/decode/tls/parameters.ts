/** Numbers of the TLS registries that the decoder acts on, and names of those that it shows. */
import { hexName } from './cipher-names.ts'

/** RFC 8446 5.1. */
export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const

/** RFC 8446 4, RFC 5246 7.4. */
export const MESSAGE_TYPE = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  certificate: 11,
  serverKeyExchange: 12,
  serverHelloDone: 14,
} as const

export const EXTENSION = {
  serverName: 0,
  signatureAlgorithms: 13,
  alpn: 16,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  keyShare: 51,
  /** draft-ietf-tls-esni before version 8. */
  encryptedServerName: 0xffce,
  /** RFC 9849. */
  encryptedClientHello: 0xfe0d,
} as const

export const VERSION = { ssl2: 0x0002, ssl3: 0x0300, tls12: 0x0303, tls13: 0x0304 } as const

/** RFC 8446 4.1.3: the random of a ServerHello that asks for another ClientHello. */
export const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')

/** RFC 8701: values without meaning, which every list may hold. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}

/** `tls.protocol.name` and `tls.protocol.version`; undefined for a number that names no version. */
export function versionName(version: number): { readonly name: 'tls' | 'ssl'; readonly version: string } | undefined {
  if (version === VERSION.ssl2) return { name: 'ssl', version: '2' }
  if (version === VERSION.ssl3) return { name: 'ssl', version: '3' }
  if (version > VERSION.ssl3 && version <= VERSION.tls13) return { name: 'tls', version: `1.${(version & 0xff) - 1}` }
  // RFC 8446's drafts announced themselves so (draft-ietf-tls-tls13 4.2.1.1).
  if (version >> 8 === 0x7f) return { name: 'tls', version: `1.3-draft${version & 0xff}` }
  return undefined
}

const GROUPS: ReadonlyMap<number, string> = new Map([
  [1, 'sect163k1'], [2, 'sect163r1'], [3, 'sect163r2'], [4, 'sect193r1'], [5, 'sect193r2'], [6, 'sect233k1'], [7, 'sect233r1'],
  [8, 'sect239k1'], [9, 'sect283k1'], [10, 'sect283r1'], [11, 'sect409k1'], [12, 'sect409r1'], [13, 'sect571k1'],
  [14, 'sect571r1'], [15, 'secp160k1'], [16, 'secp160r1'], [17, 'secp160r2'], [18, 'secp192k1'], [19, 'secp192r1'],
  [20, 'secp224k1'], [21, 'secp224r1'], [22, 'secp256k1'], [23, 'secp256r1'], [24, 'secp384r1'], [25, 'secp521r1'],
  [26, 'brainpoolP256r1'], [27, 'brainpoolP384r1'], [28, 'brainpoolP512r1'], [29, 'x25519'], [30, 'x448'],
  [31, 'brainpoolP256r1tls13'], [32, 'brainpoolP384r1tls13'], [33, 'brainpoolP512r1tls13'],
  [34, 'GC256A'], [35, 'GC256B'], [36, 'GC256C'], [37, 'GC256D'], [38, 'GC512A'], [39, 'GC512B'], [40, 'GC512C'],
  [41, 'curveSM2'], [0x100, 'ffdhe2048'], [0x101, 'ffdhe3072'], [0x102, 'ffdhe4096'], [0x103, 'ffdhe6144'],
  [0x104, 'ffdhe8192'], [0x200, 'MLKEM512'], [0x201, 'MLKEM768'], [0x202, 'MLKEM1024'], [0x11eb, 'SecP256r1MLKEM768'],
  [0x11ec, 'X25519MLKEM768'], [0x11ed, 'SecP384r1MLKEM1024'], [0x11ee, 'curveSM2MLKEM768'],
  [0x6399, 'X25519Kyber768Draft00'], [0x639a, 'SecP256r1Kyber768Draft00'],
])

/** Name of a group as IANA registers it ("TLS Supported Groups"); `0x` and its number for one that is not known. */
export function groupName(group: number): string {
  return GROUPS.get(group) ?? hexName(group)
}

const ALERTS: ReadonlyMap<number, string> = new Map([
  [0, 'close_notify'], [10, 'unexpected_message'], [20, 'bad_record_mac'], [21, 'decryption_failed'], [22, 'record_overflow'],
  [30, 'decompression_failure'], [40, 'handshake_failure'], [41, 'no_certificate'], [42, 'bad_certificate'],
  [43, 'unsupported_certificate'], [44, 'certificate_revoked'], [45, 'certificate_expired'], [46, 'certificate_unknown'],
  [47, 'illegal_parameter'], [48, 'unknown_ca'], [49, 'access_denied'], [50, 'decode_error'], [51, 'decrypt_error'],
  [52, 'too_many_cids_requested'], [60, 'export_restriction'], [70, 'protocol_version'], [71, 'insufficient_security'],
  [80, 'internal_error'], [86, 'inappropriate_fallback'], [90, 'user_canceled'], [100, 'no_renegotiation'],
  [109, 'missing_extension'], [110, 'unsupported_extension'], [111, 'certificate_unobtainable'], [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'], [114, 'bad_certificate_hash_value'], [115, 'unknown_psk_identity'],
  [116, 'certificate_required'], [120, 'no_application_protocol'], [121, 'ech_required'],
])

/** Name of an alert (RFC 8446 6, IANA "TLS Alerts"); its number for one that is not known. */
export function alertName(alert: number): string {
  return ALERTS.get(alert) ?? String(alert)
}

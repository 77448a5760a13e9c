/** Versions whose Initial packets can be opened: what their keys are made with. */
export interface QuicVersion {
  /** `network.protocol.version`. */
  readonly name: string
  readonly salt: Uint8Array
  /** What else it may be, where nobody says. */
  readonly otherSalt?: Uint8Array
  /** Labels of HKDF-Expand-Label. */
  readonly labels: { readonly key: string; readonly iv: string; readonly headerProtection: string }
  /** Type bits of an Initial packet. */
  readonly initialType: number
}

const V1 = 0x00000001
const V2 = 0x6b3343cf
const DRAFT = 0xff000000
const DRAFT_FIRST = 22
const DRAFT_LAST = 34

const LABELS = { key: 'quic key', iv: 'quic iv', headerProtection: 'quic hp' } as const
/** RFC 9369 3.3.2. */
const LABELS_2 = { key: 'quicv2 key', iv: 'quicv2 iv', headerProtection: 'quicv2 hp' } as const

function salt(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

/** RFC 9001 5.2; the same since draft 33. */
const SALT_1 = salt('38762cf7f55934b34d179ae6a4c80cadccbb7f0a')
/** RFC 9369 3.3.1. */
const SALT_2 = salt('0dede3def700a6db819381be6e269dcbf9bd2ed9')
const SALT_DRAFT_29 = salt('afbfec289993d24c9e9786f19c6111e04390a899')
const SALT_DRAFT_23 = salt('c3eef712c72ebb5a11a7d2432bb46365bef9f502')
const SALT_DRAFT_22 = salt('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a')

/** Names that their makers gave to versions of their own, all of them with the salt of a draft or of their own. */
const OTHERS: ReadonlyMap<number, readonly [name: string, salt: Uint8Array]> = new Map([
  [0xfaceb001, ['mvfst-22', SALT_DRAFT_22]],
  [0xfaceb002, ['mvfst-27', SALT_DRAFT_23]],
  [0xfaceb00e, ['mvfst-exp', SALT_DRAFT_23]],
  [0x54303530, ['T050', salt('7ff579e5acd072915580304c43a2367c60488310')]],
  [0x54303531, ['T051', salt('7a4edef4e7ccee5fa4506c19124fc8ccda6e033d')]],
])

/** Undefined for a version whose Initial packets cannot be opened; 0 is that of a Version Negotiation packet. */
export function quicVersion(version: number): QuicVersion | undefined {
  if (version === V1) return { name: '1', salt: SALT_1, labels: LABELS, initialType: 0 }
  if (version === V2) return { name: '2', salt: SALT_2, labels: LABELS_2, initialType: 1 }
  // RFC 9000 15: a client asks with it for the server's versions; it is protected as the version is that the client would speak.
  if ((version & 0x0f0f0f0f) === 0x0a0a0a0a) {
    return { name: `0x${version.toString(16).padStart(8, '0')}`, salt: SALT_1, otherSalt: SALT_DRAFT_29, labels: LABELS, initialType: 0 }
  }
  const draft = version - DRAFT
  if (draft >= DRAFT_FIRST && draft <= DRAFT_LAST) {
    const used = draft > 32 ? SALT_1 : draft > 28 ? SALT_DRAFT_29 : draft > 22 ? SALT_DRAFT_23 : SALT_DRAFT_22
    return { name: `draft-${draft}`, salt: used, labels: LABELS, initialType: 0 }
  }
  const other = OTHERS.get(version)
  return other === undefined ? undefined : { name: other[0], salt: other[1], labels: LABELS, initialType: 0 }
}

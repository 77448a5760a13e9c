import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { LongHeader } from './packet-header.ts'
import type { QuicVersion } from './version.ts'

const TAG_BYTES = 16

/** Keys of one direction of Initial packets (RFC 9001 5.1, 5.2). */
interface DirectionKeys {
  readonly key: Buffer
  readonly iv: Buffer
  readonly headerProtection: Buffer
}

/** The keys that a client's first destination connection id gives for its Initial packets and for those of its server. */
export class InitialKeys {
  readonly client: DirectionKeys
  readonly server: DirectionKeys

  constructor(version: QuicVersion, destinationId: Uint8Array) {
    const secret = createHmac('sha256', version.salt).update(destinationId).digest()
    this.client = directionKeys(version, expandLabel(secret, 'client in', 32))
    this.server = directionKeys(version, expandLabel(secret, 'server in', 32))
  }
}

function directionKeys({ labels }: QuicVersion, secret: Buffer): DirectionKeys {
  return {
    key: expandLabel(secret, labels.key, 16),
    iv: expandLabel(secret, labels.iv, 12),
    headerProtection: expandLabel(secret, labels.headerProtection, 16),
  }
}

/** HKDF-Expand-Label of RFC 8446 7.1 with an empty context; up to 32 bytes are the first block of RFC 5869 2.3. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`
  const info = Buffer.concat([Buffer.from([0, length, name.length]), Buffer.from(name), Buffer.from([0, 1])])
  return createHmac('sha256', secret).update(info).digest().subarray(0, length)
}

/**
 * Takes the protection off an Initial packet (RFC 9001 5.3, 5.4): AES-128-GCM, its key known to whoever saw the connection id.
 *
 * @param start place of the packet in the datagram
 * @returns its frames; undefined when the keys do not open it
 */
export function openInitial(datagram: Uint8Array, start: number, header: LongHeader, keys: DirectionKeys): Buffer | undefined {
  const { numberAt, end } = header
  const mask = createCipheriv('aes-128-ecb', keys.headerProtection, null).update(datagram.subarray(numberAt + 4, numberAt + 20))
  const associated = Buffer.from(datagram.subarray(start, numberAt + 4))
  associated[0]! ^= mask[0]! & 0x0f
  const numberLength = (associated[0]! & 3) + 1
  const nonce = Buffer.from(keys.iv)
  for (let index = 0; index < numberLength; index++) {
    const place = numberAt - start + index
    associated[place]! ^= mask[1 + index]!
    // A first flight has small numbers: what is sent is the number itself (RFC 9000 17.1).
    nonce[12 - numberLength + index]! ^= associated[place]!
  }
  const payload = numberAt + numberLength
  const tag = end - TAG_BYTES
  if (tag < payload) return undefined
  try {
    const cipher = createDecipheriv('aes-128-gcm', keys.key, nonce)
    cipher.setAAD(associated.subarray(0, numberAt - start + numberLength))
    cipher.setAuthTag(datagram.subarray(tag, end))
    return Buffer.concat([cipher.update(datagram.subarray(payload, tag)), cipher.final()])
  } catch {
    return undefined
  }
}

import { quicVersion } from './version.ts'
import type { QuicVersion } from './version.ts'

/** RFC 9000 17.2: connection ids of up to 20 bytes in every version that is known here. */
const CONNECTION_ID_BYTES_MAX = 20
/** Bytes of a packet number and of the sample behind its longest form (RFC 9001 5.4.2). */
const SAMPLE_END = 4 + 16

/** A long header (RFC 9000 17.2), as far as it is not protected. */
export interface LongHeader {
  readonly version: QuicVersion
  readonly isInitial: boolean
  readonly destinationId: Uint8Array
  readonly sourceId: Uint8Array
  /** Place of the (protected) packet number in the datagram. */
  readonly numberAt: number
  /** Where the packet ends in the datagram. */
  readonly end: number
}

/**
 * The packet that begins at `at` of a datagram.
 *
 * @returns undefined when no more packets can be read there: a short header, another version, no length; 'malformed' when
 *   lengths contradict each other
 */
export function readLongHeader(datagram: Uint8Array, at: number): LongHeader | 'malformed' | undefined {
  const first = datagram[at]!
  // The fixed bit behind it may be anything (RFC 9287).
  if ((first & 0x80) === 0 || at + 7 > datagram.length) return undefined
  const view = new DataView(datagram.buffer, datagram.byteOffset)
  const version = quicVersion(view.getUint32(at + 1))
  if (version === undefined) return undefined
  const type = (first >> 4) & 3
  // The types turn by one in version 2 (RFC 9369 3.2): Retry has no length.
  const kind = (type - version.initialType) & 3
  if (kind === 3) return undefined
  let next = at + 5
  const destination = next + 1
  const destinationLength = datagram[next]!
  next = destination + destinationLength
  if (destinationLength > CONNECTION_ID_BYTES_MAX || next >= datagram.length) return 'malformed'
  const source = next + 1
  const sourceLength = datagram[next]!
  next = source + sourceLength
  if (sourceLength > CONNECTION_ID_BYTES_MAX || next >= datagram.length) return 'malformed'
  if (kind === 0) {
    const [token, size] = readVariable(datagram, next)
    next += size + token
    if (size === 0 || next >= datagram.length) return 'malformed'
  }
  const [length, size] = readVariable(datagram, next)
  next += size
  if (size === 0 || next + length > datagram.length || length < SAMPLE_END) return 'malformed'
  return {
    version,
    isInitial: kind === 0,
    destinationId: datagram.subarray(destination, destination + destinationLength),
    sourceId: datagram.subarray(source, source + sourceLength),
    numberAt: next,
    end: next + length,
  }
}

/** RFC 9000 16: value and bytes of it; 0 bytes when it is not all there. */
export function readVariable(bytes: Uint8Array, at: number): readonly [value: number, size: number] {
  if (at >= bytes.length) return [0, 0]
  const size = 1 << (bytes[at]! >> 6)
  if (at + size > bytes.length) return [0, 0]
  let value = bytes[at]! & 0x3f
  for (let index = 1; index < size; index++) value = value * 0x100 + bytes[at + index]!
  return [value, size]
}

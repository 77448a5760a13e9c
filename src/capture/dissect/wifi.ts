import { FLAG_LINK } from '../events.gen.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const TYPE_DATA = 2
const CONTROL = { TO_AND_FROM_DS: 3, MORE_FRAGMENTS: 4, PROTECTED: 0x40, ORDER: 0x80 } as const
/** Radiotap's flags field: a frame check sequence is there; header and payload are padded to 4. */
const RADIOTAP_PADDED = 0x20

/** IEEE 802.11: data frames that are not encrypted, down to 802.2. */
export function wifi(walk: Walk, padded: boolean): STEP {
  walk.layers.add(LAYER.WIFI)
  if (!walk.has(2)) return walk.short(2)
  const { u8, at } = walk
  const type = (u8[at]! >> 2) & 3
  const subtype = u8[at]! >> 4
  const flags = u8[at + 1]!
  // Subtypes from 4 on with the third bit carry no data (null frames).
  if (type !== TYPE_DATA || (subtype & 4) !== 0) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  if ((flags & CONTROL.PROTECTED) !== 0) return walk.stop(DISSECT_OUTCOME.ENCRYPTED)
  const quality = (subtype & 8) !== 0
  let bytes = 24
  if ((flags & CONTROL.TO_AND_FROM_DS) === CONTROL.TO_AND_FROM_DS) bytes += 6
  const qualityAt = at + bytes
  if (quality) bytes += 2
  if (quality && (flags & CONTROL.ORDER) !== 0) bytes += 4
  if (padded) bytes = (bytes + 3) & ~3
  if (!walk.has(bytes)) return walk.short(bytes)
  // A later fragment of a frame starts in the middle of a packet.
  if ((u8[at + 22]! & 15) !== 0) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  // Receiver and transmitter stand where Ethernet has destination and source; the distribution system may
  // differ.
  walk.macAt = at + 4
  walk.flags |= FLAG_LINK
  walk.at = at + bytes
  return quality && (u8[qualityAt]! & 0x80) !== 0 ? firstOfAggregate(walk) : STEP.LLC
}

/**
 * A-MSDU: subframes of two addresses, a length and 802.2, padded to 4. The first one is read, more are
 * counted.
 */
function firstOfAggregate(walk: Walk): STEP {
  if (!walk.has(14)) return walk.short(14)
  const length = walk.u16(walk.at + 12)
  walk.macAt = walk.at
  walk.at += 14
  // A frame check sequence is no subframe.
  if (walk.at + ((length + 14 + 3) & ~3) < walk.wireEnd) walk.anomalies.add(DISSECT_ANOMALY.WIFI_AGGREGATE)
  walk.trim(length)
  return STEP.LLC
}

/**
 * https://www.radiotap.org: version 0, length, and a map of fields of which the first two tell about padding.
 */
export function radiotap(walk: Walk): STEP {
  if (!walk.has(8)) return walk.short(8)
  const { u8, at } = walk
  const bytes = u8[at + 2]! | (u8[at + 3]! << 8)
  if (u8[at] !== 0 || bytes < 8) return walk.stop(DISSECT_OUTCOME.HEADER_SHORT)
  if (!walk.has(bytes)) return walk.short(bytes)
  const present = u8[at + 4]!
  let field = 8
  // Bit 31 of each word: one more follows.
  while ((u8[at + field - 1]! & 0x80) !== 0 && field + 4 <= bytes) field += 4
  if ((present & 1) !== 0) field = ((field + 7) & ~7) + 8
  const hasFlags = (present & 2) !== 0 && field < bytes
  const flags = hasFlags ? u8[at + field]! : 0
  walk.at = at + bytes
  return wifi(walk, (flags & RADIOTAP_PADDED) !== 0)
}

/** Prism monitor header: a fixed 144 bytes, its length at 4 in either byte order. */
export function prism(walk: Walk): STEP {
  if (!walk.has(8)) return walk.short(8)
  const { u8, at } = walk
  const bytes = Math.max(u8[at + 4]!, u8[at + 7]!)
  if (bytes < 8) return walk.stop(DISSECT_OUTCOME.HEADER_SHORT)
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.at = at + bytes
  return wifi(walk, false)
}

/** AVS monitor header: version, then its length, big endian. */
export function avs(walk: Walk): STEP {
  if (!walk.has(8)) return walk.short(8)
  const bytes = walk.i32(walk.at + 4) >>> 0
  if (bytes < 8) return walk.stop(DISSECT_OUTCOME.HEADER_SHORT)
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.at += bytes
  return wifi(walk, false)
}

/**
 * Per-packet information: length at 2, the inner link type at 4. @returns that link type, or -1 when it ended
 */
export function ppi(walk: Walk): number {
  if (!walk.has(8)) {
    walk.short(8)
    return -1
  }
  const { u8, at } = walk
  const bytes = u8[at + 2]! | (u8[at + 3]! << 8)
  if (bytes < 8 || !walk.has(bytes)) {
    walk.short(Math.max(bytes, 8))
    return -1
  }
  walk.at = at + bytes
  const inner = u8[at + 4]! | (u8[at + 5]! << 8)
  if (inner === 192) walk.stop(DISSECT_OUTCOME.LINK_TYPE_UNKNOWN)
  return inner
}

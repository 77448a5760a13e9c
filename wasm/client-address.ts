/**
 * The client behind trusted proxies. The rule: only when the socket's peer is trusted do headers count. Each of Forwarded
 * (its for=) and X-Forwarded-For is walked from right to left over trusted addresses; the first that is not trusted is the
 * client, or the leftmost when all are. A hop that is `unknown`, obfuscated or unreadable ends the walk: then the client is
 * not known. When both headers are there they must agree; X-Real-IP counts when neither is.
 */
import { parseAddress } from './address-parse'
import { HEADER_FORWARDED, HEADER_X_FORWARDED_FOR, HEADER_X_REAL_IP } from './header-ids'
import { REQUEST_INDEX, onlySpan, spanCount, valueAt, valueLengthOf } from './header-index'
import { FIELD_PROXY_SOURCE_ADDRESS } from './field-ids.gen'
import { ENTRY_FIELD, ENTRY_LENGTH, ENTRY_PAYLOAD, FACTS_RAW, HEAD_COUNT, HEAD_SPANS, RECORD_COUNT, RECORD_ENTRIES, SPAN_BYTES,
  SPAN_ID_MASK, SPAN_NAME_ID,
} from './layout'

/** Networks of at most this many proxies are trusted; `setTrusted` refuses more. */
export const TRUSTED_MAX: u32 = 1024
const PREFIX_BYTES: u32 = 20 // u8 version, u8 bits, 2 bytes 0, 16 bytes address

const trusted: usize = memory.data(1024 * 20)
// Loopback, RFC 1918, link-local (RFC 3927, RFC 4291) and unique local (RFC 4193) addresses.
const DEFAULT_TRUSTED: usize = memory.data<u8>([
  4, 8, 0, 0, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  4, 8, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  4, 12, 0, 0, 172, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  4, 16, 0, 0, 192, 168, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  4, 16, 0, 0, 169, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  6, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
  6, 7, 0, 0, 0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  6, 10, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
])
let trustedAt: usize = DEFAULT_TRUSTED
let trustedCount: u32 = 8

/**
 * Takes over the networks of trusted proxies: `count` times u8 version, u8 prefix bits, 2 bytes 0, 16 bytes address in
 * network order (IPv4 in the first 4). Before the first call loopback, private and link-local networks are trusted.
 * False (and nothing changes) when there are more than TRUSTED_MAX.
 */
export function setTrusted(prefixes: usize, count: u32): bool {
  if (count > TRUSTED_MAX) return false
  memory.copy(trusted, prefixes, count * PREFIX_BYTES)
  trustedAt = trusted
  trustedCount = count
  return true
}

function inPrefix(prefix: usize, address: usize): bool {
  const bits = <u32>load<u8>(prefix, 1)
  const whole = bits >> 3
  for (let index: u32 = 0; index < whole; index++) {
    if (load<u8>(prefix + 4 + index) != load<u8>(address + index)) return false
  }
  const rest = bits & 7
  return rest == 0 || ((load<u8>(prefix + 4 + whole) ^ load<u8>(address + whole)) >> <u8>(8 - rest)) == 0
}

export function isTrusted(version: u32, address: usize): bool {
  for (let index: u32 = 0; index < trustedCount; index++) {
    const prefix = trustedAt + index * PREFIX_BYTES
    if (load<u8>(prefix) == version && inPrefix(prefix, address)) return true
  }
  return false
}

/**
 * The client that a PROXY header names: address of u8 version, 3 bytes 0, 16 bytes address in its facts block; 0 = there is none.
 */
export function proxiedClient(facts: usize): usize {
  if (facts == 0) return 0
  let entry = facts + FACTS_RAW + RECORD_ENTRIES
  for (let left = <u32>load<u16>(facts + FACTS_RAW, RECORD_COUNT); left > 0; left--) {
    if (load<u16>(entry, ENTRY_FIELD) == FIELD_PROXY_SOURCE_ADDRESS) return entry + ENTRY_PAYLOAD
    entry += ENTRY_PAYLOAD + ((load<u32>(entry, ENTRY_LENGTH) + 7) & ~7)
  }
  return 0
}

/** The client's address, after `findClient`. */
export const clientAddress: usize = memory.data(16)
/** A hop's address while the headers are walked. */
const hop: usize = memory.data(16)
const other: usize = memory.data(16)

// State of one walk, fed from left to right: the last hop that is not trusted wins.
const NOTHING: u32 = 0
const UNKNOWN: u32 = 255
let found: u32 = NOTHING // version of clientAddress, or UNKNOWN
let allTrusted: bool = true

function beginWalk(): void {
  found = NOTHING
  allTrusted = true
}

/** Takes the next hop: `version` of the address at `hop`, 0 = not readable. */
function takeHop(version: u32): void {
  if (version == 0) {
    found = UNKNOWN
    allTrusted = false
    return
  }
  const isProxy = isTrusted(version, hop)
  if (isProxy && (found != NOTHING || !allTrusted)) return
  found = version
  v128.store(clientAddress, v128.load(hop))
  if (!isProxy) allTrusted = false
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x09
}

/** Port behind an address: 1 to 5 digits. */
function isPort(at: usize, length: u32): bool {
  if (length == 0 || length > 5) return false
  for (let index: u32 = 0; index < length; index++) if (<u32>load<u8>(at + index) - 0x30 > 9) return false
  return true
}

/** Reads `address`, `address:port`, `[address]` or `[address]:port` into `hop`; its version, 0 = none of these. */
function readNode(at: usize, length: u32): u32 {
  if (length == 0) return 0
  if (load<u8>(at) == 0x5b) {
    let end: u32 = 1
    while (end < length && load<u8>(at + end) != 0x5d) end++
    if (end == length) return 0
    if (end + 1 != length && (load<u8>(at + end + 1) != 0x3a || !isPort(at + end + 2, length - end - 2))) return 0
    return parseAddress(at + 1, end - 1, hop)
  }
  let colon: u32 = 0
  let colons: u32 = 0
  for (let index: u32 = 0; index < length; index++) {
    if (load<u8>(at + index) != 0x3a) continue
    colon = index
    colons++
  }
  if (colons != 1) return parseAddress(at, length, hop)
  return isPort(at + colon + 1, length - colon - 1) ? parseAddress(at, colon, hop) : 0
}

/** One X-Forwarded-For value: nodes with commas between; empty ones say nothing. */
function walkList(at: usize, length: u32): void {
  let start: u32 = 0
  while (start <= length) {
    let end = start
    while (end < length && load<u8>(at + end) != 0x2c) end++
    let first = start
    let last = end
    while (first < last && isSpace(load<u8>(at + first))) first++
    while (last > first && isSpace(load<u8>(at + last - 1))) last--
    if (last > first) takeHop(readNode(at + first, last - first))
    start = end + 1
  }
}

/** End of the part that begins at `at`: the next `separator` outside quotes, or `end`. */
function partEnd(at: usize, end: usize, separator: u32): usize {
  let quoted = false
  let index = at
  while (index < end) {
    const byte = <u32>load<u8>(index)
    if (quoted && byte == 0x5c) index++
    else if (byte == 0x22) quoted = !quoted
    else if (byte == separator && !quoted) return index
    index++
  }
  return end
}

/** One element of Forwarded (RFC 7239 4): pairs with semicolons between. Without exactly one readable for=: not known. */
function walkElement(start: usize, end: usize): void {
  let at = start
  let version: u32 = 0
  let count: u32 = 0
  while (at < end) {
    const pairEnd = partEnd(at, end, 0x3b)
    let last = pairEnd
    while (at < pairEnd && isSpace(load<u8>(at))) at++
    while (last > at && isSpace(load<u8>(last - 1))) last--
    const isFor = last - at > 4 && (load<u32>(at) | 0x00202020) == 0x3d726f66
    if (isFor) {
      let from = at + 4
      if (load<u8>(from) == 0x22 && last - from > 2 && load<u8>(last - 1) == 0x22) {
        from++
        last--
      }
      version = readNode(from, <u32>(last - from))
      count++
    }
    at = pairEnd + 1
  }
  takeHop(count == 1 ? version : 0)
}

function walkForwarded(start: usize, length: u32): void {
  const end = start + length
  let at = start
  while (at < end) {
    const elementEnd = partEnd(at, end, 0x2c)
    while (at < elementEnd && isSpace(load<u8>(at))) at++
    if (at < elementEnd) walkElement(at, elementEnd)
    at = elementEnd + 1
  }
}

/** Walks every field of `id`; version of the client, 0 = none or not known. */
function walkHeader(head: usize, raw: usize, id: u32): u32 {
  beginWalk()
  const end = head + HEAD_SPANS + load<u32>(head, HEAD_COUNT) * SPAN_BYTES
  for (let span = head + HEAD_SPANS; span < end; span += SPAN_BYTES) {
    if ((<u32>load<u16>(span, SPAN_NAME_ID) & SPAN_ID_MASK) != id) continue
    if (id == HEADER_FORWARDED) walkForwarded(valueAt(raw, span), valueLengthOf(span))
    else walkList(valueAt(raw, span), valueLengthOf(span))
  }
  return found == UNKNOWN ? 0 : found
}

/**
 * Version of the client's address at `clientAddress`, 0 = not known. The request's headers are indexed; `peerVersion` and
 * `peer` are the socket's client address.
 */
export function findClient(head: usize, raw: usize, peerVersion: u32, peer: usize): u32 {
  const forwarded = spanCount(REQUEST_INDEX, HEADER_FORWARDED) != 0
  const list = spanCount(REQUEST_INDEX, HEADER_X_FORWARDED_FOR) != 0
  if (!forwarded && !list && spanCount(REQUEST_INDEX, HEADER_X_REAL_IP) == 0) return 0
  if (!isTrusted(peerVersion, peer)) return 0
  if (forwarded || list) {
    const version = walkHeader(head, raw, forwarded ? HEADER_FORWARDED : HEADER_X_FORWARDED_FOR)
    if (!forwarded || !list || version == 0) return version
    v128.store(other, v128.load(clientAddress))
    const second = walkHeader(head, raw, HEADER_X_FORWARDED_FOR)
    return second == version && i8x16.all_true(i8x16.eq(v128.load(other), v128.load(clientAddress))) ? version : 0
  }
  const span = onlySpan(REQUEST_INDEX, HEADER_X_REAL_IP)
  if (span == 0) return 0
  const version = readNode(valueAt(raw, span), valueLengthOf(span))
  v128.store(clientAddress, v128.load(hop))
  return version
}

/**
 * Request target and Host (RFC 9112 3.2, RFC 9110 4.2): which bytes are host, path and query. Nothing is decoded or
 * normalised, nothing copied: the parts are addresses within the input, told in the globals below.
 */
import { pack } from './short-text'
import { loadShort } from './copy'

export const SCHEME_NONE: u32 = 0 // the target names none
export const SCHEME_HTTP: u32 = 1
export const SCHEME_HTTPS: u32 = 2
export const SCHEME_OTHER: u32 = 3

export let targetScheme: u32 = 0
/** Host of the target, port and brackets taken off; length 0 = the target names none. */
export let hostAt: usize = 0
export let hostLength: u32 = 0
/** True when the target names an authority, even an empty one: then Host does not count (RFC 9112 3.2.2). */
export let hasAuthority: bool = false
export let pathAt: usize = 0
export let pathLength: u32 = 0
export let hasPath: bool = false
export let queryAt: usize = 0
export let queryLength: u32 = 0
export let hasQuery: bool = false

const SLASH: usize = memory.data<u8>([0x2f])
const HTTP = pack('http')
const HTTPS = pack('https')

// @ts-ignore: decorator
@inline
function isAlpha(byte: u32): bool {
  return (byte | 0x20) - 0x61 < 26
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 0x30 < 10
}

/** Bit k = byte k of `chunk` is `byte`. */
// @ts-ignore: decorator
@inline
function placesOf(byte: i8, chunk: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(byte)))
}

/** Host of an authority of at most 16 bytes without user info and brackets; false = it is another kind. */
// @ts-ignore: decorator
@inline
function splitShort(authority: usize, length: u32): bool {
  if (length > 16) return false
  const chunk = v128.load(authority)
  const inside: u32 = (1 << length) - 1
  if (((placesOf(0x40, chunk) | placesOf(0x5b, chunk)) & inside) != 0) return false
  const colons = placesOf(0x3a, chunk) & inside
  hostAt = authority
  hostLength = length
  if (colons == 0 || (colons & (colons - 1)) != 0) return true
  const digits = <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x30)), i8x16.splat(10)))
  const behind = inside & ~((colons << 1) - 1)
  if ((digits & behind) == behind) hostLength = ctz(colons)
  return true
}

/**
 * Host of `authority`: userinfo, port and brackets taken off. A host with several colons and no brackets keeps them all:
 * which one would begin the port cannot be told. Reads up to 15 bytes past the end.
 */
export function splitAuthority(authority: usize, length: u32): void {
  if (splitShort(authority, length)) return
  const end = authority + length
  let start = authority
  for (let at = end; at > authority; at--) {
    if (load<u8>(at - 1) == 0x40) {
      start = at
      break
    }
  }
  hostAt = start
  hostLength = <u32>(end - start)
  if (start < end && load<u8>(start) == 0x5b) {
    for (let at = start + 1; at < end; at++) {
      if (load<u8>(at) == 0x5d) {
        hostAt = start + 1
        hostLength = <u32>(at - start - 1)
        return
      }
    }
    return
  }
  let colon: usize = 0
  for (let at = start; at < end; at++) {
    if (load<u8>(at) != 0x3a) continue
    if (colon != 0) return
    colon = at
  }
  if (colon == 0) return
  for (let at = colon + 1; at < end; at++) if (!isDigit(load<u8>(at))) return
  hostLength = <u32>(colon - start)
}

/** Path and query of `length` bytes from the path on; reads up to 15 bytes past the end. */
function splitPath(from: usize, length: u32): void {
  pathAt = from
  pathLength = length
  hasPath = true
  for (let done: u32 = 0; done < length; done += 16) {
    const places = placesOf(0x3f, v128.load(from + done))
    if (places == 0) continue
    const index = done + ctz(places)
    if (index >= length) return
    pathLength = index
    queryAt = from + index + 1
    queryLength = length - index - 1
    hasQuery = true
    return
  }
}

/** Length of `scheme` when the target begins with `scheme://` (RFC 3986 3.1), else 0. */
function schemeLength(target: usize, length: u32): u32 {
  if (length == 0 || !isAlpha(load<u8>(target))) return 0
  for (let index: u32 = 1; index + 2 < length; index++) {
    const byte = <u32>load<u8>(target + index)
    if (byte == 0x3a) return load<u16>(target + index + 1) == 0x2f2f ? index : 0
    if (!isAlpha(byte) && !isDigit(byte) && byte != 0x2b && byte != 0x2d && byte != 0x2e) return 0
  }
  return 0
}

/** SCHEME_* of a word. */
export function schemeOf(scheme: usize, length: u32): u32 {
  if (length > 5) return SCHEME_OTHER
  let lower = loadShort(scheme, length)
  lower |= 0x2020202020202020 & (<u64>-1 >> (64 - (length << 3)))
  return lower == HTTP ? SCHEME_HTTP : lower == HTTPS ? SCHEME_HTTPS : SCHEME_OTHER
}

/** Takes the target apart; `isConnect` when the method is CONNECT, whose target is an authority. */
export function splitTarget(target: usize, length: u32, isConnect: bool): void {
  targetScheme = SCHEME_NONE
  hostLength = 0
  hasAuthority = false
  hasPath = false
  hasQuery = false
  if (length == 0) return
  const first = load<u8>(target)
  if (first == 0x2f || first == 0x2a) {
    splitPath(target, length)
    return
  }
  const scheme = schemeLength(target, length)
  if (scheme != 0) {
    const authority = target + scheme + 3
    const end = target + length
    let at = authority
    while (at < end && load<u8>(at) != 0x2f && load<u8>(at) != 0x3f && load<u8>(at) != 0x23) at++
    targetScheme = schemeOf(target, scheme)
    hasAuthority = true
    splitAuthority(authority, <u32>(at - authority))
    splitPath(at, <u32>(end - at))
    // An empty path is the path "/" (RFC 9110 4.2.3).
    if (pathLength == 0) {
      pathAt = SLASH
      pathLength = 1
    }
    return
  }
  if (isConnect) {
    hasAuthority = true
    splitAuthority(target, length)
    return
  }
  splitPath(target, length)
}

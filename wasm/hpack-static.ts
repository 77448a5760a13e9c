/** The static table of HPACK (RFC 7541 appendix A), and the codes of pseudo-headers (RFC 9113 8.3). */
import { reserve } from './allocator'
import { equalBytes } from './copy'
import { nameId } from './names'

/** Name ids from here on are pseudo-headers; none of them is in a head block. */
export const PSEUDO_BASE: u32 = 0x1000
export const PSEUDO_METHOD: u32 = 0x1001
export const PSEUDO_PATH: u32 = 0x1002
export const PSEUDO_STATUS: u32 = 0x1003
export const PSEUDO_AUTHORITY: u32 = 0x1004
export const PSEUDO_SCHEME: u32 = 0x1005
export const PSEUDO_PROTOCOL: u32 = 0x1006 // RFC 8441 4
export const PSEUDO_OTHER: u32 = 0x1007

export const STATIC_COUNT: u32 = 61

// Per entry: u32 name, u16 its length, u16 id, u32 value, u32 its length.
const entries = reserve((STATIC_COUNT + 1) * 16)
const texts = reserve(2048)
let textAt: usize = texts

const PSEUDO_NAMES: usize = memory.data(6 * 8)

/** Name id, or PSEUDO_*. Reads up to 16 bytes from `name` on. */
export function fieldId(name: usize, length: u32): u32 {
  if (length == 0 || load<u8>(name) != 0x3a) return nameId(name, length)
  for (let index: u32 = 0; index < 6; index++) {
    const pseudo = <usize>load<u32>(PSEUDO_NAMES + index * 8)
    if (load<u32>(PSEUDO_NAMES + index * 8, 4) == length && equalBytes(pseudo, name, length)) return PSEUDO_METHOD + index
  }
  return PSEUDO_OTHER
}

function put(text: string): usize {
  const at = textAt
  for (let index = 0; index < text.length; index++) store<u8>(at + index, text.charCodeAt(index) as u8)
  textAt += text.length
  return at
}

function pseudo(index: u32, name: string): void {
  store<u32>(PSEUDO_NAMES + index * 8, put(name) as u32)
  store<u32>(PSEUDO_NAMES + index * 8, name.length, 4)
}

pseudo(0, ':method')
pseudo(1, ':path')
pseudo(2, ':status')
pseudo(3, ':authority')
pseudo(4, ':scheme')
pseudo(5, ':protocol')

let added: u32 = 0

function add(name: string, value: string): void {
  const entry = entries + (++added) * 16
  const nameAt = put(name)
  store<u32>(entry, nameAt as u32)
  store<u16>(entry, name.length as u16, 4)
  store<u16>(entry, fieldId(nameAt, name.length) as u16, 6)
  store<u32>(entry, put(value) as u32, 8)
  store<u32>(entry, value.length, 12)
}

add(':authority', '')
add(':method', 'GET')
add(':method', 'POST')
add(':path', '/')
add(':path', '/index.html')
add(':scheme', 'http')
add(':scheme', 'https')
add(':status', '200')
add(':status', '204')
add(':status', '206')
add(':status', '304')
add(':status', '400')
add(':status', '404')
add(':status', '500')
add('accept-charset', '')
add('accept-encoding', 'gzip, deflate')
add('accept-language', '')
add('accept-ranges', '')
add('accept', '')
add('access-control-allow-origin', '')
add('age', '')
add('allow', '')
add('authorization', '')
add('cache-control', '')
add('content-disposition', '')
add('content-encoding', '')
add('content-language', '')
add('content-length', '')
add('content-location', '')
add('content-range', '')
add('content-type', '')
add('cookie', '')
add('date', '')
add('etag', '')
add('expect', '')
add('expires', '')
add('from', '')
add('host', '')
add('if-match', '')
add('if-modified-since', '')
add('if-none-match', '')
add('if-range', '')
add('if-unmodified-since', '')
add('last-modified', '')
add('link', '')
add('location', '')
add('max-forwards', '')
add('proxy-authenticate', '')
add('proxy-authorization', '')
add('range', '')
add('referer', '')
add('refresh', '')
add('retry-after', '')
add('server', '')
add('set-cookie', '')
add('strict-transport-security', '')
add('transfer-encoding', '')
add('user-agent', '')
add('vary', '')
add('via', '')
add('www-authenticate', '')

/** Entry `index`, 1 to STATIC_COUNT: u32 name, u16 its length, u16 id, u32 value, u32 its length. */
// @ts-ignore: decorator
@inline
export function staticEntry(index: u32): usize {
  return entries + index * 16
}

/**
 * Authorization and Proxy-Authorization: the scheme is kept, the credentials are hidden (RFC 9110 11.6.2).
 */
import { loadShort } from './copy'
import { hide, pass } from './redaction'
import { pack } from './short-text'

// The IANA registry of authentication schemes, and what services use unregistered.
const SCHEMES: StaticArray<string> = [
  'basic', 'bearer', 'digest', 'negotiate', 'ntlm', 'concealed', 'dpop', 'gnap', 'hoba', 'mutual', 'oauth',
  'privatetoken', 'scram-sha-1', 'scram-sha-256', 'vapid', 'aws4-hmac-sha256', 'aws4-ecdsa-p256-sha256',
  'aws', 'hmac', 'hmac-sha256', 'hawk', 'token', 'apikey', 'api-key', 'key', 'sharedkey', 'sharedkeylite',
  'sharedaccesssignature', 'signature', 'splunk', 'goog4-rsa-sha256', 'goog4-hmac-sha256', 'goog1', 'genie',
  'geniekey', 'jwt', 'ssws', 'wsse', 'kerberos', 'client', 'credentials', 'pop', 'eg1-hmac-sha256',
]

const BASIC = pack('basic')
const BEARER = pack('bearer')

function isScheme(from: usize, length: u32): bool {
  if (length == 5 || length == 6) {
    const word = loadShort(from, length) | 0x2020202020202020 >> (64 - (length << 3))
    if (word == (length == 5 ? BASIC : BEARER)) return true
  }
  for (let i = 0; i < SCHEMES.length; i++) {
    const name = unchecked(SCHEMES[i])
    if (<u32>name.length != length) continue
    let same = true
    for (let k = 0; k < name.length; k++) {
      if ((name.charCodeAt(k) | 32) != (<i32>load<u8>(from + k) | 32)) {
        same = false
        break
      }
    }
    if (same) return true
  }
  return false
}

function isSpace(c: u32): bool {
  return c == 32 || c == 9
}

/** Without a scheme that is known, all of the value is hidden: it may be a bare key. */
export function writeAuthorization(value: usize, length: u32): void {
  const end = value + length
  let from = value
  while (from < end && isSpace(load<u8>(from))) from++
  let scheme = from
  while (scheme < end && !isSpace(load<u8>(scheme))) scheme++
  let rest = scheme
  while (rest < end && isSpace(load<u8>(rest))) rest++
  if (from == end) return
  if (!isScheme(from, (scheme - from) as u32)) {
    hide(from, (end - from) as u32)
    return
  }
  pass(from, (rest - from) as u32)
  if (rest < end) hide(rest, (end - rest) as u32)
}

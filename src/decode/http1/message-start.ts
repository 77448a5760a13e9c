import { HEAD_KIND_RESPONSE } from '../../../wasm/layout.ts'
import type { HeadScanner } from './head-scanner.ts'

/** Bytes that a first line must show before it is taken for one without its end. */
const BYTES_MIN = 16

const SPACE = 0x20
const CR = 0x0d
const LF = 0x0a

/** RFC 9112 2.2: at least one empty line before a request line is to be ignored; so are more, and before responses. */
export function behindEmptyLines(u8: Uint8Array, at: number, end: number): number {
  while (at < end && (u8[at] === CR || u8[at] === LF)) at++
  return at
}

export function hasLineFeed(u8: Uint8Array, at: number, end: number): boolean {
  for (; at < end; at++) if (u8[at] === LF) return true
  return false
}

/**
 * Methods that a request may have which is the first after missing bytes. What follows a loss may begin anywhere: any token is a
 * method by its form, the end of one and text of a body included. IANA's registry, what caches know, UPnP's and Icecast's.
 */
const METHODS = [
  'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'ACL', 'BASELINE-CONTROL', 'BIND', 'CHECKIN',
  'CHECKOUT', 'COPY', 'LABEL', 'LINK', 'LOCK', 'MERGE', 'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MKREDIRECTREF', 'MKWORKSPACE',
  'MOVE', 'ORDERPATCH', 'PROPFIND', 'PROPPATCH', 'QUERY', 'REBIND', 'REPORT', 'SEARCH', 'UNBIND', 'UNCHECKOUT', 'UNLINK',
  'UNLOCK', 'UPDATE', 'UPDATEREDIRECTREF', 'VERSION-CONTROL', 'PURGE', 'BAN', 'M-SEARCH', 'NOTIFY', 'SUBSCRIBE',
  'UNSUBSCRIBE', 'SOURCE',
].map((method) => Buffer.from(`${method} `, 'latin1'))

function isKnownMethod(u8: Uint8Array, pointer: number, length: number): boolean {
  return METHODS.some((method) => method.length <= length && method.every((byte, index) => u8[pointer + index] === byte))
}

/**
 * Whether the bytes at `pointer` are the start of a message beyond reasonable doubt: a whole first line of HTTP/1.x, or the
 * beginning of a long one: `HTTP/1.`, or a method and the start of a target.
 *
 * @param anyMethod nothing came before the bytes: any token is a method before a path; else those of METHODS only
 */
export function isMessageStart(scanner: HeadScanner, pointer: number, length: number, kind: number, anyMethod = false): boolean {
  const result = scanner.exports.scanStart(pointer, length, kind)
  if (result < 0) return false
  const isResponse = (kind & 15) === HEAD_KIND_RESPONSE
  const u8 = scanner.memory.u8
  const isKnown = isResponse || isKnownMethod(u8, pointer, length)
  if (!isKnown && !anyMethod) return false
  if (result > 0) return true
  if (length < BYTES_MIN) return false
  if (isResponse) return true
  const at = u8.indexOf(SPACE, pointer)
  if (at >= pointer + length - 1) return false
  const first = u8[at + 1]!
  const letter = first | 0x20
  return first === 0x2f || isKnown && (first === 0x2a || (letter >= 0x61 && letter <= 0x7a) || (first >= 0x30 && first <= 0x39))
}

const STATUS_LINE_STARTS = ['HTTP/', 'ICY '].map((start) => Buffer.from(start, 'latin1'))

/** Whether the bytes at `pointer`, which may be few, could be the start of a first line of HTTP in any version. */
export function mayBeFirstLine(scanner: HeadScanner, pointer: number, length: number, kind: number): boolean {
  if ((kind & 15) !== HEAD_KIND_RESPONSE) return scanner.exports.scanStart(pointer, length, kind) >= 0
  const u8 = scanner.memory.u8
  return STATUS_LINE_STARTS.some((start) => start.every((byte, index) => index >= length || u8[pointer + index] === byte))
}

import { HEAD_KIND_RESPONSE } from '../../../wasm/layout.ts'
import type { HeadScanner } from './head-scanner.ts'

/** Bytes that a first line must show before it is taken for one without its end. */
const BYTES_MIN = 16
const UPPER_A = 0x41
const UPPER_Z = 0x5a

/**
 * Whether the bytes at `pointer` are the start of a message beyond reasonable doubt: a whole first line of HTTP/1.x, or the
 * beginning of a long one: `HTTP/1.`, or an upper-case method and the start of a target.
 */
export function isMessageStart(scanner: HeadScanner, pointer: number, length: number, kind: number): boolean {
  const result = scanner.exports.scanStart(pointer, length, kind)
  if (result !== 0) return result > 0
  if (length < BYTES_MIN) return false
  if ((kind & 15) === HEAD_KIND_RESPONSE) return true
  const u8 = scanner.memory.u8
  let at = pointer
  while (at < pointer + BYTES_MIN && u8[at]! >= UPPER_A && u8[at]! <= UPPER_Z) at++
  if (at - pointer < 3 || at >= pointer + BYTES_MIN - 1 || u8[at] !== 0x20) return false
  const first = u8[at + 1]!
  const letter = first | 0x20
  return first === 0x2f || first === 0x2a || (letter >= 0x61 && letter <= 0x7a) || (first >= 0x30 && first <= 0x39)
}

const STATUS_LINE_START = [0x48, 0x54, 0x54, 0x50, 0x2f] // "HTTP/"

/** Whether the bytes at `pointer`, which may be few, could be the start of a first line of HTTP in any version. */
export function mayBeFirstLine(scanner: HeadScanner, pointer: number, length: number, kind: number): boolean {
  if ((kind & 15) !== HEAD_KIND_RESPONSE) return scanner.exports.scanStart(pointer, length, kind) >= 0
  const u8 = scanner.memory.u8
  return STATUS_LINE_START.every((byte, index) => index >= length || u8[pointer + index] === byte)
}

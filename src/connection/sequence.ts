/**
 * TCP sequence numbers live modulo 2^32 (RFC 9293 3.4). They are kept as signed 32-bit numbers, which V8
 * stores without a heap object; a difference is right while the two lie less than 2^31 apart.
 */

/** Bytes from `b` to `a`: negative when `a` comes before `b`. */
export function distance(a: number, b: number): number {
  return (a - b) | 0
}

/** `sequence` moved on by `bytes` (any safe integer). */
export function advance(sequence: number, bytes: number): number {
  return (sequence + bytes) | 0
}

/** The one that comes first. */
export function earlier(a: number, b: number): number {
  return distance(a, b) < 0 ? a : b
}

/** The one that comes last. */
export function later(a: number, b: number): number {
  return distance(a, b) > 0 ? a : b
}

/** Nanoseconds as milliseconds modulo 2^32: to be compared by `distance`, and no heap object either. */
export function milliseconds(time: number): number {
  return (time * 1e-6) | 0
}

/**
 * Trace context of a request: the first of these that is there once and well-formed, in this order: traceparent, b3, X-B3-*,
 * uber-trace-id, X-Amzn-Trace-Id, X-Cloud-Trace-Context, x-datadog-*. What breaks its header's grammar counts as not there;
 * nothing is guessed. Ids come out as 32 and 16 hexadecimal digits in lower case.
 */
import { HEADER_B3, HEADER_TRACEPARENT, HEADER_UBER_TRACE_ID, HEADER_X_AMZN_TRACE_ID, HEADER_X_B3_FLAGS,
  HEADER_X_B3_SAMPLED, HEADER_X_B3_SPANID, HEADER_X_B3_TRACEID, HEADER_X_CLOUD_TRACE_CONTEXT,
  HEADER_X_DATADOG_PARENT_ID, HEADER_X_DATADOG_SAMPLING_PRIORITY, HEADER_X_DATADOG_TAGS, HEADER_X_DATADOG_TRACE_ID,
} from './header-ids'
import { REQUEST_INDEX, onlySpan, spanCount, valueAt, valueLengthOf } from './header-index'
import { alignHex, isHex, isLowerHex, isZero, parseDecimal, writeHex64 } from './hex'

export const NOT_SAMPLED: u32 = 0
export const SAMPLED: u32 = 1
export const SAMPLING_UNKNOWN: u32 = 2

/** 32 and 16 digits, after `findTrace`. */
export const traceId: usize = memory.data(32)
export const spanId: usize = memory.data(16)
export let hasSpanId: bool = false
export let sampling: u32 = 2

let valueStart: usize = 0
let valueBytes: u32 = 0

/** Points valueStart and valueBytes at the header's value; false when it is not there exactly once. */
function find(raw: usize, id: u32): bool {
  const span = onlySpan(REQUEST_INDEX, id)
  if (span == 0) return false
  valueStart = valueAt(raw, span)
  valueBytes = valueLengthOf(span)
  return true
}

// @ts-ignore: decorator
@inline
function byteAt(index: u32): u32 {
  return load<u8>(valueStart + index)
}

/** Takes a trace id of 1 to 32 digits; false when it is all zeros. */
function takeTrace(at: usize, length: u32): bool {
  if (isZero(at, length)) return false
  alignHex(at, length, traceId, 32)
  return true
}

function takeSpan(at: usize, length: u32): bool {
  if (isZero(at, length)) return false
  alignHex(at, length, spanId, 16)
  hasSpanId = true
  return true
}

function sampledBy(bit: bool): u32 {
  return bit ? SAMPLED : NOT_SAMPLED
}

/** W3C Trace Context 3.2: version-trace-parent-flags, lower case; a higher version may go on behind a dash. */
function traceparent(raw: usize): bool {
  if (!find(raw, HEADER_TRACEPARENT) || valueBytes < 55) return false
  if (byteAt(2) != 0x2d || byteAt(35) != 0x2d || byteAt(52) != 0x2d) return false
  if (!isLowerHex(valueStart, 2) || !isLowerHex(valueStart + 3, 32) || !isLowerHex(valueStart + 36, 16)
    || !isLowerHex(valueStart + 53, 2)) return false
  const version = load<u16>(valueStart)
  if (version == 0x6666) return false
  if (valueBytes > 55 && (version == 0x3030 || byteAt(55) != 0x2d)) return false
  if (!takeTrace(valueStart + 3, 32) || !takeSpan(valueStart + 36, 16)) return false
  const last = byteAt(54)
  sampling = sampledBy(((last < 0x3a ? last : last - 0x57) & 1) != 0)
  return true
}

/** 16 or 32 digits in lower case that are not all 0, as B3 wants them. */
function takeB3Trace(at: usize, length: u32): bool {
  return (length == 16 || length == 32) && isLowerHex(at, length) && takeTrace(at, length)
}

function takeB3Span(at: usize, length: u32): bool {
  return length == 16 && isLowerHex(at, length) && takeSpan(at, length)
}

/** B3 single: {trace}-{span}[-{0|1|d}[-{parent}]]. A decision alone carries no id, so it is no trace context. */
function b3Single(raw: usize): bool {
  if (!find(raw, HEADER_B3)) return false
  const traceLength: u32 = valueBytes > 32 && byteAt(32) == 0x2d ? 32 : 16
  if (valueBytes < traceLength + 17 || byteAt(traceLength) != 0x2d) return false
  const rest = traceLength + 17
  if (valueBytes > rest) {
    const decision = valueBytes >= rest + 2 ? byteAt(rest + 1) : 0
    if (byteAt(rest) != 0x2d || decision != 0x30 && decision != 0x31 && decision != 0x64) return false
    if (valueBytes > rest + 2 && (valueBytes != rest + 19 || byteAt(rest + 2) != 0x2d
      || !isLowerHex(valueStart + rest + 3, 16))) return false
    sampling = sampledBy(decision != 0x30)
  }
  return takeB3Trace(valueStart, traceLength) && takeB3Span(valueStart + traceLength + 1, 16)
}

/** X-B3-*: the span may be missing; Sampled is 0 or 1 (false, true in old senders), Flags 1 = debug, so sampled. */
function b3Multi(raw: usize): bool {
  if (!find(raw, HEADER_X_B3_TRACEID) || !takeB3Trace(valueStart, valueBytes)) return false
  if (spanCount(REQUEST_INDEX, HEADER_X_B3_SPANID) != 0) {
    if (!find(raw, HEADER_X_B3_SPANID) || !takeB3Span(valueStart, valueBytes)) return false
  }
  if (find(raw, HEADER_X_B3_SAMPLED)) {
    const first = valueBytes != 0 ? byteAt(0) : 0
    if (valueBytes == 1 && first - 0x30 < 2) sampling = first - 0x30
    else if (valueBytes == 4 && load<u32>(valueStart) == 0x65757274) sampling = SAMPLED
    else if (valueBytes == 5 && load<u32>(valueStart) == 0x736c6166 && byteAt(4) == 0x65) sampling = NOT_SAMPLED
  }
  if (find(raw, HEADER_X_B3_FLAGS) && valueBytes == 1 && byteAt(0) == 0x31) sampling = SAMPLED
  return true
}

/** Place of the next `:` or `%3A` (clients that encode the value) from `from` on; the value's length = none. */
function nextColon(from: u32): u32 {
  for (let index = from; index < valueBytes; index++) {
    const byte = byteAt(index)
    if (byte == 0x3a) return index
    if (byte == 0x25 && index + 2 < valueBytes && byteAt(index + 1) == 0x33 && (byteAt(index + 2) | 0x20) == 0x61) {
      return index
    }
  }
  return valueBytes
}

// @ts-ignore: decorator
@inline
function behindColon(colon: u32): u32 {
  return colon + (byteAt(colon) == 0x25 ? 3 : 1)
}

/** Jaeger: {trace}:{span}:{parent}:{flags}, hexadecimal without a fixed length; flag 1 = sampled. */
function uber(raw: usize): bool {
  if (!find(raw, HEADER_UBER_TRACE_ID)) return false
  const first = nextColon(0)
  if (first == valueBytes || first == 0 || first > 32) return false
  const span = behindColon(first)
  const second = nextColon(span)
  if (second == valueBytes || second == span || second - span > 16) return false
  const parent = behindColon(second)
  const third = nextColon(parent)
  if (third == valueBytes || third - parent > 16) return false
  const flags = behindColon(third)
  if (flags >= valueBytes || valueBytes - flags > 2) return false
  if (!isHex(valueStart, first) || !isHex(valueStart + span, second - span)
    || !isHex(valueStart + parent, third - parent) || !isHex(valueStart + flags, valueBytes - flags)) return false
  if (!takeTrace(valueStart, first) || !takeSpan(valueStart + span, second - span)) return false
  const last = byteAt(valueBytes - 1)
  sampling = sampledBy(((last < 0x3a ? last : (last | 0x20) - 0x57) & 1) != 0)
  return true
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x09
}

/** 1-8hex-24hex. */
function takeRoot(at: usize, length: u32): bool {
  if (length != 35 || load<u16>(at) != 0x2d31 || load<u8>(at + 10) != 0x2d) return false
  if (!isHex(at + 2, 8) || !isHex(at + 11, 24)) return false
  alignHex(at + 2, 8, traceId, 8)
  alignHex(at + 11, 24, traceId + 8, 24)
  return !isZero(traceId, 32)
}

/** AWS: key=value pairs with semicolons between, in any order; Root is what counts. */
function amazon(raw: usize): bool {
  if (!find(raw, HEADER_X_AMZN_TRACE_ID)) return false
  let hasRoot = false
  let at: u32 = 0
  while (at < valueBytes) {
    let end = at
    while (end < valueBytes && byteAt(end) != 0x3b) end++
    while (at < end && isSpace(byteAt(at))) at++
    let last = end
    while (last > at && isSpace(byteAt(last - 1))) last--
    const pair = valueStart + at
    const length = last - at
    if (length > 5 && load<u32>(pair) == 0x746f6f52 && load<u8>(pair + 4) == 0x3d) { // Root=
      if (hasRoot || !takeRoot(pair + 5, length - 5)) return false
      hasRoot = true
    } else if (length > 7 && load<u32>(pair) == 0x65726150 && load<u32>(pair + 3) == 0x3d746e65) { // Parent=
      if (hasSpanId || length != 23 || !isHex(pair + 7, 16) || !takeSpan(pair + 7, 16)) return false
    } else if (length == 9 && load<u64>(pair) == 0x3d64656c706d6153) { // Sampled=
      const decision = <u32>load<u8>(pair + 8) - 0x30
      if (decision < 2) sampling = decision
    }
    at = end + 1
  }
  return hasRoot
}

/** Google: 32 digits [/decimal span [;o=0|1]]. */
function cloud(raw: usize): bool {
  if (!find(raw, HEADER_X_CLOUD_TRACE_CONTEXT) || valueBytes < 32 || !isHex(valueStart, 32)) return false
  let end = valueBytes
  if (end > 36 && byteAt(end - 4) == 0x3b && byteAt(end - 3) == 0x6f && byteAt(end - 2) == 0x3d
    && byteAt(end - 1) - 0x30 < 2) {
    sampling = byteAt(end - 1) - 0x30
    end -= 4
  }
  if (end > 32) {
    if (byteAt(32) != 0x2f) return false
    const span = parseDecimal(valueStart + 33, end - 33)
    if (span != 0) {
      writeHex64(span, spanId)
      hasSpanId = true
    } else if (end != 34 || byteAt(33) != 0x30) {
      return false
    }
  }
  return takeTrace(valueStart, 32)
}

/** High half of the trace id in x-datadog-tags: _dd.p.tid=16hex between commas; 0 = not there. */
function datadogHigh(raw: usize): usize {
  if (!find(raw, HEADER_X_DATADOG_TAGS)) return 0
  let at: u32 = 0
  while (at + 26 <= valueBytes) {
    const tag = valueStart + at
    if (load<u64>(tag) == 0x69742e702e64645f && load<u16>(tag + 8) == 0x3d64
      && (at + 26 == valueBytes || byteAt(at + 26) == 0x2c) && isLowerHex(tag + 10, 16)) return tag + 10
    while (at < valueBytes && byteAt(at) != 0x2c) at++
    at++
  }
  return 0
}

/** Datadog: decimal ids; sampled when the priority is above 0. */
function datadog(raw: usize): bool {
  if (!find(raw, HEADER_X_DATADOG_TRACE_ID)) return false
  const low = parseDecimal(valueStart, valueBytes)
  if (low == 0) return false
  if (spanCount(REQUEST_INDEX, HEADER_X_DATADOG_PARENT_ID) != 0) {
    if (!find(raw, HEADER_X_DATADOG_PARENT_ID)) return false
    const parent = parseDecimal(valueStart, valueBytes)
    // A parent of 0 says that there is none.
    if (parent == 0 && (valueBytes != 1 || byteAt(0) != 0x30)) return false
    if (parent != 0) {
      writeHex64(parent, spanId)
      hasSpanId = true
    }
  }
  if (find(raw, HEADER_X_DATADOG_SAMPLING_PRIORITY)) {
    if (valueBytes == 2 && load<u16>(valueStart) == 0x312d) sampling = NOT_SAMPLED
    else if (valueBytes == 1 && byteAt(0) - 0x30 < 3) sampling = sampledBy(byteAt(0) != 0x30)
  }
  const high = datadogHigh(raw)
  if (high != 0) memory.copy(traceId, high, 16)
  else memory.fill(traceId, 0x30, 16)
  writeHex64(low, traceId + 16)
  return true
}

function readTrace(raw: usize, id: u32): bool {
  hasSpanId = false
  sampling = SAMPLING_UNKNOWN
  switch (id) {
    case HEADER_TRACEPARENT: return traceparent(raw)
    case HEADER_B3: return b3Single(raw)
    case HEADER_X_B3_TRACEID: return b3Multi(raw)
    case HEADER_UBER_TRACE_ID: return uber(raw)
    case HEADER_X_AMZN_TRACE_ID: return amazon(raw)
    case HEADER_X_CLOUD_TRACE_CONTEXT: return cloud(raw)
    default: return datadog(raw)
  }
}

const ORDER: usize = memory.data<i32>([HEADER_TRACEPARENT, HEADER_B3, HEADER_X_B3_TRACEID, HEADER_UBER_TRACE_ID,
  HEADER_X_AMZN_TRACE_ID, HEADER_X_CLOUD_TRACE_CONTEXT, HEADER_X_DATADOG_TRACE_ID])

/**
 * Reads the trace context of the request whose raw bytes are at `raw` and whose headers are indexed. Returns the HEADER_* id
 * that it came from, 0 = none.
 */
export function findTrace(raw: usize): u32 {
  for (let index: u32 = 0; index < 7; index++) {
    const id = <u32>load<u32>(ORDER + index * 4)
    if (spanCount(REQUEST_INDEX, id) != 0 && readTrace(raw, id)) return id
  }
  return 0
}

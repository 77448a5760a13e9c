/**
 * The steady path: packets of connections that rest between two exchanges of HTTP/1, for as long as each turn is whole: a request
 * in one segment, then its response in one segment, each the next bytes of its stream, each sent by a peer that had received
 * everything before. Of a TLS session that is read in the clear the same: a request in one call, its response in one call.
 *
 * It is a short cut, no second reader: the plain path (connection/, decode/http1, exchange/) would make the same of these packets,
 * step by step. It does nothing of a packet that is not plainly the next of such a turn; the plain path then takes the connection
 * back with what was noted here, and that packet as the first. What it makes is read by the same scanner (wasm/head.ts).
 */
import { free, reserve } from './allocator'
import { hasBodyRules, wantsBodies } from './body-rules'
import * as E from './events.gen'
import { HEAD_BYTES_MAX, INFO_BLOCK, INFO_METHOD, METHOD_CONNECT, METHOD_HEAD } from './head-contract'
import { scanHead } from './head'
import { hexValue } from './hex'
import * as L from './layout'
import { CR, info, LF } from './start-line'
import { findSteady, findSteadySession, sideOfEvent } from './steady-index'
import {
  STEADY_INFO_BYTES, STEADY_INFO_DELIVERED, STEADY_INFO_EXCHANGE, STEADY_INFO_PACKETS, STEADY_INFO_TIME, STEADY_REQUEST_BYTES_MAX,
} from './steady-contract'

/** A word of the framing before each event (src/capture/source.ts): bytes, and two bits of records that are not to be read. */
const FRAME_BYTES: usize = 8
const FRAME_LENGTH: u32 = 0x3fffffff
const TCP: u32 = 6
const TCP_ACK: u32 = 16
/** FIN, SYN, RST, ACK: the plain path's, but for ACK alone. */
const TCP_STATE: u32 = 23
const VERSION_1_1: u32 = 0x11

const told = reserve(STEADY_INFO_BYTES)
const request = reserve(STEADY_REQUEST_BYTES_MAX)

/** Place of the packet taken last. */
let order: f64 = 0

/** Where `runSteady` tells what it did (steady-contract.ts). */
export function steadyInfo(): usize {
  return told
}

/** Room for one request, while its connection is taken back. */
export function steadyRequest(): usize {
  return request
}

/**
 * Takes framed packet events from `at` on, before `end`, for the steady blocks of `owner`. Returns where it stopped: before the
 * first event that is not its own, or behind one that ended an exchange, which is told then, valid until `closeTurn`. `before`:
 * the place of the packet before them in STEADY_ORDER.
 */
export function runSteady(owner: u32, at: usize, end: usize, before: f64): usize {
  order = before
  store<u32>(told, 0, STEADY_INFO_EXCHANGE)
  store<u32>(told, 0, STEADY_INFO_DELIVERED)
  store<u32>(told, 0, STEADY_INFO_PACKETS)
  store<f64>(told, 0, STEADY_INFO_TIME)
  while (at + FRAME_BYTES <= end) {
    const word = load<u32>(at)
    const bytes = word & FRAME_LENGTH
    const event = at + FRAME_BYTES
    const next = event + ((bytes + 7) & ~7)
    if (next > end || word != bytes || bytes < (E.PACKET_BYTES as u32) || !takeEvent(owner, event, bytes)) break
    at = next
    if (load<u32>(told, STEADY_INFO_EXCHANGE) != 0) break
  }
  return at
}

// @ts-ignore: decorator
@inline
function takeEvent(owner: u32, event: usize, bytes: u32): bool {
  const kind = load<u8>(event, E.PACKET_KIND)
  if (kind == E.EVENT_SEGMENT && load<u8>(event, E.PACKET_IP_PROTOCOL) == TCP) {
    const block = findSteady(owner, event)
    return block != 0 && take(block, event, bytes)
  }
  if (kind != E.EVENT_PLAINTEXT) return false
  const block = findSteadySession(owner, load<u32>(event, E.PLAINTEXT_SESSION))
  return block != 0 && takePlaintext(block, event, bytes)
}

// @ts-ignore: decorator
@inline
function sideOf(block: usize, side: u32): usize {
  return block + L.STEADY_SIDE + side * L.STEADY_SIDE_BYTES
}

/** One packet. False = it is not plainly the next of a turn, and nothing was done. */
function take(block: usize, event: usize, bytes: u32): bool {
  const side = sideOfEvent()
  const me = sideOf(block, side)
  const peer = sideOf(block, 1 - side)
  if (!isOwn(block, me, side, event)) return false
  const length = load<u32>(event, E.PACKET_PAYLOAD_LENGTH)
  const offset = <u32>load<u16>(event, E.PACKET_DATA_OFFSET)
  if (load<u32>(event, E.PACKET_CAPTURED_LENGTH) != length || load<u32>(event, E.PACKET_PAYLOAD_SKIPPED) != 0) return false
  if (length > bytes || (length != 0 && offset + length > bytes)) return false
  const acknowledgement = load<i32>(event, E.PACKET_TCP_ACKNOWLEDGEMENT)
  const ahead = acknowledgement - load<i32>(peer, L.STEADY_NEXT)
  if (length == 0) {
    if (ahead > 0) return false
  } else {
    if (ahead != 0 || load<i32>(event, E.PACKET_TCP_SEQUENCE) != load<i32>(me, L.STEADY_NEXT)) return false
    const isRequest = side == <u32>load<u8>(block, L.STEADY_CLIENT)
    if ((load<u8>(block, L.STEADY_IS_ASKED) != 0) == isRequest) return false
    const isWhole = isRequest ? ask(block, event, length, acknowledgement) : answer(block, event, length, acknowledgement)
    if (!isWhole) return false
    store<i32>(me, load<i32>(me, L.STEADY_NEXT) + (length as i32), L.STEADY_NEXT)
    store<i32>(me, acknowledgement, L.STEADY_ANSWERS)
    store<i32>(me, load<i32>(me, L.STEADY_RECORD), L.STEADY_REACHED)
    store<u32>(told, load<u32>(told, STEADY_INFO_DELIVERED) + length, STEADY_INFO_DELIVERED)
  }
  store<i32>(peer, acknowledgement, L.STEADY_ACKNOWLEDGED)
  note(block, me, side, event, length)
  return true
}

/** What one call of a TLS library read or wrote. False = it is not plainly the next of a turn, and nothing was done. */
function takePlaintext(block: usize, event: usize, bytes: u32): bool {
  if ((load<u8>(event, E.PLAINTEXT_FLAGS) & ~(E.PLAINTEXT_START | E.PLAINTEXT_GUESSED)) != 0) return false
  const length = load<u32>(event, E.PLAINTEXT_CAPTURED_LENGTH)
  if (length == 0 || load<u32>(event, E.PLAINTEXT_CALL_LENGTH) != length || load<u32>(event, E.PLAINTEXT_CHUNK_OFFSET) != 0) return false
  if (length > bytes || <u32>load<u16>(event, E.PLAINTEXT_DATA_OFFSET) + length > bytes) return false
  const local = <u32>load<u8>(block, L.STEADY_LOCAL)
  const side: u32 = load<u8>(event, E.PLAINTEXT_DIRECTION) == E.DIRECTION_EGRESS ? local : 1 - local
  const me = sideOf(block, side)
  if (<f64>load<u64>(event, E.PLAINTEXT_POSITION) != load<f64>(me, L.STEADY_POSITION)) return false
  const isRequest = side == <u32>load<u8>(block, L.STEADY_CLIENT)
  if ((load<u8>(block, L.STEADY_IS_ASKED) != 0) == isRequest) return false
  // In the program's own order: when it read or wrote this, it had read or written so much of the other direction.
  const acknowledgement = <i32><i64>load<f64>(sideOf(block, 1 - side), L.STEADY_POSITION)
  if (!(isRequest ? ask(block, event, length, acknowledgement) : answer(block, event, length, acknowledgement))) return false
  store<f64>(me, load<f64>(me, L.STEADY_POSITION) + <f64>length, L.STEADY_POSITION)
  noteTime(block, me, event)
  return true
}

/** Whether a packet is one that the turns of this connection are made of, wherever it stands in them. */
function isOwn(block: usize, me: usize, side: u32, event: usize): bool {
  if ((<u32>load<u16>(event, E.PACKET_TCP_FLAGS) & TCP_STATE) != TCP_ACK) return false
  const tag = load<i32>(event, E.PACKET_CONNECTION_TAG)
  if (tag != 0 && tag != load<i32>(block, L.STEADY_TAG)) return false
  if (load<i32>(event, E.PACKET_INTERFACE_INDEX) != load<i32>(me, L.STEADY_INTERFACE)) return false
  const path = <i32>load<u8>(event, E.PACKET_DIRECTION) | (<i32>load<u8>(event, E.PACKET_TUNNEL) << 8)
  if (path != load<i32>(me, L.STEADY_PATH)) return false
  const marks = <u32>load<u8>(event, E.PACKET_FLAGS)
  if ((marks & E.FLAG_NOT_HTTP) != 0) return false
  const isNumbered = (marks & E.FLAG_NUMBERED) != 0
  if (isNumbered != ((<u32>load<u8>(block, L.STEADY_NUMBERED) >> side & 1) != 0)) return false
  return !isNumbered || load<i32>(event, E.PACKET_RECORD_NUMBER) == load<i32>(me, L.STEADY_RECORD)
}

// @ts-ignore: decorator
@inline
function timeOf(event: usize): f64 {
  return <f64>load<u64>(event, E.PACKET_TIME_NS)
}

/** What both messages must be, told by the last scan: of HTTP/1.1, with nothing odd, on a connection that goes on. */
function isPlainMessage(): bool {
  if (load<u8>(info, L.HEAD_VERSION) != VERSION_1_1 || load<u32>(info, L.HEAD_ODDITIES) != 0) return false
  return (load<u8>(info, L.HEAD_CONNECTION) & (L.HEAD_CONNECTION_CLOSE | L.HEAD_CONNECTION_UPGRADE)) == 0
}

// @ts-ignore: decorator
@inline
function hasLength(rest: u32): bool {
  return load<u8>(info, L.HEAD_BODY) == L.BODY_LENGTH && load<f64>(info, L.HEAD_CONTENT_LENGTH) == <f64>rest
}

/** Bytes of a body that is all between `at` and `end`, its transfer coding taken off; -1 = it is not, or not plainly. */
function bodyBytes(at: usize, end: usize): f64 {
  const rest = (end - at) as u32
  if (hasLength(rest)) return <f64>rest
  return load<u8>(info, L.HEAD_BODY) == L.BODY_CHUNKED ? <f64>chunkedBytes(at, end) : -1
}

/** RFC 9112 7.1 without extensions and trailers: bytes of data of the chunks at `at` when the last one ends at `end`, else -1. */
function chunkedBytes(at: usize, end: usize): i32 {
  let data: u32 = 0
  while (true) {
    let size: u32 = 0
    let digits: u32 = 0
    for (; at < end && digits < 6; digits++, at++) {
      const digit = hexValue(load<u8>(at))
      if (digit > 15) break
      size = (size << 4) | digit
    }
    // What follows the size, and the data: their line ends.
    if (digits == 0 || !isLineEnd(at, end)) return -1
    at += 2
    if (size == 0) return digits == 1 && at + 2 == end && isLineEnd(at, end) ? (data as i32) : -1
    if (at + size > end || !isLineEnd(at + size, end)) return -1
    data += size
    at += size + 2
  }
}

// @ts-ignore: decorator
@inline
function isLineEnd(at: usize, end: usize): bool {
  return at + 2 <= end && load<u16>(at) == 0x0a0d
}

/** Scans the head at `pointer`; its block, or 0 when it is not whole, or the memory limit refused it. */
function headAt(pointer: usize, length: u32, kind: u32): usize {
  const first = <u32>load<u8>(pointer)
  if (first == CR || first == LF || length >= (HEAD_BYTES_MAX as u32)) return 0
  if (scanHead(pointer, length, 0, kind) <= 0) return 0
  return load<u32>(info, INFO_BLOCK)
}

/** A request that is the whole segment, or call. */
function ask(block: usize, event: usize, length: u32, acknowledgement: i32): bool {
  const pointer = event + <usize>load<u16>(event, E.PACKET_DATA_OFFSET)
  if (length > (STEADY_REQUEST_BYTES_MAX as u32)) return false
  const head = headAt(pointer, length, L.HEAD_KIND_REQUEST)
  if (head == 0) return false
  const rest = length - load<u32>(info, L.HEAD_RAW_LENGTH)
  const method = <u32>load<u8>(info, INFO_METHOD)
  // Of a body the plain path needs no more than its length, later (src/connection/steady-path.ts).
  const isWhole = load<u8>(info, L.HEAD_BODY) == L.BODY_NONE ? rest == 0 : hasLength(rest)
  // Bodies that are read are the plain path's.
  if (!isWhole || method == METHOD_CONNECT || !isPlainMessage() || (hasBodyRules() && wantsBodies(head))) {
    free(head, load<u32>(head, L.HEAD_BYTES))
    return false
  }
  const exchange: usize = load<u32>(block, L.STEADY_EXCHANGE)
  const time = timeOf(event)
  store<u32>(exchange, head as u32, L.EXCHANGE_REQUEST)
  store<u32>(exchange, load<u32>(block, L.STEADY_DEPTH) + load<u32>(block, L.STEADY_TURNS) + 1, L.EXCHANGE_DEPTH)
  store<f64>(exchange, time, L.EXCHANGE_REQUEST_TIME)
  store<f64>(exchange, time, L.EXCHANGE_REQUEST_END_TIME)
  store<f64>(exchange, <f64>rest, L.EXCHANGE_REQUEST_BODY)
  store<u8>(block, 1, L.STEADY_IS_ASKED)
  store<u8>(block, method == METHOD_HEAD ? 1 : 0, L.STEADY_IS_HEAD)
  store<u32>(block, length, L.STEADY_REQUEST_LENGTH)
  store<i32>(block, acknowledgement, L.STEADY_REQUEST_ACKNOWLEDGEMENT)
  return true
}

/** A final response that is the whole segment, or call: the exchange is over. */
function answer(block: usize, event: usize, length: u32, acknowledgement: i32): bool {
  const pointer = event + <usize>load<u16>(event, E.PACKET_DATA_OFFSET)
  const head = headAt(pointer, length, L.HEAD_KIND_RESPONSE)
  if (head == 0) return false
  const status = <u32>load<u16>(info, L.HEAD_STATUS)
  const body = pointer + load<u32>(info, L.HEAD_RAW_LENGTH)
  const end = pointer + length
  // RFC 9112 6.3, 1.
  const isEmpty = status == 204 || status == 304 || load<u8>(block, L.STEADY_IS_HEAD) != 0
  const bytes: f64 = !isEmpty ? bodyBytes(body, end) : body == end ? 0 : -1
  if (status < 200 || bytes < 0 || !isPlainMessage()) {
    free(head, load<u32>(head, L.HEAD_BYTES))
    return false
  }
  const exchange: usize = load<u32>(block, L.STEADY_EXCHANGE)
  const time = timeOf(event)
  store<u32>(exchange, head as u32, L.EXCHANGE_RESPONSE)
  store<f64>(exchange, time, L.EXCHANGE_RESPONSE_TIME)
  store<f64>(exchange, time, L.EXCHANGE_RESPONSE_END_TIME)
  store<f64>(exchange, bytes, L.EXCHANGE_RESPONSE_BODY)
  store<u8>(block, 0, L.STEADY_IS_ASKED)
  store<u32>(block, load<u32>(block, L.STEADY_TURNS) + 1, L.STEADY_TURNS)
  store<i32>(block, acknowledgement, L.STEADY_RESPONSE_ACKNOWLEDGEMENT)
  store<i32>(block, load<i32>(block, L.STEADY_REQUEST_ACKNOWLEDGEMENT), L.STEADY_TURN_REQUEST_ACKNOWLEDGEMENT)
  store<f64>(block, load<f64>(exchange, L.EXCHANGE_REQUEST_TIME), L.STEADY_TURN_REQUEST_TIME)
  store<f64>(block, time, L.STEADY_RESPONSE_TIME)
  store<u32>(told, exchange as u32, STEADY_INFO_EXCHANGE)
  return true
}

/** What every packet leaves behind: in the connection block as connection/connection-block.ts notes it, and here. */
function note(block: usize, me: usize, side: u32, event: usize, length: u32): void {
  const marks = <u32>load<u8>(event, E.PACKET_FLAGS)
  const connection: usize = load<u32>(block, L.STEADY_CONNECTION)
  const at = connection + L.CONNECTION_SIDE + side * L.CONNECTION_SIDE_BYTES
  store<u16>(at, load<u16>(event, E.PACKET_IP_TTL), L.SIDE_TTL)
  store<u16>(at, load<u16>(at, L.SIDE_TCP_FLAGS) | load<u16>(event, E.PACKET_TCP_FLAGS), L.SIDE_TCP_FLAGS)
  store<u16>(at, load<u16>(event, E.PACKET_TCP_WINDOW), L.SIDE_WINDOW)
  const isCounted = (marks & E.FLAG_COUNTED) != 0
  if (isCounted) {
    store<u32>(at, load<u32>(event, E.PACKET_SEEN_PACKETS), L.SIDE_PACKETS)
    store<u32>(at, load<u32>(event, E.PACKET_RETRANSMISSIONS), L.SIDE_RETRANSMISSIONS)
    store<f64>(at, <f64>load<u64>(event, E.PACKET_SEEN_BYTES), L.SIDE_BYTES)
  } else {
    store<u32>(at, load<u32>(at, L.SIDE_PACKETS) + 1, L.SIDE_PACKETS)
    store<f64>(at, load<f64>(at, L.SIDE_BYTES) + <f64>length, L.SIDE_BYTES)
  }
  const process = load<u32>(event, E.PACKET_PROCESS)
  if (process != 0) store<u32>(at, process, L.SIDE_PROCESS)
  if ((marks & E.FLAG_IP_OPTIONS) != 0) {
    store<u8>(connection, load<u8>(connection, L.CONNECTION_FLAGS) | L.CONNECTION_FLAG_IP_OPTIONS, L.CONNECTION_FLAGS)
  }
  store<u8>(block, isCounted ? 1 : 0, L.STEADY_IS_COUNTED)
  store<u32>(block, load<u32>(block, L.STEADY_PACKETS) + 1, L.STEADY_PACKETS)
  store<i32>(me, load<i32>(me, L.STEADY_RECORD) + 1, L.STEADY_RECORD)
  noteTime(block, me, event)
}

// @ts-ignore: decorator
@inline
function noteTime(block: usize, me: usize, event: usize): void {
  const time = timeOf(event)
  order += 1
  store<f64>(block, order, L.STEADY_ORDER)
  store<f64>(block, time, L.STEADY_LAST_TIME)
  store<f64>(me, time, L.STEADY_TIME)
  store<u32>(told, load<u32>(told, STEADY_INFO_PACKETS) + 1, STEADY_INFO_PACKETS)
  if (time > load<f64>(told, STEADY_INFO_TIME)) store<f64>(told, time, STEADY_INFO_TIME)
}

/** The exchange told was given on: its heads go, its block waits for the next. */
export function closeTurn(exchange: usize): void {
  freeHead(exchange + L.EXCHANGE_REQUEST)
  freeHead(exchange + L.EXCHANGE_RESPONSE)
  store<u8>(exchange, 0, L.EXCHANGE_MARK_COUNT)
}

function freeHead(slot: usize): void {
  const head: usize = load<u32>(slot)
  if (head != 0) free(head, load<u32>(head, L.HEAD_BYTES))
  store<u32>(slot, 0)
}

/**
 * rpc.* of an exchange that carries gRPC or gRPC-Web (application/grpc*), over HTTP/2 or HTTP/1: method from the path, deadline
 * from grpc-timeout, status and message from the trailers, or from the head of a response that has nothing else.
 */
import { actionOf, isOpen } from './exchange-headers'
import * as F from './field-ids.gen'
import { HEADER_CONTENT_TYPE, HEADER_GRPC_MESSAGE, HEADER_GRPC_STATUS, HEADER_GRPC_TIMEOUT } from './header-ids'
import { REQUEST_INDEX, RESPONSE_INDEX, firstSpan, onlySpan, rawOf, valueAt, valueLengthOf } from './header-index'
import * as L from './layout'
import { writePath, writeText, writeValue } from './privacy'
import { closeText, noteMark, openText, putInt, putOwnText, putSeconds, putWord, wants } from './record'
import { pack } from './short-text'
import { hasPath, pathAt, pathLength } from './target'
import { ACTION_DROP } from './wall-numbers'

const GRPC = pack('grpc')
const TYPE_LENGTH: u32 = 16
const TYPE: usize = memory.data<u8>([
  0x61, 0x70, 0x70, 0x6c, 0x69, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x67, 0x72, 0x70, 0x63, // application/grpc
], 16)

/** Status names by code (grpc's statuscodes), each in 24 bytes. */
const STATUS_COUNT: u32 = 17
const STATUS_ROOM: u32 = 24
const statusNames: usize = memory.data(17 * 24)
const statusLengths: usize = memory.data(17)

function nameStatus(code: u32, name: string): void {
  const at = statusNames + code * STATUS_ROOM
  for (let index = 0; index < name.length; index++) store<u8>(at + index, name.charCodeAt(index) as u8)
  store<u8>(statusLengths + code, name.length as u8)
}

nameStatus(0, 'OK')
nameStatus(1, 'CANCELLED')
nameStatus(2, 'UNKNOWN')
nameStatus(3, 'INVALID_ARGUMENT')
nameStatus(4, 'DEADLINE_EXCEEDED')
nameStatus(5, 'NOT_FOUND')
nameStatus(6, 'ALREADY_EXISTS')
nameStatus(7, 'PERMISSION_DENIED')
nameStatus(8, 'RESOURCE_EXHAUSTED')
nameStatus(9, 'FAILED_PRECONDITION')
nameStatus(10, 'ABORTED')
nameStatus(11, 'OUT_OF_RANGE')
nameStatus(12, 'UNIMPLEMENTED')
nameStatus(13, 'INTERNAL')
nameStatus(14, 'UNAVAILABLE')
nameStatus(15, 'DATA_LOSS')
nameStatus(16, 'UNAUTHENTICATED')

const MESSAGE_MAX: u32 = 8192
const message: usize = memory.data(8192 + 64)

/** True when the Content-Type at `span` is application/grpc with anything behind it that may stand there. */
function isGrpcType(raw: usize, span: usize): bool {
  if (span == 0 || valueLengthOf(span) < TYPE_LENGTH) return false
  const value = valueAt(raw, span)
  const chunk = v128.load(value)
  const upper = v128.and(i8x16.gt_s(chunk, i8x16.splat(0x40)), i8x16.lt_s(chunk, i8x16.splat(0x5b)))
  if (!i8x16.all_true(i8x16.eq(v128.or(chunk, v128.and(upper, i8x16.splat(0x20))), v128.load(TYPE)))) return false
  if (valueLengthOf(span) == TYPE_LENGTH) return true
  const next = load<u8>(value, TYPE_LENGTH)
  return next == 0x2b || next == 0x2d || next == 0x3b || next == 0x20 // + - ; space
}

function isGrpc(head: usize, index: u32): bool {
  if (head == 0) return false
  const span = firstSpan(index, HEADER_CONTENT_TYPE)
  const raw = rawOf(head)
  return isGrpcType(raw, span) && isOpen(actionOf(raw, span, index))
}

/** Whether a head block says Content-Type: application/grpc*: for decoders, which count its messages. */
export function isGrpcHead(head: usize): bool {
  return isGrpcType(rawOf(head), spanOf(head, HEADER_CONTENT_TYPE))
}

/** First field of `id` in a head that is not indexed; 0 = none. */
function spanOf(head: usize, id: u32): usize {
  const end = head + L.HEAD_SPANS + load<u32>(head, L.HEAD_COUNT) * L.SPAN_BYTES
  for (let span = head + L.HEAD_SPANS; span < end; span += L.SPAN_BYTES) {
    if ((<u32>load<u16>(span, L.SPAN_NAME_ID) & L.SPAN_ID_MASK) == id) return span
  }
  return 0
}

/** The path without its first slash, when it is of the form service/method. */
function putMethod(request: usize): void {
  if (!hasPath || pathLength < 4 || !wants(F.FIELD_RPC_METHOD)) return
  if ((load<u8>(request, L.HEAD_SECRET) & L.PSEUDO_PATH) != 0) return
  let slash: u32 = 0
  for (let index: u32 = 1; index < pathLength; index++) if (load<u8>(pathAt + index) == 0x2f) slash = index
  if (load<u8>(pathAt) != 0x2f || slash < 2 || slash == pathLength - 1) return
  const payload = openText(F.FIELD_RPC_METHOD, pathLength - 1)
  if (payload != 0) closeText(F.FIELD_RPC_METHOD, payload, writePath(pathAt + 1, pathLength - 1, payload))
}

/** grpc-timeout: up to 8 digits and a unit (gRPC over HTTP/2, Requests). */
function putDeadline(raw: usize): void {
  const span = onlySpan(REQUEST_INDEX, HEADER_GRPC_TIMEOUT)
  if (span == 0 || !isOpen(actionOf(raw, span, REQUEST_INDEX))) return
  const length = valueLengthOf(span)
  if (length < 2 || length > 9) return
  const value = valueAt(raw, span)
  let amount: i64 = 0
  for (let index: u32 = 0; index < length - 1; index++) {
    const digit = <i64>load<u8>(value + index) - 0x30
    if (digit < 0 || digit > 9) return
    amount = amount * 10 + digit
  }
  const unit = <u32>load<u8>(value + length - 1)
  const nanoseconds: i64 = unit == 0x48 ? 3600000000000 : unit == 0x4d ? 60000000000 : unit == 0x53 ? 1000000000
    : unit == 0x6d ? 1000000 : unit == 0x75 ? 1000 : unit == 0x6e ? 1 : 0
  if (nanoseconds != 0) putSeconds(F.FIELD_RPC_DEADLINE, amount * nanoseconds)
}

function putStatus(raw: usize, span: usize): void {
  const length = valueLengthOf(span)
  if (length == 0 || length > 9 || !isOpen(actionOf(raw, span, RESPONSE_INDEX))) return
  const value = valueAt(raw, span)
  let code: u32 = 0
  for (let index: u32 = 0; index < length; index++) {
    const digit = <u32>load<u8>(value + index) - 0x30
    if (digit > 9) return
    code = code * 10 + digit
  }
  if (code < STATUS_COUNT) putOwnText(F.FIELD_RPC_STATUS_CODE, statusNames + code * STATUS_ROOM, load<u8>(statusLengths + code))
  else putOwnText(F.FIELD_RPC_STATUS_CODE, value, length)
}

function hexValue(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 255
}

/** Takes percent-encoding off (gRPC over HTTP/2, Responses); what is none stays as it is. Result: bytes at `message`. */
function decodeMessage(value: usize, length: u32): u32 {
  let out: u32 = 0
  for (let index: u32 = 0; index < length; index++) {
    let byte = <u32>load<u8>(value + index)
    if (byte == 0x25 && index + 2 < length) {
      const high = hexValue(load<u8>(value + index + 1))
      const low = hexValue(load<u8>(value + index + 2))
      if (high < 16 && low < 16) {
        byte = (high << 4) | low
        index += 2
      }
    }
    store<u8>(message + out++, byte as u8)
  }
  return out
}

function hasPercent(value: usize, length: u32): bool {
  for (let index: u32 = 0; index < length; index++) if (load<u8>(value + index) == 0x25) return true
  return false
}

function putMessage(raw: usize, span: usize): void {
  const length = valueLengthOf(span)
  const action = actionOf(raw, span, RESPONSE_INDEX)
  if (length == 0 || action == ACTION_DROP || !wants(F.FIELD_RPC_STATUS_MESSAGE)) return
  const payload = openText(F.FIELD_RPC_STATUS_MESSAGE, length)
  if (payload == 0) return
  const value = valueAt(raw, span)
  if (!isOpen(action)) return closeText(F.FIELD_RPC_STATUS_MESSAGE, payload, writeValue(action, value, length, payload))
  const written = length > MESSAGE_MAX ? writeText(value, length, payload)
    : writeText(message, decodeMessage(value, length), payload)
  closeText(F.FIELD_RPC_STATUS_MESSAGE, payload, written)
  if (length > MESSAGE_MAX && hasPercent(value, length)) {
    noteMark(F.FIELD_RPC_STATUS_MESSAGE, F.REASON_PERCENT_ENCODED_AS_IT_CAME_MORE_THAN_THE_BOUND)
  }
}

function putCount(field: u32, count: i32): void {
  if (count >= 0) putInt(field, count)
}

/** rpc.*; nothing for an exchange that is no gRPC. The heads are indexed, the target is taken apart (target.ts). */
export function putRpc(exchange: usize, request: usize, response: usize): void {
  if (!isGrpc(request, REQUEST_INDEX) && (request != 0 || !isGrpc(response, RESPONSE_INDEX))) return
  putWord(F.FIELD_RPC_SYSTEM_NAME, GRPC)
  if (request != 0) {
    putMethod(request)
    putDeadline(rawOf(request))
  }
  const trailer = <usize>load<u32>(exchange, L.EXCHANGE_RESPONSE_TRAILER)
  let status: usize = 0
  let head: usize = 0
  if (trailer != 0) {
    head = trailer
    status = spanOf(trailer, HEADER_GRPC_STATUS)
  } else if (response != 0) {
    head = response
    status = firstSpan(RESPONSE_INDEX, HEADER_GRPC_STATUS)
  }
  if (status != 0) {
    putStatus(rawOf(head), status)
    const text = spanOf(head, HEADER_GRPC_MESSAGE)
    if (text != 0) putMessage(rawOf(head), text)
  }
  putCount(F.FIELD_RPC_REQUEST_MESSAGE_COUNT, load<i32>(exchange, L.EXCHANGE_REQUEST_MESSAGES))
  putCount(F.FIELD_RPC_RESPONSE_MESSAGE_COUNT, load<i32>(exchange, L.EXCHANGE_RESPONSE_MESSAGES))
}

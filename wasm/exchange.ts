/**
 * EXCHANGE block → RECORD of the chosen fields (record.ts), in ascending field id. Every text and address goes through
 * privacy.ts; a field that repeats a header follows the action of that header's name. What is not known is left out, with
 * its reason in `marks` where there is one; nothing is guessed.
 */
import { writeAddressText } from './address-text'
import { clientAddress, findClient, isTrusted, proxiedClient } from './client-address'
import { SAMPLED, SAMPLING_UNKNOWN, findTrace, hasSpanId, sampling, spanId, traceId } from './correlate'
import { actionOf, isOpen, putHeaders, putRequestId, putUserAgent, secretAction } from './exchange-headers'
import { putClient, putConnection, putIp, putLink, putNetwork, putServer, putTcp } from './exchange-connection'
import { putMessages, putProtocolName } from './exchange-message'
import { putFacts } from './facts'
import * as F from './field-ids.gen'
import { putRpc } from './exchange-rpc'
import { ACTION_DROP, ACTION_KEEP } from './wall-numbers'
import { HEADER_B3, HEADER_FORWARDED, HEADER_HOST, HEADER_TRACEPARENT, HEADER_UBER_TRACE_ID, HEADER_X_AMZN_TRACE_ID,
  HEADER_X_B3_TRACEID, HEADER_X_CLOUD_TRACE_CONTEXT, HEADER_X_FORWARDED_FOR, HEADER_X_REAL_IP,
} from './header-ids'
import { REQUEST_INDEX, RESPONSE_INDEX, firstSpan, indexHeaders, onlySpan, rawOf, resetHeaderIndexes, spanCount, valueAt,
  valueLengthOf,
} from './header-index'
import * as L from './layout'
import { loadShort } from './copy'
import { headerAction, writePath, writeQuery, writeText, writeValue } from './privacy'
import { beginRecord, closeEntry, closeText, endRecord, noteMark, notedMarkCount, notedMarks, openEntry, openText, putBool,
  putInt, putOwnText, putSeconds, putText, putTime, putWord, wants,
} from './record'
import { pack, writeAscii } from './short-text'
import { SCHEME_HTTP, SCHEME_HTTPS, hasAuthority, hasPath, hasQuery, hostAt, hostLength, pathAt, pathLength, queryAt,
  queryLength, splitAuthority, splitTarget, targetScheme,
} from './target'

const EXCHANGE = pack('exchange')
const OPEN = pack('open')
const HTTP = pack('http')
const HTTPS = pack('https')
const OTHER = pack('_OTHER')
const GET = pack('GET')
const HEAD = pack('HEAD')
const POST = pack('POST')
const PUT = pack('PUT')
const DELETE = pack('DELETE')
const CONNECT = pack('CONNECT')
const OPTIONS = pack('OPTIONS')
const TRACE = pack('TRACE')
const PATCH = pack('PATCH')
const QUERY = pack('QUERY')

const ODDITY_BITS: u32 = 32
const oddityNames: usize = memory.data(32 * 8) // u32 pointer, u32 length
const scratch: usize = memory.data(64)
const HOST: usize = memory.data<u8>([0x68, 0x6f, 0x73, 0x74])

/** Epoch nanoseconds at 0 of the source's clock. */
let clockZero: i64 = 0

let connection: usize = 0
let request: usize = 0
let response: usize = 0
/** Raw bytes of the request. */
let raw: usize = 0
let client: u32 = 255

/** Sets the epoch nanoseconds at 0 of the clock that blocks are written in. */
export function setClockZero(epochNanoseconds: i64): void {
  clockZero = epochNanoseconds
}

/** Sets the name of ODDITY bit `bit`; the bytes must stay where they are. */
export function setOddityName(bit: u32, name: usize, length: u32): void {
  if (bit >= ODDITY_BITS) return
  store<u32>(oddityNames + bit * 8, <u32>name)
  store<u32>(oddityNames + bit * 8, length, 4)
}

function putTimes(exchange: usize): void {
  const start = load<f64>(exchange, L.EXCHANGE_REQUEST_TIME)
  const answer = load<f64>(exchange, L.EXCHANGE_RESPONSE_TIME)
  const end = load<f64>(exchange, L.EXCHANGE_RESPONSE_END_TIME)
  const first = start >= 0 ? start : answer
  if (first >= 0) putTime(F.FIELD_TIME, clockZero + <i64>first)
  if (start < 0) return
  if (end >= start) putSeconds(F.FIELD_DURATION, <i64>(end - start))
  if (answer >= start) putSeconds(F.FIELD_TIME_TO_FIRST_BYTE, <i64>(answer - start))
}

/** An action that no open one hides: that of the first header of `id`, unless `before` hides already. */
function stricter(before: u32, id: u32): u32 {
  const span = firstSpan(REQUEST_INDEX, id)
  return span != 0 && isOpen(before) ? actionOf(raw, span, REQUEST_INDEX) : before
}

/** client.real_address: of the PROXY header when the peer is trusted, and behind that of the headers, under the same rule. */
function putRealAddress(): void {
  if (client > 1 || !wants(F.FIELD_CLIENT_REAL_ADDRESS)) return
  let peer = connection + L.CONNECTION_ADDRESS + client * 16
  let peerVersion = <u32>load<u8>(connection, L.CONNECTION_IP_VERSION)
  const named = proxiedClient(load<u32>(connection + L.CONNECTION_FACTS, L.FACTS_PROXY))
  const isProxied = named != 0 && isTrusted(peerVersion, peer)
  if (isProxied) {
    peerVersion = <u32>load<u8>(named)
    peer = named + 4
  }
  const version = request == 0 ? 0 : findClient(request, raw, peerVersion, peer)
  if (version != 0) putForwarded(version)
  else if (isProxied && !(isForwarded() && isTrusted(peerVersion, peer))) putProxied(peerVersion, peer)
}

/** True when the request has a header that names its client, readable or not. */
function isForwarded(): bool {
  if (request == 0) return false
  return spanCount(REQUEST_INDEX, HEADER_FORWARDED) != 0 || spanCount(REQUEST_INDEX, HEADER_X_FORWARDED_FOR) != 0 ||
    spanCount(REQUEST_INDEX, HEADER_X_REAL_IP) != 0
}

function putProxied(version: u32, address: usize): void {
  const length = <u32>(writeAddressText(version, address, scratch) - scratch)
  const payload = openText(F.FIELD_CLIENT_REAL_ADDRESS, length)
  if (payload != 0) closeText(F.FIELD_CLIENT_REAL_ADDRESS, payload, writeText(scratch, length, payload))
}

/** Under the actions of all headers that it was taken from. */
function putForwarded(version: u32): void {
  const forwarded = firstSpan(REQUEST_INDEX, HEADER_FORWARDED)
  const list = firstSpan(REQUEST_INDEX, HEADER_X_FORWARDED_FOR)
  const span = forwarded != 0 ? forwarded : list != 0 ? list : firstSpan(REQUEST_INDEX, HEADER_X_REAL_IP)
  const action = stricter(actionOf(raw, span, REQUEST_INDEX), HEADER_X_FORWARDED_FOR)
  if (action == ACTION_DROP) return
  const length = <u32>(writeAddressText(version, clientAddress, scratch) - scratch)
  const payload = openText(F.FIELD_CLIENT_REAL_ADDRESS, length)
  if (payload == 0) return
  closeText(F.FIELD_CLIENT_REAL_ADDRESS, payload, isOpen(action) ? writeText(scratch, length, payload)
    : writeValue(action, scratch, length, payload))
}

function putVersion(): void {
  const head = request != 0 ? request : response
  if (head == 0) return
  const version = <u64>load<u8>(head, L.HEAD_VERSION)
  if (version == L.HEAD_VERSION_HTTP2) return putWord(F.FIELD_NETWORK_PROTOCOL_VERSION, 0x32)
  putWord(F.FIELD_NETWORK_PROTOCOL_VERSION, (0x30 + (version >> 4)) | 0x2e00 | ((0x30 + (version & 15)) << 16))
}

/** True when the exchange stage says that the hook sees one direction only. */
function isOneDirection(exchange: usize): bool {
  const count = <u32>load<u8>(exchange, L.EXCHANGE_MARK_COUNT)
  for (let index: u32 = 0; index < count; index++) {
    if (load<u16>(exchange + L.EXCHANGE_MARKS + index * 4, 2) == F.REASON_HOOK_SEES_ONE_DIRECTION_ONLY) return true
  }
  return false
}

/** What is not known because an index of HPACK names an entry that was never seen, or because it was never sent. */
function notePseudo(head: usize, field: u32): void {
  noteMark(field, load<u16>(head, L.HEAD_UNKNOWN) != 0 ? F.REASON_UNKNOWN_THE_COMPRESSION_TABLE_WAS_NOT_SEEN_WHOLE
    : F.REASON_MALFORMED_MESSAGE)
}

/** Host of :authority: under the action of Host, whose place it takes (RFC 9113 8.3.1). */
function putAuthority(): void {
  if (!wants(F.FIELD_URL_DOMAIN)) return
  splitAuthority(raw + load<u32>(request, L.HEAD_AUTHORITY), load<u32>(request, L.HEAD_AUTHORITY + 4))
  if (hostLength == 0) return
  let action = headerAction(HOST, 4, HEADER_HOST, REQUEST_INDEX)
  if ((load<u8>(request, L.HEAD_SECRET) & L.PSEUDO_AUTHORITY) != 0) action = secretAction(action)
  if (action == ACTION_DROP) return
  const payload = openText(F.FIELD_URL_DOMAIN, hostLength)
  if (payload == 0) return
  closeText(F.FIELD_URL_DOMAIN, payload, isOpen(action) ? writeText(hostAt, hostLength, payload)
    : writeValue(action, hostAt, hostLength, payload))
}

/** RFC 9113 8.3.1: scheme, authority and path stand in pseudo-headers; CONNECT has the authority alone (8.5). */
function putUrl2(isConnect: bool): void {
  const pseudo = <u32>load<u8>(request, L.HEAD_PSEUDO)
  const length = (pseudo & L.PSEUDO_PATH) != 0 ? load<u32>(request, L.HEAD_TARGET + 4) : 0
  splitTarget(raw + load<u32>(request, L.HEAD_TARGET), length, false)
  const scheme = <u32>load<u8>(request, L.HEAD_SCHEME)
  if (scheme == SCHEME_HTTP || scheme == SCHEME_HTTPS) putWord(F.FIELD_URL_SCHEME, scheme == SCHEME_HTTPS ? HTTPS : HTTP)
  if ((pseudo & L.PSEUDO_AUTHORITY) != 0) putAuthority()
  else if (load<u16>(request, L.HEAD_UNKNOWN) == 0) putDomain()
  // Host counts only where there is no :authority, and one may be among what is not known.
  else notePseudo(request, F.FIELD_URL_DOMAIN)
  putPath((load<u8>(request, L.HEAD_SECRET) & L.PSEUDO_PATH) != 0)
  if ((pseudo & L.PSEUDO_PATH) == 0 && !isConnect) notePseudo(request, F.FIELD_URL_PATH)
}

/** Host from the target's authority, else from the one Host field; under Host's action when it came from there. */
function putDomain(): void {
  if (!wants(F.FIELD_URL_DOMAIN)) return
  let action: u32 = 0
  if (!hasAuthority) {
    const span = onlySpan(REQUEST_INDEX, HEADER_HOST)
    if (span == 0) {
      if (spanCount(REQUEST_INDEX, HEADER_HOST) > 1) noteMark(F.FIELD_URL_DOMAIN, F.REASON_MALFORMED_MESSAGE)
      return
    }
    action = actionOf(raw, span, REQUEST_INDEX)
    if (action == ACTION_DROP) return
    splitAuthority(valueAt(raw, span), valueLengthOf(span))
  }
  if (hostLength == 0) return
  const payload = openText(F.FIELD_URL_DOMAIN, hostLength)
  if (payload == 0) return
  const length = hasAuthority || isOpen(action) ? writeText(hostAt, hostLength, payload)
    : writeValue(action, hostAt, hostLength, payload)
  closeText(F.FIELD_URL_DOMAIN, payload, length)
}

function putUrl(exchange: usize, method: u64): void {
  if (load<u8>(request, L.HEAD_VERSION) == L.HEAD_VERSION_HTTP2) return putUrl2(method == CONNECT)
  splitTarget(raw + load<u32>(request, L.HEAD_TARGET), load<u32>(request, L.HEAD_TARGET + 4), method == CONNECT)
  const isSecure = targetScheme == SCHEME_HTTPS
    || targetScheme != SCHEME_HTTP && load<u8>(exchange, L.EXCHANGE_TLS) != 0
  putWord(F.FIELD_URL_SCHEME, isSecure ? HTTPS : HTTP)
  putDomain()
  putPath(false)
}

/** Path and query of the target; `isSecret`: as values that their sender wants nobody to index. */
function putPath(isSecret: bool): void {
  const action = isSecret ? secretAction(ACTION_KEEP) : <u32>ACTION_KEEP
  if (hasPath && wants(F.FIELD_URL_PATH)) {
    const payload = openText(F.FIELD_URL_PATH, pathLength)
    if (payload != 0) {
      closeText(F.FIELD_URL_PATH, payload, action == ACTION_KEEP ? writePath(pathAt, pathLength, payload)
        : writeValue(action, pathAt, pathLength, payload))
    }
  }
  if (hasQuery && wants(F.FIELD_URL_QUERY)) {
    const payload = openText(F.FIELD_URL_QUERY, queryLength)
    if (payload != 0) {
      closeText(F.FIELD_URL_QUERY, payload, action == ACTION_KEEP ? writeQuery(queryAt, queryLength, payload)
        : writeValue(action, queryAt, queryLength, payload))
    }
  }
}

/** The method as one number; 0 = not a known one. */
function knownMethod(): u64 {
  const length = load<u32>(request, L.HEAD_METHOD + 4)
  if (length > 7) return 0
  const method = loadShort(raw + load<u32>(request, L.HEAD_METHOD), length)
  if (method == GET || method == POST || method == HEAD || method == PUT || method == DELETE || method == OPTIONS
    || method == CONNECT || method == PATCH || method == TRACE || method == QUERY) return method
  return 0
}

function putBodySize(field: u32, bytes: f64): void {
  if (bytes >= 0) putInt(field, <i64>bytes)
}

/** Fields of a head: those kept, those over the bound, those not known. */
function fieldCount(head: usize): i64 {
  return <i64>load<u32>(head, L.HEAD_COUNT) + load<u16>(head, L.HEAD_DROPPED) + load<u16>(head, L.HEAD_UNKNOWN)
}

function putRequest(exchange: usize, method: u64): void {
  if (request != 0) {
    const isKnown = load<u8>(request, L.HEAD_VERSION) != L.HEAD_VERSION_HTTP2 || (load<u8>(request, L.HEAD_PSEUDO) & L.PSEUDO_METHOD) != 0
    if (isKnown) putWord(F.FIELD_HTTP_REQUEST_METHOD, method != 0 ? method : OTHER)
    else notePseudo(request, F.FIELD_HTTP_REQUEST_METHOD)
    if (method == 0 && isKnown) {
      putText(F.FIELD_HTTP_REQUEST_METHOD_ORIGINAL, raw + load<u32>(request, L.HEAD_METHOD),
        load<u32>(request, L.HEAD_METHOD + 4))
    }
    putHeaders(F.FIELD_HTTP_REQUEST_HEADER, request, REQUEST_INDEX, false)
    putInt(F.FIELD_HTTP_REQUEST_HEADER_BYTES, load<u32>(request, L.HEAD_RAW_LENGTH))
    putInt(F.FIELD_HTTP_REQUEST_HEADER_COUNT, fieldCount(request))
  }
  putBodySize(F.FIELD_HTTP_REQUEST_BODY_SIZE, load<f64>(exchange, L.EXCHANGE_REQUEST_BODY))
  const trailer = load<u32>(exchange, L.EXCHANGE_REQUEST_TRAILER)
  if (trailer != 0) putHeaders(F.FIELD_HTTP_REQUEST_TRAILER, trailer, REQUEST_INDEX, true)
  putInt(F.FIELD_HTTP_REQUEST_DEPTH, load<u32>(exchange, L.EXCHANGE_DEPTH))
}

function putInterim(exchange: usize): void {
  const count = min<u32>(load<u8>(exchange, L.EXCHANGE_INTERIM_COUNT), 6)
  if (count == 0 || !wants(F.FIELD_HTTP_RESPONSE_INTERIM_STATUS_CODES)) return
  const payload = openEntry(F.FIELD_HTTP_RESPONSE_INTERIM_STATUS_CODES, L.TYPE_INTS, 56)
  if (payload == 0) return
  store<u64>(payload, count)
  for (let index: u32 = 0; index < count; index++) {
    store<i64>(payload + 8 + index * 8, load<u16>(exchange + L.EXCHANGE_INTERIM + index * 2))
  }
  closeEntry(8 + count * 8, 0)
}

function putResponse(exchange: usize): void {
  if (response != 0) {
    if (load<u16>(response, L.HEAD_STATUS) != 0) putInt(F.FIELD_HTTP_RESPONSE_STATUS_CODE, load<u16>(response, L.HEAD_STATUS))
    else notePseudo(response, F.FIELD_HTTP_RESPONSE_STATUS_CODE)
    const phraseLength = load<u32>(response, L.HEAD_METHOD + 4)
    if (phraseLength != 0) {
      putText(F.FIELD_HTTP_RESPONSE_REASON_PHRASE, rawOf(response) + load<u32>(response, L.HEAD_METHOD), phraseLength)
    }
    putHeaders(F.FIELD_HTTP_RESPONSE_HEADER, response, RESPONSE_INDEX, false)
    if (load<u16>(response, L.HEAD_DROPPED) == L.HEAD_CUT) {
      noteMark(F.FIELD_HTTP_RESPONSE_HEADER_BYTES, F.REASON_CUT_MORE_THAN_THE_BOUND)
      noteMark(F.FIELD_HTTP_RESPONSE_HEADER_COUNT, F.REASON_CUT_MORE_THAN_THE_BOUND)
    } else {
      putInt(F.FIELD_HTTP_RESPONSE_HEADER_BYTES, load<u32>(response, L.HEAD_RAW_LENGTH))
      putInt(F.FIELD_HTTP_RESPONSE_HEADER_COUNT, fieldCount(response))
    }
  }
  putBodySize(F.FIELD_HTTP_RESPONSE_BODY_SIZE, load<f64>(exchange, L.EXCHANGE_RESPONSE_BODY))
  const trailer = load<u32>(exchange, L.EXCHANGE_RESPONSE_TRAILER)
  if (trailer != 0) putHeaders(F.FIELD_HTTP_RESPONSE_TRAILER, trailer, RESPONSE_INDEX, true)
  putInterim(exchange)
  const interim = load<u32>(exchange, L.EXCHANGE_INTERIM_HEAD)
  if (interim != 0) putHeaders(F.FIELD_HTTP_RESPONSE_INTERIM_HEADER, interim, RESPONSE_INDEX, true)
}

const SOURCE_ROOM: u32 = 32
const sources: usize = memory.data(7 * 32) // u8 length, then the name of the header that a trace came from

function nameSource(place: u32, name: string): void {
  store<u8>(sources + place * SOURCE_ROOM, <u8>writeAscii(name, sources + place * SOURCE_ROOM + 1))
}

nameSource(0, 'x-datadog-trace-id')
nameSource(1, 'traceparent')
nameSource(2, 'b3')
nameSource(3, 'x-b3-traceid')
nameSource(4, 'uber-trace-id')
nameSource(5, 'x-amzn-trace-id')
nameSource(6, 'x-cloud-trace-context')

function traceSource(id: u32): usize {
  const place: u32 = id == HEADER_TRACEPARENT ? 1 : id == HEADER_B3 ? 2 : id == HEADER_X_B3_TRACEID ? 3
    : id == HEADER_UBER_TRACE_ID ? 4 : id == HEADER_X_AMZN_TRACE_ID ? 5 : id == HEADER_X_CLOUD_TRACE_CONTEXT ? 6 : 0
  return sources + place * SOURCE_ROOM
}

/** trace.* and span.id; nothing when the header that carries the trace id is hidden. */
function putTrace(): void {
  if (request == 0) return
  if (!wants(F.FIELD_TRACE_ID) && !wants(F.FIELD_TRACE_SOURCE) && !wants(F.FIELD_TRACE_SAMPLED)
    && !wants(F.FIELD_SPAN_ID)) return
  const id = findTrace(raw)
  if (id == 0 || !isOpen(actionOf(raw, firstSpan(REQUEST_INDEX, id), REQUEST_INDEX))) return
  putOwnText(F.FIELD_TRACE_ID, traceId, 32)
  const source = traceSource(id)
  putOwnText(F.FIELD_TRACE_SOURCE, source + 1, load<u8>(source))
  if (sampling != SAMPLING_UNKNOWN) putBool(F.FIELD_TRACE_SAMPLED, sampling == SAMPLED)
  if (hasSpanId) putOwnText(F.FIELD_SPAN_ID, spanId, 16)
}

function putOddities(oddities: u32): void {
  if (oddities == 0 || !wants(F.FIELD_ANOMALIES)) return
  let bytes: u32 = 4
  for (let left = oddities; left != 0; left &= left - 1) {
    bytes += 8 + load<u32>(oddityNames + ctz(left) * 8, 4)
  }
  const payload = openEntry(F.FIELD_ANOMALIES, L.TYPE_STRINGS, bytes)
  if (payload == 0) return
  let at = payload + 4
  let count: u32 = 0
  for (let left = oddities; left != 0; left &= left - 1) {
    const name = oddityNames + ctz(left) * 8
    const length = load<u32>(name, 4)
    if (length == 0) continue
    store<u32>(at, length)
    store<u32>(at + 4 + (length & ~3), 0)
    memory.copy(at + 4, load<u32>(name), length)
    at += 4 + ((length + 3) & ~3)
    count++
  }
  store<u32>(payload, count)
  closeEntry(<u32>(at - payload), 0)
}

/** Marks of the exchange, then those that came up here; the first of a field is the one that counts. */
function putMarks(exchange: usize): void {
  const given = min<u32>(load<u8>(exchange, L.EXCHANGE_MARK_COUNT), 16)
  const own = notedMarkCount()
  if (given + own == 0 || !wants(F.FIELD_MARKS)) return
  const bytes = 4 + (given + own) * 4
  const payload = openEntry(F.FIELD_MARKS, L.TYPE_MARKS, bytes)
  if (payload == 0) return
  store<u32>(payload, given + own)
  memory.copy(payload + 4, exchange + L.EXCHANGE_MARKS, given * 4)
  memory.copy(payload + 4 + given * 4, notedMarks(), own * 4)
  closeEntry(bytes, 0)
}

/**
 * Writes the exchange as a record at `pointer` (8-byte aligned). Returns its bytes; 0 = it does not fit in `room`. Room for
 * 9 times the heads (trailers and interim ones too) on the wire + 400 bytes a header field + 16 KiB holds any exchange; one whose values
 * stay as they are needs little more than its heads. `event.sequence` is 0 until `setRecordInt` sets it.
 */
export function writeExchange(exchange: usize, pointer: usize, room: u32): u32 {
  connection = load<u32>(exchange, L.EXCHANGE_CONNECTION)
  request = load<u32>(exchange, L.EXCHANGE_REQUEST)
  response = load<u32>(exchange, L.EXCHANGE_RESPONSE)
  client = load<u8>(connection, L.CONNECTION_CLIENT)
  resetHeaderIndexes()
  if (request != 0) indexHeaders(REQUEST_INDEX, request)
  if (response != 0) indexHeaders(RESPONSE_INDEX, response)
  raw = request != 0 ? rawOf(request) : 0
  const method: u64 = request != 0 ? knownMethod() : 0

  beginRecord(L.KIND_EXCHANGE, pointer, room)
  putWord(F.FIELD_KIND, EXCHANGE)
  putTimes(exchange)
  if ((load<u8>(exchange, L.EXCHANGE_FLAGS) & L.EXCHANGE_FLAG_OPEN) != 0) putWord(F.FIELD_EVENT_NAME, OPEN)
  putInt(F.FIELD_EVENT_SEQUENCE, 0)
  putClient(connection, client)
  putRealAddress()
  const facts = connection + L.CONNECTION_FACTS
  putFacts(load<u32>(facts, L.FACTS_CLIENT_PROCESS))
  putServer(connection, client)
  putFacts(load<u32>(facts, L.FACTS_SERVER_PROCESS))
  putNetwork(connection)
  const protocol = <u32>load<u8>(exchange, L.EXCHANGE_PROTOCOL)
  const isOwn = protocol >= <u32>L.PROTOCOL_OWN
  if (isOwn) {
    putProtocolName(protocol)
  } else {
    putWord(F.FIELD_NETWORK_PROTOCOL_NAME, HTTP)
    putVersion()
  }
  putConnection(connection)
  if (isOneDirection(exchange)) putBool(F.FIELD_NETWORK_ONE_DIRECTION, true)
  if (!isOwn) {
    if (request != 0) putUrl(exchange, method)
    putRequest(exchange, method)
    putResponse(exchange)
    if (load<u32>(exchange, L.EXCHANGE_STREAM) != 0) putInt(F.FIELD_HTTP2_STREAM_ID, load<u32>(exchange, L.EXCHANGE_STREAM))
    putRpc(exchange, request, response)
  }
  putFacts(load<u32>(exchange, L.EXCHANGE_FACTS))
  if (isOwn) putMessages(exchange, request, response)
  putUserAgent(request)
  putTrace()
  putRequestId(request, response)
  putFacts(load<u32>(facts, L.FACTS_TLS))
  putFacts(load<u32>(facts, L.FACTS_PROXY))
  putLink(connection, client)
  putIp(connection, client)
  putTcp(connection, client)
  putOddities(load<u32>(exchange, L.EXCHANGE_ODDITIES))
  putMarks(exchange)
  return endRecord()
}

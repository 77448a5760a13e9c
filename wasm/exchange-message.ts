/** Fields of an exchange of a protocol that the user's own decoder reads: its heads are made by decode/own. */
import { putHeaders } from './exchange-headers'
import * as F from './field-ids.gen'
import { REQUEST_INDEX, RESPONSE_INDEX, rawOf } from './header-index'
import * as L from './layout'
import { writePath } from './privacy'
import { closeText, openText, putInt, putOwnText, putText, wants } from './record'

const names: usize = memory.data(16 * 8) // u32 pointer, u32 length

/** Sets the name of the decoder at `index`; the bytes must stay where they are. */
export function setProtocolName(index: u32, name: usize, length: u32): void {
  if (index >= <u32>L.PROTOCOL_OWN_COUNT) return
  store<u32>(names + index * 8, <u32>name)
  store<u32>(names + index * 8, length, 4)
}

/** network.protocol.name of PROTOCOL_OWN and up. */
export function putProtocolName(protocol: u32): void {
  const index = protocol - L.PROTOCOL_OWN
  if (index >= <u32>L.PROTOCOL_OWN_COUNT) return
  const name = names + index * 8
  if (load<u32>(name, 4) != 0) putOwnText(F.FIELD_NETWORK_PROTOCOL_NAME, load<u32>(name), load<u32>(name, 4))
}

/** message.*: all of the exchange that is not of its connection. */
export function putMessages(exchange: usize, request: usize, response: usize): void {
  if (request != 0) {
    const raw = rawOf(request)
    const methodLength = load<u32>(request, L.HEAD_METHOD + 4)
    if (methodLength != 0) putText(F.FIELD_MESSAGE_REQUEST_METHOD, raw + load<u32>(request, L.HEAD_METHOD), methodLength)
    putPath(raw + load<u32>(request, L.HEAD_TARGET), load<u32>(request, L.HEAD_TARGET + 4))
    putHeaders(F.FIELD_MESSAGE_REQUEST_HEADER, request, REQUEST_INDEX, false)
  }
  putSize(F.FIELD_MESSAGE_REQUEST_BODY_SIZE, load<f64>(exchange, L.EXCHANGE_REQUEST_BODY))
  if (response != 0) {
    const length = load<u32>(response, L.HEAD_METHOD + 4)
    if (length != 0) putText(F.FIELD_MESSAGE_RESPONSE_STATUS, rawOf(response) + load<u32>(response, L.HEAD_METHOD), length)
    putHeaders(F.FIELD_MESSAGE_RESPONSE_HEADER, response, RESPONSE_INDEX, false)
  }
  putSize(F.FIELD_MESSAGE_RESPONSE_BODY_SIZE, load<f64>(exchange, L.EXCHANGE_RESPONSE_BODY))
}

function putPath(path: usize, length: u32): void {
  if (length == 0 || !wants(F.FIELD_MESSAGE_REQUEST_PATH)) return
  const payload = openText(F.FIELD_MESSAGE_REQUEST_PATH, length)
  if (payload != 0) closeText(F.FIELD_MESSAGE_REQUEST_PATH, payload, writePath(path, length, payload))
}

function putSize(field: u32, bytes: f64): void {
  if (bytes >= 0) putInt(field, <i64>bytes)
}

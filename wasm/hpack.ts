/**
 * The HPACK decoder (RFC 7541): a header block and the dynamic table of its direction → one HEAD block (layout.ts), as head.ts
 * makes it of HTTP/1. Names and values lie decoded in the block's raw bytes; pseudo-headers (RFC 9113 8.3) stand in the places
 * of the first line. No copy of a field is made that the block does not need.
 *
 * What an index names that is not known (hpack-table.ts) is left out and counted in HEAD_UNKNOWN; nothing is guessed.
 *
 * Reads up to 32 bytes beyond the input: those must lie inside the memory.
 */
import { alloc, reserve } from './allocator'
import { copyOver, equalBytes } from './copy'
import { HEAD_BYTES_MAX, HEADER_COUNT_MAX } from './head-contract'
import {
  HPACK_BLOCK_BYTES_MAX, HPACK_BOUND, HPACK_DECODED_BYTES_MAX, HPACK_ERROR_BOUND, HPACK_ERROR_HUFFMAN, HPACK_ERROR_INDEX,
  HPACK_ERROR_INTEGER, HPACK_ERROR_TRUNCATED, HPACK_ERROR_UPDATE, HPACK_INFO_BLOCK, HPACK_INFO_BYTES, HPACK_INFO_FLAGS,
  HPACK_INFO_INDEX, HPACK_INFO_UPDATE, HPACK_OK, HPACK_UNKNOWN,
} from './hpack-contract'
import {
  PSEUDO_AUTHORITY, PSEUDO_BASE, PSEUDO_METHOD, PSEUDO_OTHER, PSEUDO_PATH, PSEUDO_PROTOCOL, PSEUDO_SCHEME, PSEUDO_STATUS,
  STATIC_COUNT, fieldId, staticEntry,
} from './hpack-static'
import {
  DYNAMIC_FLAGS, DYNAMIC_ID, DYNAMIC_NAMELESS, DYNAMIC_NAME_LENGTH, DYNAMIC_ODDITIES, DYNAMIC_VALUE_LENGTH, dynamicEntry,
  dynamicText, insertEntry, isWhole, loseHpackTable, resizeTable,
} from './hpack-table'
import { decodeHuffman } from './hpack-huffman'
import { HEADER_CONNECTION, HEADER_HOST, HEADER_KEEP_ALIVE, HEADER_PROXY_CONNECTION, HEADER_TRANSFER_ENCODING, HEADER_UPGRADE,
} from './header-ids'
import * as L from './layout'
import { controlBits, tokenEnd } from './start-line'
import { schemeOf } from './target'

/** An integer up to this is read; no length or index can be more. */
const INTEGER_MAX: u32 = 1 << 28
const NAME_BYTES_MAX: u32 = 0xffff

const info: usize = memory.data(HPACK_INFO_BYTES, 16)
const spans = reserve(HEADER_COUNT_MAX * L.SPAN_BYTES)
/** Decoded texts of the block under way: one field may lie behind the bound before it is dropped. */
const raw = reserve(HEAD_BYTES_MAX + 2 * HPACK_BLOCK_BYTES_MAX + 131072)

// The decode under way.
let at: usize = 0
let end: usize = 0
let cursor: usize = 0
let kept: u32 = 0
let dropped: u32 = 0
let unknown: u32 = 0
let decoded: u32 = 0
let oddities: u32 = 0
let flags: u32 = 0
let pseudos: u32 = 0
let secrets: u32 = 0
let hasRegular: bool = false
let fault: i32 = 0
// The field under way.
let nameAt: usize = 0
let nameLength: u32 = 0
let nameNumber: u32 = 0
let isNameless: bool = false
let valueAt: usize = 0
let valueLength: u32 = 0
let textOddities: u32 = 0

/** Where the last decode is told: the first HEAD_SPANS bytes of its block, then HPACK_INFO_* (hpack-contract.ts). */
export function hpackInfo(): usize {
  return info
}

/** RFC 7541 5.1. Sets `fault` when there is none. */
function readInteger(prefix: u32): u32 {
  const mask: u32 = (1 << prefix) - 1
  const first = <u32>load<u8>(at++) & mask
  if (first < mask) return first
  let value: u64 = mask
  for (let shift: u64 = 0; shift <= 28; shift += 7) {
    if (at >= end) {
      fault = HPACK_ERROR_TRUNCATED
      return 0
    }
    const byte = <u64>load<u8>(at++)
    value += (byte & 127) << shift
    if ((byte & 128) == 0) {
      if (value <= INTEGER_MAX) return <u32>value
      break
    }
  }
  fault = HPACK_ERROR_INTEGER
  return 0
}

/** RFC 7541 5.2: decodes a string to the cursor, which moves behind it. Result: its length; sets `fault`. */
function readString(): u32 {
  if (at >= end) {
    fault = HPACK_ERROR_TRUNCATED
    return 0
  }
  const isHuffman = (load<u8>(at) & 128) != 0
  const length = readInteger(7)
  if (fault != 0) return 0
  if (length > <u32>(end - at)) {
    fault = HPACK_ERROR_TRUNCATED
    return 0
  }
  let bytes = length
  if (isHuffman) {
    const result = decodeHuffman(at, length, cursor)
    if (result < 0) {
      fault = HPACK_ERROR_HUFFMAN
      return 0
    }
    bytes = <u32>result
  } else {
    copyOver(cursor, at, length)
  }
  at += length
  cursor += bytes
  return bytes
}

/** Copies what an index names to the cursor: the name, and the value too when `withValue`. False = it is not known. */
function take(table: usize, index: u32, withValue: bool): bool {
  nameAt = cursor
  if (index <= STATIC_COUNT) {
    const entry = staticEntry(index)
    nameLength = load<u16>(entry, 4)
    nameNumber = load<u16>(entry, 6)
    copyOver(cursor, load<u32>(entry), nameLength)
    cursor += nameLength
    valueAt = cursor
    valueLength = load<u32>(entry, 12)
    if (withValue) {
      copyOver(cursor, load<u32>(entry, 8), valueLength)
      cursor += valueLength
    }
    return true
  }
  const entry = dynamicEntry(table, index - STATIC_COUNT - 1)
  if (entry == 0) {
    // Beyond a window that holds everything: the encoder and this table are not in step.
    if (isWhole(table)) {
      flags |= HPACK_INFO_INDEX
      loseHpackTable(table)
    }
    return false
  }
  if ((load<u32>(entry, DYNAMIC_FLAGS) & DYNAMIC_NAMELESS) != 0) return false
  nameLength = load<u16>(entry, DYNAMIC_NAME_LENGTH)
  nameNumber = load<u16>(entry, DYNAMIC_ID)
  valueLength = load<u32>(entry, DYNAMIC_VALUE_LENGTH)
  textOddities = load<u32>(entry, DYNAMIC_ODDITIES) & (withValue ? ~0 : L.ODDITY_NAME_INVALID)
  const bytes = withValue ? nameLength + valueLength : nameLength
  copyOver(cursor, dynamicText(table, entry), bytes)
  valueAt = cursor + nameLength
  cursor += bytes
  return true
}

function checkName(): void {
  const stop = nameAt + nameLength
  let from = nameAt
  if (nameNumber >= PSEUDO_BASE) return
  if (nameLength == 0 || tokenEnd(from, stop) < stop) textOddities |= L.ODDITY_NAME_INVALID
  // RFC 9113 8.2.1: no capitals.
  for (; from < stop; from += 16) {
    const chunk = v128.load(from)
    const bits = <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x41)), i8x16.splat(26)))
    if (bits != 0 && from + ctz(bits) < stop) textOddities |= L.ODDITY_NAME_INVALID
  }
}

function checkValue(): void {
  const stop = valueAt + valueLength
  for (let from = valueAt; from < stop; from += 16) {
    const bits = controlBits(from)
    if (bits != 0 && from + ctz(bits) < stop) textOddities |= L.ODDITY_VALUE_INVALID
  }
}

/** RFC 7541 6.2: a literal whose name is `index`, or follows. */
function readLiteral(table: usize, index: u32): void {
  isNameless = false
  if (index == 0) {
    nameAt = cursor
    nameLength = readString()
    if (fault != 0) return
    if (nameLength > NAME_BYTES_MAX) {
      isNameless = true
      cursor = nameAt
      nameLength = 0
      oddities |= L.ODDITY_NAME_INVALID
    } else {
      nameNumber = fieldId(nameAt, nameLength)
      checkName()
    }
  } else if (!take(table, index, false)) {
    isNameless = true
    nameLength = 0
    nameNumber = 0
  }
  valueAt = cursor
  valueLength = readString()
  if (fault == 0) checkValue()
}

function keepPseudo(isSecret: bool): void {
  const bit: u32 = 1 << (nameNumber - PSEUDO_METHOD)
  if (nameNumber == PSEUDO_OTHER || hasRegular || (pseudos & bit) != 0) {
    oddities |= L.ODDITY_PSEUDO_HEADER
    // The first one stands, wherever it was.
    if (nameNumber == PSEUDO_OTHER || (pseudos & bit) != 0) return
  }
  pseudos |= bit
  if (isSecret) secrets |= bit
  const offset = <u32>(valueAt - raw)
  if (nameNumber == PSEUDO_METHOD) {
    store<u32>(info, offset, L.HEAD_METHOD)
    store<u32>(info, valueLength, L.HEAD_METHOD + 4)
  } else if (nameNumber == PSEUDO_PATH) {
    store<u32>(info, offset, L.HEAD_TARGET)
    store<u32>(info, valueLength, L.HEAD_TARGET + 4)
  } else if (nameNumber == PSEUDO_AUTHORITY) {
    store<u32>(info, offset, L.HEAD_AUTHORITY)
    store<u32>(info, valueLength, L.HEAD_AUTHORITY + 4)
  } else if (nameNumber == PSEUDO_SCHEME) {
    store<u8>(info, schemeOf(valueAt, valueLength) as u8, L.HEAD_SCHEME)
  } else if (nameNumber == PSEUDO_STATUS) {
    keepStatus()
  }
}

function keepStatus(): void {
  let status: u32 = 0
  for (let index: u32 = 0; index < 3 && index < valueLength; index++) {
    const digit = <u32>load<u8>(valueAt + index) - 0x30
    if (digit > 9) return badStatus()
    status = status * 10 + digit
  }
  if (valueLength != 3 || status < 100) return badStatus()
  store<u16>(info, status as u16, L.HEAD_STATUS)
}

function badStatus(): void {
  oddities |= L.ODDITY_PSEUDO_HEADER
}

/** RFC 9113 8.2.2: fields of a connection have no place in HTTP/2. */
// @ts-ignore: decorator
@inline
function isOfConnection(id: u32): bool {
  return id == HEADER_CONNECTION || id == HEADER_TRANSFER_ENCODING || id == HEADER_UPGRADE || id == HEADER_KEEP_ALIVE
    || id == HEADER_PROXY_CONNECTION
}

/** Keeps the field under way, whose texts begin at `from`. */
function keep(from: usize, isSecret: bool): void {
  decoded += <u32>(cursor - from)
  if (decoded > (HPACK_DECODED_BYTES_MAX as u32)) fault = HPACK_ERROR_BOUND
  oddities |= textOddities
  if (<u32>(cursor - raw) > (HEAD_BYTES_MAX as u32) || kept >= (HEADER_COUNT_MAX as u32)) {
    oddities |= L.ODDITY_HEADERS_OVER_BOUND
    dropped++
    cursor = from
    return
  }
  if (nameNumber >= PSEUDO_BASE) return keepPseudo(isSecret)
  hasRegular = true
  if (isOfConnection(nameNumber)) oddities |= L.ODDITY_CONNECTION_FIELD
  const span = spans + ((kept++) << 4)
  store<u32>(span, <u32>(nameAt - raw), L.SPAN_NAME)
  store<u32>(span, nameLength | (nameNumber << 16) | (isSecret ? L.SPAN_SECRET << 16 : 0), L.SPAN_NAME_LENGTH)
  store<u32>(span, <u32>(valueAt - raw), L.SPAN_VALUE)
  store<u32>(span, valueLength, L.SPAN_VALUE_LENGTH)
}

function readField(table: usize, byte: u32): void {
  const from = cursor
  textOddities = 0
  if ((byte & 0x80) != 0) {
    const index = readInteger(7)
    if (fault != 0) return
    if (index == 0) {
      fault = HPACK_ERROR_INDEX
      return
    }
    if (take(table, index, true)) keep(from, false)
    else unknown++
    return
  }
  const isIndexed = (byte & 0x40) != 0
  const index = readInteger(isIndexed ? 6 : 4)
  if (fault == 0) readLiteral(table, index)
  if (fault != 0) return
  if (isIndexed) {
    insertEntry(table, nameAt, nameLength, nameNumber, valueAt, valueLength, textOddities, isNameless ? DYNAMIC_NAMELESS : 0)
  }
  if (!isNameless) return keep(from, (byte & 0xf0) == 0x10)
  unknown++
  cursor = from
}

function updateSize(table: usize, isFirst: bool): void {
  const size = readInteger(5)
  if (fault != 0) return
  if (!isFirst) {
    fault = HPACK_ERROR_UPDATE
    return
  }
  const bound = load<u32>(table, HPACK_BOUND)
  if (bound != HPACK_UNKNOWN && size > bound) flags |= HPACK_INFO_UPDATE
  resizeTable(table, size)
}

/**
 * Decodes the `length` bytes of a header block at `from`, its table being `table`. Result: HPACK_OK, or HPACK_ERROR_*: then
 * the table is distrusted, and the fields before the error stand in the block, with one more counted as unknown. The caller owns
 * the block at HPACK_INFO_BLOCK: free(block, HEAD_BYTES).
 */
export function decodeBlock(table: usize, from: usize, length: u32): i32 {
  memory.fill(info, 0, HPACK_INFO_BYTES)
  at = from
  end = from + length
  cursor = raw
  kept = 0
  dropped = 0
  unknown = 0
  decoded = 0
  oddities = 0
  flags = 0
  pseudos = 0
  secrets = 0
  hasRegular = false
  fault = HPACK_OK
  let isFirst = true
  while (at < end) {
    const byte = <u32>load<u8>(at)
    if ((byte & 0xe0) == 0x20) updateSize(table, isFirst)
    else {
      isFirst = false
      readField(table, byte)
    }
    if (fault != 0) {
      unknown++
      loseHpackTable(table)
      break
    }
  }
  finish(length)
  return fault
}

/** A Host field beside another :authority: recipients differ about which counts (RFC 9113 8.3.1). */
function hasOtherHost(): bool {
  const authority = load<u32>(info, L.HEAD_AUTHORITY + 4)
  for (let index: u32 = 0; index < kept; index++) {
    const span = spans + (index << 4)
    if ((<u32>load<u16>(span, L.SPAN_NAME_ID) & L.SPAN_ID_MASK) != HEADER_HOST) continue
    if (load<u32>(span, L.SPAN_VALUE_LENGTH) != authority) return true
    if (!equalBytes(raw + load<u32>(span, L.SPAN_VALUE), raw + load<u32>(info, L.HEAD_AUTHORITY), authority)) return true
  }
  return false
}

function finish(length: u32): void {
  if ((pseudos & L.PSEUDO_AUTHORITY) != 0 && hasOtherHost()) oddities |= L.ODDITY_HOST_DIFFERS
  const rawLength = <u32>(cursor - raw)
  const bytes = L.HEAD_SPANS + (kept << 4) + rawLength
  store<u32>(info, bytes, L.HEAD_BYTES)
  store<u32>(info, length, L.HEAD_RAW_LENGTH)
  store<u32>(info, kept, L.HEAD_COUNT)
  const isRequest = (pseudos & ~L.PSEUDO_STATUS) != 0
  const kind = (pseudos & L.PSEUDO_STATUS) != 0 ? L.HEAD_KIND_RESPONSE : isRequest ? L.HEAD_KIND_REQUEST : L.HEAD_KIND_TRAILER
  store<u8>(info, kind as u8, L.HEAD_KIND)
  store<u8>(info, L.HEAD_VERSION_HTTP2, L.HEAD_VERSION)
  store<u32>(info, oddities, L.HEAD_ODDITIES)
  store<u16>(info, min<u32>(dropped, L.HEAD_CUT - 1) as u16, L.HEAD_DROPPED)
  store<f64>(info, -1, L.HEAD_CONTENT_LENGTH)
  store<u16>(info, min<u32>(unknown, 0xffff) as u16, L.HEAD_UNKNOWN)
  store<u8>(info, pseudos as u8, L.HEAD_PSEUDO)
  store<u8>(info, secrets as u8, L.HEAD_SECRET)
  store<u32>(info, flags, HPACK_INFO_FLAGS)
  const block = alloc(bytes)
  store<u32>(info, block as u32, HPACK_INFO_BLOCK)
  if (block == 0) return
  copyOver(block, info, L.HEAD_SPANS)
  copyOver(block + L.HEAD_SPANS, spans, kept << 4)
  // A block has room for the last step of 16: each of its size classes is a multiple of 16.
  copyOver(block + L.HEAD_SPANS + (kept << 4), raw, rawLength)
}

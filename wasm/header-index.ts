/** Where the known headers of one head stand: built in one pass, asked by id. One index for a request, one for a response. */
import { HEADER_COUNT } from './header-ids'
import { HEAD_COUNT, HEAD_SPANS, SPAN_BYTES, SPAN_ID_MASK, SPAN_NAME, SPAN_NAME_ID, SPAN_NAME_LENGTH, SPAN_VALUE,
  SPAN_VALUE_LENGTH,
} from './layout'

export const REQUEST_INDEX: u32 = 0
export const RESPONSE_INDEX: u32 = 1

// Per index and id: u32 run (the entry counts only in its own run), u32 first span, u32 how often, u32 what was written.
const ENTRY_BYTES: u32 = 16
const INDEX_BYTES: u32 = (HEADER_COUNT + 1) * ENTRY_BYTES
const table: usize = memory.data(2 * (HEADER_COUNT + 1) * 16)
/** Number of the current exchange in the table. */
let run: u32 = 0

// @ts-ignore: decorator
@inline
function entryOf(index: u32, id: u32): usize {
  return table + index * INDEX_BYTES + id * ENTRY_BYTES
}

/** Forgets both indexes. */
export function resetHeaderIndexes(): void {
  run++
  if (run == 0) {
    memory.fill(table, 0, 2 * INDEX_BYTES)
    run = 1
  }
}

export function indexHeaders(index: u32, head: usize): void {
  const end = head + HEAD_SPANS + load<u32>(head, HEAD_COUNT) * SPAN_BYTES
  for (let span = head + HEAD_SPANS; span < end; span += SPAN_BYTES) {
    const id = <u32>load<u16>(span, SPAN_NAME_ID) & SPAN_ID_MASK
    if (id == 0 || id > <u32>HEADER_COUNT) continue
    const entry = entryOf(index, id)
    if (load<u32>(entry) == run) {
      store<u32>(entry, load<u32>(entry, 8) + 1, 8)
      continue
    }
    store<u32>(entry, run)
    store<u32>(entry, <u32>span, 4)
    store<u32>(entry, 1, 8)
    store<u32>(entry, 0, 12)
  }
}

/** First span of a header; 0 = it is not there. */
export function firstSpan(index: u32, id: u32): usize {
  const entry = entryOf(index, id)
  return load<u32>(entry) == run ? <usize>load<u32>(entry, 4) : 0
}

/** The span of a header that is there exactly once; 0 = it is not there or ambiguous. */
export function onlySpan(index: u32, id: u32): usize {
  const entry = entryOf(index, id)
  return load<u32>(entry) == run && load<u32>(entry, 8) == 1 ? <usize>load<u32>(entry, 4) : 0
}

/** How often a header is there. */
export function spanCount(index: u32, id: u32): u32 {
  const entry = entryOf(index, id)
  return load<u32>(entry) == run ? load<u32>(entry, 8) : 0
}

/** Notes where the first field of `id` stands in the headers value of the record. */
export function noteWritten(index: u32, id: u32, span: usize, field: usize): void {
  if (id == 0 || id > <u32>HEADER_COUNT) return
  const entry = entryOf(index, id)
  if (load<u32>(entry) == run && load<u32>(entry, 4) == <u32>span) store<u32>(entry, <u32>field, 12)
}

/** Place noted for the first field of `id`; 0 = none. */
export function writtenField(index: u32, id: u32): usize {
  const entry = entryOf(index, id)
  return load<u32>(entry) == run ? <usize>load<u32>(entry, 12) : 0
}

/** Address of the raw bytes that spans of `head` point into. */
// @ts-ignore: decorator
@inline
export function rawOf(head: usize): usize {
  return head + HEAD_SPANS + load<u32>(head, HEAD_COUNT) * SPAN_BYTES
}

// @ts-ignore: decorator
@inline
export function nameOf(raw: usize, span: usize): usize {
  return raw + load<u32>(span, SPAN_NAME)
}

// @ts-ignore: decorator
@inline
export function nameLengthOf(span: usize): u32 {
  return load<u16>(span, SPAN_NAME_LENGTH)
}

// @ts-ignore: decorator
@inline
export function valueAt(raw: usize, span: usize): usize {
  return raw + load<u32>(span, SPAN_VALUE)
}

// @ts-ignore: decorator
@inline
export function valueLengthOf(span: usize): u32 {
  return load<u32>(span, SPAN_VALUE_LENGTH)
}

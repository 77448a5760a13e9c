import { hash } from 'node:crypto'
import type { Output } from '../../../../lib/protobuf/mod.ts'
import type { RecordReader } from './record-reader.ts'
import { slot } from './slots.ts'

const TRACE_ID = slot('trace.id')
const SPAN_ID = slot('span.id')
export const TRACE_BYTES = 16
export const SPAN_BYTES = 8

/**
 * The ids that are made for a record: they come from its id alone, so they are the same each time that it is sent, and as random as a
 * hash is (samplers look at the last bytes of a trace id).
 */
export function madeIds(id: string): Buffer {
  return hash('sha256', id, 'buffer')
}

/** The id of the span that is made of a record: SPAN_BYTES. */
export function madeSpanId(made: Buffer): Buffer {
  return made.subarray(0, SPAN_BYTES)
}

/** Appends the trace id that the request carried; false where it carried none, or what is there is no id of 16 bytes. */
export function carriedTraceId(reader: RecordReader, out: Output): boolean {
  return reader.hexTo(out, TRACE_ID, TRACE_BYTES)
}

/** Appends a trace id that is made up. */
export function madeTraceId(made: Buffer, out: Output): void {
  out.copy(made, SPAN_BYTES, SPAN_BYTES + TRACE_BYTES)
}

/** Appends the id of the caller's span; false where the request carried none, or what is there is no id of 8 bytes. */
export function carriedSpanId(reader: RecordReader, out: Output): boolean {
  return reader.hexTo(out, SPAN_ID, SPAN_BYTES)
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEAD_BYTES_MAX, HEADER_COUNT_MAX } from '../../../wasm/head-contract.ts'
import * as L from '../../../wasm/layout.ts'
import type { DecodedMessage } from './contract.ts'
import { ContractError } from './failure-watch.ts'

const NAME_BYTES_MAX = 256

/** A message's texts, checked and as bytes. */
interface Parts {
  readonly first: Uint8Array
  readonly second: Uint8Array
  readonly fields: readonly (readonly [name: Uint8Array, value: Uint8Array])[]
  readonly bytes: number
}

/**
 * The HEAD block (wasm/layout.ts) of a message of the user's own protocol: its method or status where HTTP has method or reason
 * phrase, its path where HTTP has the target.
 *
 * @returns its address; 0 when the memory limit refused it
 * @throws {ContractError} saying what of the message cannot be used
 */
export function messageHead(memory: ByteMemory, message: DecodedMessage): number {
  const parts = partsOf(message)
  const count = parts.fields.length
  const bytes = L.HEAD_SPANS + count * L.SPAN_BYTES + parts.bytes
  const block = memory.allocator.alloc(bytes)
  if (block === 0) return 0
  const { u8, u16, u32, f64 } = memory
  u8.fill(0, block, block + L.HEAD_SPANS)
  u32[(block + L.HEAD_BYTES) >>> 2] = bytes
  u32[(block + L.HEAD_RAW_LENGTH) >>> 2] = parts.bytes
  u32[(block + L.HEAD_COUNT) >>> 2] = count
  u8[block + L.HEAD_KIND] = message.kind === 'request' ? L.HEAD_KIND_REQUEST : L.HEAD_KIND_RESPONSE
  f64[(block + L.HEAD_CONTENT_LENGTH) >>> 3] = -1
  const raw = block + L.HEAD_SPANS + count * L.SPAN_BYTES
  let at = raw
  const put = (text: Uint8Array): number => {
    u8.set(text, at)
    at += text.length
    return at - text.length - raw
  }
  const span = (word: number, text: Uint8Array): void => {
    u32[(block + word) >>> 2] = put(text)
    u32[(block + word + 4) >>> 2] = text.length
  }
  span(L.HEAD_METHOD, parts.first)
  span(L.HEAD_TARGET, parts.second)
  const { nameId } = memory.exports<{ nameId(pointer: number, length: number): number }>()
  parts.fields.forEach(([name, value], index) => {
    const entry = block + L.HEAD_SPANS + index * L.SPAN_BYTES
    u32[(entry + L.SPAN_NAME) >>> 2] = put(name)
    u16[(entry + L.SPAN_NAME_LENGTH) >>> 1] = name.length
    u16[(entry + L.SPAN_NAME_ID) >>> 1] = nameId(at - name.length, name.length)
    u32[(entry + L.SPAN_VALUE) >>> 2] = put(value)
    u32[(entry + L.SPAN_VALUE_LENGTH) >>> 2] = value.length
  })
  return block
}

function partsOf(message: DecodedMessage): Parts {
  const isRequest = message.kind === 'request'
  const first = isRequest ? text('method', message.method) : text('status', statusText(message.status))
  const second = isRequest ? text('path', message.path) : new Uint8Array(0)
  const fields: [Uint8Array, Uint8Array][] = []
  let bytes = first.length + second.length
  for (const field of headersOf(message)) {
    if (!Array.isArray(field) || field.length !== 2) refuse('a header must be [name, value]')
    const [name, value] = field as readonly unknown[]
    const nameBytes = text('a header name', name)
    if (nameBytes.length === 0 || nameBytes.length > NAME_BYTES_MAX) refuse(`a header name must have 1 to ${NAME_BYTES_MAX} bytes`)
    const given = value instanceof Uint8Array ? value : text('a header value', value)
    bytes += nameBytes.length + given.length
    if (bytes > HEAD_BYTES_MAX) refuse(`it must have ${HEAD_BYTES_MAX} bytes at most`)
    // A copy: the decoder's own buffer may have another length by the time it is read.
    const valueBytes = new Uint8Array(given)
    if (fields.push([nameBytes, valueBytes]) > HEADER_COUNT_MAX) refuse(`it must have ${HEADER_COUNT_MAX} headers at most`)
  }
  if (bytes > HEAD_BYTES_MAX) refuse(`it must have ${HEAD_BYTES_MAX} bytes at most`)
  return { first, second, fields, bytes }
}

function headersOf({ headers }: DecodedMessage): Iterable<unknown> {
  if (headers === undefined) return []
  if (typeof headers !== 'object' || headers === null || typeof headers[Symbol.iterator] !== 'function') {
    refuse('headers must be a Map or a list of [name, value]')
  }
  return headers
}

function statusText(status: unknown): unknown {
  return typeof status === 'number' ? String(status) : status
}

function text(what: string, value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array(0)
  if (typeof value !== 'string') refuse(`${what} must be a string`)
  return Buffer.from(value)
}

/** Lintel's own words: nothing of the message is in them. */
export function refuse(what: string): never {
  throw new ContractError(`a message that cannot be used: ${what}`)
}

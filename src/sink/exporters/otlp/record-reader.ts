import { FieldCopier } from '../../../../lib/record/mod.ts'
import type { Output } from '../../../../lib/protobuf/mod.ts'
import { ownLineArea } from '../../own-line-area.ts'
import { SECONDS, SLOTS } from './slots.ts'

const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/** `time` is no attribute: log records and spans have it. */
const KNOWN = SLOTS.map(name => ({ name, isApart: name === 'time', isDouble: SECONDS.includes(name) }))
let copier: FieldCopier | undefined

/**
 * Reads a line of NDJSON once and makes attributes of it: a KeyValue for each field, its name with dots; of a headers field one for each
 * header, an array of texts. No object is made for a field, and no string.
 *
 * The lines are those of the encoder, so without white space between tokens. What is told is of the line that was read last, by whatever
 * reader of this thread.
 */
export class RecordReader {
  readonly #copier = copier ??= new FieldCopier(ownLineArea(), 'protobuf', KNOWN)
  /** The attributes of the record at hand. */
  attributes: Buffer = Buffer.alloc(0)
  #line: Buffer = Buffer.alloc(0)

  /** @returns false when the line is no record */
  read(line: Buffer): boolean {
    if (!this.#copier.copy(line)) return false
    this.attributes = this.#copier.bytes
    this.#line = line
    return true
  }

  /** Attributes there are. */
  get count(): number {
    return this.#copier.count
  }

  /** Where the tag of an attribute stands in them. */
  tagAt(index: number): number {
    return this.#copier.tagAt(index)
  }

  has(name: number): boolean {
    return this.#copier.start(name) !== 0
  }

  /** A text of ASCII, as names, ids, methods are; undefined = the field is not there. */
  ascii(name: number): string | undefined {
    const start = this.#start(name)
    return start === 0 ? undefined : this.#line.toString('latin1', start, this.#end(name))
  }

  /** Any text. */
  text(name: number): string | undefined {
    const start = this.#start(name)
    if (start === 0) return undefined
    const text = this.#line.toString('utf8', start, this.#end(name))
    return text.includes('\\') ? JSON.parse(`"${text}"`) as string : text
  }

  /** Appends the text. */
  copyTo(out: Output, name: number): void {
    const [start, end] = [this.#start(name), this.#end(name)]
    out.reserve(end - start)
    if (this.#line.subarray(start, end).includes(BACKSLASH)) out.at += out.bytes.write(this.text(name) as string, out.at)
    else out.copy(this.#line, start, end)
  }

  is(name: number, expected: Buffer): boolean {
    const [start, end] = [this.#start(name), this.#end(name)]
    if (start === 0 || end - start !== expected.length) return false
    for (let index = 0; index < expected.length; index++) if (this.#line[start + index] !== expected[index]) return false
    return true
  }

  /** Bytes from hexadecimal digits in either case, to the end of `out`; false, and nothing written, when it is not just these, or all 0. */
  hexTo(out: Output, name: number, bytes: number): boolean {
    const [start, end] = [this.#start(name), this.#end(name)]
    if (end - start !== bytes * 2) return false
    const before = out.at
    let isAny = 0
    for (let at = start; at < end; at += 2) {
      const byte = hexDigit(this.#line[at] as number) << 4 | hexDigit(this.#line[at + 1] as number)
      if (byte < 0) {
        out.at = before
        return false
      }
      isAny |= byte
      out.byte(byte)
    }
    if (isAny === 0) out.at = before
    return isAny !== 0
  }

  /** Of a text behind the quote; 0 = the field is not there. */
  #start(name: number): number {
    const start = this.#copier.start(name)
    return start !== 0 && this.#line[start] === QUOTE ? start + 1 : start
  }

  /** Of a text before the quote. */
  #end(name: number): number {
    const end = this.#copier.end(name)
    return end !== 0 && this.#line[end - 1] === QUOTE ? end - 1 : end
  }
}

/** Negative when it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -256
}

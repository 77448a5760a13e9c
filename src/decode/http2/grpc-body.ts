import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEAD_COUNT, HEAD_KIND_TRAILER } from '../../../wasm/layout.ts'
import { Carry } from '../carry.ts'
import { HeadScanner } from '../http1/mod.ts'

const PREFIX_BYTES = 5
/** gRPC-Web: the frame holds the trailer section as text. */
const FLAG_TRAILER = 0x80
const TRAILER_BYTES_MAX = 65_536
const LINE_END = Buffer.from('\r\n', 'latin1')

/**
 * The body of a gRPC message: length-prefixed messages, counted (gRPC over HTTP/2, Length-Prefixed-Message). In gRPC-Web
 * the last one is the trailer section. Bytes that were not seen end the count, unless they lie within one message.
 *
 * Holds a prefix, or a trailer section of up to TRAILER_BYTES_MAX bytes.
 */
export class GrpcBody {
  readonly #memory: ByteMemory
  readonly #scanner: HeadScanner
  #prefix = 0
  #flag = 0
  #length = 0
  /** Bytes of the message under way that are still to come. */
  #left = 0
  #count = 0
  #isKnown = true
  #trailer: Carry | undefined
  /** Trailer block of gRPC-Web; whoever takes it frees it. */
  trailer = 0

  constructor(memory: ByteMemory, scanner: HeadScanner) {
    this.#memory = memory
    this.#scanner = scanner
  }

  /** Whole messages so far; -1 = not known. */
  get count(): number {
    return this.#isKnown ? this.#count : -1
  }

  /** Bytes that may go by unseen. */
  get skippable(): number {
    return this.#isKnown ? (this.#trailer === undefined ? this.#left : 0) : Infinity
  }

  /** Body bytes: at `pointer`, or unseen when it is 0. */
  take(pointer: number, length: number): void {
    if (!this.#isKnown) return
    if (pointer === 0) {
      if (length > this.#left || this.#trailer !== undefined) return this.lose()
      this.#left -= length
      if (this.#left === 0) this.#end()
      return
    }
    const u8 = this.#memory.u8
    const end = pointer + length
    for (let at = pointer; at < end && this.#isKnown;) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, end - at)
        if (this.#trailer !== undefined && !this.#trailer.append(at, part)) return this.lose()
        this.#left -= part
        at += part
        if (this.#left === 0) this.#end()
        continue
      }
      const byte = u8[at++]!
      if (this.#prefix === 0) this.#flag = byte
      else this.#length = this.#length * 256 + byte
      if (++this.#prefix === PREFIX_BYTES) this.#begin()
    }
  }

  /** Bytes are missing: what follows cannot be told apart into messages. */
  lose(): void {
    this.#isKnown = false
    this.close()
  }

  close(): void {
    this.#trailer?.clear()
    this.#trailer = undefined
  }

  #begin(): void {
    // Flags that are not defined: no length-prefixed messages.
    if ((this.#flag & ~(FLAG_TRAILER | 1)) !== 0) return this.lose()
    this.#left = this.#length
    const isTrailer = this.#flag === FLAG_TRAILER && this.#length <= TRAILER_BYTES_MAX
    if (isTrailer) this.#trailer = new Carry(this.#memory, TRAILER_BYTES_MAX + LINE_END.length)
    if (this.#left === 0) this.#end()
  }

  #end(): void {
    this.#prefix = 0
    this.#length = 0
    if ((this.#flag & FLAG_TRAILER) === 0) this.#count++
    else if (this.#trailer !== undefined) this.#readTrailer(this.#trailer)
    this.close()
  }

  /** Lines of a trailer section, to which the empty line is added that HTTP/1 would have. */
  #readTrailer(text: Carry): void {
    const scratch = this.#memory.allocator.alloc(LINE_END.length)
    if (scratch === 0) return
    this.#memory.write(scratch, LINE_END)
    const isWhole = text.append(scratch, LINE_END.length)
    this.#memory.allocator.free(scratch, LINE_END.length)
    if (!isWhole || this.#scanner.scan(text.pointer, text.length, 0, HEAD_KIND_TRAILER) <= 0) return
    const { block } = this.#scanner
    if (block === 0) return
    if (this.trailer !== 0 || this.#memory.u32[(block + HEAD_COUNT) >>> 2] === 0) this.#scanner.free(block)
    else this.trailer = block
  }
}

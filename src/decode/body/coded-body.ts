import { brotliDecompressSync, constants, unzipSync, zstdDecompressSync } from 'node:zlib'
import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { Carry } from '../carry.ts'
import type { BodyFindings, BodyReader, JsonBody, Unread } from './body-reader.ts'

/** Compressed bytes of one body that are held at most. */
export const CODED_BYTES_MAX = 1 << 20
/** Bytes that may come out of them. */
export const PLAIN_BYTES_MAX = 4 << 20
/** Bytes that the reader is given at once. */
const PIECE_BYTES = 16_384

type Decode = (bytes: Uint8Array) => Uint8Array

/** What is there of a body that was cut short is read all the same. */
const ZIP = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: PLAIN_BYTES_MAX }
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', (bytes) => unzipSync(bytes, ZIP)],
  ['x-gzip', (bytes) => unzipSync(bytes, ZIP)],
  ['deflate', (bytes) => unzipSync(bytes, ZIP)],
  ['br', (bytes) => brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: PLAIN_BYTES_MAX })],
  ['zstd', (bytes) => zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: PLAIN_BYTES_MAX })],
])

/** The decoder of a Content-Encoding (RFC 9110 8.4); 'none' = the body is as it is, undefined = it is not read. */
export function decoderOf(coding: string | undefined): Decode | 'none' | undefined {
  const name = coding?.trim().toLowerCase() ?? ''
  return name === '' || name === 'identity' ? 'none' : DECODERS.get(name)
}

/** Holds a compressed body until it is over, takes the compression off, and has the rest read. */
export class CodedBody implements BodyReader {
  readonly #memory: ByteMemory
  readonly #plain: JsonBody
  readonly #decode: Decode | undefined
  readonly #held: Carry
  #unread: Unread | undefined

  /** @param decode undefined = the coding is not read */
  constructor(memory: ByteMemory, plain: JsonBody, decode: Decode | undefined) {
    this.#memory = memory
    this.#plain = plain
    this.#decode = decode
    this.#held = new Carry(memory, CODED_BYTES_MAX)
    if (decode === undefined) this.#unread = 'coding'
  }

  get skippable(): number {
    return this.#unread === undefined ? 0 : Infinity
  }

  take(pointer: number, length: number): void {
    if (this.#unread !== undefined || length === 0) return
    if (pointer === 0) this.#giveUp('missing')
    else if (!this.#held.append(pointer, length)) this.#giveUp(this.#held.room < length ? 'over bound' : 'memory')
  }

  lose(): void {
    this.#giveUp('missing')
  }

  end(): BodyFindings {
    if (this.#unread === undefined && this.#held.length > 0) this.#read()
    this.#clear()
    const findings = this.#plain.end()
    return this.#unread === undefined ? findings : { ...findings, unread: this.#unread }
  }

  #read(): void {
    const { u8, allocator } = this.#memory
    const piece = allocator.alloc(PIECE_BYTES)
    if (piece === 0) {
      this.#unread = 'memory'
      return
    }
    try {
      const bytes = this.#decode!(u8.subarray(this.#held.pointer, this.#held.pointer + this.#held.length))
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const part = bytes.subarray(at, at + PIECE_BYTES)
        u8.set(part, piece)
        this.#plain.take(piece, part.length)
      }
      bytes.fill(0)
    } catch (error) {
      this.#unread = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'over bound' : 'damaged'
    }
    u8.fill(0, piece, piece + PIECE_BYTES)
    allocator.free(piece, PIECE_BYTES)
  }

  #giveUp(why: Unread): void {
    this.#unread ??= why
    this.#clear()
  }

  #clear(): void {
    this.#memory.u8.fill(0, this.#held.pointer, this.#held.pointer + this.#held.length)
    this.#held.clear()
  }
}

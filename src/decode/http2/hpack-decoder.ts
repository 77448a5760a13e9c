import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as C from '../../../wasm/hpack-contract.ts'
import * as L from '../../../wasm/layout.ts'

/** What wasm/hpack.ts and wasm/hpack-table.ts export. */
interface HpackExports {
  hpackInfo(): number
  decodeBlock(table: number, from: number, length: number): number
  openHpackTable(table: number, isNew: number): void
  closeHpackTable(table: number): void
  loseHpackTable(table: number): void
  isGrpcHead(head: number): number
}

/** The HPACK decoder, and what it found last. One for all connections: their tables are given with each block. */
export class HpackDecoder {
  readonly memory: ByteMemory
  readonly exports: HpackExports
  readonly #info: number

  constructor(memory: ByteMemory) {
    this.memory = memory
    this.exports = memory.exports<HpackExports>()
    this.#info = this.exports.hpackInfo()
  }

  /** Head block of the last decode; 0 when the memory limit refused it. Whoever takes it frees it. */
  get block(): number {
    return this.memory.u32[(this.#info + C.HPACK_INFO_BLOCK) >>> 2]!
  }

  /** L.PSEUDO_* bits of the pseudo-headers found. */
  get pseudo(): number {
    return this.memory.u8[this.#info + L.HEAD_PSEUDO]!
  }

  /** 0 = none, or not three digits. */
  get status(): number {
    return this.memory.u16[(this.#info + L.HEAD_STATUS) >>> 1]!
  }

  get oddities(): number {
    return this.memory.u32[(this.#info + L.HEAD_ODDITIES) >>> 2]!
  }

  /** Fields that could not be resolved. */
  get unknown(): number {
    return this.memory.u16[(this.#info + L.HEAD_UNKNOWN) >>> 1]!
  }

  /** C.HPACK_INFO_* bits. */
  get flags(): number {
    return this.memory.u32[(this.#info + C.HPACK_INFO_FLAGS) >>> 2]!
  }

  /** Whether a head says Content-Type: application/grpc*. */
  isGrpc(head: number): boolean {
    return this.exports.isGrpcHead(head) !== 0
  }

  free(block: number): void {
    if (block !== 0) this.memory.allocator.free(block, this.memory.u32[(block + L.HEAD_BYTES) >>> 2]!)
  }
}

/** The dynamic table of one direction (wasm/hpack-table.ts): made with the first block, given back by `close`. */
export class HpackTable {
  readonly #decoder: HpackDecoder
  #pointer = 0
  #isNew: boolean
  /** Largest size that SETTINGS may have allowed; undefined = not known. */
  #bound: number | undefined

  /** @param isNew the connection was seen from its start: the table is empty, of the size that RFC 9113 6.5.2 begins with */
  constructor(decoder: HpackDecoder, isNew: boolean) {
    this.#decoder = decoder
    this.#isNew = isNew
    this.#bound = isNew ? 4096 : undefined
  }

  /** Decodes a header block; see `decodeBlock` of wasm/hpack.ts. undefined = the memory limit refused the table. */
  decode(pointer: number, length: number): number | undefined {
    if (this.#pointer === 0 && !this.#open()) return undefined
    return this.#decoder.exports.decodeBlock(this.#pointer, pointer, length)
  }

  /** A block was lost, or could not be read: no older entry is trusted. */
  lose(): void {
    this.#isNew = false
    if (this.#pointer !== 0) this.#decoder.exports.loseHpackTable(this.#pointer)
  }

  /**
   * The peer announced SETTINGS_HEADER_TABLE_SIZE. When it takes effect depends on an acknowledgement that may have been
   * missed, so the largest value ever announced bounds what the encoder may choose (RFC 7541 4.2); the size in use is what the
   * encoder says in its blocks.
   */
  announce(size: number): void {
    if (this.#bound === undefined || size <= this.#bound) return
    this.#bound = size
    this.#writeBound()
  }

  /** Bytes, as RFC 7541 4.1 counts them, of the entries that are kept. */
  get size(): number {
    return this.#pointer === 0 ? 0 : this.#decoder.memory.u32[(this.#pointer + C.HPACK_SIZE) >>> 2]!
  }

  close(): void {
    if (this.#pointer === 0) return
    this.#decoder.exports.closeHpackTable(this.#pointer)
    this.#decoder.memory.allocator.free(this.#pointer, C.HPACK_TABLE_BYTES)
    this.#pointer = 0
    this.#isNew = false
  }

  #open(): boolean {
    this.#pointer = this.#decoder.memory.allocator.alloc(C.HPACK_TABLE_BYTES)
    if (this.#pointer === 0) {
      this.#isNew = false
      return false
    }
    this.#decoder.exports.openHpackTable(this.#pointer, this.#isNew ? 1 : 0)
    this.#writeBound()
    return true
  }

  #writeBound(): void {
    if (this.#pointer === 0) return
    this.#decoder.memory.u32[(this.#pointer + C.HPACK_BOUND) >>> 2] = Math.min(this.#bound ?? C.HPACK_UNKNOWN, C.HPACK_UNKNOWN)
  }
}

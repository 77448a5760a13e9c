import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as C from '../../../wasm/head-contract.ts'
import * as L from '../../../wasm/layout.ts'

/** What wasm/head.ts and wasm/start-line.ts export. */
export interface HeadExports {
  headInfo(): number
  scanHead(pointer: number, length: number, from: number, kind: number): number
  scanStart(pointer: number, length: number, kind: number): number
  nameId(pointer: number, length: number): number
}

/** The head scanner, and what it found last. */
export class HeadScanner {
  readonly memory: ByteMemory
  readonly exports: HeadExports
  readonly #info: number

  constructor(memory: ByteMemory) {
    this.memory = memory
    this.exports = memory.exports<HeadExports>()
    this.#info = this.exports.headInfo()
  }

  /** See `scanHead` of wasm/head.ts. */
  scan(pointer: number, length: number, from: number, kind: number): number {
    return this.exports.scanHead(pointer, length, from, kind)
  }

  /** Block of the last head found; 0 when the memory limit refused it. Whoever takes it frees it. */
  get block(): number {
    return this.memory.u32[(this.#info + C.INFO_BLOCK) >>> 2]!
  }

  /** C.METHOD_*. */
  get method(): number {
    return this.memory.u8[this.#info + C.INFO_METHOD]!
  }

  get version(): number {
    return this.memory.u8[this.#info + L.HEAD_VERSION]!
  }

  get status(): number {
    return this.memory.u16[(this.#info + L.HEAD_STATUS) >>> 1]!
  }

  get oddities(): number {
    return this.memory.u32[(this.#info + L.HEAD_ODDITIES) >>> 2]!
  }

  /** L.BODY_*. */
  get body(): number {
    return this.memory.u8[this.#info + L.HEAD_BODY]!
  }

  /** L.HEAD_CONNECTION_* bits. */
  get connection(): number {
    return this.memory.u8[this.#info + L.HEAD_CONNECTION]!
  }

  get contentLength(): number {
    return this.memory.f64[(this.#info + L.HEAD_CONTENT_LENGTH) >>> 3]!
  }

  free(block: number): void {
    if (block !== 0) this.memory.allocator.free(block, this.memory.u32[(block + L.HEAD_BYTES) >>> 2]!)
  }
}

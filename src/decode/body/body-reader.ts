import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as B from '../../../wasm/body-contract.ts'
import type { GenAiApi } from './gen-ai-api.ts'

/** Why something of a body is not known. */
export type Unread = 'missing' | 'over bound' | 'coding' | 'damaged' | 'memory'

/** What was found in the body of one message. */
export interface BodyFindings {
  /** Of a request: what it is sent to. */
  readonly api: GenAiApi | undefined
  /** The model, as it stands there. */
  readonly model: Uint8Array | undefined
  /** The model has a name that is longer than is kept. */
  readonly isModelLong: boolean
  /** By COUNT_* (wasm/body-contract.ts); -1 = the body does not tell. */
  readonly counts: readonly number[]
  /** Why there may be more in it. */
  readonly unread: Unread | undefined
}

/** Takes the body of one message, its transfer coding taken off. */
export interface BodyReader {
  /** Bytes that need not come: Infinity = none are wanted any more, 0 = the next one is. */
  readonly skippable: number
  /** Bytes at `pointer`, or not seen when that is 0. */
  take(pointer: number, length: number): void
  /** Bytes are missing, nobody knows how many. */
  lose(): void
  /** The message is over: called once. */
  end(): BodyFindings
}

/** What wasm/body-scan.ts exports. */
interface ScanExports {
  openBody(body: number, isEvents: boolean): void
  loseBody(body: number): void
  scanBody(body: number, pointer: number, length: number): void
}

export interface JsonBodyOptions {
  readonly memory: ByteMemory
  readonly api?: GenAiApi | undefined
  /** Counts that the head tells, as in BodyFindings. */
  readonly told?: readonly number[]
  /** The body is a stream of events. */
  readonly isEvents: boolean
  /** Bytes that are read at most. */
  readonly bytesMax: number
}

/** Reads a body that is JSON, or a stream of events with JSON in them, as it comes; it holds nothing but what it found. */
export class JsonBody implements BodyReader {
  readonly #memory: ByteMemory
  readonly #scan: ScanExports
  readonly #options: JsonBodyOptions
  /** Its state (wasm/body-contract.ts); 0 = the memory refused it, or it is over. */
  #body: number
  #left: number
  #unread: Unread | undefined

  constructor(options: JsonBodyOptions) {
    const { memory, isEvents, bytesMax } = options
    this.#memory = memory
    this.#options = options
    this.#left = bytesMax
    this.#scan = memory.exports<ScanExports>()
    this.#body = memory.allocator.alloc(B.BODY_BYTES)
    if (this.#body === 0) this.#unread = 'memory'
    else this.#scan.openBody(this.#body, isEvents)
  }

  get skippable(): number {
    const isOver = this.#body === 0 || this.#left === 0 || (this.#unread === 'missing' && !this.#options.isEvents)
    return isOver ? Infinity : 0
  }

  take(pointer: number, length: number): void {
    if (this.#body === 0 || length === 0) return
    if (this.#left < length) this.#unread ??= 'over bound'
    const part = Math.min(length, this.#left)
    this.#left -= part
    if (part === 0) return
    if (pointer === 0) this.lose()
    else this.#scan.scanBody(this.#body, pointer, part)
  }

  lose(): void {
    if (this.#body === 0) return
    this.#unread ??= 'missing'
    this.#scan.loseBody(this.#body)
  }

  end(): BodyFindings {
    const { api, told } = this.#options
    const body = this.#body
    const nothing = { api, model: undefined, isModelLong: false, counts: told ?? NO_COUNTS, unread: this.#unread }
    if (body === 0) return nothing
    const { u8, u32, f64 } = this.#memory
    const length = u32[(body + B.BODY_MODEL_LENGTH) >>> 2]!
    const found = u32[(body + B.BODY_FOUND) >>> 2]!
    const findings = {
      ...nothing,
      model: length === B.BODY_NO_TEXT || length === 0 ? undefined : u8.slice(body + B.BODY_MODEL, body + B.BODY_MODEL + length),
      isModelLong: (u8[body + B.BODY_FLAGS]! & B.BODY_LONG) !== 0,
      counts: nothing.counts.map((before, at) => ((found >>> at) & 1) === 0 ? before : f64[((body + B.BODY_COUNTS) >>> 3) + at]!),
    }
    // It may have held anything of the body.
    u8.fill(0, body, body + B.BODY_BYTES)
    this.#memory.allocator.free(body, B.BODY_BYTES)
    this.#body = 0
    return findings
  }
}

/** Nothing is told. */
export const NO_COUNTS: readonly number[] = new Array<number>(B.COUNT_COUNT).fill(-1)

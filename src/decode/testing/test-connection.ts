import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { CONNECTION_BYTES, CONNECTION_PORT } from '../../../wasm/layout.ts'
import { END, GAP } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'

const SEGMENT_BYTES_MAX = 1 << 20

export interface TestConnectionOptions {
  readonly fromStart?: boolean
  readonly client?: Side | undefined
  /** Ports of the two sides. */
  readonly ports?: readonly [number, number]
  /** Its source can leave out payload of DATA. */
  readonly leavesOut?: boolean
}

/**
 * The StreamControl contract (connection/stream.ts) over bytes given by a test: honours `skip` and `ignore`, and fails when
 * a handler breaks the contract.
 */
export class TestConnection implements StreamControl {
  static #count = 0
  readonly id = ++TestConnection.#count
  readonly block: number
  readonly fromStart: boolean
  readonly #memory: ByteMemory
  readonly #input: number
  #client: Side | undefined
  #handler: StreamHandler | undefined
  #isIgnored = false
  readonly #canLeaveOut: boolean
  /** What `leaveOut` was called with. */
  readonly wishes: boolean[] = []
  /** Bytes that may stay away, of each side. */
  readonly away: [number, number] = [0, 0]
  readonly #toSkip: [number, number] = [0, 0]
  readonly #ended: [boolean, boolean] = [false, false]
  #retained = 0
  readonly #positions: [number, number] = [0, 0]
  readonly #acknowledgements: [number, number] = [0, 0]

  /** `input` is room for one segment in shared memory. */
  constructor(memory: ByteMemory, input: number, options: TestConnectionOptions = {}) {
    this.#memory = memory
    this.#input = input
    this.fromStart = options.fromStart ?? true
    this.#canLeaveOut = options.leavesOut ?? false
    this.#client = 'client' in options ? options.client : 0
    this.block = memory.allocator.alloc(CONNECTION_BYTES)
    memory.u16.set(options.ports ?? [0, 0], (this.block + CONNECTION_PORT) >>> 1)
  }

  /** Room for segments, for the life of the module. */
  static reserveInput(memory: ByteMemory): number {
    return memory.reserve(SEGMENT_BYTES_MAX)
  }

  get client(): Side | undefined {
    return this.#client
  }

  get isIgnored(): boolean {
    return this.#isIgnored
  }

  get skipping(): readonly [number, number] {
    return this.#toSkip
  }

  get retained(): number {
    return this.#retained
  }

  use(handler: StreamHandler): void {
    this.#handler = handler
  }

  hasStart(): boolean {
    return this.fromStart
  }

  position(side: Side): number {
    return this.#positions[side]
  }

  acknowledgement(side: Side): number {
    return this.#acknowledgements[side]
  }

  setClient(side: Side): void {
    if (this.#client === side) throw new Error(`Cannot set the client to side ${side}: it is known already`)
    this.#client = side
  }

  skip(side: Side, length: number): void {
    if (this.#toSkip[side] > 0) throw new Error(`Cannot skip ${length} bytes: ${this.#toSkip[side]} are still to be skipped`)
    if (!(length > 0)) throw new Error(`Cannot skip ${length} bytes: at least 1 is needed`)
    this.#toSkip[side] = length
  }

  leaveOut(isAllowed: boolean): boolean {
    if (this.#canLeaveOut) this.wishes.push(isAllowed)
    return this.#canLeaveOut && isAllowed
  }

  mayStayAway(side: Side, length: number): void {
    this.away[side] = length
  }

  ignore(): void {
    this.#isIgnored = true
  }

  retain(): void {
    this.#retained++
  }

  release(): void {
    this.#retained--
  }

  /** A segment arrives, whose sender had received all of the other side, and `untold` bytes that are missing and not told yet. */
  send(side: Side, bytes: Uint8Array, time: number, untold = 0): void {
    if (this.#isIgnored || bytes.length === 0) return
    this.#acknowledgements[side] = this.#positions[side === 0 ? 1 : 0] + untold
    let from = 0
    if (this.#toSkip[side] > 0) {
      from = Math.min(this.#toSkip[side], bytes.length)
      this.#skipped(side, from, time)
    }
    if (from === bytes.length || this.#isIgnored) return
    const length = bytes.length - from
    this.#memory.u8.set(from === 0 ? bytes : bytes.subarray(from), this.#input)
    this.#positions[side] += length
    // What lies behind a segment must not matter, nor what lies there once the call is over.
    this.#memory.u8.fill(0x0a, this.#input + length, this.#input + length + 32)
    this.#handler!.data(side, this.#input, length, time)
    this.#memory.u8.fill(0x2a, this.#input, this.#input + Math.min(length, 64))
  }

  /** `length` bytes are missing. */
  lose(side: Side, length: number, time: number, cause: Gap = GAP.lost): void {
    if (this.#isIgnored) return
    const passed = Math.min(this.#toSkip[side], length)
    if (passed > 0) this.#skipped(side, passed, time)
    this.#positions[side] += length - passed
    if (length > passed && !this.#isIgnored) this.#handler!.gap(side, length - passed, cause, time)
  }

  /** An unknown number of bytes is missing. */
  loseUnknown(side: Side, time: number): void {
    if (!this.#isIgnored) this.#handler!.gap(side, 0, GAP.lost, time)
  }

  end(side: Side, time: number, cause: End = END.fin): void {
    if (this.#ended[side]) throw new Error(`Cannot end side ${side}: it has ended`)
    this.#ended[side] = true
    this.#handler!.end(side, cause, time)
    if (this.#ended[0] && this.#ended[1]) this.#memory.allocator.free(this.block, CONNECTION_BYTES)
  }

  close(time: number, cause: End = END.fin): void {
    for (const side of [0, 1] as const) if (!this.#ended[side]) this.end(side, time, cause)
  }

  #skipped(side: Side, length: number, time: number): void {
    this.#toSkip[side] -= length
    this.#positions[side] += length
    if (this.#toSkip[side] === 0) this.#handler!.skipped(side, time)
  }
}

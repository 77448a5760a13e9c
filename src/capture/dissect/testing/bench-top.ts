import { ByteMemory } from '../../../../lib/bytes/mod.ts'
import { Dissector, DISSECT_OUTCOME, FrameMeta, type DissectorOptions } from '../mod.ts'
import { RECORD_BYTES_MAX } from '../../source.ts'
import { readEvents, type EventFields } from './event-reader.ts'

/** Bytes around a frame that must not be read: they are set to what would change every result. */
const GUARD = 256
const FRAME_BYTES_MAX = 300_000

/** One memory for a test file: instantiating the module is what costs. */
const memory = new ByteMemory()
const frameAt = memory.reserve(FRAME_BYTES_MAX + 2 * GUARD)
const batch = memory.reserve(RECORD_BYTES_MAX)

export interface Dissected {
  /** Undefined: no event. */
  readonly event: EventFields | undefined
  /** Name of the outcome, in capitals. */
  readonly outcome: string
}

/** A dissector on the bench: frames go in as arrays, events come out as objects. */
export class BenchTop {
  readonly dissector: Dissector
  readonly meta = new FrameMeta()
  readonly #allocatedBefore = memory.allocator.allocatedBytes()

  constructor(options: DissectorOptions = {}) {
    this.dissector = new Dissector(memory, options)
  }

  /** Bytes of the shared memory taken since this bench was set up. */
  get allocatedBytes(): number {
    return memory.allocator.allocatedBytes() - this.#allocatedBefore
  }

  /** Dissects a frame between bytes of `guard`, at an odd place. */
  frame(frame: Uint8Array, { linkType = 1, wire = frame.length, guard = 0xff } = {}): Dissected {
    const at = frameAt + GUARD + 1
    memory.u8.fill(guard, at - GUARD, at + frame.length + GUARD)
    memory.write(at, frame)
    memory.u8.fill(0xee, batch, batch + RECORD_BYTES_MAX)
    const written = this.dissector.dissect(at, frame.length, wire, linkType, this.meta, batch)
    const [event, second] = readEvents(memory, batch, written)
    if (second !== undefined) throw new Error('Cannot judge the frame: it gave two events')
    return { event, outcome: this.#outcomeName() }
  }

  #outcomeName(): string {
    const { outcome } = this.dissector
    return Object.entries(DISSECT_OUTCOME).find(([, index]) => index === outcome)![0]
  }
}

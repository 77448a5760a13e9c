import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { ConnectionTable } from '../connection-table.ts'
import type { ConnectionEvents } from '../connection-events.ts'
import type { ConnectionCount } from '../connection-counters.ts'
import type { ConnectionLimits } from '../connection-limits.ts'
import type { Side, StreamControl, StreamHandler } from '../stream.ts'
import { SegmentBuilder } from './segment-builder.ts'
import type { Endpoint, SegmentFields } from './segment-builder.ts'

export const CLIENT: Endpoint = { address: '10.0.0.1', port: 40000 }
export const SERVER: Endpoint = { address: '10.0.0.2', port: 80 }
export const MILLISECOND = 1e6

let shared: ByteMemory | undefined
let builder: SegmentBuilder | undefined

/** One memory for all tests of a file: a table gives back what it allocates, and its size is fixed. */
export function sharedMemory(): ByteMemory {
  shared ??= new ByteMemory()
  return shared
}

export interface RecordedOptions {
  limits?: Partial<ConnectionLimits>
  events?: ConnectionEvents
  /** Called after a call of the handler was noted. */
  onData?(control: StreamControl, side: Side, text: string): void
  onSkipped?(control: StreamControl, side: Side): void
}

/** A table whose handlers note what they are called with: side and what happened, as one text a call. */
export class RecordedTable {
  readonly memory = sharedMemory()
  readonly table: ConnectionTable
  readonly controls: StreamControl[] = []
  /** e.g. `1.0 GET /`, `1.1 gap 5 lost`, `1.0 skipped`, `1.0 end fin`: connection, side, event. */
  readonly log: string[] = []
  readonly times: number[] = []
  readonly directives: string[] = []
  readonly allocatedBefore: number
  now = 0

  constructor(options: RecordedOptions = {}) {
    this.allocatedBefore = this.memory.allocator.allocatedBytes()
    const source = {
      skip: (tag: number, side: number, until: number) => { this.directives.push(`skip ${tag} ${side} ${until}`) },
      leaveOut: (tag: number, isAllowed: boolean) => { this.directives.push(`leave out ${tag} ${isAllowed}`) },
      ignore: (tag: number) => { this.directives.push(`ignore ${tag}`) },
    }
    this.table = new ConnectionTable(this.memory, source, (control) => this.#handler(control, options), options.limits, options.events)
  }

  #handler(control: StreamControl, options: RecordedOptions): StreamHandler {
    this.controls.push(control)
    const note = (side: Side, text: string, time: number): void => {
      this.log.push(`${control.id}.${side} ${text}`)
      this.times.push(time)
    }
    return {
      data: (side, pointer, length, time) => {
        const text = this.memory.latin1(pointer, length)
        note(side, text, time)
        options.onData?.(control, side, text)
      },
      gap: (side, length, cause, time) => { note(side, `gap ${length} ${cause}`, time) },
      skipped: (side, time) => {
        note(side, 'skipped', time)
        options.onSkipped?.(control, side)
      },
      end: (side, cause, time) => { note(side, `end ${cause}`, time) },
    }
  }

  /** One packet, one millisecond after the last one unless `time` is given. */
  send(fields: SegmentFields): this {
    this.now = fields.time ?? this.now + MILLISECOND
    builder ??= new SegmentBuilder(this.memory)
    builder.clear().add({ ...fields, time: this.now })
    this.table.process(builder.pointer, builder.length)
    return this
  }

  client(flags: string, sequence: number, payload: string = '', more: Partial<SegmentFields> = {}): this {
    return this.send({ from: CLIENT, to: SERVER, flags, sequence, payload, ...more })
  }

  server(flags: string, sequence: number, payload: string = '', more: Partial<SegmentFields> = {}): this {
    return this.send({ from: SERVER, to: CLIENT, flags, sequence, payload, ...more })
  }

  /** SYN, SYN/ACK, ACK with initial sequence numbers 1000 and 5000. */
  handshake(client = 1000, server = 5000): this {
    return this.client('S', client).server('SA', server, '', { acknowledgement: client + 1 })
      .client('A', client + 1, '', { acknowledgement: server + 1 })
  }

  tick(afterMs: number): this {
    this.now += afterMs * MILLISECOND
    this.table.tick(this.now)
    return this
  }

  count(name: ConnectionCount): number {
    return this.table.counters.get(name)
  }

  /** Ends the capture. @returns bytes that the table still holds in shared memory: 0 unless it leaks */
  close(): number {
    this.table.close(this.now)
    return this.memory.allocator.allocatedBytes() - this.allocatedBefore
  }
}

import { RowTable } from '../../lib/bytes/mod.ts'
import type { Connection } from './connection.ts'
import type { ReassemblySpace } from './reassembly-space.ts'
import { END } from './stream.ts'
import { StreamSide } from './stream-side.ts'

// A row: of each side what is not the same in all sides that are in step (steady-connection.ts). Offsets in bytes.
const INITIAL = 0 // i32, like all that follow where nothing else is said
const NEXT = 4
const ACKNOWLEDGED = 8
const ANSWERS = 12
const INTERFACE = 16
const PATH = 20
const HOME_TIME = 24
const OTHER_END = 28
const OTHER_TIME = 32
const PASSED_TO = 36
const SCALE = 40 // u8
const FLAGS = 41 // u8
const EVIDENCE = 48 // of HoleEvidence, 28 bytes
const SIDE_BYTES = EVIDENCE + 32
const FLAG = { hasSyn: 1, hasOther: 2, isNumbered: 4 } as const

/** Pairs of sides that wait for the next connection. */
const SPARE_MAX = 1024

export type Sides = readonly [StreamSide, StreamSide]

/**
 * Both sides of connections that sleep: a row each. The objects serve others, and so do those of connections that are over: a flood
 * of connections makes no garbage of them.
 *
 * Bound: a row for each connection of the table; SPARE_MAX pairs.
 */
export class SideDormitory {
  readonly #space: ReassemblySpace
  readonly #rows = new RowTable(2 * SIDE_BYTES)
  readonly #spare: Sides[] = []
  /** What a new side knows. */
  #blank: DataView | undefined

  constructor(space: ReassemblySpace) {
    this.#space = space
  }

  /** Both sides of a new connection, of parts that are free. */
  open(connection: Connection): Sides {
    const sides = this.#spare.pop()
    if (sides === undefined) return this.#make(connection)
    for (const side of sides) renew(side, connection, this.#blank!)
    return sides
  }

  /** Of a connection that is over. */
  give(sides: Sides): void {
    if (this.#spare.length < SPARE_MAX && sides[0].hasEnded && sides[1].hasEnded) this.#spare.push(sides)
  }

  #make(connection: Connection): Sides {
    const sides: Sides = [new StreamSide(connection, this.#space, 0), new StreamSide(connection, this.#space, 1)]
    if (this.#blank === undefined) {
      this.#blank = new DataView(new ArrayBuffer(SIDE_BYTES))
      save(sides[0], this.#blank, 0)
    }
    return sides
  }

  /** Connections that sleep. */
  get size(): number {
    return this.#rows.size
  }

  /** Of a connection whose sides are in step. @returns the row that is to be taken once */
  put(sides: Sides): number {
    const row = this.#rows.take()
    const at = this.#rows.seek(row)
    for (const side of sides) save(side, this.#rows.view, at + side.side * SIDE_BYTES)
    if (this.#spare.length < SPARE_MAX) this.#spare.push(sides)
    return row
  }

  take(row: number, connection: Connection): Sides {
    const sides = this.#spare.pop() ?? this.#make(connection)
    const at = this.#rows.seek(row)
    for (const side of sides) load(side, connection, this.#rows.view, at + side.side * SIDE_BYTES)
    this.#rows.give(row)
    return sides
  }
}

function save(side: StreamSide, view: DataView, at: number): void {
  view.setInt32(at + INITIAL, side.initial, true)
  view.setInt32(at + NEXT, side.next, true)
  view.setInt32(at + ACKNOWLEDGED, side.acknowledged, true)
  view.setInt32(at + ANSWERS, side.answers, true)
  view.setInt32(at + INTERFACE, side.homeInterface, true)
  view.setInt32(at + PATH, side.homePath, true)
  view.setInt32(at + HOME_TIME, side.homeTime, true)
  view.setInt32(at + OTHER_END, side.otherEnd, true)
  view.setInt32(at + OTHER_TIME, side.otherTime, true)
  view.setInt32(at + PASSED_TO, side.passedTo, true)
  view.setUint8(at + SCALE, side.scale)
  view.setUint8(at + FLAGS, (side.hasSyn ? FLAG.hasSyn : 0) | (side.hasOther ? FLAG.hasOther : 0) |
    (side.evidence.sleep(view, at + EVIDENCE) ? FLAG.isNumbered : 0))
}

/** A side that is at rest, or has ended, becomes a new one. */
function renew(side: StreamSide, connection: Connection, blank: DataView): void {
  load(side, connection, blank, 0)
  side.isStarted = false
  side.isAcknowledged = false
  side.hasAcknowledged = false
}

/** Any side at rest, or that has ended, or a new one, becomes that of the row. */
function load(side: StreamSide, connection: Connection, view: DataView, at: number): void {
  const flags = view.getUint8(at + FLAGS)
  side.connection = connection
  side.initial = view.getInt32(at + INITIAL, true)
  side.next = view.getInt32(at + NEXT, true)
  side.acknowledged = view.getInt32(at + ACKNOWLEDGED, true)
  side.answers = view.getInt32(at + ANSWERS, true)
  side.homeInterface = view.getInt32(at + INTERFACE, true)
  side.homePath = view.getInt32(at + PATH, true)
  side.homeTime = view.getInt32(at + HOME_TIME, true)
  side.otherEnd = view.getInt32(at + OTHER_END, true)
  side.otherTime = view.getInt32(at + OTHER_TIME, true)
  side.passedTo = view.getInt32(at + PASSED_TO, true)
  side.scale = view.getUint8(at + SCALE)
  side.hasSyn = (flags & FLAG.hasSyn) !== 0
  side.hasOther = (flags & FLAG.hasOther) !== 0
  side.evidence.wake(view, at + EVIDENCE, (flags & FLAG.isNumbered) !== 0)
  side.hasFin = false
  side.hasEnded = false
  side.fin = 0
  side.endCause = END.shutdown
  side.endTime = 0
  side.isSynDataOpen = false
  side.isBlocked = false
  side.mayBlock = true
  side.hasAway = false
  // What `isInStep` says.
  side.isStarted = true
  side.isAcknowledged = true
  side.hasAcknowledged = true
}

import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import type { Connection } from './connection.ts'
import { distance, milliseconds } from './sequence.ts'
import type { StreamSide } from './stream-side.ts'

/** What of a connection goes into a STEADY block, and comes back from it (steady-path.ts). */

/** Everything of the side was given to its handler, and it is plain what comes next. */
export function isInStep(side: StreamSide): boolean {
  return side.isStarted && !side.isWaiting && !side.isSkipping && !side.hasFin && !side.isSynDataOpen && !side.hasEnded &&
    !side.isBlocked && side.hasAcknowledged && side.homePath >= 0 && side.isAcknowledged &&
    distance(side.acknowledged, side.next) <= 0 && side.reach === 0 && !Number.isNaN(side.evidence.nextNumber)
}

export function lendConnection(memory: ByteMemory, steady: number, connection: Connection): void {
  const { u8, u32, i32 } = memory
  const { block } = connection
  u8.copyWithin(steady + L.STEADY_ADDRESS, block + L.CONNECTION_ADDRESS, block + L.CONNECTION_ADDRESS + 32)
  u32[(steady + L.STEADY_PORTS) >>> 2] = u32[(block + L.CONNECTION_PORT) >>> 2]!
  u32[(steady + L.STEADY_VERSION) >>> 2] = u8[block + L.CONNECTION_IP_VERSION]!
  i32[(steady + L.STEADY_TAG) >>> 2] = connection.tag
  u8[steady + L.STEADY_IS_COUNTED] = connection.isCounted ? 1 : 0
  for (const side of connection.sides) lendSide(memory, steady, side)
}

function lendSide({ u8, i32, f64 }: ByteMemory, steady: number, side: StreamSide): void {
  const at = steady + L.STEADY_SIDE + side.side * L.STEADY_SIDE_BYTES
  const number = side.evidence.nextNumber
  if (number !== undefined) u8[steady + L.STEADY_NUMBERED]! |= 1 << side.side
  i32[(at + L.STEADY_NEXT) >>> 2] = side.next
  i32[(at + L.STEADY_ACKNOWLEDGED) >>> 2] = side.acknowledged
  i32[(at + L.STEADY_ANSWERS) >>> 2] = side.answers
  i32[(at + L.STEADY_RECORD) >>> 2] = number ?? 0
  i32[(at + L.STEADY_REACHED) >>> 2] = side.evidence.reached
  f64[(at + L.STEADY_TIME) >>> 3] = NaN
  i32[(at + L.STEADY_INTERFACE) >>> 2] = side.homeInterface
  i32[(at + L.STEADY_PATH) >>> 2] = side.homePath
}

export function takeConnection(memory: ByteMemory, steady: number, connection: Connection): void {
  connection.packets += memory.u32[(steady + L.STEADY_PACKETS) >>> 2]!
  connection.isCounted = memory.u8[steady + L.STEADY_IS_COUNTED] !== 0
  for (const side of connection.sides) takeSide(memory, steady, side)
}

function takeSide({ u8, i32, f64 }: ByteMemory, steady: number, side: StreamSide): void {
  const at = steady + L.STEADY_SIDE + side.side * L.STEADY_SIDE_BYTES
  const time = f64[(at + L.STEADY_TIME) >>> 3]!
  side.next = i32[(at + L.STEADY_NEXT) >>> 2]!
  side.acknowledged = i32[(at + L.STEADY_ACKNOWLEDGED) >>> 2]!
  side.answers = i32[(at + L.STEADY_ANSWERS) >>> 2]!
  if ((u8[steady + L.STEADY_NUMBERED]! & (1 << side.side)) !== 0) {
    side.evidence.catchUp(i32[(at + L.STEADY_RECORD) >>> 2]!, i32[(at + L.STEADY_REACHED) >>> 2]!)
  }
  if (!Number.isNaN(time)) side.homeTime = milliseconds(time)
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as L from '../../../wasm/layout.ts'
import { PLAINTEXT_EVENT as E } from '../../capture/mod.ts'
import { sideBlock } from '../connection-block.ts'
import type { Side } from '../stream.ts'

/** A CONNECTION block for a session of which no packet is known. `source` is the side that sends what the event holds. */
export function fillPlaintextBlock(
  memory: ByteMemory, block: number, id: number, source: Side, event: number, time: number, fromStart: boolean,
): void {
  const { u8, u32, f64 } = memory
  u8.fill(0, block, block + L.CONNECTION_BYTES)
  u8[block + L.CONNECTION_TRANSPORT] = u8[event + E.ip_protocol]!
  u8[block + L.CONNECTION_CLIENT] = 255
  u8[block + L.CONNECTION_FLAGS] = L.CONNECTION_FLAG_NO_PACKETS | (fromStart ? 0 : L.CONNECTION_FLAG_MIDSTREAM)
  u32[(block + L.CONNECTION_ID) >>> 2] = id
  u8[block + L.CONNECTION_HOOK] = u8[event + E.hook]!
  f64[(block + L.CONNECTION_START_TIME) >>> 3] = time
  f64[(block + L.CONNECTION_HANDSHAKE) >>> 3] = -1
  for (const side of [0, 1] as const) u8[sideBlock(block, side) + L.SIDE_WINDOW_SCALE] = 255
  fillAddresses(memory, block, source, event)
}

/** Writes both ends' addresses, as soon as they are known. */
function fillAddresses(memory: ByteMemory, block: number, source: Side, event: number): void {
  const { u8, u16 } = memory
  u8[block + L.CONNECTION_IP_VERSION] = u8[event + E.ip_version]!
  for (const side of [0, 1] as const) {
    const isSource = side === source
    const address = event + (isSource ? E.source_address : E.destination_address)
    u8.copyWithin(block + L.CONNECTION_ADDRESS + side * 16, address, address + 16)
    const port = event + (isSource ? E.source_port : E.destination_port)
    u16[(block + L.CONNECTION_PORT + side * 2) >>> 1] = u16[port >>> 1]!
  }
}

import { PACKET_EVENT as E } from '../events.gen.ts'
import { writeEvent } from './event-writer.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { PROTOCOL_BIT, STEP, type Walk } from './walk.ts'

const ARP_BYTES = 28

/**
 * RFC 826: an event of IP version 0 and EtherType 0x0806. Its source port is the operation (1 request, 2
 * reply), its addresses are the sender's and the target's where they are IPv4's.
 */
export function arp(walk: Walk): STEP {
  walk.layers.add(LAYER.ARP)
  if ((walk.protocols & PROTOCOL_BIT.ARP) === 0) return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  if (!walk.has(ARP_BYTES)) return walk.short(ARP_BYTES)
  const { at, u8 } = walk
  walk.ipAt = 0
  walk.ipVersion = 0
  const record = writeEvent(walk, walk.u16(at + 6), 0, walk.end, 0)
  // Protocol IPv4, hardware addresses of 6 bytes, protocol addresses of 4.
  if (walk.u16(at + 2) === 0x0800 && walk.u16(at + 4) === 0x0604) {
    for (let i = 0; i < 4; i++) {
      u8[record + E.source_address + i] = u8[at + 14 + i]!
      u8[record + E.destination_address + i] = u8[at + 24 + i]!
    }
  }
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}

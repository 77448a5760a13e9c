import { openCapture, PcapWriter, READ } from '../../../lib/pcap/mod.ts'

export interface Packet {
  readonly bytes: Uint8Array
  /** Bytes on the wire. */
  readonly wire: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly linkType: number
}

const region = { bytes: new Uint8Array(1 << 20), offset: 0, length: 1 << 20 }

/** All packets of a capture; undefined when it is none. */
export function readPackets(path: string): Packet[] | undefined {
  const packets: Packet[] = []
  let capture
  try {
    capture = openCapture(path, region)
  } catch {
    return undefined
  }
  const { reader } = capture
  for (let state = reader.next(); state !== READ.END; state = reader.next()) {
    if (state !== READ.PACKET) continue
    const { at, captured, wire, seconds, nanoseconds, linkType } = reader.cursor
    packets.push({ bytes: region.bytes.slice(at, at + captured), wire, seconds, nanoseconds, linkType })
  }
  capture.close()
  return packets
}

/** One capture file of these packets. */
export function capture(packets: readonly Packet[], linkType = packets[0]?.linkType ?? 1): Uint8Array {
  const parts: Uint8Array[] = []
  const writer = new PcapWriter((part) => parts.push(part), linkType)
  for (const { bytes, seconds, nanoseconds, wire } of packets) writer.packet(bytes, seconds, nanoseconds, wire)
  return Buffer.concat(parts)
}

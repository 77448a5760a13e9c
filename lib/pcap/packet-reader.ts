import type { READ, PcapWarnings } from './outcome.ts'
import type { PacketCursor } from './packet-cursor.ts'

/** What the readers of pcap and pcapng have in common. */
export interface PacketReader {
  readonly format: 'pcap' | 'pcapng'
  readonly cursor: PacketCursor
  readonly warnings: PcapWarnings

  /** Moves the cursor to the next packet. Never throws: what is wrong with the file is in `warnings`. */
  next(): READ

  /** The interface's name where the file tells it. */
  interfaceName(index: number): string | undefined
}

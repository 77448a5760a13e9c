/**
 * pcap: capture files, read and written.
 *
 * In    a path or `-` for standard input: pcap (both byte orders, micro- and nanoseconds, Kuznetzov's
 *       variant) or pcapng, plain or inside gzip or zstd.
 * Out   one packet at a time in a fixed window of memory: its bytes, lengths, time, link type, interface,
 *       direction.
 * Drops packets over 256 KiB, packets of undescribed interfaces, what follows a length that leads nowhere:
 *       each under a name of PCAP_WARNING.
 * Limits memory is the window (1 MiB is a good size) and, for compressed files, 512 KiB more and a thread;
 *       nothing is ever written to a disk. 4,096 interfaces a file.
 *
 * @module
 */
export { addWords, foldChecksum } from './internet-checksum.ts'
export { openCapture, type Capture } from './open-capture.ts'
export { PCAP_WARNING, PcapWarnings, READ, type WarningEntry } from './outcome.ts'
export { PACKET_DIRECTION, PacketCursor } from './packet-cursor.ts'
export type { PacketReader } from './packet-reader.ts'
export { PcapngWriter } from './pcapng-writer.ts'
export { PcapWriter } from './pcap-writer.ts'
export { WINDOW_BYTES_MIN, type WindowRegion } from './stream-window.ts'

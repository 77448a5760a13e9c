/**
 * file: a capture file as a source of packets.
 *
 * In    a path, or `-` for standard input.
 * Out   framed packet events, the same bytes as from the kernel; an exact ledger of the file's frames.
 * Drops what the dissector drops, and what the filter does not want.
 * Limits 1 MiB of shared memory for reading and at most 8 MiB for fragments, while the source is open.
 *
 * @module
 */
export { type CopyCounts, PacketCopy } from './packet-copy.ts'
export { FILE_ANOMALY, FileSource, type FileSourceOptions } from './file-source.ts'

/** What one `next()` gave. */
export const READ = {
  /** The cursor holds a packet. */
  PACKET: 0,
  /** Nothing now: the input is a pipe whose writer has not written yet. */
  WAIT: 1,
  /** Nothing will come again. `warnings` says whether the file ended as it should. */
  END: 2,
} as const
export type READ = (typeof READ)[keyof typeof READ]

/** Everything that can be wrong with a capture file once it is open: a closed set, counted, never thrown. */
export const PCAP_WARNING = {
  /** The file ends inside a packet or block; what was whole has been delivered. */
  FILE_CUT: 'file_cut',
  /**
   * A packet claims more bytes than any capture holds or than the file has left: reading stops, nothing to go
   * by.
   */
  PACKET_LENGTH_ABSURD: 'packet_length_absurd',
  /** A packet over 256 KiB that the file does hold: stepped over. */
  PACKET_TOO_LONG: 'packet_too_long',
  /** More bytes captured than were on the wire: the captured length is taken for both. */
  CAPTURED_OVER_WIRE: 'captured_over_wire',
  /** pcapng: a block shorter than its own frame, or longer than the file: reading stops. */
  BLOCK_LENGTH_ABSURD: 'block_length_absurd',
  /** pcapng: the length after a block differs from the one before it: the first is believed. */
  BLOCK_LENGTH_MISMATCH: 'block_length_mismatch',
  /** pcapng: a block too short for its own fields: stepped over. */
  BLOCK_SHORT: 'block_short',
  /** pcapng: a later section has a byte-order mark or version nobody knows: reading stops. */
  SECTION_UNKNOWN: 'section_unknown',
  /** pcapng: a packet of an interface that the section has not described: stepped over. */
  INTERFACE_UNKNOWN: 'interface_unknown',
  /** pcapng: more interfaces than the table holds; their packets count as INTERFACE_UNKNOWN. */
  INTERFACE_TABLE_FULL: 'interface_table_full',
  /** The compressed stream is cut or damaged; what came before, but for up to 64 KiB, has been delivered. */
  COMPRESSION_DAMAGED: 'compression_damaged',
  /** The decompressor gave no answer in time. */
  COMPRESSION_SILENT: 'compression_silent',
  /** The operating system refused a read (disk error, closed descriptor). */
  READ_FAILED: 'read_failed',
} as const
export type PCAP_WARNING = (typeof PCAP_WARNING)[keyof typeof PCAP_WARNING]

/** A warning's count and where in the (decompressed) stream it was first met. */
export interface WarningEntry {
  count: number
  readonly offset: number
}

/** Named warnings of one file. At most one entry per name. */
export class PcapWarnings {
  readonly #entries = new Map<PCAP_WARNING, WarningEntry>()

  add(name: PCAP_WARNING, offset: number): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) this.#entries.set(name, { count: 1, offset })
    else entry.count++
  }

  count(name: PCAP_WARNING): number {
    return this.#entries.get(name)?.count ?? 0
  }

  entries(): ReadonlyMap<PCAP_WARNING, Readonly<WarningEntry>> {
    return this.#entries
  }
}

import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { openCapture, type PacketCursor, type PcapWarnings, PcapngWriter, READ } from '../../../lib/pcap/mod.ts'
import { DISSECT_OUTCOME, Dissector, FrameMeta } from '../dissect/mod.ts'
import { FRAME_BYTES, RECORD_BYTES_MAX } from '../source.ts'

const WINDOW_BYTES = 1 << 20
/** Of a section header: where its length stands, which a part of it no longer has. */
const SECTION_LENGTH_AT = 16

export interface CopyCounts {
  seen: number
  copied: number
  /** Fragments of IP that do not tell their connection by themselves: not copied. */
  fragments: number
}

/**
 * Copies chosen packets of capture files into one pcapng file. Blocks of a pcapng file are copied as they are, with options and comments,
 * and those of its sections and interfaces; a pcap file becomes a section of its own. What else stands in a pcapng file (secrets of TLS,
 * names, statistics, blocks of others) is of other connections, too, and stays behind.
 */
export class PacketCopy {
  readonly counts: CopyCounts = { seen: 0, copied: 0, fragments: 0 }
  readonly #memory: ByteMemory
  readonly #write: (bytes: Uint8Array) => void
  readonly #isChosen: (event: number) => boolean
  readonly #meta = new FrameMeta()
  readonly #out: number

  /**
   * @param write    gets whole blocks, valid during the call
   * @param isChosen is asked with the place of each packet's struct packet_event
   */
  constructor(memory: ByteMemory, write: (bytes: Uint8Array) => void, isChosen: (event: number) => boolean) {
    this.#memory = memory
    this.#write = write
    this.#isChosen = isChosen
    this.#out = memory.reserve(RECORD_BYTES_MAX)
  }

  /** @returns what was wrong with the file. @throws {Error} when it cannot be opened or is no capture file */
  file(path: string): PcapWarnings {
    const window = this.#memory.allocator.alloc(WINDOW_BYTES)
    if (window === 0) throw new Error(`Cannot open "${path}": the shared memory has no ${WINDOW_BYTES} bytes left`)
    const dissector = new Dissector(this.#memory)
    const capture = openCapture(path, { bytes: this.#memory.u8, offset: window, length: WINDOW_BYTES }, (block, isSection) => {
      this.#write(isSection ? withoutLength(block) : block)
    })
    const { reader } = capture
    try {
      const isPcap = reader.format === 'pcap'
      const writer = new PcapngWriter(this.#write)
      if (isPcap) writer.section(reader.cursor.linkType)
      while (reader.next() === READ.PACKET) if (this.#isWanted(reader.cursor, dissector)) this.#copy(reader.cursor, isPcap ? writer : undefined)
      return reader.warnings
    } finally {
      capture.close()
      dissector.close()
      this.#memory.allocator.free(window, WINDOW_BYTES)
    }
  }

  #isWanted({ at, captured, wire, linkType }: PacketCursor, dissector: Dissector): boolean {
    this.counts.seen++
    const written = dissector.dissect(at, captured, wire, linkType, this.#meta, this.#out)
    if (dissector.outcome === DISSECT_OUTCOME.FRAGMENT) this.counts.fragments++
    return written > 0 && this.#isChosen(this.#out + FRAME_BYTES)
  }

  #copy({ at, captured, wire, seconds, nanoseconds, blockAt, blockBytes }: PacketCursor, writer: PcapngWriter | undefined): void {
    const { u8 } = this.#memory
    if (writer === undefined) this.#write(u8.subarray(blockAt, blockAt + blockBytes))
    else writer.packet(u8.subarray(at, at + captured), seconds, nanoseconds, wire)
    this.counts.copied++
  }
}

/** -1: not known. */
function withoutLength(block: Uint8Array): Uint8Array {
  return block.fill(0xff, SECTION_LENGTH_AT, SECTION_LENGTH_AT + 8)
}

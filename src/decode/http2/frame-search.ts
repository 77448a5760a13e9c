import { HPACK_OK, HPACK_TABLE_BYTES } from '../../../wasm/hpack-contract.ts'
import {
  definesFlags, FAULT, FLAG_ACK, FLAG_END_HEADERS, FRAME, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, headerFault, blockOffset,
  paddingOf, payloadFault, SETTING_BYTES, uint16, uint24, uint32,
} from './frame.ts'
import type { HpackDecoder } from './hpack-decoder.ts'

/** What speaks for a run of bytes being frames: one head that is certain, or two frames of fixed form. */
export const EVIDENCE_CERTAIN = 2
/** Enough where the connection is known to be HTTP/2. */
export const EVIDENCE_LIKELY = 1

const ERROR_CODE_LAST = 13
const SETTING_LAST = 0x20

/**
 * Looks for frames where no frame is known to begin: a connection joined mid-way, or bytes after a loss. Frames have no mark of
 * their own, so every byte that a frame's rules fix is asked for.
 */
export class FrameSearch {
  readonly #decoder: HpackDecoder
  /** A table of which nothing is known, for trying blocks. */
  readonly #table: number

  constructor(decoder: HpackDecoder) {
    this.#decoder = decoder
    this.#table = decoder.memory.reserve(HPACK_TABLE_BYTES)
  }

  /**
   * How much speaks for frames that begin at `at` and follow each other up to `end`: EVIDENCE_*, or more. 0 = they do not, or
   * nothing speaks for it. Only DATA, or a head that is not whole, proves nothing.
   */
  evidence(at: number, end: number): number {
    const u8 = this.#decoder.memory.u8
    let evidence = 0
    while (at + FRAME_HEADER_BYTES <= end) {
      const length = uint24(u8, at)
      const type = u8[at + 3]!
      const flags = u8[at + 4]!
      const stream = uint32(u8, at + 5)
      if (type > FRAME.continuation || length > FRAME_BYTES_MAX || stream > 0x7fff_ffff || !definesFlags(type, flags)) return 0
      if (headerFault(type, flags, length, stream) !== FAULT.none) return 0
      const payload = at + FRAME_HEADER_BYTES
      at = payload + length
      if (at > end) break
      const proves = this.#payload(payload, length, type, flags)
      if (proves < 0) return 0
      evidence += proves
    }
    // The first bytes of a header that is cut: its length is small.
    return at < end && u8[at]! !== 0 ? 0 : evidence
  }

  /** -1 = no such frame. */
  #payload(payload: number, length: number, type: number, flags: number): number {
    const u8 = this.#decoder.memory.u8
    if (payloadFault(u8, payload, length, type, flags) !== FAULT.none) return -1
    switch (type) {
      case FRAME.headers:
        return (flags & FLAG_END_HEADERS) === 0 ? 0 : this.#block(payload, length, flags)
      case FRAME.settings:
        for (let at = payload; at < payload + length; at += SETTING_BYTES) if (uint16(u8, at) > SETTING_LAST) return -1
        return length > 0 || (flags & FLAG_ACK) !== 0 ? 1 : 0
      case FRAME.resetStream: return uint32(u8, payload) > ERROR_CODE_LAST ? -1 : 1
      case FRAME.goaway: return uint32(u8, payload + 4) > ERROR_CODE_LAST ? -1 : 1
      case FRAME.windowUpdate: return uint32(u8, payload) > 0x7fff_ffff ? -1 : 1
      case FRAME.ping:
      case FRAME.priority: return 1
      default: return 0
    }
  }

  #block(payload: number, length: number, flags: number): number {
    const decoder = this.#decoder
    const { exports } = decoder
    const from = payload + blockOffset(FRAME.headers, flags)
    const padding = paddingOf(decoder.memory.u8, payload, length, FRAME.headers, flags)
    exports.openHpackTable(this.#table, 0)
    const result = exports.decodeBlock(this.#table, from, payload + length - padding - from)
    exports.closeHpackTable(this.#table)
    decoder.free(decoder.block)
    if (result !== HPACK_OK || decoder.oddities !== 0) return -1
    if (decoder.pseudo !== 0) return EVIDENCE_CERTAIN
    return decoder.unknown > 0 ? EVIDENCE_LIKELY : 0
  }
}

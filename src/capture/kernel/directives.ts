import type { BpfMap } from '../../../lib/ebpf/mod.ts'
import { DIRECTIVE, DIRECTIVE_COUNT, DIRECTIVE_FRAMES, DIRECTIVE_IGNORE, DIRECTIVE_SKIP_0, DIRECTIVE_SKIP_1 } from '../events.gen.ts'

const WORDS = DIRECTIVE.bytes / 4
const FLAGS = DIRECTIVE.flags / 4
const SKIP_UNTIL = DIRECTIVE.skip_until / 4

/**
 * What the kernel programs are told about single connections, in memory shared with them. Two connections may fall on
 * one slot: the later directive wins, and the earlier connection is delivered in full again.
 */
export class Directives {
  readonly #words: Int32Array

  constructor(map: BpfMap) {
    const bytes = map.mmap()
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, DIRECTIVE_COUNT * WORDS)
  }

  /** Payload of `side` before sequence number `until` is not wanted. */
  skip(connectionTag: number, side: 0 | 1, until: number): void {
    const at = slotOf(connectionTag)
    const mine = Atomics.load(this.#words, at) === (connectionTag | 0)
    const flags = (mine ? this.#words[at + FLAGS]! : 0) | (side === 0 ? DIRECTIVE_SKIP_0 : DIRECTIVE_SKIP_1)
    // A program that reads in between finds no directive, and delivers.
    Atomics.store(this.#words, at, 0)
    Atomics.store(this.#words, at + SKIP_UNTIL + side, until | 0)
    Atomics.store(this.#words, at + FLAGS, flags)
    Atomics.store(this.#words, at, connectionTag | 0)
  }

  /** Payload of DATA frames is not wanted, or is from here on. */
  leaveOut(connectionTag: number, isAllowed: boolean): void {
    const at = slotOf(connectionTag)
    const mine = Atomics.load(this.#words, at) === (connectionTag | 0)
    if (!mine && !isAllowed) return
    const flags = mine ? this.#words[at + FLAGS]! & ~DIRECTIVE_FRAMES : 0
    Atomics.store(this.#words, at, 0)
    Atomics.store(this.#words, at + FLAGS, isAllowed ? flags | DIRECTIVE_FRAMES : flags)
    Atomics.store(this.#words, at, connectionTag | 0)
  }

  /** Nothing more of the connection is wanted. */
  ignore(connectionTag: number): void {
    const at = slotOf(connectionTag)
    Atomics.store(this.#words, at, 0)
    Atomics.store(this.#words, at + FLAGS, DIRECTIVE_IGNORE)
    Atomics.store(this.#words, at, connectionTag | 0)
  }
}

function slotOf(connectionTag: number): number {
  return ((connectionTag >>> 0) % DIRECTIVE_COUNT) * WORDS
}

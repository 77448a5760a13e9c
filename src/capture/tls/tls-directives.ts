import type { BpfMap } from '../../../lib/ebpf/mod.ts'
import {
  DIRECTIVE_IGNORE, DIRECTIVE_SKIP_0, DIRECTIVE_SKIP_1, PLAINTEXT_DIRECTIVE, PLAINTEXT_DIRECTIVE_COUNT,
} from '../events.gen.ts'

const WORDS = PLAINTEXT_DIRECTIVE.bytes / 4
const FLAGS = PLAINTEXT_DIRECTIVE.flags / 4
const SKIP_UNTIL = PLAINTEXT_DIRECTIVE.skip_until / 8

/** What the probes are told about single TLS sessions, in memory shared with them; hints, as `Directives` are. */
export class TlsDirectives {
  readonly #words: Int32Array
  readonly #positions: BigInt64Array

  constructor(map: BpfMap) {
    const bytes = map.mmap()
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, PLAINTEXT_DIRECTIVE_COUNT * WORDS)
    this.#positions = new BigInt64Array(bytes.buffer, bytes.byteOffset, PLAINTEXT_DIRECTIVE_COUNT * WORDS / 2)
  }

  /** Bytes before stream position `until` are not wanted: of what the program writes, or of what it reads. */
  skip(session: number, isWritten: boolean, until: number): void {
    const at = slotOf(session)
    const mine = Atomics.load(this.#words, at) === (session | 0)
    const flags = (mine ? this.#words[at + FLAGS]! : 0) | (isWritten ? DIRECTIVE_SKIP_1 : DIRECTIVE_SKIP_0)
    // A program that reads in between finds no directive, and delivers.
    Atomics.store(this.#words, at, 0)
    Atomics.store(this.#positions, at / 2 + SKIP_UNTIL + (isWritten ? 1 : 0), BigInt(until))
    Atomics.store(this.#words, at + FLAGS, flags)
    Atomics.store(this.#words, at, session | 0)
  }

  ignore(session: number): void {
    const at = slotOf(session)
    Atomics.store(this.#words, at, 0)
    Atomics.store(this.#words, at + FLAGS, DIRECTIVE_IGNORE)
    Atomics.store(this.#words, at, session | 0)
  }
}

function slotOf(session: number): number {
  return ((session >>> 0) % PLAINTEXT_DIRECTIVE_COUNT) * WORDS
}

/** `read` found nothing now, but the stream goes on. */
export const INPUT_WAIT = -1

/** A stream of bytes that is read without promises. */
export interface ByteInput {
  /** For messages: the path, or `standard input`. */
  readonly name: string
  /** Bytes of the whole stream when that is known, else undefined (pipe, compressed). */
  readonly size: number | undefined
  /** What ended the stream before its time, else undefined. */
  readonly damage: 'compression_damaged' | 'compression_silent' | 'read_failed' | undefined

  /**
   * Puts at most `length` bytes at `bytes[at]`.
   *
   * @returns bytes written; 0 = the end; INPUT_WAIT = nothing now
   */
  read(bytes: Uint8Array, at: number, length: number): number

  close(): void
}

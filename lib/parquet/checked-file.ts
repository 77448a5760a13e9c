import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/** A file that is written from its beginning to its end, with a checksum of what was. */
export class CheckedFile {
  readonly #fd: number
  #at = 0
  #crc = 0

  /** @throws {Error} with `code` of the system call, as all of it does */
  constructor(path: string) {
    this.#fd = openSync(path, 'w', 0o600)
  }

  /** Bytes so far. */
  get at(): number {
    return this.#at
  }

  /** CRC-32 of them. */
  get crc32(): number {
    return this.#crc
  }

  write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      for (let done = 0; done < part.length;) done += writeSync(this.#fd, part, done)
      this.#crc = crc32(part, this.#crc)
      this.#at += part.length
    }
  }

  /** All of it is on the disk afterwards. */
  sync(): void {
    fsyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

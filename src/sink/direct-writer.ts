import { closeSync, constants, openSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { addressOf } from '../../lib/ebpf/libbpf.ts'

const writeAsync = promisify(write)

/** The place in the file, and what is written at once, are multiples of it (open(2), O_DIRECT): a block of every file system in use. */
export const BLOCK_BYTES = 4096
const PIECE_BYTES = 1 << 20

/**
 * Appends to a file past the page cache (O_DIRECT): the disk takes the bytes out of this process's memory. Through the page cache the
 * kernel copies them into pages that it has to find and give up again, which costs several times what all else about a record does.
 */
export class DirectWriter {
  readonly #fd: number
  /** Where the disk can take from: the sender's memory is aligned to nothing. */
  readonly #piece: Buffer

  private constructor(fd: number) {
    this.#fd = fd
    const memory = new Uint8Array(PIECE_BYTES + BLOCK_BYTES)
    const start = Number(BigInt.asUintN(12, -addressOf(memory)))
    this.#piece = Buffer.from(memory.buffer, start, PIECE_BYTES)
  }

  /** @param fd of the file, opened for appending; undefined = its file system knows no such writing */
  static open(fd: number): DirectWriter | undefined {
    try {
      return new DirectWriter(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_DIRECT))
    } catch {
      return undefined
    }
  }

  /**
   * Writes as many whole blocks of the parts as go at once. The file ends with a block.
   *
   * @returns bytes written
   * @throws {Error} with `code` of the system call; EINVAL: the file does not end with a block, or cannot be written so
   */
  async write(parts: readonly Uint8Array[]): Promise<number> {
    let length = 0
    for (const part of parts) {
      if (length === PIECE_BYTES) break
      length += Buffer.from(part.buffer, part.byteOffset, part.length).copy(this.#piece, length)
    }
    const { bytesWritten } = await writeAsync(this.#fd, this.#piece, 0, length - length % BLOCK_BYTES)
    return bytesWritten
  }

  close(): void {
    closeSync(this.#fd)
  }
}

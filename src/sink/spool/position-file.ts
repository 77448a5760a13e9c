import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** Up to where everything is through: acknowledged by the server, refused by it for good, or given up. */
export interface Position {
  /** Number of the segment. */
  readonly segment: number
  /** Bytes of it, up to an end of line. */
  readonly offset: number
}

const NAME = 'position'
const SLOT_BYTES = 128
const SLOT = /^\{"generation":(\d+),"segment":(\d+),"offset":(\d+),"crc32":"([0-9a-f]{8})"\} *\n$/

/**
 * The acknowledged position on disk: two slots of fixed size, written in turn, each with a checksum; the newer that is whole counts.
 * A write in place needs no room, so that a disk that is full does not make the agent forget what was acknowledged.
 */
export class PositionFile {
  readonly #fd: number
  #generation: number
  /** What was read when it was opened; undefined when there was none. */
  readonly found: Position | undefined
  /** There was a file, and neither slot is whole. */
  readonly isDamaged: boolean

  /** Makes the file (0600) where there is none. @throws {Error} with `code` of the system call */
  constructor(folder: string) {
    this.#fd = openSync(join(folder, NAME), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      const slots = [this.#read(0), this.#read(1)].filter(slot => slot !== undefined).sort((a, b) => b.generation - a.generation)
      this.found = slots[0] === undefined ? undefined : { segment: slots[0].segment, offset: slots[0].offset }
      this.isDamaged = this.found === undefined && fstatSync(this.#fd).size > 0
      this.#generation = slots[0]?.generation ?? 0
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  /** One write of 128 bytes: it has reached the kernel when this returns. @throws {Error} with `code` of the system call */
  write({ segment, offset }: Position): void {
    const generation = this.#generation + 1
    const text = `{"generation":${generation},"segment":${segment},"offset":${offset},"crc32":"${sum(generation, segment, offset)}"}`
    writeSync(this.#fd, `${text.padEnd(SLOT_BYTES - 1)}\n`, (generation % 2) * SLOT_BYTES)
    this.#generation = generation
  }

  close(): void {
    closeSync(this.#fd)
  }

  #read(index: number): (Position & { readonly generation: number }) | undefined {
    const bytes = Buffer.alloc(SLOT_BYTES)
    const match = readSync(this.#fd, bytes, 0, SLOT_BYTES, index * SLOT_BYTES) === SLOT_BYTES ? SLOT.exec(bytes.toString('latin1')) : null
    if (match === null) return undefined
    const [generation, segment, offset] = match.slice(1, 4).map(Number) as [number, number, number]
    return sum(generation, segment, offset) === match[4] ? { generation, segment, offset } : undefined
  }
}

function sum(generation: number, segment: number, offset: number): string {
  return crc32(`${generation} ${segment} ${offset}`).toString(16).padStart(8, '0')
}

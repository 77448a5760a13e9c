import { readU16, readU32 } from './byte-order.ts'
import { INTERFACES_MAX } from './limits.ts'
import { TimeResolution } from './time-resolution.ts'

const OPTION = { END: 0, NAME: 2, RESOLUTION: 9, TIME_OFFSET: 14 } as const
const RESOLUTION_MICROSECONDS = 6
const NAME_BYTES_MAX = 256

export interface CaptureInterface {
  readonly linkType: number
  /** 0 = no bound. */
  readonly snapLength: number
  readonly name: string | undefined
  readonly time: TimeResolution
}

/** The interfaces of a pcapng file, numbered over all sections. Bound: INTERFACES_MAX. */
export class InterfaceTable {
  readonly #interfaces: CaptureInterface[] = []
  /** Number of the present section's first interface. */
  #sectionBase = 0
  /** Interfaces described but not kept. */
  #refused = 0

  startSection(): void {
    this.#sectionBase = this.#interfaces.length
    this.#refused = 0
  }

  /** Number over the whole file of the section's interface `id`. */
  indexOf(id: number): number {
    return this.#sectionBase + id
  }

  /** An interface of the present section. */
  inSection(id: number): CaptureInterface | undefined {
    return this.#interfaces[this.#sectionBase + id]
  }

  at(index: number): CaptureInterface | undefined {
    return this.#interfaces[index]
  }

  get refused(): number {
    return this.#refused
  }

  /**
   * Adds an Interface Description Block's body (after type and length): `end` is the end of its options.
   *
   * @returns false when the table is full
   */
  add(bytes: Uint8Array, at: number, end: number, bigEndian: boolean): boolean {
    if (this.#interfaces.length >= INTERFACES_MAX) {
      this.#refused++
      return false
    }
    let name: string | undefined
    let resolution = RESOLUTION_MICROSECONDS
    let offset = 0
    for (let option = at + 8; option + 4 <= end; ) {
      const code = readU16(bytes, option, bigEndian)
      const length = readU16(bytes, option + 2, bigEndian)
      const value = option + 4
      if (code === OPTION.END || value + length > end) break
      if (code === OPTION.NAME) name = readName(bytes, value, length)
      if (code === OPTION.RESOLUTION && length >= 1) resolution = bytes[value]!
      if (code === OPTION.TIME_OFFSET && length >= 8) offset = readI64(bytes, value, bigEndian)
      option = value + ((length + 3) & ~3)
    }
    this.#interfaces.push({
      linkType: readU16(bytes, at, bigEndian),
      snapLength: readU32(bytes, at + 4, bigEndian),
      name,
      time: new TimeResolution(resolution, offset),
    })
    return true
  }
}

/** Names come from a file that anyone may have written: bounded, and without control characters. */
function readName(bytes: Uint8Array, at: number, length: number): string | undefined {
  const text = Buffer.from(bytes.subarray(at, at + Math.min(length, NAME_BYTES_MAX))).toString('utf8')
  const name = text.replaceAll(/\p{Cc}/gu, '')
  return name === '' ? undefined : name
}

function readI64(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  const high = readU32(bytes, bigEndian ? at : at + 4, bigEndian) | 0
  const low = readU32(bytes, bigEndian ? at + 4 : at, bigEndian)
  return high * 4294967296 + low
}

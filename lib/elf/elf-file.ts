import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ElfError } from './elf-error.ts'

/** e_machine (System V ABI, chapter 4). */
export const MACHINE = { x64: 62, arm64: 183, riscv64: 243 } as const

export interface ElfSection {
  readonly name: string
  readonly type: number
  /** Address in memory, 0 = not loaded. */
  readonly address: number
  readonly offset: number
  readonly length: number
  /** Index of the section that this one refers to (for symbols, their names). */
  readonly link: number
  /** Bytes of an entry, for tables. */
  readonly entryLength: number
}

export interface ElfSegment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly fileLength: number
}

export interface ElfSymbol {
  readonly name: string
  /** Of its code in memory, as linked. */
  readonly address: number
  /** Bytes; 0 = not said. */
  readonly length: number
}

const HEADER_BYTES = 64
const SECTION_BYTES = 64
const SEGMENT_BYTES = 56
const SYMBOL_BYTES = 24
const SECTIONS_MAX = 65_536
const SEGMENTS_MAX = 1024
/** The largest table of symbols or names that is read: those of a browser are below. */
const TABLE_BYTES_MAX = 256 * 1024 * 1024
/** A piece of a section: whole symbols, and small enough for a text of it to die young. */
const PIECE_BYTES = SYMBOL_BYTES << 11
/** Of the file that is read at the time: tables of tens of MB would stay resident in whoever read them once. */
const PIECE = Buffer.allocUnsafeSlow(PIECE_BYTES)
const PT_LOAD = 1
const SHT_NOBITS = 8
const SHT_SYMTAB = 2
const SHT_DYNSYM = 11
const STT_FUNC = 2

/**
 * A 64-bit little-endian ELF file, read where it is asked, never as a whole. Its bytes are not trusted: every offset is
 * checked against the file's length.
 *
 * Bound: tables of TABLE_BYTES_MAX; longer ones count as absent.
 */
export class ElfFile implements Disposable {
  readonly path: string
  readonly machine: number
  readonly sections: readonly ElfSection[]
  readonly segments: readonly ElfSegment[]
  readonly #length: number
  #fd: number

  /** @throws ElfError when it is no such file, and the file system's error when it cannot be read */
  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'r')
    try {
      this.#length = fstatSync(this.#fd).size
      const header = this.#identify()
      this.machine = header.getUint16(18, true)
      this.segments = this.#readSegments(header)
      this.sections = this.#readSections(header)
    } catch (error) {
      this.close()
      throw error
    }
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name)
  }

  /** The bytes of a section; undefined when it has none in the file, or too many. */
  read(section: ElfSection, bytesMax = TABLE_BYTES_MAX): Uint8Array | undefined {
    if (section.type === SHT_NOBITS || section.length > bytesMax) return undefined
    return this.bytes(section.offset, section.length)
  }

  /**
   * A section piece by piece, each gone with the next; nothing of one that has no bytes in the file, or too many.
   *
   * @param overlap bytes at the end of a piece, below PIECE_BYTES, that stand in front of the next one again
   */
  *pieces(section: ElfSection, overlap = 0): Generator<{ readonly bytes: Buffer, readonly at: number }, void, undefined> {
    const { type, offset, length } = section
    if (type === SHT_NOBITS || !(length <= TABLE_BYTES_MAX) || !this.#has(offset, length)) return
    for (let at = 0; at < length; at += PIECE_BYTES - overlap) {
      const bytes = PIECE.subarray(0, Math.min(PIECE_BYTES, length - at))
      if (!this.#fill(bytes, offset + at)) return
      yield { bytes, at }
    }
  }

  /** `length` bytes at `offset` of the file; undefined when it does not have them. */
  bytes(offset: number, length: number): Uint8Array | undefined {
    if (!this.#has(offset, length)) return undefined
    const bytes = new Uint8Array(length)
    return this.#fill(bytes, offset) ? bytes : undefined
  }

  /** `length` bytes at `address` of the program as linked. */
  memory(address: number, length: number): Uint8Array | undefined {
    const offset = this.fileOffset(address)
    return offset === undefined ? undefined : this.bytes(offset, length)
  }

  /** Where in the file the byte stands that is loaded at `address`; undefined when none is. */
  fileOffset(address: number): number | undefined {
    const segment = this.segments.find((each) =>
      each.type === PT_LOAD && address >= each.address && address < each.address + each.fileLength)
    return segment === undefined ? undefined : address - segment.address + segment.offset
  }

  /**
   * The functions among `names` that the file defines, exported ones first. The table of all symbols, which a stripped file
   * lacks, is looked at only for names that are not exported.
   */
  functions(names: ReadonlySet<string>): Map<string, ElfSymbol> {
    const found = new Map<string, ElfSymbol>()
    for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
      for (const section of this.sections) {
        if (section.type === type && found.size < names.size) this.#collect(section, names, found)
      }
    }
    return found
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd < 0) return
    closeSync(this.#fd)
    this.#fd = -1
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #has(offset: number, length: number): boolean {
    return offset >= 0 && length >= 0 && offset + length <= this.#length
  }

  #fill(bytes: Uint8Array, offset: number): boolean {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, offset + done)
      if (read === 0) return false
      done += read
    }
    return true
  }

  #identify(): DataView {
    const bytes = this.bytes(0, HEADER_BYTES)
    if (bytes === undefined || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
      throw new ElfError(this.path, 'it does not begin as one')
    }
    if (bytes[4] !== 2) throw new ElfError(this.path, 'it is a 32-bit one')
    if (bytes[5] !== 1) throw new ElfError(this.path, 'it is big-endian')
    return viewOf(bytes)
  }

  #readSegments(header: DataView): ElfSegment[] {
    const count = header.getUint16(56, true)
    if (count > SEGMENTS_MAX) throw new ElfError(this.path, `it has ${count} segments`)
    const table = this.bytes(wordOf(header, 32), count * SEGMENT_BYTES)
    if (table === undefined || (count > 0 && header.getUint16(54, true) !== SEGMENT_BYTES)) {
      throw new ElfError(this.path, 'its segments lie outside of it')
    }
    const view = viewOf(table)
    return Array.from({ length: count }, (_, index) => {
      const at = index * SEGMENT_BYTES
      return {
        type: view.getUint32(at, true),
        flags: view.getUint32(at + 4, true),
        offset: wordOf(view, at + 8),
        address: wordOf(view, at + 16),
        fileLength: wordOf(view, at + 32),
      }
    })
  }

  /** None when the file has no table of sections, as it may. */
  #readSections(header: DataView): ElfSection[] {
    const count = Math.min(header.getUint16(60, true), SECTIONS_MAX)
    const table = this.bytes(wordOf(header, 40), count * SECTION_BYTES)
    if (count === 0 || table === undefined || header.getUint16(58, true) !== SECTION_BYTES) return []
    const view = viewOf(table)
    const nameOffsets: number[] = []
    const bare = Array.from({ length: count }, (_, index) => {
      const at = index * SECTION_BYTES
      nameOffsets.push(view.getUint32(at, true))
      return {
        type: view.getUint32(at + 4, true),
        address: wordOf(view, at + 16),
        offset: wordOf(view, at + 24),
        length: wordOf(view, at + 32),
        link: view.getUint32(at + 40, true),
        entryLength: wordOf(view, at + 56),
      }
    })
    const names = bare[header.getUint16(62, true)]
    const text = names === undefined || names.length > 1 << 20 ? undefined : this.bytes(names.offset, names.length)
    return bare.map((section, index) => ({ ...section, name: text === undefined ? '' : textAt(text, nameOffsets[index]!) }))
  }

  #collect(section: ElfSection, names: ReadonlySet<string>, found: Map<string, ElfSymbol>): void {
    const strings = this.sections[section.link]
    if (strings === undefined || section.entryLength !== SYMBOL_BYTES) return
    const nameAt = this.#placesOf(names, strings)
    if (nameAt.size === 0) return
    for (const { bytes } of this.pieces(section)) {
      const view = viewOf(bytes)
      for (let at = 0; at + SYMBOL_BYTES <= bytes.length; at += SYMBOL_BYTES) {
        const name = nameAt.get(view.getUint32(at, true))
        // Section 0: the symbol is another file's.
        if (name === undefined || found.has(name) || (bytes[at + 4]! & 15) !== STT_FUNC || view.getUint16(at + 6, true) === 0) continue
        const address = wordOf(view, at + 8)
        if (address !== 0) found.set(name, { name, address, length: wordOf(view, at + 16) })
      }
    }
  }

  /** Where in a table of texts each of `names` ends a text: a symbol's name may be the end of another's. */
  #placesOf(names: ReadonlySet<string>, strings: ElfSection): Map<number, string> {
    const places = new Map<number, string>()
    const pattern = new RegExp(`(?=(${[...names].map((name) => RegExp.escape(name)).join('|')})\0)`, 'g')
    const overlap = Math.max(...[...names].map((name) => name.length + 1))
    for (const { bytes, at } of this.pieces(strings, overlap)) {
      for (const { 1: name, index } of bytes.toString('latin1').matchAll(pattern)) places.set(at + index, name!)
    }
    return places
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A 64-bit word; those that no file can have become NaN, which no comparison lets through. */
function wordOf(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true)
  return high >= 2 ** 21 ? Number.NaN : high * 2 ** 32 + view.getUint32(at, true)
}

function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at)
  return Buffer.from(bytes.buffer, bytes.byteOffset + Math.min(at, bytes.length), Math.max(0, (end < 0 ? bytes.length : end) - at)).toString('latin1')
}

import type { ElfFile, ElfSection } from './elf-file.ts'

/** A function of a Go program. */
export interface GoFunction {
  readonly name: string
  readonly address: number
  readonly length: number
}

/** Of a Go program that cannot be read, why. */
export type GoFunctions = { readonly functions: Map<string, GoFunction> } | { readonly reason: string }

const BUILD_INFO_MAGIC = '\xff Go buildinf:'
const BUILD_INFO_INLINE = 2
const VERSION_AT = 32
const VERSION_BYTES_MAX = 64
/** internal/abi: the table's layouts of Go 1.18 and of 1.20, which read alike here. */
const MAGICS = new Set([0xfffffff0, 0xfffffff1])
const HEADER_BYTES = 8 + 8 * 8
const ENTRY_BYTES = 8
const FUNCTIONS_MAX = 2_000_000

/** The version of Go that made the program, e.g. `go1.22.3`; undefined when Go did not. */
export function goVersion(elf: ElfFile): string | undefined {
  const section = elf.section('.go.buildinfo')
  const bytes = section === undefined ? undefined : elf.bytes(section.offset, Math.min(section.length, VERSION_AT + 1 + VERSION_BYTES_MAX))
  if (bytes === undefined || bytes.length <= VERSION_AT) return undefined
  if (Buffer.from(bytes.buffer, 0, BUILD_INFO_MAGIC.length).toString('latin1') !== BUILD_INFO_MAGIC) return undefined
  // Before Go 1.18 the version is behind a pointer.
  if ((bytes[15]! & BUILD_INFO_INLINE) === 0) return 'go before 1.18'
  const length = Math.min(bytes[VERSION_AT]!, VERSION_BYTES_MAX)
  return Buffer.from(bytes.buffer, VERSION_AT + 1, Math.min(length, bytes.length - VERSION_AT - 1)).toString('latin1')
}

/**
 * Finds functions by the table that Go keeps for its own stack traces, which is there in stripped programs too (Go 1.18 and
 * later; runtime/symtab.go, `pcHeader`).
 *
 * @param isEntry says of the code at a candidate whether a function of these begins there: where the code lies is told by the
 *                header (until Go 1.25), by the symbol runtime.text, or is the begin of .text
 */
export function goFunctions(elf: ElfFile, names: ReadonlySet<string>, isEntry: (code: Uint8Array) => boolean): GoFunctions {
  const section = elf.sections.find(({ name }) => name === '.gopclntab' || name === '.data.rel.ro.gopclntab')
  const table = section === undefined ? undefined : elf.read(section)
  if (table === undefined) return { reason: 'it has no table of its functions (.gopclntab)' }
  const found = readTable(table, names)
  if (typeof found === 'string') return { reason: found }
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  for (const start of textStarts(elf, wordAt(view, 24))) {
    const functions = [...found].map(([name, { offset, length }]) => ({ name, address: start + offset, length }))
    const begins = (address: number): boolean => {
      const code = elf.memory(address, 8)
      return code !== undefined && isEntry(code)
    }
    if (functions.every(({ address }) => begins(address))) return { functions: new Map(functions.map((each) => [each.name, each])) }
  }
  return { reason: 'where its code lies is not known (built with cgo and stripped?)' }
}

function textStarts(elf: ElfFile, inHeader: number): number[] {
  const text: ElfSection | undefined = elf.section('.text')
  const symbol = elf.functions(new Set(['runtime.text'])).get('runtime.text')
  return [inHeader, symbol?.address ?? 0, text?.address ?? 0].filter((address) => address > 0)
}

/** Offsets from the begin of the code, by name; a text = what is wrong. */
function readTable(table: Uint8Array, names: ReadonlySet<string>): Map<string, { offset: number; length: number }> | string {
  if (table.length < HEADER_BYTES) return 'the table of its functions is cut'
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  if (!MAGICS.has(view.getUint32(0, true))) return 'it was made by Go before 1.18'
  const count = wordAt(view, 8)
  const nameTable = wordAt(view, 32)
  const entries = wordAt(view, 64)
  if (count > FUNCTIONS_MAX || entries + (count + 1) * ENTRY_BYTES > table.length) return 'the table of its functions is cut'
  const found = new Map<string, { offset: number; length: number }>()
  for (let index = 0; index < count; index++) {
    const at = entries + index * ENTRY_BYTES
    const data = entries + view.getUint32(at + 4, true)
    if (data + 8 > table.length) return 'the table of its functions is cut'
    const name = nameAt(table, nameTable + view.getInt32(data + 4, true), names)
    if (name === undefined) continue
    const offset = view.getUint32(at, true)
    found.set(name, { offset, length: view.getUint32(at + ENTRY_BYTES, true) - offset })
  }
  return found
}

/** The one of `names` that stands at `at`; no text is made for the others. */
function nameAt(table: Uint8Array, at: number, names: ReadonlySet<string>): string | undefined {
  for (const name of names) {
    if (table[at + name.length] !== 0) continue
    let index = 0
    while (index < name.length && table[at + index] === name.charCodeAt(index)) index++
    if (index === name.length) return name
  }
  return undefined
}

function wordAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}

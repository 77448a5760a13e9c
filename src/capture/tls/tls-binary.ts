import { ElfError, ElfFile, MACHINE, X64_ENTRY_BYTES, x64EntryPlace, x64PassesTo, x64Targets } from '../../../lib/elf/mod.ts'
import type { ElfSymbol } from '../../../lib/elf/mod.ts'
import { PROBE_END } from '../events.gen.ts'
import { judgeGo } from './go-library.ts'
import { TLS_LIBRARIES, TLS_SYMBOLS } from './tls-library.ts'
import type { TlsLibrary } from './tls-library.ts'

/** One place in a file, and what the program there is told. */
export interface TlsProbe {
  readonly offset: number
  /** One of PROBE_*. */
  readonly cookie: number
  /** At a function's entry, at its return by way of a uretprobe, or at any instruction of a Go program. */
  readonly place: 'entry' | 'return' | 'go'
}

/** What a file is to whoever wants to read TLS. */
export type TlsVerdict =
  | { readonly speaks: 'no' }
  /** It does, and cannot be read. */
  | { readonly speaks: 'unreadable'; readonly library: string; readonly reason: string }
  | { readonly speaks: 'readable'; readonly library: string; readonly probes: readonly TlsProbe[] }

const NO = { speaks: 'no' } as const
/** A longer function is not looked into. */
const CODE_BYTES_MAX = 4096
const MACHINES: Readonly<Record<string, number>> = MACHINE

/** A file as ELF; undefined for a script, a program of 32 bits, or a file that is gone or may not be read. */
export function openBinary(path: string): ElfFile | undefined {
  try {
    return new ElfFile(path)
  } catch (error) {
    if (error instanceof ElfError || (error as NodeJS.ErrnoException).code !== undefined) return undefined
    throw error
  }
}

/**
 * Looks for the functions of a TLS library in a program or a library.
 *
 * @param path a file that is mapped as code by some process
 */
export function judgeBinary(path: string): TlsVerdict {
  using elf = openBinary(path)
  if (elf === undefined || elf.machine !== MACHINES[process.arch]) return NO
  return judgeGo(elf) ?? judgeFunctions(elf)
}

function judgeFunctions(elf: ElfFile): TlsVerdict {
  const found = elf.functions(TLS_SYMBOLS)
  const names: string[] = []
  const probes: TlsProbe[] = []
  for (const library of TLS_LIBRARIES) {
    if (!library.functions.some(({ symbol }) => found.has(symbol))) continue
    const missing = library.needed.filter((symbol) => !found.has(symbol))
    if (missing.length > 0) {
      // Half of a library shows half of a conversation: worse than none.
      return { speaks: 'unreadable', library: library.name, reason: `it has no symbol ${missing.join(', ')} (stripped?)` }
    }
    names.push(library.name)
    probes.push(...probesOf(elf, library, found))
  }
  return names.length === 0 ? NO : { speaks: 'readable', library: names.join(' and '), probes }
}

function probesOf(elf: ElfFile, library: TlsLibrary, found: ReadonlyMap<string, ElfSymbol>): TlsProbe[] {
  const inner = innerProbes(elf, library, found)
  const probes: TlsProbe[] = [...inner.probes]
  for (const { symbol, entry, end } of library.functions) {
    const at = found.get(symbol)
    if (at === undefined || inner.replaced.has(symbol)) continue
    const offset = elf.fileOffset(at.address + (emulatedPlace(elf, at.address) ?? 0))
    if (offset === undefined) continue
    if (entry !== undefined) probes.push({ offset, cookie: entry, place: 'entry' })
    if (end !== undefined) probes.push({ offset, cookie: end, place: 'return' })
  }
  return probes
}

/**
 * Of functions that every call goes through and whose own beginning is dear to probe, the one that they are built on, when its
 * beginning is not: a tenth of the cost on a virtual machine (see x64-entry.ts). What is not proved by the code stays as it is.
 */
function innerProbes(
  elf: ElfFile, library: TlsLibrary, found: ReadonlyMap<string, ElfSymbol>,
): { readonly probes: readonly TlsProbe[]; readonly replaced: ReadonlySet<string> } {
  const probes: TlsProbe[] = []
  const replaced = new Set<string>()
  for (const { by, instead, entry } of library.inner) {
    const outer = found.get(by)
    const main = found.get(instead[0]!)
    if (outer === undefined || main === undefined || replaced.has(instead[0]!)) continue
    if (emulatedPlace(elf, main.address) !== undefined) continue
    const address = passedTo(elf, outer)
    const place = address === undefined ? undefined : emulatedPlace(elf, address)
    if (address === undefined || place === undefined || !calls(elf, main, address)) continue
    const offset = elf.fileOffset(address + place)
    if (offset === undefined) continue
    for (const symbol of instead) if (found.has(symbol) && calls(elf, found.get(symbol)!, address)) replaced.add(symbol)
    probes.push({ offset, cookie: entry, place: 'entry' }, { offset, cookie: PROBE_END, place: 'return' })
  }
  return { probes, replaced }
}

/** Where in the function at `address` its probes cost least; undefined = nowhere better than at its beginning. */
function emulatedPlace(elf: ElfFile, address: number): number | undefined {
  if (elf.machine !== MACHINE.x64) return undefined
  const code = elf.memory(address, X64_ENTRY_BYTES)
  return code === undefined ? undefined : x64EntryPlace(code)
}

function passedTo(elf: ElfFile, { address }: ElfSymbol): number | undefined {
  if (elf.machine !== MACHINE.x64) return undefined
  const code = elf.memory(address, X64_ENTRY_BYTES)
  return code === undefined ? undefined : x64PassesTo(code, address)
}

function calls(elf: ElfFile, { address, length }: ElfSymbol, target: number): boolean {
  const code = length > CODE_BYTES_MAX ? undefined : elf.memory(address, length)
  return code !== undefined && x64Targets(code, address).has(target)
}

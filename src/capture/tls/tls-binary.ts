import { ElfError, ElfFile, MACHINE } from '../../../lib/elf/mod.ts'
import { judgeGo } from './go-library.ts'
import { TLS_LIBRARIES, TLS_SYMBOLS } from './tls-library.ts'

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
const MACHINES: Readonly<Record<string, number>> = MACHINE

/**
 * Looks for the functions of a TLS library in a program or a library.
 *
 * @param path a file that is mapped as code by some process
 */
export function judgeBinary(path: string): TlsVerdict {
  let file: ElfFile
  try {
    file = new ElfFile(path)
  } catch (error) {
    // A 32-bit program, a script's interpreter of another machine, a file that is gone: not to be probed.
    if (error instanceof ElfError || (error as NodeJS.ErrnoException).code !== undefined) return NO
    throw error
  }
  using elf = file
  if (elf.machine !== MACHINES[process.arch]) return NO
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
    for (const { symbol, entry, end } of library.functions) {
      const at = found.get(symbol)
      const offset = at === undefined ? undefined : elf.fileOffset(at.address)
      if (offset === undefined) continue
      if (entry !== undefined) probes.push({ offset, cookie: entry, place: 'entry' })
      if (end !== undefined) probes.push({ offset, cookie: end, place: 'return' })
    }
  }
  return names.length === 0 ? NO : { speaks: 'readable', library: names.join(' and '), probes }
}

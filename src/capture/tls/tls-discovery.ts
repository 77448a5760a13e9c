import { existsSync, readdirSync, statSync } from 'node:fs'
import { MappingWatch } from '../../../lib/ebpf/mod.ts'
import type { NewMapping } from '../../../lib/ebpf/mod.ts'
import { codeMappings, processIds } from './process-maps.ts'
import type { CodeMapping } from './process-maps.ts'
import type { TlsBinary, TlsProbes } from './tls-probes.ts'

/** Where the loader of a Linux system looks; a library there may be mapped any moment by a program that lives for milliseconds. */
const LIBRARY_FOLDERS = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64']
const MULTIARCH = /-linux-gnu$/
const TLS_LIBRARY_NAME = /^lib(?:ssl|gnutls|boringssl)(?:[-_.\d]*)\.so/
/** Files whose mapping was judged, by the kernel's numbers. */
const JUDGED_MAX = 65_536
/** How often files that nobody maps any more are looked for. */
const SWEEP_MS = 60_000
/** Mappings that wait to be judged; one more is missed, and its file is met again at its next mapping. */
const WAITING_MAX = 4096
/** Files judged in one go while packets wait. */
const JUDGED_AT_ONCE = 4

export interface TlsDiscoveryOptions {
  readonly probes: TlsProbes
  /** False = the file at this path (as its process sees it) is not to be read. */
  readonly wants: (path: string) => boolean
  readonly onBinary?: (binary: TlsBinary) => void
  /** How often files that nobody has any more are looked for; default once a minute. */
  readonly sweepMs?: number | undefined
}

/**
 * Finds programs and libraries that speak TLS: those installed, those mapped by a process now, and those that a process maps
 * later, at its exec or at its first TLS connection. Each file is judged once, whoever maps it, in whatever mount namespace.
 */
export class TlsDiscovery {
  readonly #options: TlsDiscoveryOptions
  readonly #watch: MappingWatch
  readonly #judged = new Set<string>()
  #waiting: CodeMapping[] = []
  #sweptAt = performance.now()
  /** Files that nobody mapped when it was looked for the last time. */
  #unused = new Set<string>()
  /** Mappings that could not be followed: too many waited, or their process was gone before its file could be opened. */
  missed = 0

  /** Attaches to what is there; takes some milliseconds for each program that runs. */
  constructor(options: TlsDiscoveryOptions) {
    this.#options = options
    this.#watch = new MappingWatch() // before the scan: what comes in between is told twice, not never
    for (const path of installedLibraries()) this.#consider(path, path)
    for (const processId of processIds()) for (const mapping of codeMappings(processId)) this.#judge(mapping)
  }

  /** Descriptors that can be read when there is something to follow. */
  get fds(): number[] {
    return this.#watch.fds
  }

  /** Mappings that the kernel could not tell. */
  get lost(): number {
    return this.#watch.lost
  }

  /** Follows what was mapped since the last call, some files at a time. */
  follow(): void {
    this.#read()
    for (const mapping of this.#waiting.splice(0, JUDGED_AT_ONCE)) this.#judge(mapping)
    this.#sweep()
  }

  close(): void {
    this.#watch.close()
  }

  /** Takes what was mapped since the last call; `met` is given the inode numbers of all of it. */
  #read(met?: Set<bigint>): void {
    for (const mapping of this.#watch.read()) {
      met?.add(mapping.inode)
      const file = fileOf(mapping)
      if (mapping.inode === 0n || this.#judged.has(file)) continue
      if (this.#waiting.length >= WAITING_MAX) {
        this.missed++
        continue
      }
      const range = `${mapping.address.toString(16)}-${(mapping.address + mapping.length).toString(16)}`
      const { processId, path } = mapping
      this.#waiting.push({ processId, file, path, openPath: `/proc/${processId}/map_files/${range}` })
    }
  }

  #judge(mapping: CodeMapping): void {
    if (this.#judged.has(mapping.file)) return
    if (this.#judged.size >= JUDGED_MAX) this.#judged.clear()
    const openPath = placeOf(mapping)
    if (openPath === undefined) {
      this.missed++
      return
    }
    this.#judged.add(mapping.file)
    this.#consider(openPath, mapping.path)
  }

  #consider(openPath: string, path: string): void {
    if (!this.#options.wants(path)) return
    const binary = this.#options.probes.consider(openPath, path)
    if (binary !== undefined) this.#options.onBinary?.(binary)
  }

  /**
   * A file that nobody maps is let go of, the second time that it is met so, if it is gone from its path too: a program that is started
   * now and then would be met late each time, and one that started while its probes were taken off would be read with a hole that
   * nothing tells of. Where too many are held, a file that is there still has to go as well.
   */
  #sweep(): void {
    const now = performance.now()
    if (now - this.#sweptAt < (this.#options.sweepMs ?? SWEEP_MS)) return
    this.#sweptAt = now
    const used = new Set<string>()
    const note = (path: string): boolean => {
      try {
        const { dev, ino } = statSync(path, { bigint: true })
        used.add(`${dev}:${ino}`)
        return true
      } catch {
        return false // gone in the meantime
      }
    }
    const mapped = new Set<string>()
    // By each process until one lives long enough to be asked; what nobody shows is judged anew when it is mapped again.
    for (const processId of processIds()) {
      for (const { file, openPath } of codeMappings(processId)) if (!mapped.has(file) && note(openPath)) mapped.add(file)
    }
    for (const path of installedLibraries()) note(path)
    const { probes } = this.#options
    // One that could not be probed has nothing to lose: it is judged anew when it is mapped again.
    if (!probes.isCrowded) for (const { path, isRead } of probes.binaries()) if (isRead) note(path)
    const unused = new Set<string>()
    // Of a process that began while the others were asked.
    const met = new Set<bigint>()
    this.#read(met)
    probes.release((identity) => {
      if (used.has(identity) || met.has(BigInt(identity.slice(identity.indexOf(':') + 1)))) return true
      unused.add(identity)
      return !this.#unused.has(identity)
    })
    this.#unused = unused
    for (const file of this.#judged) if (!mapped.has(file)) this.#judged.delete(file)
  }
}

/** TLS libraries in the folders of the system. */
function installedLibraries(): string[] {
  const found: string[] = []
  for (const folder of LIBRARY_FOLDERS) {
    for (const name of namesIn(folder)) {
      if (TLS_LIBRARY_NAME.test(name)) found.push(`${folder}/${name}`)
      if (!MULTIARCH.test(name)) continue
      for (const inner of namesIn(`${folder}/${name}`)) if (TLS_LIBRARY_NAME.test(inner)) found.push(`${folder}/${name}/${inner}`)
    }
  }
  return found
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** As /proc/PID/maps writes it. */
function fileOf({ major, minor, inode }: NewMapping): string {
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}:${inode}`
}

/** Where the mapped file can be opened; undefined when its process is gone and took its mount namespace along. */
function placeOf({ openPath, processId, path }: CodeMapping): string | undefined {
  return [openPath, `/proc/${processId}/root${path}`, path].find((place) => existsSync(place))
}

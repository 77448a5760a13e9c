import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BpfError, BpfObject } from '../../../lib/ebpf/mod.ts'
import type { BpfMap } from '../../../lib/ebpf/mod.ts'
import { readTlsCounters } from './tls-counters.ts'
import type { TlsCounters } from './tls-counters.ts'
import { TlsDirectives } from './tls-directives.ts'
import { TlsDiscovery } from './tls-discovery.ts'
import { PROGRAMS, TlsProbes } from './tls-probes.ts'
import type { TlsBinary } from './tls-probes.ts'

/** Programs that run at every socket call; kernels before 6.3 lack their tracepoints. */
const SOCKET_PROGRAMS = ['lintel_tls_sent', 'lintel_tls_got', 'lintel_tls_gone'] as const
const EXIT_PROGRAM = 'lintel_tls_exit'

export interface TlsOptions {
  /** Maps of the packet programs: the ring that plaintext goes into, and the flag of its reader. */
  readonly events: BpfMap
  readonly reader: BpfMap
  /** Programs and libraries that are not to be read, by path as their process sees it. */
  readonly wants: (path: string) => boolean
  readonly objectFolder?: string | undefined
  readonly onBinary?: (binary: TlsBinary) => void
  /** See TlsDiscoveryOptions. */
  readonly sweepMs?: number
}

/**
 * Plaintext of TLS, read by probes in the libraries of this machine's processes; it comes out of the ring of the packet
 * programs, as EVENT_PLAINTEXT.
 */
export class TlsSource {
  readonly #object: BpfObject
  readonly #probes: TlsProbes
  readonly #discovery: TlsDiscovery
  readonly #directives: TlsDirectives
  #lastCounters: TlsCounters | undefined

  /** @throws {Error} with the reason when this kernel or this process may not have it */
  constructor(options: TlsOptions) {
    this.#object = loadObject(options)
    try {
      this.#directives = new TlsDirectives(this.#object.map('tls_directives'))
      this.#probes = new TlsProbes(this.#object)
      for (const program of [...SOCKET_PROGRAMS, EXIT_PROGRAM].map((name) => this.#object.program(name))) {
        if (program.autoload) program.attachTrace()
      }
      this.#discovery = new TlsDiscovery({
        probes: this.#probes, wants: options.wants, sweepMs: options.sweepMs,
        ...(options.onBinary === undefined ? {} : { onBinary: options.onBinary }),
      })
    } catch (error) {
      this.#object.close()
      throw error
    }
  }

  /** Descriptors that can be read when `follow` has something to do. */
  get fds(): number[] {
    return this.#discovery.fds
  }

  /** False = this kernel shows no sockets: every exchange stands without its addresses. */
  get knowsSockets(): boolean {
    return SOCKET_PROGRAMS.every((name) => this.#object.program(name).autoload)
  }

  follow(): void {
    this.#discovery.follow()
  }

  binaries(): TlsBinary[] {
    return this.#probes.binaries()
  }

  skip(session: number, isWritten: boolean, until: number): void {
    this.#directives.skip(session, isWritten, until)
  }

  ignore(session: number): void {
    this.#directives.ignore(session)
  }

  counters(): TlsCounters {
    return this.#lastCounters ?? readTlsCounters(this.#object.map('tls_counters'))
  }

  /** What was odd so far, by name. */
  * oddities(): Generator<readonly [string, number]> {
    yield* this.counters().oddities
    yield ['tls_mapping_missed', this.#discovery.missed + this.#discovery.lost]
  }

  /** Nothing more is told; what was read can still be drained, and the counters stand still. Idempotent. */
  detach(): void {
    if (this.#lastCounters !== undefined) return
    this.#object.globals('.bss').set('is_over', 1)
    this.#probes.quiesce()
    this.#lastCounters = readTlsCounters(this.#object.map('tls_counters'))
  }

  /** Takes every probe off. Idempotent. */
  close(): void {
    this.detach()
    this.#discovery.close()
    this.#object.close()
  }
}

/** What newer kernels have and older ones lack, the newest first. */
const WAYS = [
  { isMulti: true, hasSockets: true }, // 6.6: one link for all places in a file
  { isMulti: false, hasSockets: true }, // 6.3: tracepoints that show the socket of a call
  { isMulti: false, hasSockets: false },
] as const

/** Loads what this kernel takes. @throws what the last try met */
function loadObject(options: TlsOptions): BpfObject {
  for (const way of WAYS) {
    try {
      return loadWith(options, way)
    } catch (error) {
      if (way === WAYS.at(-1) || !(error instanceof BpfError) || error.code === 'EPERM') throw error
    }
  }
  throw new Error('Cannot load the programs that read TLS') // not reached: the last way returns or throws
}

function loadWith({ objectFolder, events, reader }: TlsOptions, { isMulti, hasSockets }: (typeof WAYS)[number]): BpfObject {
  const path = `${objectFolder ?? fileURLToPath(new URL('../../../build', import.meta.url))}/tls.bpf.o`
  if (!existsSync(path)) throw new Error(`Cannot load "${path}": it has not been built; run "make build"`)
  const object = BpfObject.open(path, { name: 'lintel_tls' })
  try {
    if (isMulti) for (const name of Object.values(PROGRAMS)) object.program(name).setAttachType('trace_uprobe_multi')
    for (const name of SOCKET_PROGRAMS) object.program(name).setAutoload(hasSockets)
    object.globals('.rodata').set('own_process', process.pid)
    object.map('events').reuse(events)
    object.map('reader').reuse(reader)
    object.load()
    return object
  } catch (error) {
    object.close()
    throw error
  }
}

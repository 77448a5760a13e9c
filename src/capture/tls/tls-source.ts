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

export interface TlsOptions {
  /** Maps of the packet programs: the ring that plaintext goes into, and the flag of its reader. */
  readonly events: BpfMap
  readonly reader: BpfMap
  /** Programs and libraries that are not to be read, by path as their process sees it. */
  readonly wants: (path: string) => boolean
  readonly objectFolder?: string | undefined
  readonly onBinary?: (binary: TlsBinary) => void
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
      for (const name of SOCKET_PROGRAMS) this.#object.program(name).attachTrace()
      this.#discovery = new TlsDiscovery({
        probes: this.#probes, wants: options.wants, ...(options.onBinary === undefined ? {} : { onBinary: options.onBinary }),
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

/** One link for all places in a file needs kernel 6.6; before, each place has one of its own. */
function loadObject(options: TlsOptions): BpfObject {
  try {
    return loadWith(options, true)
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'EINVAL') throw error
    return loadWith(options, false)
  }
}

function loadWith({ objectFolder, events, reader }: TlsOptions, isMulti: boolean): BpfObject {
  const path = `${objectFolder ?? fileURLToPath(new URL('../../../build', import.meta.url))}/tls.bpf.o`
  if (!existsSync(path)) throw new Error(`Cannot load "${path}": it has not been built; run "make build"`)
  const object = BpfObject.open(path, { name: 'lintel_tls' })
  try {
    if (isMulti) for (const name of Object.values(PROGRAMS)) object.program(name).setAttachType('trace_uprobe_multi')
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

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

import { BpfError } from './bpf-error.ts'
import { BpfMap } from './bpf-map.ts'
import { BpfProgram } from './bpf-program.ts'
import { Btf } from './btf.ts'
import { summarizeElf } from './elf.ts'
import { Globals, listed } from './globals.ts'
import type { GlobalsMemory } from './globals.ts'
import { detachView, lastErrno, libbpf, viewOf } from './libbpf.ts'
import type { Next, Pointer } from './libbpf.ts'
import { explainLoad } from './load-error.ts'
import { MappedMemory } from './mapped-memory.ts'
import { CStruct, cString, failureOf, isNull } from './syscall.ts'
import { VerifierError } from './verifier-error.ts'

export interface OpenOptions {
  /** Replaces the file's name as the object's; its first 8 bytes prefix the maps of global variables. */
  readonly name?: string
  /** BTF of another kernel to relocate against, for kernels that do not carry theirs. */
  readonly btfPath?: string
}

/** Sections with global variables. */
export const GlobalSection = { rodata: '.rodata', data: '.data', bss: '.bss' } as const
export type GlobalSection = (typeof GlobalSection)[keyof typeof GlobalSection]

/** sizeof(struct bpf_object_open_opts), libbpf 1.1. */
const OPEN_OPTS_BYTES = 80
/** Room for one program's verifier log; anonymous memory, so only what is written costs anything. */
const LOG_BYTES = 16 * 1024 * 1024

/** Sections newer than libbpf 1.1, whose programs are plain sched_cls. */
const TCX_SECTION = /^tcx\/(ingress|egress)$/

interface SectionState {
  readonly globals: Globals
  /** The view of libbpf's initial value, until load. */
  initial: ArrayBuffer | undefined
  /** A copy of the constants, after load. */
  constants: Uint8Array | undefined
}

/**
 * A BPF object file. `open` reads it and needs no privileges, `load` creates its maps and programs in
 * the kernel, `close` (or `using`) gives everything back, attachments included.
 */
export class BpfObject implements Disposable {
  readonly path: string
  readonly name: string
  readonly maps: ReadonlyMap<string, BpfMap>
  readonly programs: ReadonlyMap<string, BpfProgram>
  readonly #mapPointers: ReadonlyMap<string, Pointer>
  readonly #programPointers: ReadonlyMap<string, Pointer>
  readonly #sections = new Map<string, SectionState>()
  #pointer: Pointer | undefined
  #state: 'open' | 'loaded' | 'failed' | 'closed' = 'open'
  #btf: Btf | undefined

  private constructor(path: string, pointer: Pointer) {
    this.path = path
    this.#pointer = pointer
    // SAFETY: `open` got the pointer from libbpf just now; maps and programs point into the object and are
    // used until `close` only. libbpf's names are copied.
    this.name = libbpf.bpf_object__name(pointer)
    this.#mapPointers = each(pointer, libbpf.bpf_object__next_map, libbpf.bpf_map__name)
    this.#programPointers = each(pointer, libbpf.bpf_object__next_program, libbpf.bpf_program__name)
    this.maps = new Map([...this.#mapPointers].map(([name, map]) => [name, new BpfMap(name, map)]))
    this.programs = new Map([...this.#programPointers].map(([name, at]) => [name, new BpfProgram(at)]))
    for (const program of this.programs.values()) {
      if (program.type === 'unspec' && TCX_SECTION.test(program.section)) program.setType('sched_cls')
    }
  }

  /** Reads an ELF file made by `clang -target bpf`. @throws BpfError that names the file and what to do. */
  static open(path: string, options: OpenOptions = {}): BpfObject {
    let file: Uint8Array
    try {
      file = readFileSync(path)
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'EIO'
      throw new BpfError(
        `Cannot open "${path}": ${readFailure(code)}; compile it with clang -O2 -g -target bpf -c`,
        code, { cause })
    }
    const open = CStruct.options(OPEN_OPTS_BYTES)
    if (options.name !== undefined) open.pointer(8, cString(options.name))
    if (options.btfPath !== undefined) open.pointer(48, cString(options.btfPath))
    // SAFETY: libbpf copies the path and the strings of the options before it returns.
    const pointer = libbpf.bpf_object__open_file(path, open.bytes)
    if (isNull(pointer)) throw explainOpen(path, file, lastErrno())
    return new BpfObject(path, pointer)
  }

  /** @throws BpfError that lists the maps there are. */
  map(name: string): BpfMap {
    const map = this.maps.get(name)
    if (map !== undefined) return map
    throw new BpfError(
      `Cannot find the map "${name}" in "${basename(this.path)}": it has ${listed(this.maps.keys())}`,
      'ENOENT')
  }

  /** @throws BpfError that lists the programs there are. */
  program(name: string): BpfProgram {
    const program = this.programs.get(name)
    if (program !== undefined) return program
    throw new BpfError(
      `Cannot find the program "${name}" in "${basename(this.path)}": it has ${listed(this.programs.keys())}`,
      'ENOENT')
  }

  /** The object's type information. @throws BpfError ENOENT when it was compiled without -g. */
  get btf(): Btf {
    if (this.#btf !== undefined) return this.#btf
    const size = new CStruct(4)
    // SAFETY: the object is alive; `size` has room for the u32 that is written.
    const btf = libbpf.bpf_object__btf(this.#require())
    const raw = isNull(btf) ? null : libbpf.btf__raw_data(btf, size.bytes)
    if (isNull(raw)) {
      throw new BpfError(`Cannot read the BTF of "${this.path}": it has none; compile with -g`, 'ENOENT')
    }
    // SAFETY: libbpf owns the bytes until the object is closed; they are copied at once.
    this.#btf = new Btf(new Uint8Array(viewOf(raw, size.getU32(0))).slice())
    return this.#btf
  }

  /** The global variables of a section. @throws BpfError ENOENT when the object has no such section. */
  globals(section: GlobalSection): Globals {
    this.#require()
    const known = this.#sections.get(section)
    if (known !== undefined) return known.globals
    const found = [...this.maps.values()].find((map) => map.isInternal && map.name.endsWith(section))
    const sections = [...this.maps.values()].filter((map) => map.isInternal).map((map) => map.name)
    if (found === undefined) {
      throw new BpfError(
        `Cannot find the section "${section}" in "${basename(this.path)}": it has ${listed(sections)}`,
        'ENOENT')
    }
    const state: SectionState = {
      globals: new Globals(section, this.btf.variables(section), () => this.#memoryOf(found, state)),
      initial: undefined,
      constants: undefined,
    }
    this.#sections.set(section, state)
    return state.globals
  }

  /**
   * Creates the maps and programs in the kernel. Can be tried once: open the file again after an error.
   * @throws VerifierError when a program is refused, LoadError for everything else.
   */
  load(): void {
    const pointer = this.#require()
    if (this.#state !== 'open') {
      const why = this.#state === 'loaded' ? 'it is loaded already' : 'an earlier load failed; open it again'
      throw new BpfError(`Cannot load "${this.path}": ${why}`, 'EBUSY')
    }
    this.#endInitialValues()
    const logs = this.#attachLogs()
    try {
      // SAFETY: the pointer is an open bpf_object; the log buffers live until after this call.
      const error = libbpf.bpf_object__load(pointer)
      if (error < 0) {
        this.#state = 'failed'
        this.#throwLoad(failureOf(error).code, failureOf(error).reason, logs)
      }
    } finally {
      for (const [program, memory] of logs) {
        // SAFETY: NULL takes the buffer from libbpf before it is unmapped.
        libbpf.bpf_program__set_log_buf(this.#programPointers.get(program) ?? 0n, null, 0)
        memory.unmap()
      }
    }
    this.#state = 'loaded'
    for (const map of this.maps.values()) map.markLoaded()
    for (const program of this.programs.values()) program.markLoaded()
  }

  /** Detaches every link, unmaps every map, frees the object. Idempotent. */
  close(): void {
    const pointer = this.#pointer
    if (pointer === undefined) return
    for (const program of this.programs.values()) program.close()
    this.#endInitialValues()
    for (const map of this.maps.values()) map.close()
    this.#pointer = undefined
    this.#state = 'closed'
    // SAFETY: nothing of this object is used from here on; maps and programs know they are closed.
    libbpf.bpf_object__close(pointer)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #require(): Pointer {
    if (this.#pointer !== undefined) return this.#pointer
    throw new BpfError(`Cannot use the object "${this.path}": it is closed`, 'EBADF')
  }

  #memoryOf(map: BpfMap, state: SectionState): GlobalsMemory {
    this.#require()
    if (this.#state === 'loaded') {
      if (state.globals.section !== GlobalSection.rodata) return { bytes: map.mmap(), writable: true }
      state.constants ??= map.lookup(new Uint8Array(map.keySize)) ?? new Uint8Array(map.valueSize)
      return { bytes: state.constants, writable: false }
    }
    state.initial ??= this.#initialValue(map)
    return { bytes: new Uint8Array(state.initial), writable: true }
  }

  #initialValue(map: BpfMap): ArrayBuffer {
    const size = new CStruct(8)
    // SAFETY: the map is one of this object; `size` has room for the size_t that is written.
    const pointer = libbpf.bpf_map__initial_value(this.#mapPointers.get(map.name) ?? 0n, size.bytes)
    if (isNull(pointer)) throw new BpfError(`Cannot read the initial value of "${map.name}"`, 'ENOENT')
    // SAFETY: libbpf owns this memory until close; the view is detached at load and at close.
    return viewOf(pointer, Number(size.getU64(0)))
  }

  /** Views of initial values end at load: the kernel has its own memory from here. */
  #endInitialValues(): void {
    for (const state of this.#sections.values()) {
      if (state.initial !== undefined) detachView(state.initial)
      state.initial = undefined
    }
  }

  #attachLogs(): Map<string, MappedMemory> {
    const logs = new Map<string, MappedMemory>()
    for (const [name, pointer] of this.#programPointers) {
      if (this.programs.get(name)?.autoload !== true) continue
      const of = `verifier log of "${name}"`
      const memory = new MappedMemory({ of, lengthBytes: LOG_BYTES, writable: true })
      logs.set(name, memory)
      // SAFETY: the memory stays mapped until load() takes it back. libbpf asks for a log only after a
      // first refusal, so a program that loads costs nothing.
      libbpf.bpf_program__set_log_buf(pointer, memory.pointer, LOG_BYTES)
    }
    return logs
  }

  #throwLoad(code: string, reason: string, logs: ReadonlyMap<string, MappedMemory>): never {
    for (const [program, memory] of logs) {
      const bytes = new Uint8Array(memory.buffer)
      const end = bytes.indexOf(0)
      // libbpf gives a refused program's log only; those that loaded left theirs empty.
      if (end > 0) throw new VerifierError(program, new TextDecoder().decode(bytes.subarray(0, end)), code)
    }
    throw explainLoad({ path: this.path, code, reason, maps: this.maps, programs: this.programs })
  }
}

function each(object: Pointer, next: Next, nameOf: (item: Pointer) => string): Map<string, Pointer> {
  const found = new Map<string, Pointer>()
  // SAFETY: libbpf walks its own array from NULL to NULL; the object is open.
  for (let item = next(object, null); !isNull(item); item = next(object, item)) found.set(nameOf(item), item)
  return found
}

function readFailure(code: string): string {
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : code
}

function explainOpen(path: string, file: Uint8Array, errno: number): BpfError {
  const { code, reason } = failureOf(errno)
  const elf = summarizeElf(file)
  const why = !elf.isElf ? 'it is not an ELF file; compile it with clang -O2 -g -target bpf -c'
    : !elf.isBpf ? 'it is not made for BPF; compile it with clang -O2 -g -target bpf -c'
    : elf.sections.includes('maps') ? 'it has a legacy "maps" section; define its maps in SEC(".maps")'
    : !elf.sections.includes('.BTF') ? 'it has no BTF; compile it with clang -g'
    : `${reason}; look at it with llvm-readelf -S`
  return new BpfError(`Cannot open "${path}": ${why}`, code)
}

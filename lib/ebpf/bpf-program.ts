import { BpfError } from './bpf-error.ts'
import { libbpf } from './libbpf.ts'
import type { Pointer } from './libbpf.ts'
import { AttachedLink } from './link.ts'
import type { Link, LinkParts } from './link.ts'
import { attachCgroup } from './link-cgroup.ts'
import type { CgroupHook } from './link-cgroup.ts'
import { attachTcx, attachXdp } from './link-network.ts'
import type { Direction, TcxOptions, XdpMode } from './link-network.ts'
import { attachRawTracepoint, attachTrace, attachTracepoint, attachUprobe, attachUprobeMulti } from './link-probe.ts'
import type { LibbpfProgram, UprobeMultiTarget, UprobeTarget } from './link-probe.ts'
import { attachSocketFilter } from './link-socket-filter.ts'
import { attachTc } from './link-tc.ts'
import type { TcOptions } from './link-tc.ts'
import { readProgramInfo } from './program-info.ts'
import type { ProgramInfo } from './program-info.ts'
import { fail, failureOf } from './syscall.ts'
import { runTest } from './test-run.ts'
import type { TestRunOptions, TestRunResult } from './test-run.ts'
import { AttachType, ProgramType, nameOf } from './uapi.ts'

/** A BPF program of an object: what the verifier checks and the kernel runs. */
export class BpfProgram {
  readonly name: string
  /** The ELF section, which tells libbpf the type: `tc`, `xdp`, `uprobe`. */
  readonly section: string
  readonly #pointer: Pointer
  readonly #links = new Set<Link>()
  #state: 'open' | 'loaded' | 'closed' = 'open'
  #type: ProgramType

  /** Called by BpfObject. */
  constructor(pointer: Pointer) {
    this.#pointer = pointer
    // SAFETY: the pointer is a bpf_program of an open object; libbpf's strings are copied.
    this.name = libbpf.bpf_program__name(pointer)
    this.section = libbpf.bpf_program__section_name(pointer)
    this.#type = nameOf(ProgramType, libbpf.bpf_program__type(pointer))
  }

  get type(): ProgramType {
    return this.#type
  }

  /** The file descriptor. @throws BpfError EBADF before `load`, after `close`, and without autoload. */
  get fd(): number {
    // SAFETY: while loaded, the object is alive.
    const fd = this.#state === 'loaded' ? libbpf.bpf_program__fd(this.#pointer) : -1
    if (fd >= 0) return fd
    const why = this.#state === 'open' ? 'the object is not loaded; call load() first'
      : this.#state === 'closed' ? 'it is closed' : 'it was left out of load() by setAutoload(false)'
    throw new BpfError(`Cannot use the program "${this.name}": ${why}`, 'EBADF')
  }

  /** Whether `load` gives this program to the kernel. */
  get autoload(): boolean {
    // SAFETY: until closed, the object is alive.
    return this.#state !== 'closed' && libbpf.bpf_program__autoload(this.#pointer)
  }

  /** The attach type the kernel is told at load, which some types are verified against. */
  get expectedAttachType(): AttachType {
    this.#requireAlive()
    // SAFETY: until closed, the object is alive.
    return nameOf(AttachType, libbpf.bpf_program__expected_attach_type(this.#pointer)) as AttachType
  }

  /** What is attached now. */
  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Before `load`: leave the program out, or in. */
  setAutoload(autoload: boolean): void {
    this.#requireOpen('change autoload of')
    // SAFETY: the pointer is a bpf_program of an open object.
    const error = libbpf.bpf_program__set_autoload(this.#pointer, autoload)
    if (error < 0) fail(`Cannot change autoload of "${this.name}"`, failureOf(error))
  }

  /** Before `load`: the program's type, for a section name libbpf does not know. */
  setType(type: ProgramType): void {
    this.#requireOpen('change the type of')
    // SAFETY: the pointer is a bpf_program of an open object.
    const error = libbpf.bpf_program__set_type(this.#pointer, ProgramType[type])
    if (error < 0) fail(`Cannot make "${this.name}" a ${type} program`, failureOf(error))
    this.#type = type
  }

  /** Before `load`: the attach type to be verified for. */
  setAttachType(type: AttachType): void {
    this.#requireOpen('change the attach type of')
    // SAFETY: the pointer is a bpf_program of an open object.
    const error = libbpf.bpf_program__set_expected_attach_type(this.#pointer, AttachType[type])
    if (error < 0) fail(`Cannot set the attach type of "${this.name}" to ${type}`, failureOf(error))
  }

  /** What the kernel knows of it. Run time and count stay 0 unless `bpfStats` are enabled. */
  info(): ProgramInfo {
    return readProgramInfo(this)
  }

  /** Runs the program once or more on `input` in the kernel, without attaching it (BPF_PROG_TEST_RUN). */
  testRun(input: Uint8Array, options: TestRunOptions = {}): TestRunResult {
    return runTest(this, input, options)
  }

  /** Sees every packet of an interface, as TCX (kernel 6.6). */
  attachTcx(interfaceIndex: number, direction: Direction, options?: TcxOptions): Link {
    return this.#keep(attachTcx(this, interfaceIndex, direction, options))
  }

  /** Sees every packet an interface receives, before the network stack; `.mode` tells how. */
  attachXdp(interfaceIndex: number, mode: XdpMode = 'auto'): Link {
    return this.#keep(attachXdp(this, interfaceIndex, mode))
  }

  /** Sees every packet of an interface, on the clsact qdisc; the one kind that outlives `kill -9`. */
  attachTc(interfaceIndex: number, direction: Direction, options?: TcOptions): Link {
    return this.#keep(attachTc(this, interfaceIndex, direction, options))
  }

  /** Works for every process in a cgroup v2 folder and below. */
  attachCgroup(path: string, hook: CgroupHook): Link {
    return this.#keep(attachCgroup(this, path, hook))
  }

  /** Sees every packet of one interface, or of all (0), as tcpdump does. */
  attachSocketFilter(interfaceIndex: number): Link {
    return this.#keep(attachSocketFilter(this, interfaceIndex))
  }

  /** Runs at a static tracepoint: `attachTracepoint('syscalls', 'sys_enter_write')`. */
  attachTracepoint(category: string, name: string): Link {
    return this.#keep(attachTracepoint(this.#forLibbpf(), category, name))
  }

  /** Runs at a tracepoint with its raw arguments: `attachRawTracepoint('sys_enter')`. */
  attachRawTracepoint(name: string): Link {
    return this.#keep(attachRawTracepoint(this.#forLibbpf(), name))
  }

  /** Runs at the tracepoint that its section names, with typed arguments: `tp_btf/sock_send_length`. */
  attachTrace(): Link {
    return this.#keep(attachTrace(this.#forLibbpf()))
  }

  /** Runs at a function of user space, at its entry or return. */
  attachUprobe(target: UprobeTarget): Link {
    return this.#keep(attachUprobe(this.#forLibbpf(), target))
  }

  /** Runs at many places of one file of user space, by one link. */
  attachUprobeMulti(target: UprobeMultiTarget): Link {
    return this.#keep(attachUprobeMulti(this, target))
  }

  /** Called by BpfObject once the kernel has the program. */
  markLoaded(): void {
    this.#state = 'loaded'
  }

  /** Called by BpfObject: detaches every link. */
  close(): void {
    for (const link of [...this.#links]) link.detach()
    this.#state = 'closed'
  }

  #keep(parts: LinkParts): Link {
    const link = new AttachedLink(parts, (gone) => this.#links.delete(gone))
    this.#links.add(link)
    return link
  }

  #forLibbpf(): LibbpfProgram {
    // Asking for the descriptor refuses a program that is not in the kernel.
    void this.fd
    return { name: this.name, pointer: this.#pointer }
  }

  #requireAlive(): void {
    if (this.#state !== 'closed') return
    throw new BpfError(`Cannot use the program "${this.name}": it is closed`, 'EBADF')
  }

  #requireOpen(verb: string): void {
    if (this.#state === 'open') return
    throw new BpfError(`Cannot ${verb} "${this.name}": it is ${this.#state}; do so before load()`, 'EBUSY')
  }
}

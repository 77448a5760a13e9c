import { BpfObject, feature } from '../../../lib/ebpf/mod.ts'
import type { BpfProgram, FeatureAnswer, Link } from '../../../lib/ebpf/mod.ts'
import {
  PROCESS_COUNTER_LOST_FULL, PROCESS_COUNTER_LOST_RATE, PROCESS_COUNTER_LOST_STORAGE, PROCESS_COUNTER_TOLD,
} from '../events.gen.ts'
import { builtObject, prepareShards } from './kernel-object.ts'
import { wordBytes } from './map-word.ts'
import { KernelAttach, KernelTransport } from './options.ts'
import type { KernelPlan } from './options.ts'

const FILE = 'process.bpf.o'
/** Maps that the packet programs have made: the ring, and who owns a socket. */
const SHARED = ['events', 'reader', 'socket_owners'] as const
const CHANGES = { program: 'lintel_changes', tracepoint: 'inet_sock_set_state' } as const
/** From 6.16 a sender is known before its packet is made; before, who has sent or received is what is known. */
const BEFORE_SEND = [{ program: 'lintel_sends', tracepoint: 'tcp_sendmsg_locked' }, CHANGES] as const
const AFTER_CALL = [
  { program: 'lintel_sent', tracepoint: 'sock_send_length' },
  { program: 'lintel_receives', tracepoint: 'sock_recv_length' }, CHANGES,
] as const
/** Where a packet still has the socket that sent it. */
const WITH_SOCKET: ReadonlySet<KernelAttach> = new Set([KernelAttach.tcx, KernelAttach.clsact, KernelAttach.cgroup])

const ODDITIES = [
  ['process_lost_ring_full', PROCESS_COUNTER_LOST_FULL],
  ['process_lost_rate', PROCESS_COUNTER_LOST_RATE],
  ['process_lost_no_storage', PROCESS_COUNTER_LOST_STORAGE],
] as const

/** Whether this kernel, attached so, can say which process sent a packet. */
export function processSupport(plan: Pick<KernelPlan, 'attach' | 'transport'>): FeatureAnswer {
  if (!WITH_SOCKET.has(plan.attach)) return { answer: 'no', reason: `packets have no socket where "${plan.attach}" sees them` }
  if (plan.transport !== KernelTransport.ring) return { answer: 'no', reason: 'it needs the ring buffer' }
  const needed = [feature.mapType('sk_storage'), ...bestPlaces().map(({ tracepoint }) => feature.typedTracepoint(tracepoint))]
  return needed.find(({ answer }) => answer !== 'yes') ?? { answer: 'yes', reason: needed[1]!.reason }
}

function bestPlaces(): typeof BEFORE_SEND | typeof AFTER_CALL {
  return feature.typedTracepoint(BEFORE_SEND[0].tracepoint).answer === 'yes' ? BEFORE_SEND : AFTER_CALL
}

export interface ProcessOptions {
  /** Whether to learn of a sender as kernels before 6.16 allow it; default: the best that the kernel has. */
  readonly afterCall?: boolean
  /** New processes told in a second; default 4,096. */
  readonly perSecond?: number
  /** Workers that are told; default 1. The packet programs were loaded for as many. */
  readonly shards?: number
}

/** The programs of bpf/process.bpf.c, attached: they note at each TCP socket who uses it. */
export class ProcessPrograms implements Disposable {
  readonly #object: BpfObject
  readonly #links: Link[] = []

  private constructor(object: BpfObject) {
    this.#object = object
  }

  /**
   * @param packets loaded with `processes`
   * @throws {Error} when the kernel refuses them; ask `processSupport` first
   */
  static attach(packets: BpfObject, folder?: string, options: ProcessOptions = {}): ProcessPrograms {
    const { shards = 1 } = options
    const object = BpfObject.open(builtObject(FILE, folder), { name: 'lintel' })
    const programs = new ProcessPrograms(object)
    try {
      const chosen = new Set<string>((options.afterCall === true ? AFTER_CALL : bestPlaces()).map(({ program }) => program))
      for (const [name, program] of object.programs) program.setAutoload(chosen.has(name))
      if (options.perSecond !== undefined) object.globals('.rodata').set('processes_a_second', options.perSecond)
      prepareShards(object, shards)
      for (const name of shards > 1 ? [...SHARED, 'rings'] : SHARED) object.map(name).reuse(packets.map(name))
      object.load()
      for (const name of chosen) programs.#links.push(object.program(name).attachTrace())
      return programs
    } catch (error) {
      programs.close()
      throw error
    }
  }

  programs(): BpfProgram[] {
    return [...this.#object.programs.values()]
  }

  /** Processes that were told. */
  get told(): number {
    return this.#count(PROCESS_COUNTER_TOLD)
  }

  /** Processes that were not told, and sockets that could not be marked, by reason. */
  oddities(): (readonly [name: string, count: number])[] {
    return ODDITIES.map(([name, index]) => [name, this.#count(index)] as const)
  }

  /** User space has forgotten a process: each is told again when it next speaks. */
  renew(): void {
    const data = this.#object.globals('.data')
    data.set('telling', ((data.get('telling') as number) + 1) >>> 0)
  }

  detach(): void {
    for (const link of this.#links.splice(0)) link.detach()
  }

  close(): void {
    this.detach()
    this.#object.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #count(index: number): number {
    let sum = 0
    for (const value of this.#object.map('process_counters').lookupPerCpu(wordBytes(index)) ?? []) {
      sum += Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0, true))
    }
    return sum
  }
}

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { randomInt } from 'node:crypto'

import { BpfObject, feature } from '../../../lib/ebpf/mod.ts'
import { HOOK_CLSACT, HOOK_TCX } from '../events.gen.ts'
import { wordBytes } from './map-word.ts'
import { KernelAttach, KernelTransport } from './options.ts'
import type { KernelPlan } from './options.ts'
import { agentEntries } from './tally-agents.ts'

const FILES = {
  tcx: 'packets.bpf.o', clsact: 'packets.bpf.o', cgroup: 'packets.bpf.o', xdp: 'packets_xdp.bpf.o', socket: 'packets_socket.bpf.o',
} as const satisfies Record<KernelAttach, string>
const TALLY_FILE = 'packets_tally.bpf.o'
/** What only the programs that hand packets over use. */
const DELIVERY_MAPS = ['events', 'events_perf', 'reader', 'directives', 'decoder_ports', 'followed_connections', 'socket_owners'] as const
const TAG_START_MAX = 2 ** 32

/**
 * Loads the programs of one kind of attachment.
 *
 * @throws {Error} when they are not built, or this kernel or this process may not have them; the message says the mend
 */
export function loadKernelObject(plan: KernelPlan, folder?: string): BpfObject {
  requireFeatures(plan)
  return load(builtObject(FILES[plan.attach], folder), plan, (object) => {
    object.globals('.rodata').set('transport_perf', plan.transport === KernelTransport.perf ? 1 : 0)
    if (plan.processes === true) object.globals('.rodata').set('names_processes', 1)
    else object.map('socket_owners').setAutocreate(false)
    if (plan.transport === KernelTransport.perf) object.map('events').setAutocreate(false)
    else object.map('events').setMaxEntries(plan.ringBytes)
    prepareShards(object, plan.shards ?? 1)
  })
}

/** Before an object that delivers events is loaded: how many workers they are for. */
export function prepareShards(object: BpfObject, shards: number): void {
  object.globals('.rodata').set('shards', shards)
  if (shards === 1) object.map('rings').setAutocreate(false)
}

/** What the programs that count messages are told before they are loaded. */
export interface TallyPlan extends Pick<KernelPlan, 'attach' | 'connections'> {
  /** TALLY_LABEL_ bits: what is told apart. */
  readonly labels: number
  /** Keys in the map at a time; the one quiet longest makes room. */
  readonly keys: number
}

/** Loads the programs that count messages. @throws {Error} as `loadKernelObject` */
export function loadTallyObject(plan: TallyPlan, folder?: string): BpfObject {
  requireTcx(plan.attach)
  const object = load(builtObject(TALLY_FILE, folder), plan, (opened) => {
    opened.globals('.rodata').set('tally_labels', plan.labels)
    opened.map('tallies').setMaxEntries(plan.keys)
    for (const name of DELIVERY_MAPS) opened.map(name).setAutocreate(false)
  })
  const agents = object.map('tally_agents')
  for (const { name, number } of agentEntries()) agents.update(name, wordBytes(number))
  return object
}

function load(path: string, plan: Pick<KernelPlan, 'attach' | 'connections'>, prepare: (object: BpfObject) => void): BpfObject {
  const object = BpfObject.open(path, { name: 'lintel' })
  try {
    for (const [name, program] of object.programs) {
      program.setAutoload(name.startsWith('lintel_cgroup') === (plan.attach === KernelAttach.cgroup))
    }
    object.globals('.rodata').set('hook_kind', plan.attach === KernelAttach.clsact ? HOOK_CLSACT : HOOK_TCX)
    object.globals('.data').set('next_tag', BigInt(randomInt(1, TAG_START_MAX)))
    object.map('connections').setMaxEntries(plan.connections)
    prepare(object)
    object.load()
    return object
  } catch (error) {
    object.close()
    throw error
  }
}

/** Path of a compiled file of programs. @throws {Error} when it is not there */
export function builtObject(name: string, folder?: string): string {
  const path = `${folder ?? fileURLToPath(new URL('../../../build', import.meta.url))}/${name}`
  if (!existsSync(path)) throw new Error(`Cannot load "${path}": it has not been built; run "make build"`)
  return path
}

/** Says what the kernel lacks before the loader's answer, which speaks of maps and programs. */
function requireFeatures(plan: KernelPlan): void {
  if (plan.transport === KernelTransport.ring && feature.mapType('ringbuf').answer === 'no') {
    throw new Error('Cannot use a ring buffer: this kernel has none (5.8 brought it); run with --transport perf')
  }
  requireTcx(plan.attach)
}

function requireTcx(attach: KernelAttach): void {
  if (attach !== KernelAttach.tcx || feature.tcxLink().answer !== 'no') return
  throw new Error('Cannot attach by TCX: this kernel has none (6.6 brought it); run with --attach clsact')
}

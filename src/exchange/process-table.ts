import { makeRoom } from '../../lib/bounded/mod.ts'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { FactsTable } from '../../lib/record/mod.ts'
import * as L from '../../wasm/layout.ts'
import { placeOf, readProcess, UserNames } from '../capture/mod.ts'
import { writeProcess } from './process-facts.ts'
import type { ContainerNames, KnownProcess, ProcessRole } from './process-facts.ts'

/** Processes known at a time, about 2 KiB each, as much again once a record has shown one at both ends. */
const PROCESSES_MAX = 4096
/** Containers whose names are kept. */
const CONTAINERS_MAX = 4096
/** The facts were refused: not tried again for each exchange. */
const REFUSED = -1
const NO_NAMES: ContainerNames = {}

interface Entry {
  process: KnownProcess
  /** A record has shown it since it was last passed over for its place. */
  used: boolean
  /** Facts block of each role, with one reference; 0 = not yet made. */
  client: number
  server: number
}

/** A container, as its processes' cgroup names it, whose names are wanted. */
export interface ContainerQuestion {
  readonly containerId: string
  readonly podUid?: string
}

/**
 * The processes that packets name, and the facts blocks that show them in records.
 *
 * Bound: PROCESSES_MAX; the one told first goes, but those that records have shown meanwhile get a second turn. A packet that
 * names one that went stays without, counted; then all are to be told again (`hasMissed`).
 */
export class ProcessTable {
  readonly #memory: ByteMemory
  readonly #facts: FactsTable
  readonly #ask: (question: ContainerQuestion) => void
  readonly #entries = new Map<number, Entry>()
  readonly #containers = new Map<string, ContainerNames | undefined>()
  readonly #users = new UserNames()
  #malformed = 0
  #evicted = 0
  #containersEvicted = 0
  #missed = false
  #missedCount = 0

  /** @param ask called once for each new container; who knows its names calls `nameContainer`, at any time */
  constructor(memory: ByteMemory, facts: FactsTable, ask: (question: ContainerQuestion) => void) {
    this.#memory = memory
    this.#facts = facts
    this.#ask = ask
  }

  get size(): number {
    return this.#entries.size
  }

  /** What bounds have cost so far, by name. */
  * oddities(): Generator<readonly [string, number]> {
    yield ['process_event_malformed', this.#malformed]
    yield ['process_evicted', this.#evicted]
    yield ['process_forgotten', this.#missedCount]
    yield ['container_evicted', this.#containersEvicted]
  }

  /** Whether a packet has named a process that is not here, since the last call. */
  hasMissed(): boolean {
    const missed = this.#missed
    this.#missed = false
    return missed
  }

  /** Takes an EVENT_PROCESS of `bytes` bytes. */
  add(event: number, bytes: number): void {
    const info = readProcess(this.#memory, event, bytes)
    if (info === undefined) {
      this.#malformed++
      return
    }
    const before = this.#entries.get(info.process)
    if (before !== undefined) this.#drop(info.process, before)
    if (this.#entries.size >= PROCESSES_MAX) this.#evict()
    const place = placeOf(info.cgroup === undefined ? '' : Buffer.from(info.cgroup).toString('latin1'))
    const owner = this.#users.nameOf(info.userId, info.mountNamespace)
    const names = place.containerId === undefined ? NO_NAMES : this.#namesOf(place.containerId, place.podUid)
    this.#entries.set(info.process, { process: { info, place, owner, names }, used: false, client: 0, server: 0 })
  }

  /** The names of a container have come: its processes are shown with them from now on. */
  nameContainer(containerId: string, names: ContainerNames): void {
    if (!this.#containers.has(containerId)) return
    this.#containers.set(containerId, names)
    for (const entry of this.#entries.values()) {
      if (entry.process.place.containerId !== containerId) continue
      entry.process = { ...entry.process, names }
      this.#release(entry)
    }
  }

  /** Puts the facts of both ends into a connection's block; to be called before a record of it is made. */
  attach(block: number): void {
    const client = this.#memory.u8[block + L.CONNECTION_CLIENT]!
    if (client > 1) return
    const side = (block + L.CONNECTION_SIDE + L.SIDE_PROCESS) >>> 2
    const words = L.CONNECTION_SIDE_BYTES >>> 2
    const asking = this.#memory.u32[side + client * words]!
    const answering = this.#memory.u32[side + (1 - client) * words]!
    if (asking !== 0) this.#attach(block + L.CONNECTION_FACTS + L.FACTS_CLIENT_PROCESS, asking, 'client')
    if (answering !== 0) this.#attach(block + L.CONNECTION_FACTS + L.FACTS_SERVER_PROCESS, answering, 'server')
  }

  #attach(slot: number, process: number, role: ProcessRole): void {
    const entry = this.#entries.get(process)
    let facts = 0
    if (entry === undefined) {
      this.#missed = true
      this.#missedCount++
    } else {
      entry.used = true
      if (entry[role] === 0) entry[role] = this.#facts.add((writer) => { writeProcess(writer, role, entry.process) }) || REFUSED
      facts = entry[role] === REFUSED ? 0 : entry[role]
    }
    if (this.#memory.u32[slot >>> 2] !== facts) this.#facts.setSlot(slot, facts)
  }

  #namesOf(containerId: string, podUid: string | undefined): ContainerNames {
    if (!this.#containers.has(containerId)) {
      if (makeRoom(this.#containers, CONTAINERS_MAX)) this.#containersEvicted++
      this.#containers.set(containerId, undefined)
      this.#ask(podUid === undefined ? { containerId } : { containerId, podUid })
    }
    return this.#containers.get(containerId) ?? NO_NAMES
  }

  #evict(): void {
    for (const [process, entry] of this.#entries) {
      if (!entry.used) {
        this.#evicted++
        this.#drop(process, entry)
        return
      }
      entry.used = false
      this.#entries.delete(process)
      this.#entries.set(process, entry)
    }
  }

  #drop(process: number, entry: Entry): void {
    this.#release(entry)
    this.#entries.delete(process)
  }

  #release(entry: Entry): void {
    if (entry.client > 0) this.#facts.release(entry.client)
    if (entry.server > 0) this.#facts.release(entry.server)
    entry.client = 0
    entry.server = 0
  }

  /** Gives every facts block back. */
  close(): void {
    for (const [process, entry] of this.#entries) this.#drop(process, entry)
  }
}

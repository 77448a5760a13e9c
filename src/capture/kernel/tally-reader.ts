import type { BpfMap, BpfObject } from '../../../lib/ebpf/mod.ts'
import {
  TALLY, TALLY_TOTAL_BEGUN, TALLY_TOTAL_COUNT, TALLY_TOTAL_NO_ROOM, TALLY_TOTAL_OTHER_PROTOCOL, TALLY_TOTAL_PIPELINED, TALLY_TOTAL_REQUESTS,
  TALLY_TOTAL_REQUEST_BYTES, TALLY_TOTAL_RESPONSE_BYTES, TALLY_TOTAL_TUNNELS, TALLY_TOTAL_UNASKED, TALLY_TOTAL_UNCLEAR,
} from '../events.gen.ts'

/** Requests and their bytes, and those of their responses: heads and bodies. */
export interface TallyCounts {
  requests: number
  requestBytes: number
  responseBytes: number
}

/** Figures of all keys together, counted beside them. */
export interface TallyTotals {
  /** Answered, or over without a response. */
  readonly counts: TallyCounts
  /** Requests for which the kernel had no entry. */
  readonly noRoom: number
  /** Requests seen; those beyond `counts` are under way, or their connection was forgotten. */
  readonly begun: number
  /** What was not counted as a request: packets and connections by reason. */
  readonly leftOut: ReadonlyMap<string, number>
}

const LEFT_OUT = new Map([
  ['pipelined', TALLY_TOTAL_PIPELINED], ['unasked_response', TALLY_TOTAL_UNASKED], ['unclear', TALLY_TOTAL_UNCLEAR],
  ['other_protocol', TALLY_TOTAL_OTHER_PROTOCOL], ['tunnel', TALLY_TOTAL_TUNNELS],
])

interface Entry<Place> {
  born: bigint
  seen: TallyCounts
  /** Missing until something is to be added. */
  place: Place | undefined
  reading: number
}

/**
 * Reads the kernel's counts by key, and tells what has come since the reading before. Nothing is taken out of the map, so nothing that
 * is counted meanwhile is lost; a key that was evicted and is there again is known by its time of birth. What it held beyond the last
 * reading is gone: `TallyTotals` has it. Bound: keys of the map.
 */
export class TallyReader<Place> {
  readonly #tallies: BpfMap
  readonly #totals: BpfMap
  readonly #placeOf: (key: Uint8Array) => Place
  readonly #add: (place: Place, counts: TallyCounts) => void
  readonly #entries = new Map<string, Entry<Place>>()
  #reading = 0

  /**
   * @param placeOf where a key is counted; asked when it first has something to add, at the start and after `forgetPlaces`
   * @param add     counts since the reading before
   */
  constructor(object: BpfObject, placeOf: (key: Uint8Array) => Place, add: (place: Place, counts: TallyCounts) => void) {
    this.#tallies = object.map('tallies')
    this.#totals = object.map('tally_totals')
    this.#placeOf = placeOf
    this.#add = add
  }

  /** Keys that the kernel held at the last reading. */
  get size(): number {
    return this.#entries.size
  }

  /** Keys are placed anew from now on. */
  forgetPlaces(): void {
    for (const entry of this.#entries.values()) entry.place = undefined
  }

  /**
   * The totals are those from before the keys are read, so that what they hold beyond the keys was evicted, and not just counted in
   * between; once no program runs they are exact.
   */
  read(): TallyTotals {
    const totals = readTotals(this.#totals)
    this.#reading++
    for (const key of this.#tallies.keys()) this.#take(key)
    // The map may have moved under the walk: what it did not show is asked for by name.
    for (const [text, { reading }] of this.#entries) {
      if (reading !== this.#reading && !this.#take(Buffer.from(text, 'latin1'))) this.#entries.delete(text)
    }
    return totals
  }

  /** False when the key is not there any more. */
  #take(key: Uint8Array): boolean {
    const cpus = this.#tallies.lookupPerCpu(key)
    if (cpus === undefined) return false
    const { born, counts } = sumOf(cpus)
    const text = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
    let entry = this.#entries.get(text)
    if (entry === undefined || entry.born !== born) {
      entry = { born, seen: { requests: 0, requestBytes: 0, responseBytes: 0 }, place: entry?.place, reading: 0 }
      this.#entries.set(text, entry)
    }
    const more = difference(counts, entry.seen)
    if (more.requests + more.requestBytes + more.responseBytes > 0) this.#add(entry.place ??= this.#placeOf(key), more)
    entry.seen = counts
    entry.reading = this.#reading
    return true
  }
}

function sumOf(cpus: readonly Uint8Array[]): { born: bigint, counts: TallyCounts } {
  const counts = { requests: 0, requestBytes: 0, responseBytes: 0 }
  let born = 0n
  for (const cpu of cpus) {
    const view = new DataView(cpu.buffer, cpu.byteOffset, cpu.byteLength)
    const here = view.getBigUint64(TALLY.born, true)
    if (here > born) born = here
    counts.requests += Number(view.getBigUint64(TALLY.requests, true))
    counts.requestBytes += Number(view.getBigUint64(TALLY.request_bytes, true))
    counts.responseBytes += Number(view.getBigUint64(TALLY.response_bytes, true))
  }
  return { born, counts }
}

function difference(now: TallyCounts, before: TallyCounts): TallyCounts {
  return {
    requests: now.requests - before.requests,
    requestBytes: now.requestBytes - before.requestBytes,
    responseBytes: now.responseBytes - before.responseBytes,
  }
}

function readTotals(map: BpfMap): TallyTotals {
  const totals = new Array<number>(TALLY_TOTAL_COUNT).fill(0)
  for (const cpu of map.lookupPerCpu(new Uint8Array(4)) ?? []) {
    const view = new DataView(cpu.buffer, cpu.byteOffset, cpu.byteLength)
    for (let index = 0; index < TALLY_TOTAL_COUNT; index++) totals[index]! += Number(view.getBigUint64(index * 8, true))
  }
  const at = (index: number): number => totals[index] as number
  return {
    counts: {
      requests: at(TALLY_TOTAL_REQUESTS), requestBytes: at(TALLY_TOTAL_REQUEST_BYTES), responseBytes: at(TALLY_TOTAL_RESPONSE_BYTES),
    },
    noRoom: at(TALLY_TOTAL_NO_ROOM),
    begun: at(TALLY_TOTAL_BEGUN),
    leftOut: new Map([...LEFT_OUT].map(([reason, index]) => [reason, at(index)])),
  }
}

import { makeRoom } from './garbage.ts'

/** Of the cap: from here on the tables take nothing more. */
const FULL_SHARE = 0.95
const CONNECTIONS_MIN = 64
/** What a connection costs at most as a rule, a piece of its head held: at rest it is a fifth (bench/idle.ts). */
const CONNECTION_BYTES = 5 * 1024
/** Of the connections, as a divisor: the most that one look takes away because memory is over the cap by their worth. */
const CUT_SHARE = 8
/** Of packets between two looks at how memory grows: each new connection is some 700 bytes of them, and leaves as much garbage. */
const CHECK_BYTES = 4 << 20
/** Growth since the last look that does not wait for the next. */
const RISE_BYTES = 4 << 20
/** Between two such looks: each may take V8 as long as the ring outlasts. */
const PASS_MS = 200

/** Whose connections are bounded. */
export interface Holder {
  readonly connectionsOpen: number
  bound(connections: number): void
  /** Connections at rest give their parts back. */
  sleep(): void
}

/**
 * Holds the agent's resident memory under `limits.memory`. Nearly all of it that grows is what is kept of connections: until the next
 * look there may be only as many more as there is room for, whatever they are; close to the cap garbage is collected, and their
 * table takes no more than it has, so that each new connection takes the place of one that gives way (ConnectionTable). Those that gave
 * way are garbage, which V8 collects by itself late, and later where others take the CPU: the 64,000 connections of
 * one second of a flood leave 47 MiB. So memory is looked at by the packets that have come, too.
 */
export class MemoryCap {
  readonly #fullBytes: number
  readonly #most: number
  readonly #workers: number
  #bound: number
  /** Resident when the last look was over. */
  #heldBytes = 0
  #passedBytes = 0
  #passedAt = Number.NEGATIVE_INFINITY

  /** @param most what the table may hold without a cap; @param workers that share the room, each with its own cap */
  constructor(capBytes: number, most: number, workers = 1) {
    this.#fullBytes = capBytes * FULL_SHARE
    this.#most = most
    this.#workers = workers
    this.#bound = most
  }

  /** How many connections there may be. */
  get bound(): number {
    return this.#bound
  }

  /** Looks at this process, and bounds what `holder` has. `now` = milliseconds. To be called once before there is anything, then once a second. */
  hold(holder: Holder, now: number): void {
    const { connectionsOpen } = holder
    if (process.memoryUsage.rss() >= this.#fullBytes) {
      holder.sleep()
      makeRoom(now)
    }
    this.#heldBytes = process.memoryUsage.rss()
    this.#passedBytes = 0
    const bound = this.look(this.#heldBytes, connectionsOpen)
    if (bound !== undefined) holder.bound(bound)
  }

  /** So many bytes of packets were worked: collects garbage before its time where memory is short and has grown. */
  pass(holder: Holder, bytes: number, now: number): void {
    this.#passedBytes += bytes
    if (this.#passedBytes < CHECK_BYTES) return
    this.#passedBytes = 0
    const resident = process.memoryUsage.rss()
    // Where it has not, garbage lies in pages that are resident already, and the next look is early enough.
    if (resident < this.#fullBytes || resident < this.#heldBytes + RISE_BYTES || now < this.#passedAt + PASS_MS) return
    this.#passedAt = now
    holder.sleep()
    makeRoom(now)
    this.#heldBytes = process.memoryUsage.rss()
    // No fewer: that is for the next look to say, by what is left then.
    this.#bound = Math.max(CONNECTIONS_MIN, Math.min(this.#bound, holder.connectionsOpen))
    holder.bound(this.#bound)
  }

  /**
   * One look; the first before there are any. `connections` = how many there are.
   *
   * @returns how many there may be from now on; undefined when that stays as it is
   */
  look(residentBytes: number, connections: number): number | undefined {
    const before = this.#bound
    const room = Math.trunc((this.#fullBytes - residentBytes) / CONNECTION_BYTES / this.#workers)
    this.#bound = residentBytes >= this.#fullBytes
      ? Math.min(before, connections) - Math.ceil(connections / 64) - Math.min(-room, Math.floor(connections / CUT_SHARE))
      : Math.min(this.#most, connections + room)
    this.#bound = Math.max(CONNECTIONS_MIN, this.#bound)
    return this.#bound === before ? undefined : this.#bound
  }
}

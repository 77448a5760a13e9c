/**
 * What to do when the agent costs more than it may, or cannot keep up: read fewer connections, whole ones, and say so.
 *
 * The rule. Once a second the agent looks at the packets lost for want of ring space, at its own CPU time, and at the
 * pressure on the host (PSI). After three looks with loss in a row, or one over a budget, the share of connections that are read falls:
 * by as much as the budget is exceeded, to a half at most, never below SHARE_MIN. Which are read is decided by a hash of
 * their addresses and ports, so that one that is read at a small share is read at every larger one. After CALM_MS without cause the
 * share rises by a quarter, if the budgets have room for that.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

export const LOOK_MS = 1000
const CALM_MS = 5000
const SHARE_MIN = 1 / 64
/** Steps of the share, down and up. */
const FALL_MOST = 0.5
const FALL_LEAST = 0.9
const RISE = 1.25
/** Looks with loss in a row: one may be a burst that is over. */
const LOOKS_LOSING = 3
/** After a rise a budget is to be filled to this part at most. */
const RISE_ROOM = 0.95
const PRESSURE = '/proc/pressure/cpu'

export interface OverloadLimits {
  /** CPU seconds a second, of all threads of the agent; undefined = no bound. */
  readonly cpu?: number | undefined
  /** Percent of the last ten seconds in which some task of the host waited for a CPU; undefined = no bound. */
  readonly pressure?: number | undefined
}

/** What has been measured; counts are since the start. */
export interface Load {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number
  /** Packets and TLS calls lost for want of ring space. */
  readonly lost: number
  readonly cpuSeconds: number
  /** Percent; undefined = this kernel does not tell. */
  readonly pressure: number | undefined
}

/** A new share, and why. */
export interface ShareChange {
  readonly share: number
  readonly reason: string
}

/** Decides the share of connections that are read. Knows nothing of threads and maps: figures in, share out. */
export class OverloadControl {
  readonly #limits: OverloadLimits
  #before: Load | undefined
  #share = 1
  #losing = 0
  #changedAt = 0

  constructor(limits: OverloadLimits) {
    this.#limits = limits
  }

  /** Of the connections, above 0 to 1. */
  get share(): number {
    return this.#share
  }

  /** One look, LOOK_MS or more after the last. @returns undefined when the share stays */
  look(load: Load): ShareChange | undefined {
    const before = this.#before
    this.#before = load
    if (before === undefined || load.now <= before.now) return undefined
    this.#losing = load.lost > before.lost ? this.#losing + 1 : 0
    const cpu = (load.cpuSeconds - before.cpuSeconds) / ((load.now - before.now) / 1000)
    const over = Math.max(cpu / (this.#limits.cpu ?? Infinity), (load.pressure ?? 0) / (this.#limits.pressure ?? Infinity))
    if (over > 1 || this.#losing > 0) this.#calmFrom(load.now)
    if (over > 1) return this.#fall(1 / over, this.#reason(cpu, load))
    if (this.#losing >= LOOKS_LOSING) return this.#fall(FALL_MOST, `${load.lost - before.lost} packets lost in the last second, as the ring was full`)
    if (this.#share === 1 || load.now - this.#changedAt < CALM_MS || over * RISE > RISE_ROOM) return undefined
    this.#calmFrom(load.now)
    this.#share = Math.min(1, this.#share * RISE)
    return { share: this.#share, reason: `no cause for ${CALM_MS / 1000} s` }
  }

  #calmFrom(now: number): void {
    this.#changedAt = now
  }

  #fall(factor: number, reason: string): ShareChange | undefined {
    this.#losing = 0
    if (this.#share === SHARE_MIN) return undefined
    this.#share = Math.max(SHARE_MIN, this.#share * Math.min(FALL_LEAST, Math.max(FALL_MOST, factor)))
    return { share: this.#share, reason }
  }

  #reason(cpu: number, { pressure = 0 }: Load): string {
    const { cpu: budget = Infinity, pressure: bound = Infinity } = this.#limits
    return cpu > budget ? `${cpu.toFixed(2)} CPUs used, limits.cpu is ${budget}`
      : `some task waited for a CPU ${pressure} % of the time, limits.cpu_pressure is ${bound}`
  }
}

/**
 * Percent of the last ten seconds in which some task waited for a CPU (Documentation/accounting/psi.rst).
 *
 * @returns undefined when this kernel does not tell
 */
export function cpuPressure(path = PRESSURE): number | undefined {
  try {
    const percent = /^some avg10=([\d.]+)/m.exec(readFileSync(path, 'latin1'))?.[1]
    return percent === undefined ? undefined : Number(percent)
  } catch {
    return undefined
  }
}

/**
 * What a capture may do to the presence and the order of a conversation's packets.
 *
 * @module
 */
import type { Random } from './damage.ts'
import type { TalkPacket } from './http-talk.ts'

/** What a capture makes of the packets; `record` is the kernel's number, per direction. */
export interface Seen extends TalkPacket { readonly record: number }
export type Harm = (packets: Seen[], random: Random) => Seen[]

export const chance = (random: Random, oneIn: number): boolean => random.below(oneIn) === 0

/** Some packets are missing, here and there. */
export const lose = (oneIn: number, from?: 'client' | 'server'): Harm => (packets, random) =>
  packets.filter((packet) => (from !== undefined && packet.from !== from) || !chance(random, oneIn))

/** A few in a row are missing. */
export const loseRun: Harm = (packets, random) => {
  const first = random.below(packets.length)
  return packets.toSpliced(first, 1 + random.below(12))
}

/** The capture began later. */
export const join: Harm = (packets, random) => packets.slice(1 + random.below(packets.length - 1))

/** It began inside the first exchanges. */
export const joinEarly: Harm = (packets, random) => packets.slice(Math.min(packets.length - 1, 3 + random.below(12)))

/** Neighbours of opposite directions change places. */
export const swap: Harm = (packets, random) => {
  const after = [...packets]
  for (let place = 0; place + 1 < after.length; place++) {
    const [one, two] = [after[place]!, after[place + 1]!]
    if (one.from === two.from || !chance(random, 4)) continue
    after[place++] = two
    after[place] = one
  }
  return after
}

/** Some come up to 20 places late. */
export const delay: Harm = (packets, random) =>
  packets.map((packet, index) => ({ packet, place: index + (chance(random, 12) ? random.below(20) : 0) }))
    .sort((a, b) => a.place - b.place).map(({ packet }) => packet)

/** Some come twice. */
export const double: Harm = (packets, random) => packets.flatMap((packet) => chance(random, 10) ? [packet, packet] : [packet])

export const none: Harm = (packets) => packets

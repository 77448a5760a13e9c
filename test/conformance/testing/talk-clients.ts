/**
 * Clients of every habit, for conversations of testing/http-talk.ts.
 *
 * @module
 */
import type { Random } from './damage.ts'
import type { TalkOptions } from './http-talk.ts'

const MS = 1_000_000
const WAYS = [20_000, 300_000, 5 * MS, 30 * MS]
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random.below(items.length)]!

/** A client that waits for each response, with pauses of its own between. */
function waiting(random: Random): TalkOptions {
  return {
    exchanges: 10 + random.below(30), depth: 1, manner: 'constant', probes: 0, pause: pick(random, [200 * MS, 2000 * MS]),
    work: pick(random, [MS / 5, 2 * MS]), server: pick(random, ['steady', 'random', 'fast']), way: pick(random, WAYS.slice(0, 2)),
    place: random.below(3) / 2, mss: pick(random, [100, 536, 1460, 1460]),
  }
}

/** One that asks again at once. */
function busy(random: Random): TalkOptions {
  return { ...waiting(random), pause: 0, work: pick(random, [50_000, MS, 20 * MS]) }
}

/** One that pipelines, before a server of any speed. */
function pipelining(random: Random): TalkOptions {
  return {
    ...waiting(random), depth: 2 + random.below(7), manner: pick(random, ['constant', 'constant', 'batches', 'random']),
    probes: random.below(3), pause: pick(random, [0, 0, MS, 10 * MS, 200 * MS]), work: pick(random, [50_000, MS, 20 * MS, 300 * MS]),
    way: pick(random, WAYS),
  }
}

/** The hardest to tell from one that waits: each answer is ready just after the next request has come. */
function tuned(random: Random): TalkOptions {
  const way = pick(random, WAYS)
  const pause = pick(random, [0, 0, 0, way, 20 * MS, 1500 * MS])
  const work = (2 * way + Math.max(pause, 60_000)) * (1 + random.below(400) / 1000)
  return { ...pipelining(random), manner: 'constant', depth: 2 + random.below(2), pause, work, way, server: pick(random, ['steady', 'random']) }
}

export const CLIENTS = { waiting, busy, pipelining, tuned } as const

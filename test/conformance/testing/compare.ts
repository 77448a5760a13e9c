/**
 * Two observers of the same capture held against each other.
 *
 * @module
 */
import { NO_ANSWER, UNTOLD } from './observation.ts'
import type { Conversation, Observation, RequestSeen, ResponseSeen } from './observation.ts'

export interface CompareOptions {
  /** Targets are compared after this. */
  readonly target?: (target: string) => string
  /** False when the witness says nothing of responses. */
  readonly responses?: boolean
}

/** Beginning of a difference that is a wrong pair: a response attached to another request than the witness says. */
export const WRONG_PAIR = 'wrong pair'

const EMPTY: Conversation = { requests: [], responses: [] }
/** What the privacy wall puts for a secret. */
const HIDDEN = 'REDACTED'

/** @returns one line a difference, at most five a conversation; none = the same */
export function differences(ours: Observation, witness: Observation, options: CompareOptions = {}): string[] {
  const keys = [...new Set([...witness.keys(), ...ours.keys()])].sort()
  return keys.flatMap((key) => conversationDifferences(ours.get(key) ?? EMPTY, witness.get(key) ?? EMPTY, options)
    .map((difference) => `${key} ${difference}`))
}

function conversationDifferences(ours: Conversation, witness: Conversation, options: CompareOptions): string[] {
  const requests = align(ours.requests, witness.requests, (a, b) => isSameRequest(a, b, options))
  const found = [
    ...listDifference('requests', ours.requests, witness.requests, requests, (request) => `${request.method} ${short(request.target)}`),
    ...headerDifference('request', requests.map(([a, b]) => [ours.requests[a], witness.requests[b]])),
  ]
  if (options.responses === false) return found
  const responses = align(ours.responses, witness.responses, (a, b) => a.status === b.status)
  return [
    ...found,
    ...listDifference('responses', ours.responses, witness.responses, responses, (response) => String(response.status)),
    ...headerDifference('response', responses.map(([a, b]) => [ours.responses[a], witness.responses[b]])),
    ...pairDifferences(ours, witness, requests, responses),
  ]
}

function isSameRequest(ours: RequestSeen, witness: RequestSeen, { target = (text) => text }: CompareOptions): boolean {
  return ours.method === witness.method && isSameText(target(ours.target), target(witness.target))
}

/** Equal, where what the wall has hidden may be anything. */
export function isSameText(ours: string, theirs: string): boolean {
  if (!ours.includes(HIDDEN)) return ours === theirs
  const parts = ours.split(HIDDEN)
  if (!theirs.startsWith(parts[0]!) || !theirs.endsWith(parts.at(-1)!)) return false
  let at = 0
  for (const part of parts) {
    const place = theirs.indexOf(part, at)
    if (place === -1) return false
    at = place + part.length
  }
  return true
}

type Places = readonly (readonly [ours: number, witness: number])[]

/** Longest common subsequence: which of ours is which of the witness's. */
function align<T>(ours: readonly T[], witness: readonly T[], isSame: (ours: T, witness: T) => boolean): Places {
  let start = 0
  while (start < ours.length && start < witness.length && isSame(ours[start]!, witness[start]!)) start++
  const places: [number, number][] = Array.from({ length: start }, (_, index) => [index, index])
  const rows = ours.length - start
  const columns = witness.length - start
  const width = columns + 1
  const lengths = new Uint32Array((rows + 1) * width)
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const at = row * width + column
      lengths[at] = isSame(ours[start + row]!, witness[start + column]!) ? lengths[at + width + 1]! + 1
        : Math.max(lengths[at + width]!, lengths[at + 1]!)
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns;) {
    const at = row * width + column
    if (isSame(ours[start + row]!, witness[start + column]!)) places.push([start + row++, start + column++])
    else if (lengths[at + width]! >= lengths[at + 1]!) row++
    else column++
  }
  return places
}

function listDifference<T>(what: string, ours: readonly T[], witness: readonly T[], places: Places, show: (item: T) => string): string[] {
  if (places.length === ours.length && places.length === witness.length) return []
  const left = new Set(places.map(([place]) => place))
  const right = new Set(places.map(([, place]) => place))
  const sample = (items: readonly T[], known: Set<number>): string => {
    const alone = items.filter((_, index) => !known.has(index))
    return alone.length === 0 ? 'none' : `${alone.length} (${show(alone[0]!)}${alone.length > 1 ? ', ...' : ''})`
  }
  return [`${what}: only ours ${sample(ours, left)}, only the witness's ${sample(witness, right)}`]
}

type Headed = RequestSeen | ResponseSeen | undefined

function headerDifference(what: string, pairs: readonly (readonly [Headed, Headed])[]): string[] {
  const count = pairs.filter(([ours, theirs]) => !hasSameHeaders(ours?.headers, theirs?.headers)).length
  return count === 0 ? [] : [`headers of ${count} ${what}${count === 1 ? '' : 's'} differ`]
}

/** In any order of names; bytes that are not printable ASCII are shown in as many ways as there are tools. */
function hasSameHeaders(ours: readonly string[] | undefined, theirs: readonly string[] | undefined): boolean {
  if (ours === undefined || theirs === undefined || [...ours, ...theirs].some((line) => /[^ -~]/.test(line))) return true
  if (ours.length !== theirs.length) return false
  const left = [...theirs]
  return ours.every((line) => {
    const place = left.findIndex((other) => isSameText(line, other))
    if (place !== -1) left.splice(place, 1)
    return place !== -1
  })
}

/** Pairs of messages that both know. */
function pairDifferences(ours: Conversation, witness: Conversation, requests: Places, responses: Places): string[] {
  const sameResponse = new Map(responses.map(([a, b]) => [a, b]))
  const counts = new Map<string, number>()
  for (const [a, b] of requests) {
    const mine = ours.requests[a]!.answer
    const theirs = witness.requests[b]!.answer
    if (theirs === UNTOLD || mine === UNTOLD) continue
    const mapped = mine === NO_ANSWER ? NO_ANSWER : sameResponse.get(mine)
    if (mapped === theirs) continue
    const name = mine === NO_ANSWER ? 'pairs that only the witness makes'
      : theirs === NO_ANSWER ? 'pairs that only we make' : WRONG_PAIR
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${name}: ${count}`)
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

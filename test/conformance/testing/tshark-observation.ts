/**
 * tshark's fields of a capture (expected/tshark) as conversations.
 *
 * @module
 */
import { conversationOf, endpointsKey, NO_ANSWER, pathAndQuery, UNTOLD } from './observation.ts'
import type { Observation, RequestSeen } from './observation.ts'

type Field = string | readonly string[] | undefined
export type TsharkFrame = Readonly<Record<string, Field>>

/** Rule: what only session keys open is not for this comparison. */
export const INSIDE_TLS = 'inside TLS, opened with the key log'

/** What was left out of the comparison, by rule; each entry a count of messages. */
export type Exclusions = Map<string, number>

export interface TsharkReading {
  readonly observation: Observation
  readonly excluded: Exclusions
  /** Conversations in which TLS was spoken: what is inside is not for this comparison. */
  readonly tls: ReadonlySet<string>
}

/**
 * @param isKnown says whether the other observer knows a conversation: where a packet in a tunnel has several pairs of
 *   addresses, tshark's fields do not say which is the innermost one
 */
export function tsharkObservation(frames: readonly TsharkFrame[], isKnown: (key: string) => boolean): TsharkReading {
  const observation: Observation = new Map()
  const excluded: Exclusions = new Map()
  const exclude = (rule: string, count: number): void => { excluded.set(rule, (excluded.get(rule) ?? 0) + count) }
  const tlsStreams = new Set<string>()
  const tls = new Set<string>()
  const requestsOfFrame = new Map<number, RequestSeen[]>()
  for (const frame of frames) {
    const stream = last(frame['tcp.stream'])
    if (frame['tls.handshake.type'] !== undefined && stream !== undefined) {
      tlsStreams.add(stream)
      tls.add(keyOf(frame, true, isKnown)).add(keyOf(frame, false, isKnown))
    }
    const methods = list(frame['http.request.method'])
    const codes = list(frame['http.response.code'])
    const count = methods.length + codes.length
    if (count === 0) continue
    if (stream === undefined) exclude('carried by UDP', count)
    else if (tlsStreams.has(stream)) exclude(INSIDE_TLS, count)
    else readFrame(frame, methods, codes)
  }
  return { observation, excluded, tls }

  function readFrame(frame: TsharkFrame, methods: readonly string[], codes: readonly string[]): void {
    const number = Number(last(frame['frame.number']))
    const targets = list(frame['http.request.uri'])
    const key = keyOf(frame, methods.length > 0, isKnown)
    const conversation = conversationOf(observation, key)
    const seen = methods.map((method, index): RequestSeen => ({
      method,
      target: pathAndQuery(method, targets[index] ?? ''),
      answer: frame['http.response_in'] === undefined ? NO_ANSWER : UNTOLD,
      ...(methods.length === 1 ? { headers: lines(frame['http.request.line']) } : {}),
    }))
    conversation.requests.push(...seen)
    if (seen.length > 0) requestsOfFrame.set(number, [...seen])
    const requestIn = list(frame['http.request_in'])
    codes.forEach((code, index) => {
      const status = Number(code)
      if (status >= 100 && status < 200 && status !== 101) {
        exclude('interim response', 1)
        return
      }
      conversation.responses.push({ status, ...(codes.length === 1 ? { headers: lines(frame['http.response.line']) } : {}) })
      const from = requestIn.length === codes.length ? requestIn[index] : requestIn[0]
      const asked = from === undefined ? undefined : requestsOfFrame.get(Number(from))?.shift()
      if (asked !== undefined) asked.answer = conversation.responses.length - 1
    })
  }
}

function keyOf(frame: TsharkFrame, isRequest: boolean, isKnown: (key: string) => boolean): string {
  const source = addresses(frame, 'src')
  const destination = addresses(frame, 'dst')
  const sourcePort = Number(last(frame['tcp.srcport']))
  const destinationPort = Number(last(frame['tcp.dstport']))
  const candidates = source.flatMap((from) => destination.map((to) => (isRequest
    ? endpointsKey(from, sourcePort, to, destinationPort) : endpointsKey(to, destinationPort, from, sourcePort))))
  return candidates.find(isKnown) ?? candidates[0] ?? '?'
}

/** Innermost first, as far as the fields tell. */
function addresses(frame: TsharkFrame, end: 'src' | 'dst'): string[] {
  return [...list(frame[`ip.${end}`]).toReversed(), ...list(frame[`ipv6.${end}`]).toReversed()]
}

export function list(field: Field): readonly string[] {
  if (field === undefined) return []
  return typeof field === 'string' ? [field] : field
}

function last(field: Field): string | undefined {
  return list(field).at(-1)
}

function lines(field: Field): string[] {
  return list(field).map((line) => {
    const colon = line.indexOf(':')
    return `${line.slice(0, colon).trim().toLowerCase()}: ${line.slice(colon + 1).trim()}`
  })
}

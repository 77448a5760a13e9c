import type { Side } from '../../connection/mod.ts'

/** One segment of a conversation. */
export interface Segment {
  readonly side: Side
  readonly text: string
}

/** How a client sends: waiting for each response, several at once in packets of their own or in one, or a sliding window. */
export type Habit = 'waits' | 'batches' | 'packs' | 'slides'

/** A repeatable source of numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 0x1_0000_0000
  }
}

export interface ConversationOptions {
  readonly habit: Habit
  readonly exchanges: number
  readonly segmentBytes: number
  readonly random: () => number
}

/**
 * An HTTP/1.1 conversation in which the n-th request has the target `/n` and its response the field `X-Id: n`, so that every
 * pair can be judged.
 */
export function makeConversation(options: ConversationOptions): Segment[] {
  const { habit, exchanges, segmentBytes, random } = options
  const segments: Segment[] = []
  const waiting: { id: number; isHead: boolean }[] = []
  let sent = 0
  const add = (side: Side, text: string): void => {
    for (let at = 0; at < text.length; at += segmentBytes) segments.push({ side, text: text.slice(at, at + segmentBytes) })
  }
  const nextRequest = (): string => {
    const isHead = random() < 0.1
    waiting.push({ id: ++sent, isHead })
    return requestText(sent, isHead, random)
  }
  const answer = (): void => {
    const { id, isHead } = waiting.shift()!
    add(1, responseText(id, isHead, random))
  }
  const window = habit === 'waits' ? 1 : 2 + Math.floor(random() * 4)
  while (sent < exchanges || waiting.length > 0) {
    const burst = habit === 'slides' && sent > 0 ? 1 : window
    let packed = ''
    for (let count = 0; count < burst && sent < exchanges; count++) {
      if (habit === 'packs') packed += nextRequest()
      else add(0, nextRequest())
    }
    add(0, packed)
    const answers = habit === 'slides' ? 1 : waiting.length
    for (let count = 0; count < answers; count++) answer()
  }
  return segments
}

function requestText(id: number, isHead: boolean, random: () => number): string {
  const body = isHead || random() < 0.8 ? '' : 'x'.repeat(1 + Math.floor(random() * 30))
  const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  return `${isHead ? 'HEAD' : 'POST'} /${id} HTTP/1.1\r\nHost: a\r\n${framing}\r\n${body}`
}

function responseText(id: number, isHead: boolean, random: () => number): string {
  const body = 'y'.repeat(Math.floor(random() * 3000))
  const interim = random() < 0.05 ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''
  const start = `${interim}HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n`
  if (isHead) return `${start}Content-Length: ${body.length}\r\n\r\n`
  if (random() < 0.7) return `${start}Content-Length: ${body.length}\r\n\r\n${body}`
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  return `${start}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`
}

/** What one observer (Lintel, tshark, Zeek) says crossed one pair of endpoints, in the order in which it crossed. */
export interface Conversation {
  readonly requests: RequestSeen[]
  readonly responses: ResponseSeen[]
}

export interface RequestSeen {
  readonly method: string
  /** Path and query as sent; authority-form and absolute-form without what names the host. */
  readonly target: string
  /** Place of its final response in `responses`; NO_ANSWER, or UNTOLD when the observer does not say. */
  answer: number
  /** `name: value` lines in order, names in lower case; undefined = the observer does not say. */
  readonly headers?: readonly string[]
}

export interface ResponseSeen {
  readonly status: number
  readonly headers?: readonly string[]
}

export const NO_ANSWER = -1
export const UNTOLD = -2

/** By `client:port>server:port`. A port that is used again continues the conversation of those endpoints. */
export type Observation = Map<string, Conversation>

export function conversationOf(observation: Observation, key: string): Conversation {
  let conversation = observation.get(key)
  if (conversation === undefined) {
    conversation = { requests: [], responses: [] }
    observation.set(key, conversation)
  }
  return conversation
}

export function endpointsKey(client: string, clientPort: number, server: string, serverPort: number): string {
  return `${client}:${clientPort}>${server}:${serverPort}`
}

/** Conversations with a message in them. */
export function withMessages(observation: Observation): Observation {
  return new Map([...observation].filter(([, { requests, responses }]) => requests.length + responses.length > 0))
}

/** Path and query of a request target of any form (RFC 9112 3.2); nothing of an authority-form. */
export function pathAndQuery(method: string, target: string): string {
  if (method === 'CONNECT') return ''
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(target)
  const rest = absolute === null ? target : target.slice(absolute[0].length)
  const fragment = rest.indexOf('#')
  return fragment === -1 ? rest : rest.slice(0, fragment)
}

/**
 * Zeek's http.log (the baselines of its tests) as conversations.
 *
 * @module
 */
import { conversationOf, endpointsKey, NO_ANSWER, pathAndQuery, UNTOLD } from './observation.ts'
import type { Observation } from './observation.ts'

interface Row {
  readonly uid: string
  readonly depth: number
  readonly key: string
  readonly method: string | undefined
  readonly target: string
  readonly status: number | undefined
}

/** Key of the one conversation of a log that does not name endpoints. */
export const NO_ENDPOINTS = '*'

export interface ZeekLog {
  readonly observation: Observation
  /** False when the log has no column of status codes. */
  readonly saysResponses: boolean
}

/** A log in Zeek's TSV form, with or without header; undefined when it has no column of methods and targets. */
export function zeekObservation(log: string): ZeekLog | undefined {
  const lines = log.split('\n').filter((line) => line !== '')
  const titled = lines.find((line) => line.startsWith('#fields'))?.split('\t').slice(1)
  const rest = lines.filter((line) => !line.startsWith('#'))
  const fields = titled ?? rest.shift()?.split('\t') ?? []
  if (['uid', 'trans_depth', 'method', 'uri'].some((name) => !fields.includes(name))) return undefined
  const saysResponses = fields.includes('status_code')
  const observation: Observation = new Map()
  for (const row of inOrder(rest.map((line) => readRow(fields, line.split('\t'))))) {
    const conversation = conversationOf(observation, row.key)
    if (row.status !== undefined) conversation.responses.push({ status: row.status })
    if (row.method === undefined) continue
    const answer = row.status === undefined ? NO_ANSWER : conversation.responses.length - 1
    conversation.requests.push({
      method: row.method,
      target: pathAndQuery(row.method, row.target),
      answer: saysResponses ? answer : UNTOLD,
    })
  }
  return { observation, saysResponses }
}

function readRow(fields: readonly string[], values: readonly string[]): Row {
  const value = (name: string): string | undefined => {
    const text = values[fields.indexOf(name)]
    if (text === undefined || text === '-') return undefined
    return text === '(empty)' ? '' : unescapeLog(text)
  }
  const status = Number(value('status_code') ?? 0)
  const hasEndpoints = ['id.orig_h', 'id.orig_p', 'id.resp_h', 'id.resp_p'].every((name) => fields.includes(name))
  return {
    uid: value('uid') ?? '',
    depth: Number(value('trans_depth')),
    key: !hasEndpoints ? NO_ENDPOINTS
      : endpointsKey(value('id.orig_h') ?? '', Number(value('id.orig_p')), value('id.resp_h') ?? '', Number(value('id.resp_p'))),
    method: value('method'),
    target: value('uri') ?? '',
    // 0 stands for a response without a head, to HTTP/0.9.
    status: status === 0 ? undefined : status,
  }
}

function inOrder(rows: readonly Row[]): Row[] {
  const order = [...new Set(rows.map((row) => row.uid))]
  return rows.toSorted((a, b) => order.indexOf(a.uid) - order.indexOf(b.uid) || a.depth - b.depth)
}

/** Bytes that its log writer had to write as \xhh. */
function unescapeLog(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
}

/** What Zeek makes of percent-encoding in a request target: its log holds the decoded form. */
export function zeekDecoded(target: string): string {
  return target.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
}

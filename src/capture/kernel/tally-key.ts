import {
  TALLY_HOST_GIVEN, TALLY_HOST_LONG, TALLY_HOST_UNKNOWN, TALLY_KEY, TALLY_LABEL_AGENT, TALLY_LABEL_CLIENT, TALLY_LABEL_HOST, TALLY_LABEL_METHOD,
  TALLY_LABEL_STATUS, TALLY_METHOD_OTHER, TALLY_STATUS_NONE, TALLY_STATUS_UNKNOWN,
} from '../events.gen.ts'
import { agentClass } from './tally-agents.ts'

/** What requests can be told apart by, in the kernel; the value is the bit of `tally_labels`. */
export const TALLY_LABELS = {
  'client.address': TALLY_LABEL_CLIENT,
  'url.domain': TALLY_LABEL_HOST,
  'http.request.method': TALLY_LABEL_METHOD,
  'http.response.status_class': TALLY_LABEL_STATUS,
  'user_agent.class': TALLY_LABEL_AGENT,
} as const
export type TallyLabel = keyof typeof TALLY_LABELS

/** In the order of TALLY_METHOD_OTHER and on. */
const METHODS = ['_OTHER', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']

/** struct tally_key in words; raw values, which must pass the wall. */
export interface TallyKey {
  readonly client: { readonly version: 4 | 6, readonly bytes: Uint8Array } | undefined
  /** Host without the port, as records have url.domain; undefined = the head has none, or it is no label. */
  readonly host: string | undefined
  /** Why there is no host: it is longer than what is kept, or not in the head's first packet. */
  readonly hostIs: 'long' | 'unknown' | undefined
  readonly method: string
  readonly statusClass: string
  readonly agentClass: string
}

export function readTallyKey(key: Uint8Array): TallyKey {
  const at = (offset: number): number => key[offset] as number
  const version = at(TALLY_KEY.ip_version)
  const hostIs = at(TALLY_KEY.host_is)
  return {
    client: version === 4 || version === 6
      ? { version, bytes: key.subarray(TALLY_KEY.client_address, TALLY_KEY.client_address + (version === 4 ? 4 : 16)) } : undefined,
    host: hostIs === TALLY_HOST_GIVEN ? withoutPort(hostText(key)) : undefined,
    hostIs: hostIs === TALLY_HOST_LONG ? 'long' : hostIs === TALLY_HOST_UNKNOWN ? 'unknown' : undefined,
    method: METHODS[at(TALLY_KEY.method) - TALLY_METHOD_OTHER] ?? '',
    statusClass: statusText(at(TALLY_KEY.status)),
    agentClass: agentClass(at(TALLY_KEY.agent)),
  }
}

function statusText(status: number): string {
  return status === TALLY_STATUS_NONE ? 'none' : status === TALLY_STATUS_UNKNOWN ? 'unknown' : `${status}xx`
}

function hostText(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset + TALLY_KEY.host, TALLY_KEY.ip_version - TALLY_KEY.host)
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end)
}

/** As splitAuthority of wasm/target.ts: behind the last "@", brackets taken off, one port of digits cut. */
export function withoutPort(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (host.startsWith('[')) {
    const end = host.indexOf(']')
    return end === -1 ? host : host.slice(1, end)
  }
  return /^([^:]*):\d*$/.exec(host)?.[1] ?? host
}

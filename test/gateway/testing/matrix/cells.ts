/** Which client asks which server in which protocol, and why the other cells cannot be. */

/** What a server records of one exchange, names as it has them; `body`: the request's bytes, where the server counts them. */
export interface Recorded {
  readonly server: ServerName
  /** Port of the client. */
  readonly client: number
  readonly version: string
  readonly method: string
  /** Path and query as they were asked for. */
  readonly target: string
  readonly request: readonly (readonly [name: string, value: string])[]
  readonly body?: number
  readonly status: number
  readonly response: readonly (readonly [name: string, value: string])[]
}

export const PROTOCOLS = ['http1', 'https1', 'h2c', 'h2'] as const
export type Protocol = (typeof PROTOCOLS)[number]
export const SERVERS = ['nginx', 'haproxy', 'node', 'go'] as const
export type ServerName = (typeof SERVERS)[number]
export const CLIENTS = ['curl', 'h2load', 'wrk', 'nghttp', 'python', 'node', 'go'] as const
export type ClientName = (typeof CLIENTS)[number]

export interface Cell {
  readonly client: ClientName
  readonly server: ServerName
  readonly protocol: Protocol
}

/** Every server speaks all four protocols: a cell that cannot be is the client's. */
const CANNOT: readonly (readonly [client: ClientName, protocol: Protocol, reason: string])[] = [
  ['wrk', 'h2c', 'wrk has no HTTP/2'],
  ['wrk', 'h2', 'wrk has no HTTP/2'],
  ['nghttp', 'http1', 'nghttp has no HTTP/1.1 but for the Upgrade to h2c, which nginx, haproxy and Node do not take'],
  ['nghttp', 'https1', 'nghttp has no HTTP/1.1'],
]

export function isSecure(protocol: Protocol): boolean {
  return protocol === 'https1' || protocol === 'h2'
}

export function versionOf(protocol: Protocol): string {
  return protocol === 'http1' || protocol === 'https1' ? '1.1' : '2'
}

export function portOf(server: ServerName, protocol: Protocol): number {
  return 18_601 + SERVERS.indexOf(server) * PROTOCOLS.length + PROTOCOLS.indexOf(protocol)
}

export const PORT_MAX = portOf(SERVERS.at(-1)!, PROTOCOLS.at(-1)!)

/** The protocol that a port of `portOf` speaks. */
export function protocolOf(port: number): Protocol {
  return PROTOCOLS[(port - portOf(SERVERS[0], PROTOCOLS[0])) % PROTOCOLS.length]!
}

/** Targets of a cell are `/CLIENT/SERVER/PROTOCOL/` and what the client makes unlike in each request. */
export function pathOf({ client, server, protocol }: Cell): string {
  return `/${client}/${server}/${protocol}`
}

/** The cells that can be, for one server. */
export function cellsOf(server: ServerName): Cell[] {
  return CLIENTS.flatMap((client) => PROTOCOLS
    .filter((protocol) => !CANNOT.some(([who, what]) => who === client && what === protocol))
    .map((protocol) => ({ client, server, protocol })))
}

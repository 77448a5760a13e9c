/** Tunnels that a UDP port announces. */
export const PORT_TUNNEL = {
  NONE: 0,
  VXLAN: 1,
  VXLAN_GPE: 2,
  GENEVE: 3,
  GTPU: 4,
  TEREDO: 5,
  AYIYA: 6,
  L2TP: 7,
  MPLS: 8,
  GRE: 9,
  TZSP: 10,
  LISP: 11,
  GUE: 12,
  CAPWAP: 13,
} as const
export type PORT_TUNNEL = (typeof PORT_TUNNEL)[keyof typeof PORT_TUNNEL]

/** IANA's ports, and 8472 which Linux took for VXLAN before there was one. */
export const TUNNEL_PORTS_DEFAULT: ReadonlyArray<readonly [number, PORT_TUNNEL]> = [
  [4789, PORT_TUNNEL.VXLAN],
  [8472, PORT_TUNNEL.VXLAN],
  [4790, PORT_TUNNEL.VXLAN_GPE],
  [6081, PORT_TUNNEL.GENEVE],
  [2152, PORT_TUNNEL.GTPU],
  [3544, PORT_TUNNEL.TEREDO],
  [5072, PORT_TUNNEL.AYIYA],
  [1701, PORT_TUNNEL.L2TP],
  [6635, PORT_TUNNEL.MPLS],
  [4754, PORT_TUNNEL.GRE],
  [37008, PORT_TUNNEL.TZSP],
  [4341, PORT_TUNNEL.LISP],
  [6080, PORT_TUNNEL.GUE],
  [5247, PORT_TUNNEL.CAPWAP],
]

/** Which UDP port carries which tunnel. */
export class TunnelPorts {
  readonly #kinds = new Uint8Array(65536)

  constructor(ports: Iterable<readonly [number, PORT_TUNNEL]> = TUNNEL_PORTS_DEFAULT) {
    for (const [port, kind] of ports) this.#kinds[port & 0xffff] = kind
  }

  /** The receiver's port counts before the sender's. */
  of(source: number, destination: number): number {
    const kind = this.#kinds[destination]!
    return kind !== 0 ? kind : this.#kinds[source]!
  }
}

/** Names of numbers that packets carry, as records show them. */

const TRANSPORT: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'], [6, 'tcp'], [17, 'udp'], [58, 'icmpv6'], [132, 'sctp'],
])

/** `network.transport` of an IP protocol number. */
export function transportName(protocol: number): string {
  return TRANSPORT.get(protocol) ?? String(protocol)
}

const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'] as const

/** `tcp.flags`: the flags set, in the order of their bits. */
export function tcpFlagNames(flags: number): string {
  return TCP_FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0).join(',')
}

/** `network.hook` of a HOOK_* number. */
export const HOOK_NAMES = ['file', 'tcx', 'clsact', 'xdp', 'socket', 'cgroup', 'uprobe'] as const

/** `tunnel.type` of a TUNNEL_* number; 0 = none. */
export const TUNNEL_NAMES = ['', 'vxlan', 'geneve', 'gre', 'ipip', 'gtpu', 'mpls', 'pppoe', 'teredo', 'other'] as const

import { TUNNEL_IPIP, TUNNEL_OTHER } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { gre } from './gre.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import { extension, fragmentHeader } from './ipv6.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { icmp, otherProtocol, sctp, tcp } from './transport.ts'
import { udp } from './udp.ts'
import { STEP, type Walk } from './walk.ts'

/** What follows an IP header or extension header. */
export function upper(walk: Walk): STEP {
  switch (walk.protocol) {
    case IP_PROTOCOL.TCP:
      return tcp(walk)
    case IP_PROTOCOL.UDP:
    case IP_PROTOCOL.UDP_LITE:
      return udp(walk)
    case IP_PROTOCOL.ICMP:
    case IP_PROTOCOL.ICMPV6:
      return icmp(walk)
    case IP_PROTOCOL.SCTP:
      return sctp(walk)
    case IP_PROTOCOL.AUTHENTICATION:
      return extension(walk)
    case IP_PROTOCOL.IPV4:
      return ipInIp(walk, ETHERTYPE.IPV4)
    case IP_PROTOCOL.IPV6:
      return ipInIp(walk, ETHERTYPE.IPV6)
    case IP_PROTOCOL.GRE:
      return gre(walk)
    case IP_PROTOCOL.ETHERIP: // RFC 3378: version 3 and reserved bits
      return bridged(walk, 2)
    case IP_PROTOCOL.ETHERNET: // RFC 8986
      return bridged(walk, 0)
    case IP_PROTOCOL.MPLS: // RFC 4023
      return STEP.MPLS
    default:
      return walk.ipVersion === 6 ? upperOfV6(walk) : otherProtocol(walk)
  }
}

/** Numbers that are extension headers in IPv6 only. */
function upperOfV6(walk: Walk): STEP {
  switch (walk.protocol) {
    case IP_PROTOCOL.HOP_BY_HOP:
    case IP_PROTOCOL.ROUTING:
    case IP_PROTOCOL.DESTINATION_OPTIONS:
    case IP_PROTOCOL.MOBILITY:
    case IP_PROTOCOL.HIP:
    case IP_PROTOCOL.SHIM6:
      return extension(walk)
    case IP_PROTOCOL.FRAGMENT:
      return fragmentHeader(walk)
    default:
      return otherProtocol(walk)
  }
}

function ipInIp(walk: Walk, ethertype: number): STEP {
  // Some senders put IPv6 behind protocol 4 and the other way round: the inner header's own version counts.
  walk.enterTunnel(TUNNEL_IPIP, 0, LAYER.IPIP)
  walk.ethertype = ethertype
  return STEP.IP
}

function bridged(walk: Walk, bytes: number): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(bytes)) return walk.short(bytes)
  if (bytes > 0 && walk.u8[walk.at]! >> 4 !== 3) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  walk.tunnel = TUNNEL_OTHER
  walk.tunnelId = 0
  walk.tunnelDepth++
  walk.at += bytes
  return STEP.ETHERNET
}

/**
 * What the log does not say although a witness does, with the reason. An entry here is a fault, a feature not yet there, or a
 * line drawn on purpose.
 *
 * @module
 */
import type { Ruling } from './rulings.ts'

const SNAP = {
  why: 'The snap length cut the head: it is counted as framing lost, and no head is logged of which the end is missing.',
  says: 'RFC 9112 2.1',
}
const ARCNET = {
  why: 'ARCNET frames (LINKTYPE_ARCNET, LINKTYPE_ARCNET_LINUX) are not dissected: they count as lost, link_type_unknown.',
  says: 'RFC 1201',
}

export const DIFFERENCES: readonly Ruling[] = [
  { file: 'community-id/pcaps/combined.pcap.gz', witnesses: ['tshark'],
    ...SNAP,
    differences: [
      '128.232.110.120:34855>66.35.250.204:80 requests: only ours none, only the witness\'s 1 (GET /images/sf.net_box.gif)',
      '128.232.110.120:34855>66.35.250.204:80 responses: only ours none, only the witness\'s 1 (200)',
    ],
  },
  { file: 'community-id/pcaps/tcp.pcap', witnesses: ['tshark'],
    ...SNAP,
    differences: [
      '128.232.110.120:34855>66.35.250.204:80 requests: only ours none, only the witness\'s 1 (GET /images/sf.net_box.gif)',
      '128.232.110.120:34855>66.35.250.204:80 responses: only ours none, only the witness\'s 1 (200)',
    ],
  },
  { file: 'pcapplusplus/Tests/Packet++Test/PacketExamples/SllPacket.pcap', witnesses: ['tshark'],
    ...SNAP,
    differences: [
      '2404:138:4002:4000:230:48ff:fedd:53:50243>2404:6800:8004::68:80 responses: only ours none, only the witness\'s 1 (200)',
    ],
  },
  { file: 'tcpdump/tests/arcnet-rfc1051-arp-icmp-http.pcap', witnesses: ['tshark'],
    ...ARCNET,
    differences: [
      '10.80.131.1:1026>146.190.240.163:80 requests: only ours none, only the witness\'s 1 (GET /)',
      '10.80.131.1:1026>146.190.240.163:80 responses: only ours none, only the witness\'s 1 (301)',
    ],
  },
  { file: 'tcpdump/tests/arcnet-rfc1201-arp-icmp-http.pcap', witnesses: ['tshark'],
    ...ARCNET,
    differences: [
      '10.80.131.1:1027>146.190.240.163:80 requests: only ours none, only the witness\'s 1 (GET /)',
      '10.80.131.1:1027>146.190.240.163:80 responses: only ours none, only the witness\'s 1 (301)',
    ],
  },
  { file: 'zeek-btest/traces/http/http-desync-request-response-5.pcap',
    witnesses: ['tshark', 'zeek scripts.base.protocols.http.http-desynched'],
    why: 'The server answers more than it was asked, and from there on nothing tells which request a response answers.',
    says: 'RFC 9112 9.2',
    differences: [
      '127.0.0.1:50170>127.0.0.1:8080 pairs that only the witness makes: 4',
    ],
  },
]

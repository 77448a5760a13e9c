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
const REQUEST_LINE = {
  why:
    'Request lines without a target, or with a version that is none ("HTTP/1.", none at all behind another method '
    + 'than GET), are refused, as llhttp and picohttpparser do: counted as http1_start_line or http1_version; the '
    + 'responses to them are logged. A line of GET and one word is a Simple-Request, which has no headers.',
  says: 'RFC 9112 3',
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
  { file: 'zeek-btest/traces/http/methods.pcap', witnesses: ['tshark'],
    ...REQUEST_LINE,
    differences: [
      '128.2.6.136:46563>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (OPTIONS HTTP/1.1)',
      '128.2.6.136:46565>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (OPTIONS )',
      '128.2.6.136:46567>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (GET /)',
      '128.2.6.136:46568>173.194.75.103:80 headers of 1 request differ',
      '128.2.6.136:46577>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CCM_POST /)',
      '128.2.6.136:46578>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CCM_POST /HTTP/1.1)',
      '128.2.6.136:46582>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CONNECT )',
      '128.2.6.136:46583>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CONNECT )',
      '128.2.6.136:46587>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (TRACE /)',
      '128.2.6.136:46588>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (TRACE /HTTP/1.1)',
      '128.2.6.136:46592>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (DELETE /)',
      '128.2.6.136:46593>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (DELETE /HTTP/1.1)',
      '128.2.6.136:46597>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (PUT /)',
      '128.2.6.136:46598>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (PUT /HTTP/1.1)',
      '128.2.6.136:46602>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (POST /)',
      '128.2.6.136:46603>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (POST /HTTP/1.1)',
      '128.2.6.136:46607>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (HEAD /)',
      '128.2.6.136:46608>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (HEAD /HTTP/1.1)',
    ],
  },
  { file: 'zeek-btest/traces/http/methods.pcap', witnesses: ['zeek scripts.base.protocols.http.http-methods'],
    ...REQUEST_LINE,
    differences: [
      '128.2.6.136:46563>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (OPTIONS )',
      '128.2.6.136:46567>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (GET /)',
      '128.2.6.136:46568>173.194.75.103:80 responses: only ours 1 (403), only the witness\'s none',
      '128.2.6.136:46568>173.194.75.103:80 pairs that only we make: 1',
      '128.2.6.136:46577>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CCM_POST /)',
      '128.2.6.136:46578>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CCM_POST /HTTP/1.1)',
      '128.2.6.136:46578>173.194.75.103:80 responses: only ours 1 (400), only the witness\'s none',
      '128.2.6.136:46582>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CONNECT )',
      '128.2.6.136:46583>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (CONNECT )',
      '128.2.6.136:46583>173.194.75.103:80 responses: only ours 1 (400), only the witness\'s none',
      '128.2.6.136:46587>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (TRACE /)',
      '128.2.6.136:46588>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (TRACE /HTTP/1.1)',
      '128.2.6.136:46588>173.194.75.103:80 responses: only ours 1 (400), only the witness\'s none',
      '128.2.6.136:46592>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (DELETE /)',
      '128.2.6.136:46593>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (DELETE /HTTP/1.1)',
      '128.2.6.136:46593>173.194.75.103:80 responses: only ours 1 (400), only the witness\'s none',
      '128.2.6.136:46597>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (PUT /)',
      '128.2.6.136:46598>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (PUT /HTTP/1.1)',
      '128.2.6.136:46598>173.194.75.103:80 responses: only ours 1 (411), only the witness\'s none',
      '128.2.6.136:46602>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (POST /)',
      '128.2.6.136:46603>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (POST /HTTP/1.1)',
      '128.2.6.136:46603>173.194.75.103:80 responses: only ours 1 (411), only the witness\'s none',
      '128.2.6.136:46607>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (HEAD /)',
      '128.2.6.136:46608>173.194.75.103:80 requests: only ours none, only the witness\'s 1 (HEAD /HTTP/1.1)',
      '128.2.6.136:46608>173.194.75.103:80 responses: only ours 1 (400), only the witness\'s none',
    ],
  },
  { file: 'zeek-btest/traces/http/no-uri.pcap', witnesses: ['tshark'],
    ...REQUEST_LINE,
    differences: ['141.142.228.5:59856>192.150.187.43:80 requests: only ours none, only the witness\'s 1 (GET HTTP/1.1)'],
  },
  { file: 'zeek-btest/traces/http/no-uri.pcap', witnesses: ['zeek scripts.base.protocols.http.no-uri'],
    ...REQUEST_LINE,
    differences: ['141.142.228.5:59856>192.150.187.43:80 requests: only ours none, only the witness\'s 1 (GET )'],
  },
  { file: 'zeek-btest/traces/tls/tls12-decryption.pcap', witnesses: ['zeek scripts.policy.protocols.ssl.decryption'],
    why: 'HTTP inside TLS that only the session keys open: not read yet.',
    says: 'RFC 8446',
    differences: [
      '192.168.100.70:48216>193.99.144.80:443 requests: only ours none, only the witness\'s 1 (GET /)',
      '192.168.100.70:48216>193.99.144.80:443 responses: only ours none, only the witness\'s 1 (301)',
    ],
  },
  { file: 'zeek-btest/traces/tunnels/socks.pcap', witnesses: ['tshark'],
    why: 'HTTP after a SOCKS handshake: no decoder reads SOCKS, so the connection is of an unknown protocol.',
    says: 'RFC 1928',
    differences: [
      '127.0.0.1:62270>127.0.0.1:1080 requests: only ours none, only the witness\'s 1 (GET /)',
      '127.0.0.1:62270>127.0.0.1:1080 responses: only ours none, only the witness\'s 1 (200)',
    ],
  },
]

/**
 * Where a witness says something else than the log, and the bytes were read: who is right, once and for all.
 *
 * Each entry is a witness overruled. `differences` are the exact lines that the comparison gives.
 *
 * @module
 */
export interface Ruling {
  /** Below the corpora's folder. */
  readonly file: string
  readonly witnesses: readonly string[]
  readonly why: string
  /** What the ruling rests on. */
  readonly says: string
  readonly differences: readonly string[]
}

const WHOLE_ONLY = {
  why: 'tshark reports a message only when its body is whole in the capture; here bytes are missing behind the head.',
  says: 'RFC 9112 8',
}
const PORT = {
  why: 'tshark takes the protocol from the port; the bytes are HTTP.',
  says: 'RFC 9110 4.2',
}
const SIMPLE = {
  why: 'A Simple-Request of HTTP/0.9, which tshark does not read.',
  says: 'RFC 1945 4.1',
}
const TEREDO = {
  why: 'tshark misses part of what is inside Teredo; Zeek reports the same as we do.',
  says: 'RFC 4380',
}
const METHOD = {
  why: 'Any token is a method; tshark knows a list.',
  says: 'RFC 9110 9.1',
}
const REQUEST_LINE = {
  why:
    'Request lines without a target, or with a version that is none ("HTTP/1.", none at all behind another method '
    + 'than GET), are no requests (llhttp and picohttpparser refuse them too; tshark and Zeek disagree on which they '
    + 'take): counted as http1_start_line or http1_version, and the responses to them are logged. A line of GET and '
    + 'one word is a Simple-Request, which has no headers.',
  says: 'RFC 9112 3',
}

export const RULINGS: readonly Ruling[] = [
  { file: 'ndpi/pcap/WebattackRCE.pcap', witnesses: ['tshark'],
    why: 'The target holds a space; the last word of the line is the version. tshark ends the target at the first space.',
    says: 'RFC 9112 3',
    differences: [
      '127.0.0.1:50632>127.0.0.1:8080 requests: only ours 1 (GET /cgi-bin/handler/netsonar;cat '
        + '/etc/passwd|?data=Download), only the witness\'s 1 (GET /cgi-bin/handler/netsonar;cat)',
    ],
  },
  { file: 'ndpi/pcap/exe_download.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.9.25.101:49165>144.91.69.195:80 responses: only ours 1 (200), only the witness\'s none',
      '10.9.25.101:49165>144.91.69.195:80 pairs that only we make: 1',
    ],
  },
  { file: 'ndpi/pcap/exe_download_as_png.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.9.25.101:49197>185.98.87.185:80 responses: only ours 1 (200), only the witness\'s none',
      '10.9.25.101:49197>185.98.87.185:80 pairs that only we make: 1',
    ],
  },
  { file: 'ndpi/pcap/fuzz-2006-09-29-28586.pcap', witnesses: ['tshark'],
    why: `${WHOLE_ONLY.why} On the other connection the acknowledgement of the request is altered: by it the response does not come `
      + 'next, and the two are logged apart.',
    says: 'RFC 9112 8; RFC 9293 3.4',
    differences: [
      '172.20.3.5:2602>172.20.3.13:80 pairs that only the witness makes: 1',
      '172.20.72.5:2606>172.20.3.13:80 responses: only ours 1 (200), only the witness\'s none',
    ],
  },
  { file: 'ndpi/pcap/http-manipulated.pcap', witnesses: ['tshark'],
    why: 'Two spaces stand before the target; tshark puts it into the version and then misses the response.',
    says: 'RFC 9112 3',
    differences: [
      '192.168.0.20:33684>192.168.0.7:8080 requests: only ours 1 (GET /aaaaaaaaaaaaaaaaaaaaaaaa_very_long_uri), '
        + 'only the witness\'s 1 (GET )',
      '192.168.0.20:33684>192.168.0.7:8080 responses: only ours 1 (200), only the witness\'s none',
      '192.168.0.20:33684>192.168.0.7:8080 pairs that only we make: 1',
    ],
  },
  { file: 'ndpi/pcap/http_on_sip_port.pcap', witnesses: ['tshark counts'],
    ...PORT,
    differences: [
      'methods: ours GET 1; the witness\'s none',
      'status codes: ours 403 1; the witness\'s none',
    ],
  },
  { file: 'ndpi/pcap/soap.pcap', witnesses: ['tshark'],
    why:
      'The 302 came after the head of the request and acknowledges it; tshark dates the request by its last '
      + 'segment. A copy of the head was sent from the same address to port 4176, where tshark does not look.',
    says: 'RFC 9112 9.3',
    differences: [
      '192.168.2.100:50100>23.2.213.165:4176 requests: only ours 1 (POST /fwlink/?LinkID=252669&clcid=0x409), '
        + 'only the witness\'s none',
      '192.168.2.100:50100>23.2.213.165:80 pairs that only we make: 1',
    ],
  },
  { file: 'ndpi/pcap/windowsupdate_over_http.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.0.2.15:49815>151.99.72.125:80 responses: only ours 1 (206), only the witness\'s none',
      '10.0.2.15:49815>151.99.72.125:80 pairs that only we make: 1',
    ],
  },
  { file: 'packetbeat/pcaps/gap_in_stream.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '127.0.0.1:42840>127.0.0.1:8000 responses: only ours 1 (200), only the witness\'s none',
      '127.0.0.1:42840>127.0.0.1:8000 pairs that only we make: 1',
    ],
  },
  { file: 'packetbeat/pcaps/http_unmatched.pcap', witnesses: ['packetbeat'],
    why: 'The first request was reset without a response: a request all the same, and its record says so.',
    says: 'RFC 9110 3.3',
    differences: ['transactions: ours 3, the witness\'s 2'],
  },
  { file: 'pcapplusplus/Tests/Packet++Test/PacketExamples/HttpMalformedResponse.pcapng', witnesses: ['tshark counts'],
    ...WHOLE_ONLY,
    differences: ['status codes: ours 403 1; the witness\'s none'],
  },
  { file: 'pcapplusplus/Tests/Packet++Test/PacketExamples/TwoHttpResponses.pcap', witnesses: ['tshark counts'],
    ...WHOLE_ONLY,
    differences: ['status codes: ours 200 1, 404 1; the witness\'s none'],
  },
  { file: 'pcapplusplus/Tests/Pcap++Test/PcapExamples/raw_ip.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '2001:618:400::5199:cc70:35997>2001:618:1:8000::5:80 responses: only ours 1 (200), only the witness\'s none',
      '2001:618:400::5199:cc70:35997>2001:618:1:8000::5:80 pairs that only we make: 1',
    ],
  },
  {
    file: 'pcapplusplus/Tests/Pcap++Test/PcapExamples/unidirectional_tcp_stream_with_missing_packet.pcap',
    witnesses: ['tshark counts'],
    ...WHOLE_ONLY,
    differences: ['methods: ours POST 2; the witness\'s none'],
  },
  { file: 'tcpdump/tests/accecn_handshake.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '31.133.146.248:16433>66.228.43.12:80 responses: only ours 1 (200), only the witness\'s none',
      '31.133.146.248:16433>66.228.43.12:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/erspan.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '192.168.69.10:49162>192.168.69.2:80 responses: only ours 2 (200, ...), only the witness\'s none',
      '192.168.69.10:49162>192.168.69.2:80 pairs that only we make: 2',
      '192.168.69.10:49163>192.168.69.2:80 responses: only ours 4 (200, ...), only the witness\'s none',
      '192.168.69.10:49163>192.168.69.2:80 pairs that only we make: 4',
      '192.168.69.10:49165>192.168.69.2:80 responses: only ours 3 (200, ...), only the witness\'s none',
      '192.168.69.10:49165>192.168.69.2:80 pairs that only we make: 3',
    ],
  },
  { file: 'zeek-btest/traces/http/1000-requests-one-dropped-response.pcap.gz', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '::1:44730>::1:80 responses: only ours 999 (200, ...), only the witness\'s none',
      '::1:44730>::1:80 pairs that only we make: 999',
    ],
  },
  {
    file: 'zeek-btest/traces/http/261/variant-01-chunk_2pow64_overflow.pcap',
    witnesses: ['zeek scripts.base.protocols.http.261.chunk-2pow64-overflow'],
    why:
      'A chunk size over 64 bits leaves unknown where the chunk ends; what follows may be its data. tshark reports '
      + 'no second request either.',
    says: 'RFC 9112 7.1',
    differences: ['* requests: only ours none, only the witness\'s 1 (GET /smuggled-chunk-2pow64)'],
  },
  { file: 'zeek-btest/traces/http/261/variant-09-te_obs_fold.pcap', witnesses: ['tshark'],
    why: 'The folded value is one field value, "chunked"; tshark does not unfold it. Zeek sees both requests.',
    says: 'RFC 9112 5.2',
    differences: [
      '192.168.1.100:40009>192.168.1.200:80 requests: only ours 1 (GET /smuggled-obsfold), only the witness\'s none',
      '192.168.1.100:40009>192.168.1.200:80 headers of 1 request differ',
    ],
  },
  { file: 'zeek-btest/traces/http/bro.org.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.0.2.15:55081>192.150.187.43:80 responses: only ours 6 (200, ...), only the witness\'s none',
      '10.0.2.15:55081>192.150.187.43:80 pairs that only we make: 6',
    ],
  },
  { file: 'zeek-btest/traces/http/content-range-gap-skip.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '192.168.1.105:49219>198.189.255.75:80 responses: only ours 1 (206), only the witness\'s none',
      '192.168.1.105:49219>198.189.255.75:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/http/content-range-gap.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '192.168.40.148:42459>54.239.164.21:80 responses: only ours 1 (206), only the witness\'s none',
      '192.168.40.148:42459>54.239.164.21:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/http/entity_gap.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '141.142.228.5:59856>192.150.187.43:80 responses: only ours 1 (200), only the witness\'s none',
      '141.142.228.5:59856>192.150.187.43:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/http/entity_gap2.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '141.142.228.5:59856>192.150.187.43:80 responses: only ours 1 (200), only the witness\'s none',
      '141.142.228.5:59856>192.150.187.43:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/http/get-to-ssh-server.pcap', witnesses: ['tshark counts'],
    ...PORT,
    differences: ['methods: ours GET 1; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/http-09-content-length-confusion.pcap', witnesses: ['tshark'],
    why: 'The 200 came 19 s before the only request, so it cannot answer it; Zeek keeps the two apart as well.',
    says: 'RFC 9110 3.3',
    differences: ['127.0.0.1:46982>127.0.0.1:80 pairs that only the witness makes: 1'],
  },
  {
    file: 'zeek-btest/traces/http/http-11-request-then-cruft.pcap',
    witnesses: ['zeek scripts.base.protocols.http.http-11-request-then-cruft'],
    why: 'The server sent a second status line, 400, to the cruft; tshark reports it, Zeek stops at the cruft.',
    says: 'RFC 9112 4',
    differences: ['192.168.12.5:51792>192.0.78.212:80 responses: only ours 1 (400), only the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/http-inner-transfer-encoding-ossfuzz.pcap', witnesses: ['tshark counts'],
    ...METHOD,
    differences: ['methods: ours ETA 1; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/http-single-conn-22.pcap', witnesses: ['tshark counts'],
    ...PORT,
    differences: [
      'methods: ours GET 1; the witness\'s none',
      'status codes: ours 200 1; the witness\'s none',
    ],
  },
  { file: 'zeek-btest/traces/http/http-to-ssh.pcap', witnesses: ['tshark counts'],
    ...PORT,
    differences: ['methods: ours GET 1; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/http_09.pcap', witnesses: ['tshark counts'],
    ...SIMPLE,
    differences: ['methods: ours GET 1; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/http_09.pcap', witnesses: ['zeek scripts.base.protocols.http.http-09'],
    why:
      'RFC 1945 4.1: a Simple-Request is GET and a target; Zeek takes "POST /zeek.html", and no other line of the '
      + 'file, for one too.',
    says: 'RFC 1945 4.1',
    differences: ['127.0.0.1:42964>127.0.0.1:80 requests: only ours none, only the witness\'s 1 (POST /zeek.html)'],
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
  { file: 'zeek-btest/traces/http/no-version.pcap', witnesses: ['tshark counts'],
    ...SIMPLE,
    differences: ['methods: ours GET 1; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/putty-upload.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: ['127.0.0.1:56880>127.0.0.1:8080 requests: only ours 1 (POST /upload), only the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/query-method-non-standard-port.pcap', witnesses: ['tshark'],
    ...METHOD,
    differences: ['10.0.0.1:54321>10.0.0.2:4711 requests: only ours 1 (QUERY /users), only the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/query-method.pcap', witnesses: ['tshark'],
    ...METHOD,
    differences: ['10.0.0.1:54321>10.0.0.2:80 requests: only ours 1 (QUERY /users), only the witness\'s none'],
  },
  { file: 'zeek-btest/traces/http/zeek-image-post-1080-8000-x.pcap', witnesses: ['tshark counts'],
    ...PORT,
    differences: [
      'methods: ours POST 1; the witness\'s none',
      'status codes: ours 200 1; the witness\'s none',
    ],
  },
  { file: 'zeek-btest/traces/http/zero-length-bodies-with-drops.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.0.0.118:51534>75.98.70.31:80 requests: only ours 4 (GET '
        + '/ad/l/1?kv=&ct=300&init=0&s=b019&t=1300988780203466&cn=vi..., ...), only the witness\'s none',
      '10.0.0.118:51534>75.98.70.31:80 responses: only ours 5 (200, ...), only the witness\'s none',
    ],
  },
  { file: 'zeek-btest/traces/ipv6-http-atomic-frag.pcap', witnesses: ['tshark counts'],
    ...SIMPLE,
    differences: ['methods: ours GET 4; the witness\'s none'],
  },
  { file: 'zeek-btest/traces/tcp-http-with-padding.pcap', witnesses: ['tshark'],
    why: 'The frame is padded behind the IP packet; the IP length ends the request. Zeek reports it.',
    says: 'RFC 894',
    differences: ['167.221.30.181:59406>217.207.159.63:27272 requests: only ours 1 (GET /), only the witness\'s none'],
  },
  { file: 'zeek-btest/traces/tunnels/Teredo.pcap', witnesses: ['tshark counts'],
    ...TEREDO,
    differences: [
      'methods: ours GET 3, POST 1; the witness\'s GET 1, POST 1',
      'status codes: ours 200 3, 204 1; the witness\'s 200 1, 204 1',
    ],
  },
  { file: 'zeek-btest/traces/tunnels/gtp/gtp1_gn_normal_incl_fragmentation.pcap', witnesses: ['tshark'],
    ...WHOLE_ONLY,
    differences: [
      '10.131.47.185:1923>79.101.110.141:80 responses: only ours 1 (206), only the witness\'s none',
      '10.131.47.185:1923>79.101.110.141:80 pairs that only we make: 1',
    ],
  },
  { file: 'zeek-btest/traces/tunnels/teredo_bubble_with_payload.pcap', witnesses: ['tshark counts'],
    ...TEREDO,
    differences: [
      'methods: ours GET 2; the witness\'s none',
      'status codes: ours 200 2; the witness\'s none',
    ],
  },
  { file: 'zeek-btest/traces/wikipedia.pcap', witnesses: ['zeek language.init-in-anon-function'],
    why:
      'The script of this test cuts addresses to a /16, and Zeek does not follow the connection of port 35634, '
      + 'whose handshake is missing; tshark does.',
    says: 'RFC 9293 3.10.7',
    differences: [
      '141.142.0.0:35642>208.80.152.2:80 requests: only ours none, only the witness\'s 1 (GET /images/wikimedia-button.png)',
      '141.142.0.0:35642>208.80.152.2:80 responses: only ours none, only the witness\'s 1 (304)',
      '141.142.0.0:48649>208.80.152.118:80 requests: only ours none, only the witness\'s 1 (GET /skins-1.5/monobook/main.css)',
      '141.142.0.0:48649>208.80.152.118:80 responses: only ours none, only the witness\'s 1 (304)',
      '141.142.0.0:49996>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/thumb/b/bb/Wikipedia_wordmark.svg/174p..., ...)',
      '141.142.0.0:49996>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.0.0:49997>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/6/63/Wikipedia-logo.png, ...)',
      '141.142.0.0:49997>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.0.0:49998>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/b/bd/Bookshelf-40x201_6.png, ...)',
      '141.142.0.0:49998>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.0.0:49999>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/4/4a/Wiktionary-logo-en-35px.png, ...)',
      '141.142.0.0:49999>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.0.0:50000>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/thumb/8/8a/Wikinews-logo.png/35px-Wiki..., ...)',
      '141.142.0.0:50000>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.0.0:50001>208.80.152.3:80 requests: only ours none, only the witness\'s 2 (GET '
        + '/wikipedia/commons/thumb/f/fa/Wikiquote-logo.svg/35px-Wik..., ...)',
      '141.142.0.0:50001>208.80.152.3:80 responses: only ours none, only the witness\'s 2 (304, ...)',
      '141.142.220.118:35634>208.80.152.2:80 requests: only ours 1 (GET /), only the witness\'s none',
      '141.142.220.118:35634>208.80.152.2:80 responses: only ours 1 (304), only the witness\'s none',
      '141.142.220.118:35642>208.80.152.2:80 requests: only ours 1 (GET /images/wikimedia-button.png), only the '
        + 'witness\'s none',
      '141.142.220.118:35642>208.80.152.2:80 responses: only ours 1 (304), only the witness\'s none',
      '141.142.220.118:48649>208.80.152.118:80 requests: only ours 1 (GET /skins-1.5/monobook/main.css), only the '
        + 'witness\'s none',
      '141.142.220.118:48649>208.80.152.118:80 responses: only ours 1 (304), only the witness\'s none',
      '141.142.220.118:49996>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/thumb/b/bb/Wikipedia_wordmark.svg/174p..., ...), only the witness\'s none',
      '141.142.220.118:49996>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
      '141.142.220.118:49997>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/6/63/Wikipedia-logo.png, ...), only the witness\'s none',
      '141.142.220.118:49997>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
      '141.142.220.118:49998>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/b/bd/Bookshelf-40x201_6.png, ...), only the witness\'s none',
      '141.142.220.118:49998>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
      '141.142.220.118:49999>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/4/4a/Wiktionary-logo-en-35px.png, ...), only the witness\'s none',
      '141.142.220.118:49999>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
      '141.142.220.118:50000>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/thumb/8/8a/Wikinews-logo.png/35px-Wiki..., ...), only the witness\'s none',
      '141.142.220.118:50000>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
      '141.142.220.118:50001>208.80.152.3:80 requests: only ours 2 (GET '
        + '/wikipedia/commons/thumb/f/fa/Wikiquote-logo.svg/35px-Wik..., ...), only the witness\'s none',
      '141.142.220.118:50001>208.80.152.3:80 responses: only ours 2 (304, ...), only the witness\'s none',
    ],
  },
  {
    file: 'zeek-btest/traces/wikipedia.pcap',
    witnesses: [
      'zeek opt.basic',
      'zeek scripts.base.frameworks.analyzer.request-analyzer',
      'zeek scripts.base.frameworks.logging.writer-path-conflict',
      'zeek scripts.policy.protocols.http.header-names',
    ],
    why: 'Zeek does not follow the connection of port 35634, whose handshake is missing; tshark does.',
    says: 'RFC 9293 3.10.7',
    differences: [
      '141.142.220.118:35634>208.80.152.2:80 requests: only ours 1 (GET /), only the witness\'s none',
      '141.142.220.118:35634>208.80.152.2:80 responses: only ours 1 (304), only the witness\'s none',
    ],
  },
]

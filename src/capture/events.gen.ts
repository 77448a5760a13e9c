// Made by tools/gen-layout.ts from bpf/events.h. Do not edit: run `make layout`.

/** Byte offsets in struct packet_event; `bytes` is its size. */
export const PACKET_EVENT = {
  bytes: 160,
  time_ns: 0,
  interface_index: 8,
  record_number: 12,
  connection_tag: 16,
  frame_length: 20,
  payload_length: 24,
  payload_skipped: 28,
  captured_length: 32,
  tcp_sequence: 36,
  tcp_acknowledgement: 40,
  tunnel_id: 44,
  ip_identification: 48,
  seen_packets: 52,
  seen_bytes: 56,
  retransmissions: 64,
  process: 68,
  socket_cookie: 72,
  source_address: 80,
  destination_address: 96,
  source_port: 112,
  destination_port: 114,
  data_offset: 116,
  link_type: 118,
  ethertype: 120,
  vlan: 122,
  tcp_flags: 126,
  tcp_window: 128,
  tcp_mss: 130,
  tcp_window_scale: 132,
  kind: 133,
  hook: 134,
  direction: 135,
  flags: 136,
  vlan_count: 137,
  ip_version: 138,
  ip_protocol: 139,
  ip_ttl: 140,
  ip_tos: 141,
  tunnel: 142,
  tunnel_depth: 143,
  source_mac: 144,
  destination_mac: 150,
  left_out: 156,
} as const

/** Byte offsets in struct plaintext_event; `bytes` is its size. */
export const PLAINTEXT_EVENT = {
  bytes: 160,
  time_ns: 0,
  process_id: 8,
  thread_id: 12,
  session: 16,
  network_namespace: 20,
  call_length: 24,
  chunk_offset: 28,
  captured_length: 32,
  reserved: 36,
  position: 40,
  socket_cookie: 48,
  padding: 56,
  source_address: 80,
  destination_address: 96,
  source_port: 112,
  destination_port: 114,
  data_offset: 116,
  padding_2: 118,
  padding_3: 120,
  kind: 133,
  hook: 134,
  direction: 135,
  flags: 136,
  padding_4: 137,
  ip_version: 138,
  ip_protocol: 139,
  process_name: 140,
  padding_5: 156,
} as const

/** Byte offsets in struct process_info; `bytes` is its size. */
export const PROCESS_INFO = {
  bytes: 1088,
  start_time_ns: 0,
  cgroup_id: 8,
  process: 16,
  pid: 20,
  user_id: 24,
  mount_namespace: 28,
  flags: 32,
  arguments_length: 36,
  executable_at: 40,
  cgroup_at: 42,
  reserved: 44,
  name: 48,
  executable: 64,
  cgroup: 576,
} as const

/** Byte offsets in struct directive; `bytes` is its size. */
export const DIRECTIVE = {
  bytes: 16,
  connection_tag: 0,
  flags: 4,
  skip_until: 8,
} as const

/** Byte offsets in struct plaintext_directive; `bytes` is its size. */
export const PLAINTEXT_DIRECTIVE = {
  bytes: 24,
  session: 0,
  flags: 4,
  skip_until: 8,
} as const

/** Byte offsets in struct settings; `bytes` is its size. */
export const SETTINGS = {
  bytes: 20,
  flags: 0,
  sample_below: 4,
  head_bytes_max: 8,
  admit_below: 12,
  port_lowest: 16,
  port_highest: 18,
} as const

/** Byte offsets in struct tally_key; `bytes` is its size. */
export const TALLY_KEY = {
  bytes: 88,
  client_address: 0,
  host: 16,
  ip_version: 80,
  method: 81,
  status: 82,
  host_is: 83,
  agent: 84,
  reserved: 85,
} as const

/** Byte offsets in struct tally; `bytes` is its size. */
export const TALLY = {
  bytes: 32,
  born: 0,
  requests: 8,
  request_bytes: 16,
  response_bytes: 24,
} as const

export const EVENT_SEGMENT = 1
export const EVENT_FRAME = 2
export const EVENT_PROCESS = 3
export const EVENT_PLAINTEXT = 4
export const EVENT_LEFT = 5
export const HOOK_FILE = 0
export const HOOK_TCX = 1
export const HOOK_CLSACT = 2
export const HOOK_XDP = 3
export const HOOK_SOCKET = 4
export const HOOK_CGROUP = 5
export const HOOK_UPROBE = 6
export const DIRECTION_UNKNOWN = 0
export const DIRECTION_INGRESS = 1
export const DIRECTION_EGRESS = 2
export const FLAG_LINK = 1
export const FLAG_REASSEMBLED = 2
export const FLAG_CUT = 4
export const FLAG_NUMBERED = 8
export const FLAG_MIDSTREAM = 16
export const FLAG_NOT_HTTP = 32
export const FLAG_IP_OPTIONS = 64
export const FLAG_COUNTED = 128
export const TUNNEL_NONE = 0
export const TUNNEL_VXLAN = 1
export const TUNNEL_GENEVE = 2
export const TUNNEL_GRE = 3
export const TUNNEL_IPIP = 4
export const TUNNEL_GTPU = 5
export const TUNNEL_MPLS = 6
export const TUNNEL_PPPOE = 7
export const TUNNEL_TEREDO = 8
export const TUNNEL_OTHER = 9
export const PROCESS_ARGUMENTS_CUT = 1
export const PROCESS_ARGUMENTS_MISSING = 2
export const PROCESS_EXECUTABLE_CUT = 4
export const PROCESS_CGROUP_CUT = 8
export const PROCESS_KERNEL_THREAD = 16
export const PROCESS_ARGUMENTS_MAX = 4096
export const PROCESS_PATH_MAX = 512
export const PROCESS_COUNTER_TOLD = 0
export const PROCESS_COUNTER_LOST_FULL = 1
export const PROCESS_COUNTER_LOST_RATE = 2
export const PROCESS_COUNTER_LOST_STORAGE = 3
export const PROCESS_COUNTER_COUNT = 4
export const PLAINTEXT_START = 1
export const PLAINTEXT_CUT = 2
export const PLAINTEXT_ENDED = 4
export const PLAINTEXT_WRITE_ENDED = 8
export const PLAINTEXT_SOCKET = 16
export const PLAINTEXT_CLOSED = 32
export const PLAINTEXT_GUESSED = 64
export const PLAINTEXT_CHUNK_MAX = 16384
export const PLAINTEXT_CALL_MAX = 262144
export const PLAINTEXT_DIRECTIVE_COUNT = 8192
export const PROBE_READ = 1
export const PROBE_WRITE = 2
export const PROBE_READ_EX = 3
export const PROBE_WRITE_EX = 4
export const PROBE_HANDSHAKE = 5
export const PROBE_SHUTDOWN = 6
export const PROBE_FREE = 7
export const PROBE_NEW = 8
export const PROBE_END = 9
export const PROBE_GO_READ = 10
export const PROBE_GO_WRITE = 11
export const PROBE_GO_HANDSHAKE = 12
export const PROBE_GO_CLOSE = 13
export const PROBE_GO_END = 14
export const PROBE_WRITE_EX2 = 15
export const TLS_CALLS_SEEN = 0
export const TLS_CALLS_DELIVERED = 1
export const TLS_CALLS_SKIPPED = 2
export const TLS_CALLS_IGNORED = 3
export const TLS_CALLS_LOST_FULL = 4
export const TLS_CALLS_LOST_COPY = 5
export const TLS_CALLS_LOST_TABLE = 6
export const TLS_CALLS_CUT = 7
export const TLS_CHUNKS = 8
export const TLS_BYTES = 9
export const TLS_BYTES_CUT = 10
export const TLS_THREAD_REFUSED = 11
export const TLS_TOO_DEEP = 12
export const TLS_UNRETURNED = 13
export const TLS_SESSIONS = 14
export const TLS_NOTICES_LOST = 15
export const TLS_COUNTER_COUNT = 16
export const DIRECTIVE_COUNT = 65536
export const DIRECTIVE_SKIP_0 = 1
export const DIRECTIVE_SKIP_1 = 2
export const DIRECTIVE_FRAMES = 8
export const DIRECTIVE_IGNORE = 4
export const SETTING_PORTS = 1
export const SETTING_CIDR_INCLUDE = 2
export const SETTING_CIDR_EXCLUDE = 4
export const SETTING_PACKETS = 8
export const SETTING_PROTOCOL_TCP = 16
export const SETTING_PROTOCOL_UDP = 32
export const SETTING_PROTOCOL_ICMP = 64
export const SETTING_PROTOCOL_ARP = 128
export const SETTING_QUIC = 512
export const SETTING_BODIES = 1024
export const SETTING_INTERFACES = 256
export const COUNTER_PACKETS_SEEN = 0
export const COUNTER_DELIVERED = 1
export const COUNTER_NOT_WANTED_PORT = 2
export const COUNTER_BYTES_DELIVERED = 3
export const COUNTER_NOT_WANTED_PROTOCOL = 4
export const COUNTER_NOT_WANTED_INTERFACE = 5
export const COUNTER_NO_PAYLOAD = 6
export const COUNTER_UNKNOWN_PROTOCOL = 7
export const COUNTER_SAMPLED = 8
export const COUNTER_SKIPPED = 9
export const COUNTER_OTHER_PATH = 10
export const COUNTER_IGNORED = 11
export const COUNTER_LOST_FULL = 12
export const COUNTER_LOST_COPY = 13
export const COUNTER_LOST_TABLE = 14
export const COUNTER_NOT_WANTED_ADDRESS = 15
export const COUNTER_BYTES_CUT = 16
export const COUNTER_CONNECTIONS_NEW = 17
export const COUNTER_MALFORMED = 18
export const COUNTER_OVERLOAD = 19
export const COUNTER_TALLIED = 20
export const COUNTER_COUNT = 21
export const TALLY_HOST_MAX = 64
export const TALLY_AGENT_MAX = 16
export const TALLY_METHOD_NONE = 0
export const TALLY_METHOD_OTHER = 1
export const TALLY_METHOD_GET = 2
export const TALLY_METHOD_HEAD = 3
export const TALLY_METHOD_POST = 4
export const TALLY_METHOD_PUT = 5
export const TALLY_METHOD_DELETE = 6
export const TALLY_METHOD_CONNECT = 7
export const TALLY_METHOD_OPTIONS = 8
export const TALLY_METHOD_TRACE = 9
export const TALLY_METHOD_PATCH = 10
export const TALLY_METHOD_QUERY = 11
export const TALLY_STATUS_NONE = 0
export const TALLY_STATUS_UNKNOWN = 6
export const TALLY_HOST_ABSENT = 0
export const TALLY_HOST_GIVEN = 1
export const TALLY_HOST_LONG = 2
export const TALLY_HOST_UNKNOWN = 3
export const TALLY_AGENT_ABSENT = 0
export const TALLY_AGENT_UNKNOWN = 1
export const TALLY_AGENT_OTHER = 2
export const TALLY_AGENT_LISTED = 3
export const TALLY_LABEL_HOST = 1
export const TALLY_LABEL_METHOD = 2
export const TALLY_LABEL_STATUS = 4
export const TALLY_LABEL_AGENT = 8
export const TALLY_LABEL_CLIENT = 16
export const TALLY_TOTAL_REQUESTS = 0
export const TALLY_TOTAL_REQUEST_BYTES = 1
export const TALLY_TOTAL_RESPONSE_BYTES = 2
export const TALLY_TOTAL_NO_ROOM = 3
export const TALLY_TOTAL_BEGUN = 4
export const TALLY_TOTAL_PIPELINED = 5
export const TALLY_TOTAL_UNASKED = 6
export const TALLY_TOTAL_UNCLEAR = 7
export const TALLY_TOTAL_OTHER_PROTOCOL = 8
export const TALLY_TOTAL_TUNNELS = 9
export const TALLY_TOTAL_COUNT = 10

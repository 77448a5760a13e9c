/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The only structs and constants shared by the kernel programs and TypeScript.
 * tools/gen-layout.ts turns this file into src/capture/events.gen.ts: never retype an offset.
 *
 * A capture source (ring buffer, perf buffer, pcap file) yields a batch: records in the framing of the kernel's ring
 * buffer, { __u32 length | BUSY | DISCARD; __u32 reserved; } then one struct packet_event, its captured bytes, and
 * padding to 8 bytes. All integers are little endian (host order) unless the comment says otherwise.
 */
#ifndef LINTEL_EVENTS_H
#define LINTEL_EVENTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* packet_event.kind */
#define EVENT_SEGMENT 1     /* parsed up to L4; the captured bytes are L4 payload */
#define EVENT_FRAME 2       /* not parsed (fragment, unusual tunnel): the captured bytes are the whole frame */
#define EVENT_PROCESS 3     /* no packet: the captured bytes are a struct process_info; comes before the first packet that names it */
#define EVENT_PLAINTEXT 4   /* what a program gave to its TLS library or got from it: struct plaintext_event */
#define EVENT_LEFT 5        /* no bytes: nothing follows of the connection of this packet, see settings.admit_below */

/* packet_event.hook */
#define HOOK_FILE 0
#define HOOK_TCX 1
#define HOOK_CLSACT 2
#define HOOK_XDP 3
#define HOOK_SOCKET 4
#define HOOK_CGROUP 5
#define HOOK_UPROBE 6

/* packet_event.direction, relative to the interface */
#define DIRECTION_UNKNOWN 0
#define DIRECTION_INGRESS 1
#define DIRECTION_EGRESS 2

/* packet_event.flags */
#define FLAG_LINK 1             /* source_mac, destination_mac and ethertype are valid */
#define FLAG_REASSEMBLED 2      /* joined from IP fragments */
#define FLAG_CUT 4              /* the capture holds fewer payload bytes than the wire had (snap length, 64 KiB bound) */
#define FLAG_NUMBERED 8         /* record_number is valid */
#define FLAG_MIDSTREAM 16       /* the kernel met this connection without its SYN */
#define FLAG_NOT_HTTP 32        /* the kernel judged the connection's first bytes: no known protocol; no more follows */
#define FLAG_IP_OPTIONS 64      /* IPv4 options or IPv6 extension headers were present */
#define FLAG_COUNTED 128        /* seen_packets, seen_bytes and retransmissions are valid */

/* packet_event.tunnel: the innermost tunnel taken off */
#define TUNNEL_NONE 0
#define TUNNEL_VXLAN 1
#define TUNNEL_GENEVE 2
#define TUNNEL_GRE 3
#define TUNNEL_IPIP 4
#define TUNNEL_GTPU 5
#define TUNNEL_MPLS 6
#define TUNNEL_PPPOE 7
#define TUNNEL_TEREDO 8
#define TUNNEL_OTHER 9

struct packet_event {
	__u64 time_ns;             /* nanoseconds in the source's clock; the source says what its zero is */
	__u32 interface_index;
	__u32 record_number;       /* per connection and direction, from 0, claimed before space is reserved */
	__u32 connection_tag;      /* kernel's id of the connection (never 0), 0 = none: see struct directive */
	__u32 frame_length;        /* bytes on the wire */
	__u32 payload_length;      /* L4 payload bytes on the wire, headers excluded */
	__u32 payload_skipped;     /* payload bytes before the captured ones that were left out on purpose */
	__u32 captured_length;     /* payload (or frame) bytes in this record, at data_offset from its start */
	__u32 tcp_sequence;        /* of the packet's first payload byte (before payload_skipped); of SYN for a SYN */
	__u32 tcp_acknowledgement;
	__u32 tunnel_id;           /* VNI, TEID, GRE key, MPLS label, PPPoE session */
	__u32 ip_identification;   /* IPv4 identification, IPv6 flow label */
	__u32 seen_packets;        /* packets of this direction so far, this one included */
	__u64 seen_bytes;          /* payload bytes of this direction so far, this packet included */
	__u32 retransmissions;     /* packets of this direction that brought nothing new, so far */
	__u32 process;             /* process_info.process of who last used the socket that sent it; 0 = not local, not known */
	__u64 socket_cookie;       /* of the socket that sent it (SO_COOKIE); 0 = not local, not known */
	__u8 source_address[16];   /* network order; IPv4 in the first 4 bytes, the rest 0 */
	__u8 destination_address[16];
	__u16 source_port;         /* ICMP: type; ARP: operation */
	__u16 destination_port;    /* ICMP: code */
	__u16 data_offset;         /* of the captured bytes from the start of this struct */
	__u16 link_type;           /* EVENT_FRAME: LINKTYPE_ of the frame (1 Ethernet, 101 raw IP) */
	__u16 ethertype;           /* innermost */
	__u16 vlan[2];             /* tag control information, outermost first */
	__u16 tcp_flags;           /* FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 ECE 64 CWR 128 AE 256 */
	__u16 tcp_window;          /* as on the wire, not scaled */
	__u16 tcp_mss;             /* SYN only, 0 = none */
	__u8 tcp_window_scale;     /* SYN only, 255 = none */
	__u8 kind;
	__u8 hook;
	__u8 direction;
	__u8 flags;
	__u8 vlan_count;           /* 0 to 2 are in vlan[]; more are counted only */
	__u8 ip_version;           /* 4 or 6; 0 = not IP (then ethertype says what) */
	__u8 ip_protocol;          /* 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6, ... after extension headers */
	__u8 ip_ttl;               /* TTL or hop limit */
	__u8 ip_tos;               /* DSCP << 2 | ECN */
	__u8 tunnel;
	__u8 tunnel_depth;
	__u8 source_mac[6];
	__u8 destination_mac[6];
	__u32 left_out;            /* bytes of the stream right before the captured ones that are payload of HTTP/2 DATA frames and were
	                            * left out on purpose: payload_skipped, and what of earlier packets was not delivered; 0 = none */
};

/* process_info.flags */
#define PROCESS_ARGUMENTS_CUT 1 /* there are more than the bound */
#define PROCESS_ARGUMENTS_MISSING 2 /* they could not be read */
#define PROCESS_EXECUTABLE_CUT 4 /* the path's beginning is left out */
#define PROCESS_CGROUP_CUT 8
#define PROCESS_KERNEL_THREAD 16

#define PROCESS_ARGUMENTS_MAX 4096
#define PROCESS_PATH_MAX 512

/* A process that speaks TCP, as it was when it first did so (after its last exec and change of user). */
struct process_info {
	__u64 start_time_ns;       /* CLOCK_BOOTTIME */
	__u64 cgroup_id;           /* cgroup v2; 0 = not known */
	__u32 process;             /* number of this process in this run, never 0 */
	__u32 pid;                 /* in the initial namespace */
	__u32 user_id;             /* effective, in the initial namespace */
	__u32 mount_namespace;     /* inode number */
	__u32 flags;               /* PROCESS_ */
	__u32 arguments_length;    /* bytes that follow this struct: each argument with its NUL */
	__u16 executable_at;       /* the path is executable[executable_at ..], absolute in its mount namespace; */
	__u16 cgroup_at;           /* PROCESS_PATH_MAX = there is none */
	__u32 reserved;
	__u8 name[16];             /* task_struct.comm of the thread group's leader */
	__u8 executable[PROCESS_PATH_MAX];
	__u8 cgroup[PROCESS_PATH_MAX]; /* cgroup v2, or where that is the root, v1 of memory or pids */
};

/* Index in the per-CPU array map "process_counters". */
#define PROCESS_COUNTER_TOLD 0          /* processes handed to user space */
#define PROCESS_COUNTER_LOST_FULL 1     /* the ring had no space: tried again at the process's next call */
#define PROCESS_COUNTER_LOST_RATE 2     /* more new ones in this second than the bound: tried again */
#define PROCESS_COUNTER_LOST_STORAGE 3  /* the socket could not be given a note of its process */
#define PROCESS_COUNTER_COUNT 4
/* plaintext_event.flags */
#define PLAINTEXT_START 1       /* the session was watched from its handshake on: position 0 is its first byte */
#define PLAINTEXT_CUT 2         /* last chunk of a call longer than PLAINTEXT_CALL_MAX: the call's rest is missing */
#define PLAINTEXT_ENDED 4       /* no bytes: the program has freed the session */
#define PLAINTEXT_WRITE_ENDED 8 /* no bytes: the program has sent its close_notify */
#define PLAINTEXT_SOCKET 16     /* no bytes: the session's socket became known */
#define PLAINTEXT_CLOSED 32     /* no bytes and no session: the socket with this cookie is closed */
#define PLAINTEXT_GUESSED 64    /* the socket was told from the order of the thread's calls: see bpf/tls_socket.h */

#define PLAINTEXT_CHUNK_MAX 16384
#define PLAINTEXT_CALL_MAX 262144

/*
 * A piece of one call of a TLS library, in the clear. Time, addresses, ports, lengths and kind lie where struct
 * packet_event has them. Source is who sends: the program itself for what it writes, its peer for what it reads.
 */
struct plaintext_event {
	__u64 time_ns;             /* of the call's begin for what is written, of its end for what is read */
	__u32 process_id;          /* in the initial PID namespace */
	__u32 thread_id;
	__u32 session;             /* kernel's id of the TLS session (never 0) */
	__u32 network_namespace;   /* inode number */
	__u32 call_length;         /* bytes of the whole call */
	__u32 chunk_offset;        /* of the captured bytes, within the call */
	__u32 captured_length;
	__u32 reserved;
	__u64 position;            /* of the captured bytes in their direction's stream, counted before space is reserved */
	__u64 socket_cookie;       /* 0 = not known; then addresses, ports and ip_version are 0 too */
	__u8 padding[24];
	__u8 source_address[16];
	__u8 destination_address[16];
	__u16 source_port;
	__u16 destination_port;
	__u16 data_offset;
	__u16 padding_2;
	__u8 padding_3[13];
	__u8 kind;
	__u8 hook;
	__u8 direction;            /* DIRECTION_INGRESS: the program read it; DIRECTION_EGRESS: it wrote it */
	__u8 flags;
	__u8 padding_4;
	__u8 ip_version;
	__u8 ip_protocol;
	__u8 process_name[16];     /* comm of the process, not of its thread; ends with 0 */
	__u8 padding_5[4];
};

/* What user space tells the kernel about one TLS session: slot session % PLAINTEXT_DIRECTIVE_COUNT of the mmapable array
 * map "tls_directives", under the rules of struct directive. */
#define PLAINTEXT_DIRECTIVE_COUNT 8192
struct plaintext_directive {
	__u32 session;
	__u32 flags;               /* DIRECTIVE_SKIP_0: read, DIRECTIVE_SKIP_1: written, DIRECTIVE_IGNORE */
	__u64 skip_until[2];       /* position up to which bytes are not wanted: [0] of what is read, [1] of what is written */
};

/* The cookie of a probe: which function it stands at. */
#define PROBE_READ 1        /* SSL_read(object, buffer, length): returns the bytes */
#define PROBE_WRITE 2
#define PROBE_READ_EX 3     /* SSL_read_ex(object, buffer, length, *bytes) */
#define PROBE_WRITE_EX 4
#define PROBE_HANDSHAKE 5   /* SSL_do_handshake(object) */
#define PROBE_SHUTDOWN 6    /* SSL_shutdown(object) */
#define PROBE_FREE 7        /* SSL_free(object) */
#define PROBE_NEW 8         /* the return of SSL_new: the object */
#define PROBE_END 9         /* the return of one of the others */
#define PROBE_GO_READ 10    /* (*tls.Conn).Read(object, buffer) */
#define PROBE_GO_WRITE 11
#define PROBE_GO_HANDSHAKE 12
#define PROBE_GO_CLOSE 13
#define PROBE_GO_END 14     /* a return instruction of one of these */
#define PROBE_WRITE_EX2 15  /* SSL_write_ex2(object, buffer, length, flags, *bytes), OpenSSL 3.3 */

/* Index in the per-CPU array map "tls_counters". calls_seen is the sum of the others marked (=), once nothing runs. */
#define TLS_CALLS_SEEN 0       /* calls that moved bytes */
#define TLS_CALLS_DELIVERED 1  /* (=) every wanted byte was handed to user space */
#define TLS_CALLS_SKIPPED 2    /* (=) nothing of it was wanted */
#define TLS_CALLS_IGNORED 3    /* (=) user space asked for no more of the session */
#define TLS_CALLS_LOST_FULL 4  /* (=) a chunk of it found no space in the ring */
#define TLS_CALLS_LOST_COPY 5  /* (=) the program's memory could not be read */
#define TLS_CALLS_LOST_TABLE 6 /* (=) no space for the session */
#define TLS_CALLS_CUT 7        /* longer than PLAINTEXT_CALL_MAX */
#define TLS_CHUNKS 8           /* records with bytes */
#define TLS_BYTES 9
#define TLS_BYTES_CUT 10
#define TLS_THREAD_REFUSED 11  /* no memory to remember a call: it is not seen */
#define TLS_TOO_DEEP 12        /* TLS inside TLS inside TLS ...: the innermost is not seen */
#define TLS_UNRETURNED 13      /* calls that never came back (longjmp, another stack) */
#define TLS_SESSIONS 14
#define TLS_NOTICES_LOST 15    /* the ring had no space for an event without bytes */
#define TLS_COUNTER_COUNT 16

/* What user space tells the kernel about one connection: slot connection_tag % DIRECTIVE_COUNT of the mmapable array
 * map "directives". It holds for the connection only while .connection_tag equals the connection's. User space writes
 * connection_tag = 0, the other fields, then connection_tag. */
#define DIRECTIVE_COUNT 65536
#define DIRECTIVE_SKIP_0 1      /* skip_until[0] is valid */
#define DIRECTIVE_SKIP_1 2
#define DIRECTIVE_FRAMES 8      /* HTTP/2: payload of DATA frames is not wanted, either way; packet_event.left_out tells what is missing */
#define DIRECTIVE_IGNORE 4      /* deliver no more payload of this connection, only how it ends; read once, then remembered */
struct directive {
	__u32 connection_tag;
	__u32 flags;
	__u32 skip_until[2];       /* TCP sequence number up to which payload is not wanted; [0] is the direction whose
	                            * source endpoint (address bytes, then port) sorts first, compared as unsigned bytes,
	                            * big endian */
};

/* The one entry of array map "settings": may be rewritten while programs run. */
#define SETTING_PORTS 1         /* the port bitmap counts: a packet is wanted if either port is in it */
#define SETTING_CIDR_INCLUDE 2  /* wanted only if either address is in "cidr4"/"cidr6" with value 1 */
#define SETTING_CIDR_EXCLUDE 4  /* not wanted if either address is in "cidr4"/"cidr6" with value 2 */
#define SETTING_PACKETS 8       /* deliver every wanted packet's headers (packet records), not only message bytes */
#define SETTING_PROTOCOL_TCP 16
#define SETTING_PROTOCOL_UDP 32
#define SETTING_PROTOCOL_ICMP 64
#define SETTING_PROTOCOL_ARP 128
#define SETTING_QUIC 512        /* deliver UDP datagrams that begin with a QUIC Initial packet, whole */
#define SETTING_BODIES 1024     /* long bodies of HTTP/1 are delivered until user space says how much to skip */
#define SETTING_INTERFACES 256  /* map "interfaces" lists the wanted ones (socket and cgroup hooks) */
struct settings {
	__u32 flags;
	__u32 sample_below;        /* a connection is kept if hash % 65536 < sample_below; 65536 = keep all */
	__u32 head_bytes_max;      /* payload bytes copied from one packet, at most 65536 */
	__u32 admit_below;         /* user space cannot keep up: of hashes from here on new connections are not read, and followed ones are
	                            * left where a message begins; 65536 = read all */
	__u16 port_lowest;         /* no port below or above these is in the bitmap, so for most that are not wanted it is not read */
	__u16 port_highest;
};

/* Index in the per-CPU array map "counters": one entry of COUNTER_COUNT __u64. packets_seen is the sum of the others marked (=).
 * Those that most packets change come first, as they share a cache line. */
#define COUNTER_PACKETS_SEEN 0
#define COUNTER_DELIVERED 1            /* (=) records handed to user space */
#define COUNTER_NOT_WANTED_PORT 2      /* (=) */
#define COUNTER_BYTES_DELIVERED 3
#define COUNTER_NOT_WANTED_PROTOCOL 4  /* (=) not TCP (or not chosen), not IP */
#define COUNTER_NOT_WANTED_INTERFACE 5 /* (=) */
#define COUNTER_NO_PAYLOAD 6           /* (=) bare acknowledgements */
#define COUNTER_UNKNOWN_PROTOCOL 7     /* (=) connection is not a known protocol */
#define COUNTER_SAMPLED 8              /* (=) connection not in the sample */
#define COUNTER_SKIPPED 9              /* (=) body bytes that user space did not want */
#define COUNTER_OTHER_PATH 10          /* (=) the connection is captured on another interface or hook */
#define COUNTER_IGNORED 11             /* (=) user space asked for no more of the connection */
#define COUNTER_LOST_FULL 12           /* (=) ring or perf buffer had no space */
#define COUNTER_LOST_COPY 13           /* (=) the bytes could not be read from the packet */
#define COUNTER_LOST_TABLE 14          /* (=) no space in the connection table */
#define COUNTER_NOT_WANTED_ADDRESS 15  /* (=) */
#define COUNTER_BYTES_CUT 16           /* payload bytes over head_bytes_max */
#define COUNTER_CONNECTIONS_NEW 17
#define COUNTER_MALFORMED 18           /* (=) too short or inconsistent headers */
#define COUNTER_OVERLOAD 19            /* (=) connection not read while user space cannot keep up */
#define COUNTER_TALLIED 20            /* (=) read for the counts of messages, which stay in the kernel: see struct tally */
#define COUNTER_COUNT 21

/*
 * What the programs of packets_tally.bpf.c count: messages of HTTP/1 in the clear, by key, in the per-CPU LRU map "tallies".
 */
#define TALLY_HOST_MAX 64
#define TALLY_AGENT_MAX 16 /* bytes of a product's name, small letters, zeros behind it: the key of map "tally_agents" */

/* tally_key.method */
#define TALLY_METHOD_NONE 0 /* the method is no label */
#define TALLY_METHOD_OTHER 1
#define TALLY_METHOD_GET 2
#define TALLY_METHOD_HEAD 3
#define TALLY_METHOD_POST 4
#define TALLY_METHOD_PUT 5
#define TALLY_METHOD_DELETE 6
#define TALLY_METHOD_CONNECT 7
#define TALLY_METHOD_OPTIONS 8
#define TALLY_METHOD_TRACE 9
#define TALLY_METHOD_PATCH 10
#define TALLY_METHOD_QUERY 11

/* tally_key.status: 1 to 5 are the classes of status codes */
#define TALLY_STATUS_NONE 0     /* the connection ended without a response */
#define TALLY_STATUS_UNKNOWN 6  /* no class, or the status line is not whole in its packet */

/* tally_key.host_is */
#define TALLY_HOST_ABSENT 0  /* the head has none, or the host is no label */
#define TALLY_HOST_GIVEN 1
#define TALLY_HOST_LONG 2    /* over TALLY_HOST_MAX bytes */
#define TALLY_HOST_UNKNOWN 3 /* not in the first TALLY_HEAD_MAX bytes of the head's first packet */

/* tally_key.agent; from TALLY_AGENT_LISTED on what "tally_agents" says */
#define TALLY_AGENT_ABSENT 0
#define TALLY_AGENT_UNKNOWN 1 /* as TALLY_HOST_UNKNOWN */
#define TALLY_AGENT_OTHER 2   /* of no product that is listed */
#define TALLY_AGENT_LISTED 3

struct tally_key {
	__u8 client_address[16];   /* as packet_event.source_address */
	__u8 host[64];             /* as in the Host field, port included; zeros behind it */
	__u8 ip_version;           /* of the client; 0 = it is no label */
	__u8 method;
	__u8 status;
	__u8 host_is;
	__u8 agent;
	__u8 reserved[3];
};

struct tally {
	__u64 born;                /* time_ns at which the entry was made, on the CPU that made it: one that is evicted comes back with another */
	__u64 requests;
	__u64 request_bytes;       /* of the TCP stream, heads and bodies */
	__u64 response_bytes;
};

/* const volatile tally_labels: which parts of the key are told apart */
#define TALLY_LABEL_HOST 1
#define TALLY_LABEL_METHOD 2
#define TALLY_LABEL_STATUS 4
#define TALLY_LABEL_AGENT 8
#define TALLY_LABEL_CLIENT 16

/* Index in the one element of the per-CPU array map "tally_totals". The sums over "tallies" are these, less what was evicted. */
#define TALLY_TOTAL_REQUESTS 0       /* added, or with no room to be added */
#define TALLY_TOTAL_REQUEST_BYTES 1
#define TALLY_TOTAL_RESPONSE_BYTES 2
#define TALLY_TOTAL_NO_ROOM 3        /* requests for which no entry could be made */
#define TALLY_TOTAL_BEGUN 4          /* requests seen: those added, and those that are under way or whose connection was forgotten */
#define TALLY_TOTAL_PIPELINED 5      /* packets that begin like a request while one is under way: not counted as one */
#define TALLY_TOTAL_UNASKED 6        /* responses without a request that was seen */
#define TALLY_TOTAL_UNCLEAR 7        /* packets of a client where a request could begin, and none does */
#define TALLY_TOTAL_OTHER_PROTOCOL 8 /* connections that do not begin with a request of HTTP/1 */
#define TALLY_TOTAL_TUNNELS 9        /* connections that a response (101, or 2xx to CONNECT) made something else */
#define TALLY_TOTAL_COUNT 10

#endif

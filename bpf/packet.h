/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What one packet and one connection are while the programs work on them. */
#ifndef LINTEL_PACKET_H
#define LINTEL_PACKET_H

/* The programs touch UAPI structs only, whose layout never moves: no CO-RE, so a kernel without BTF loads them too. */
#define BPF_NO_PRESERVE_ACCESS_INDEX
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "events.h"
#include "headers.h"

/* A packet ends as one COUNTER_ index, or goes on as one of these. */
#define OUTCOME_SEGMENT 256 /* parsed: event and payload_offset are filled */
#define OUTCOME_FRAME 257   /* not to be parsed here: user space gets the frame */
#define OUTCOME_UNSURE 258  /* the short parser gave up: ask the long one */
#define OUTCOME_NEW 259      /* the table does not know the connection */
#define OUTCOME_FRAMES 260   /* of HTTP/2: packet.plan says what to deliver, see frames.h */
#define OUTCOME_BODY 261     /* of HTTP/1: it may hold the front of a long body, see body.h */

/* struct packet.more */
#define MORE_HANDSHAKE 1 /* the bare acknowledgement that ends a handshake */
#define MORE_FRAGMENT 2  /* an IP fragment */
#define MORE_QUIC 4      /* a datagram that begins with a QUIC Initial packet */

struct packet {
	struct packet_event event;
	__u32 offset;         /* of what is parsed next, from the frame's start */
	__u32 end;            /* the frame's bytes that belong to the IP packet end here; the rest is padding */
	__u32 payload_offset; /* of the captured bytes, from the frame's start */
	__u32 more;
	__u32 plan; /* bytes to copy of a record at most, and PLAN_ bits */
};

/* A connection's two directions share one key: the endpoint that sorts first comes first (see struct directive). */
struct connection_key {
	__u8 address[2][16];
	__u16 port[2];
	__u8 ip_version;
	__u8 protocol;
	__u8 fragment; /* 1: not a connection but the fragments between two addresses, for their home path only */
	__u8 reserved;
};

/* struct direction.known */
#define KNOWN_NEXT 1  /* .next is valid */
#define KNOWN_START 2 /* .start is valid: the SYN was seen */
#define KNOWN_PASSED 4 /* .passed is valid */
#define KNOWN_RESET 8 /* a RST was seen */
#define KNOWN_TURN 16 /* .answers is valid: the server has sent something */
#define KNOWN_BODY 32 /* .body and .body_end are valid: a body that is left out */
#define KNOWN_BEGUN 64 /* ... and its first byte has passed */
#define KNOWN_END 128 /* .body_end is where a body ended that was left out, and nothing was sent since */

/* A cache line for each: the two directions are often written by two CPUs. */
struct direction {
	__u64 records; /* number of the next record; changed atomically only */
	__u64 bytes;
	__u32 packets;
	__u32 retransmissions;
	__u32 home;    /* interface index << 2 | DIRECTION_; 0 = none yet */
	__u32 start;   /* sequence number of the first payload byte */
	__u32 next;    /* sequence number after the highest seen */
	__u32 passed;  /* the last directive.skip_until that the sequence has passed: never to be matched again */
	__u32 known;
	__u32 seen;    /* when the home path last carried a packet, in 2^20 ns */
	__u32 answers; /* what the server acknowledged with its last payload */
	__u32 body;     /* sequence numbers of a body's first byte, and after its last: see body.h */
	__u32 body_end;
	__u32 reserved;
};

/* How far the frames of one direction of an HTTP/2 connection are followed, in sequence numbers: see frames.h. */
struct frames {
	__u32 next;    /* of the next byte */
	__u32 header;  /* of the next frame header */
	__u32 wanted;  /* up to which bytes are wanted; from there to the next header lies payload of DATA */
	__u32 told;    /* up to which user space knows of every byte */
	__u32 head;    /* what came of the next frame's length and type */
	__u8 head_bytes;
	__u8 known;    /* 1: the others are valid */
	__u8 reserved[2];
};

#define PLAN_SIDE (1 << 24)   /* side 1 sent it */
#define PLAN_SILENT (1 << 25) /* nothing of the packet is wanted */
#define PLAN_LEAVES (1 << 26) /* payload of DATA may be left out */
#define PLAN_BEGINS (1 << 27) /* it begins a message */
#define PLAN_MOST (PLAN_SIDE - 1)

/* Both sides of one connection. */
struct followed {
	struct frames frames[2];
};

/* struct exchange.state */
#define EXCHANGE_NONE 0
#define EXCHANGE_AWAITS 1   /* a request is under way */
#define EXCHANGE_ANSWERED 2 /* further bytes are the rest of its messages */

/* The last request of a connection whose messages are counted here, and its response. */
struct exchange {
	struct tally_key key;
	__u64 request_bytes;  /* not yet added to the tally */
	__u64 response_bytes;
	__u8 state;
	__u8 is_connect;
	__u8 is_heard; /* 1: the server has sent what begins no response: the head of one was missed */
	__u8 reserved[5];
};

#define VERDICT_NONE 0  /* not enough seen */
#define VERDICT_HTTP 1
#define VERDICT_OTHER 2 /* not a known protocol */
#define VERDICT_IGNORED 3 /* user space wants no more of it: see DIRECTIVE_IGNORE */

#define CLIENT_UNKNOWN 2

struct connection {
	__u32 tag;
	__u8 verdict;
	__u8 client;    /* side (0, 1) that opened it, or CLIENT_UNKNOWN */
	__u8 midstream; /* joined without its SYN */
	__u8 http2;     /* 1: its first bytes were those of HTTP/2 */
	__u8 reserved[32]; /* so that what follows begins a cache line: the kernel puts 48 bytes and the key in front */
	struct direction direction[2];
#ifdef TALLY
	struct exchange exchange;
#endif
};
_Static_assert(sizeof(struct direction) == 64, "a cache line");
_Static_assert((48 + sizeof(struct connection_key) + __builtin_offsetof(struct connection, direction)) % 64 == 0, "aligned");

/*
 * A function that the verifier checks once, by its argument types alone, and not again on each path that leads to a
 * call: without these the paths multiply beyond its limit. Pointers must be tested for NULL (kernel >= 5.12).
 */
#define VERIFIED_ALONE __attribute__((noinline))

/* Both ends lie at multiples of `alignment`: a compiler that is not told so copies byte by byte. */
#define copy_aligned(alignment, to, from, length)                                                                      \
	__builtin_memcpy(__builtin_assume_aligned(to, alignment), __builtin_assume_aligned(from, alignment), length)

#endif

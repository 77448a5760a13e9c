/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the TLS programs keep, and share with user space.
 *
 * In    user space gives the maps "events" and "reader" of the packet programs (one ring, one order, one reader), and
 *       writes tls_directives.
 * Out   events, tls_counters.
 * Limit sessions are bounded: the least recently used goes; goroutines inside of calls are: one more is refused. What a call
 *       needs between its begin and its end belongs to its thread (or goroutine), never to a CPU: these programs may be
 *       preempted at any point.
 */
#ifndef LINTEL_TLS_MAPS_H
#define LINTEL_TLS_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "ring.h"

#define SESSIONS_DEFAULT 65536
#define GOROUTINES 131072
#define GO_PROCESSES 8192
#define FRAMES 4 /* calls of one thread under way: TLS inside TLS, as through an HTTPS proxy, takes two */

#define ALIKE(member)                                                                                                 \
	_Static_assert(__builtin_offsetof(struct plaintext_event, member) == __builtin_offsetof(struct packet_event, member), \
		       "readers find it at one place in both")
ALIKE(time_ns);
ALIKE(captured_length);
ALIKE(source_address);
ALIKE(destination_address);
ALIKE(source_port);
ALIKE(destination_port);
ALIKE(data_offset);
ALIKE(kind);
ALIKE(hook);
ALIKE(direction);
ALIKE(flags);
ALIKE(ip_version);
ALIKE(ip_protocol);
_Static_assert(sizeof(struct plaintext_event) == sizeof(struct packet_event), "a shorter event would be refused");

/* enum of directions in struct session.position: what the program reads, what it writes */
#define READ 0
#define WRITE 1
#define CONTROL 2   /* a shutdown: moves no bytes that count */
#define HANDSHAKE 4 /* the same, at the begin of a connection */

struct endpoint {
	__u64 cookie; /* 0 = not known */
	__u32 network_namespace;
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
	__u32 ip_version;
	__u32 reserved;
};

/* One TLS object of one process: an SSL, a gnutls_session_t, a *tls.Conn. */
struct session_key {
	__u64 object;
	__u32 process;
	__u32 reserved;
};

#define SESSION_START 1
#define SESSION_GUESSED 2

struct session {
	__u64 position[2]; /* changed atomically only */
	__u64 votes[2];    /* cookies: see tls_socket.h */
	struct endpoint socket;
	__u32 id;
	__u32 flags;
};

/* A call under way. */
struct frame {
	__u64 object;
	__u64 buffer;
	__u64 length_at; /* where the function leaves the number of bytes; 0 = it returns it */
	__u64 stack;     /* the stack pointer at its entry */
	__u64 time;
	__u64 cookie;    /* the socket that a system call inside of it used; 0 = none yet */
	__u32 direction;
	__u32 nested;    /* another TLS call ran inside of it */
	__u32 probe;     /* PROBE_ of its function */
	__u32 reserved;
};

struct thread {
	__u32 depth;
	__u32 outside; /* some session of this thread does its socket calls outside of TLS calls */
	struct frame frame[FRAMES];
	struct endpoint socket;   /* of the last socket call inside of a TLS call */
	struct endpoint received; /* of the last socket call outside that brought bytes */
	struct session_key wrote; /* the session that wrote last, until a socket call follows */
	__u32 received_bytes;
	__u32 wrote_bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

/* Sockets that carry TLS: their end is told. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SESSIONS_DEFAULT);
	__type(key, struct session_key);
	__type(value, struct session);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PLAINTEXT_DIRECTIVE_COUNT);
	__type(key, __u32);
	__type(value, struct plaintext_directive);
} tls_directives SEC(".maps");

struct tls_counters {
	__u64 value[TLS_COUNTER_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tls_counters);
} tls_counters SEC(".maps");

/* The id of the next session. */
__u64 next_session = 1;

/* Not 0: the agent is about to leave, and nothing is to be told any more. */
volatile __u32 is_over = 0;

/* The process whose calls are not looked at: the agent itself. */
const volatile __u32 own_process = 0;

/* Atomic although it is this CPU's: another program may run here before this one goes on. */
static __always_inline void count(__u32 index, __u64 by)
{
	__u32 zero = 0;
	struct tls_counters *counters = bpf_map_lookup_elem(&tls_counters, &zero);

	_Static_assert(TLS_COUNTER_COUNT == 16, "the mask below is one less");
	/* Masked where the compiler cannot prove it away: the verifier is to see the bound. */
	asm volatile("%0 &= 15" : "+r"(index));
	if (counters)
		__sync_fetch_and_add(&counters->value[index], by);
}

#define VERIFIED_ALONE __attribute__((noinline))

#endif

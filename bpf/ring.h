/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the packet programs share with the programs that know processes: one ring, its reader, and who owns a socket. */
#ifndef LINTEL_RING_H
#define LINTEL_RING_H

#include "events.h"

#define RING_BYTES_DEFAULT (16 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES_DEFAULT);
} events SEC(".maps");

/* Set by a reader that is about to sleep; the program that wakes it clears it. So a busy reader costs no interrupts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} reader SEC(".maps");

/* The process that last connected, sent or received on a socket. */
struct socket_owner {
	__u64 cookie;
	__u64 start_time_ns;
	__u32 process; /* process_info.process; 0 = not told yet */
	__u32 pid;
	__u32 user_id;
	__u32 exec; /* how often the process, or one it came from, has called exec */
	__u32 telling; /* the telling that .process is of */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_owner);
} socket_owners SEC(".maps");

static __always_inline __u64 wake_up_flags(void)
{
	__u32 zero = 0;
	__u32 *sleeping = bpf_map_lookup_elem(&reader, &zero);

	if (!sleeping || !*sleeping)
		return BPF_RB_NO_WAKEUP;
	*sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* compilers know no atomic add that returns a value for the oldest instruction set, which is clang's default */
static __always_inline __u64 fetch_and_increment(__u64 *value)
{
	__u64 result = 1;

	asm volatile("%0 = atomic_fetch_add((u64 *)(%1 + 0), %0)" : "+r"(result) : "r"(value) : "memory");
	return result;
}

#endif

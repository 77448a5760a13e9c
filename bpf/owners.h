/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the packet programs share with the programs that know processes, beside the ring: who owns a socket. */
#ifndef LINTEL_OWNERS_H
#define LINTEL_OWNERS_H

#include "ring.h"

/* The process that last connected or sent on a socket (before 6.16: or received), or closed it without. */
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

/* compilers know no atomic add that returns a value for the oldest instruction set, which is clang's default */
static __always_inline __u64 fetch_and_increment(__u64 *value)
{
	__u64 result = 1;

	asm volatile("%0 = atomic_fetch_add((u64 *)(%1 + 0), %0)" : "+r"(result) : "r"(value) : "memory");
	return result;
}

#endif

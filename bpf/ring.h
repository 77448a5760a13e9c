/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What all programs share: one ring, or one for each worker that shares the connections, and their readers. */
#ifndef LINTEL_RING_H
#define LINTEL_RING_H

#include "events.h"

#define RING_BYTES_DEFAULT (16 << 20)
#define SHARDS_MAX 16

/* Workers that share the connections, a power of two; fixed before the programs are loaded. */
const volatile __u32 shards = 1;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES_DEFAULT);
} events SEC(".maps");

/*
 * Set by the reader of a ring that is about to sleep, to the bytes that must wait in the ring for it to be woken (1 = any record); the
 * program that wakes it clears it. So a busy reader costs no interrupts.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SHARDS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} reader SEC(".maps");

static __always_inline __u64 wake_up_flags(void *ring, __u32 shard)
{
	__u32 *sleeping = bpf_map_lookup_elem(&reader, &shard);

	if (!sleeping || !*sleeping)
		return BPF_RB_NO_WAKEUP;
	if (*sleeping > 1 && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < *sleeping)
		return BPF_RB_NO_WAKEUP;
	*sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

#endif

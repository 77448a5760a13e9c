/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The rings of several workers (`shards` > 1). A connection belongs to one of them for good: its tag ends with the worker's number.
 * What has no tag is the first worker's; what is told of a process, everybody's.
 */
#ifndef LINTEL_SHARDS_H
#define LINTEL_SHARDS_H

#include "ring.h"

struct shard_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES_DEFAULT);
};

/* Filled by user space before anything is attached; the first is `events`. Missing where there is one worker. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SHARDS_MAX);
	__type(key, __u32);
	__array(values, struct shard_ring);
} rings SEC(".maps");

static __always_inline __u32 shard_of(__u32 connection_tag)
{
	return connection_tag & (shards - 1);
}

/* NULL: user space has not made it. */
static __always_inline void *ring_of(__u32 shard)
{
	return shards == 1 ? (void *)&events : bpf_map_lookup_elem(&rings, &shard);
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the programs share with user space and with each other.
 *
 * In    user space writes settings, ports, decoder_ports, cidr4, cidr6, interfaces, directives, reader at any time.
 * Out   events (or events_perf), counters.
 * Limit connections, followed and handshakes are bounded: the first two evict the least recently used, the third overwrites.
 */
#ifndef LINTEL_MAPS_H
#define LINTEL_MAPS_H

#include "packet.h"
#include "owners.h"

#define PORT_WORDS 1024       /* 65,536 ports, 64 a word */
#define CIDRS_MAX 4096
#define INTERFACES_MAX 1024
#define CONNECTIONS_DEFAULT 131072
#define FOLLOWED_MAX 16384    /* HTTP/2 connections whose frames are followed; of others all bytes are delivered */
#define HANDSHAKES 4096       /* SYN/ACKs whose acknowledgement is awaited */

/* Fixed before the programs are loaded. */
const volatile __u32 transport_perf = 0; /* 1: events_perf, for kernels before 5.8 */
const volatile __u32 names_processes = 0; /* 1: socket_owners is kept by process.bpf.c */
const volatile __u32 hook_kind = HOOK_TCX; /* what the event says: the same program serves TCX and clsact */

/* The tag of the next connection; user space sets a start, so that tags of an earlier run mean nothing. */
__u64 next_tag = 1;
/* Of several workers: how many tags each has given; `next_tag` is the first of all. */
__u64 tags_given[SHARDS_MAX] = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events_perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORT_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} ports SEC(".maps");

/* Server ports that a decoder of the user's own reads: what begins there is not judged by its first bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORT_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} decoder_ports SEC(".maps");

struct cidr4_key {
	__u32 prefix_bits;
	__u8 address[4];
};

struct cidr6_key {
	__u32 prefix_bits;
	__u8 address[16];
};

#define CIDR_INCLUDE 1
#define CIDR_EXCLUDE 2

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CIDRS_MAX);
	__type(key, struct cidr4_key);
	__type(value, __u32);
} cidr4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CIDRS_MAX);
	__type(key, struct cidr6_key);
	__type(value, __u32);
} cidr6 SEC(".maps");

/* Wanted interfaces by index (SETTING_INTERFACES): for hooks that are not attached to one interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, INTERFACES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} interfaces SEC(".maps");

/* One element that holds all counters: one look-up a packet. */
struct counters {
	__u64 value[COUNTER_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CONNECTIONS_DEFAULT);
	__type(key, struct connection_key);
	__type(value, struct connection);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DIRECTIVE_COUNT);
	__type(key, __u32);
	__type(value, struct directive);
} directives SEC(".maps");

/* By connection.tag. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FOLLOWED_MAX);
	__type(key, __u32);
	__type(value, struct followed);
} followed_connections SEC(".maps");

/* Which bare acknowledgement ends a handshake: see awaits_acknowledgement(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HANDSHAKES);
	__type(key, __u32);
	__type(value, __u32);
} handshakes SEC(".maps");

#endif

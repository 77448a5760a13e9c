/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A packet's way through the programs: parse, filter, then what the object is for: connection and deliver (follow.h), or counts of
 * messages (tally.h). Each packet ends under exactly one counter.
 */
#ifndef LINTEL_INSPECT_H
#define LINTEL_INSPECT_H

#include "connection.h"
#include "plain.h"

struct place {
	__u32 hook;
	__u32 direction;
	__u32 interface;
	__u32 link;   /* 1: frames begin with an Ethernet header */
	__u32 shared; /* 1: the hook may be interrupted by itself on one CPU, so counters change atomically */
};

static __always_inline void count_one(struct counters *count, __u32 index, __u32 shared)
{
	__u64 at = index;

	/* Hidden from the optimiser, so that the value tested is the value used. */
	asm volatile("" : "+r"(at));
	if (at >= COUNTER_COUNT)
		return;
	if (shared)
		__sync_fetch_and_add(&count->value[at], 1);
	else
		count->value[at]++;
}

/* Parses the packet and asks the filters: OUTCOME_SEGMENT or OUTCOME_FRAME, else the counter it falls under. */
static __always_inline __u32 want(CONTEXT *ctx, const struct settings *set, struct packet *packet, struct place place)
{
	__u32 outcome, reason;

	reason = reject_interface(set, place.interface);
	if (reason)
		return reason;
	outcome = parse_plain(ctx, set, packet, place.link);
	if (outcome == OUTCOME_UNSURE) {
		begin_packet(ctx, packet);
		outcome = parse_layers(ctx, packet, place.link ? NEXT_ETHERNET : NEXT_RAW_IP);
		if (outcome < COUNTER_COUNT)
			return outcome;
		reason = outcome == OUTCOME_FRAME ? reject_frame(set, packet) : reject_segment(ctx, set, packet);
		if (reason)
			return reason;
	} else if (outcome != OUTCOME_SEGMENT) {
		return outcome;
	}
	packet->event.hook = place.hook;
	packet->event.direction = place.direction;
	packet->event.interface_index = place.interface;
	if (packet->event.ip_version != 0 && (set->flags & (SETTING_CIDR_INCLUDE | SETTING_CIDR_EXCLUDE))) {
		reason = reject_addresses(set, &packet->event);
		if (reason)
			return reason;
	}
	return outcome;
}

#ifdef TALLY
#include "tally.h"
#else
#include "follow.h"
#endif

static __always_inline void inspect(CONTEXT *ctx, struct place place)
{
	__u32 zero = 0;
	struct counters *count = bpf_map_lookup_elem(&counters, &zero);
	const struct settings *set = bpf_map_lookup_elem(&settings, &zero);

	if (!count || !set)
		return;
	count_one(count, COUNTER_PACKETS_SEEN, place.shared);
	count_one(count, examine(ctx, set, count, place), place.shared);
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One packet as several records, each counted as a packet. */
#ifndef LINTEL_PIECES_H
#define LINTEL_PIECES_H

#include "deliver.h"

#define PIECES_MAX 9

/* Counts a piece that is not the packet's last: that one's outcome is the packet's. */
static __always_inline void count_piece(struct counters *count, __u32 outcome)
{
	__u64 at = outcome;

	asm volatile("" : "+r"(at));
	if (at < COUNTER_COUNT)
		__sync_fetch_and_add(&count->value[at], 1);
	__sync_fetch_and_add(&count->value[COUNTER_PACKETS_SEEN], 1);
}

/*
 * BIG TCP and the loopback have segments of up to 512 KiB (GSO_MAX_SIZE). One over 64 KiB is delivered as the segments
 * that a network card would have made of it, and counted as so many packets.
 */
static __always_inline __u32 deliver_pieces(CONTEXT *ctx, struct packet *packet, struct counters *count,
					    struct direction *direction)
{
	struct packet_event *event = &packet->event;
	__u32 left = event->payload_length, flags = event->tcp_flags, outcome = 0;

	for (int i = 0; i < PIECES_MAX; i++) {
		__u32 piece = event->payload_skipped + CAPTURE_MAX;

		if (piece > left || i == PIECES_MAX - 1)
			piece = left;
		event->payload_length = piece;
		event->tcp_flags = piece == left ? flags : flags & ~(TCP_FIN | TCP_PSH);
		event->record_number = fetch_and_increment(&direction->records);
		outcome = deliver(ctx, packet, count, CAPTURE_MAX);
		if (piece == left)
			break;
		count_piece(count, outcome);
		left -= piece;
		packet->payload_offset += piece;
		event->tcp_sequence += piece + !!(flags & TCP_SYN);
		event->payload_skipped = 0;
		event->left_out = 0;
		event->flags &= ~FLAG_CUT;
		flags &= ~TCP_SYN;
	}
	return outcome;
}

/* One record, or as many as it takes. */
static __always_inline __u32 deliver_all(CONTEXT *ctx, struct packet *packet, struct counters *count,
					 struct direction *direction, __u32 most)
{
	struct packet_event *event = &packet->event;

	if (!transport_perf && most == CAPTURE_MAX && event->payload_length - event->payload_skipped > CAPTURE_MAX)
		return deliver_pieces(ctx, packet, count, direction);
	event->record_number = fetch_and_increment(&direction->records);
	return deliver(ctx, packet, count, most);
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Hands one event and its bytes to user space.
 *
 * In    packet.event complete but for data_offset; captured_length bytes lie at payload_offset + payload_skipped.
 * Out   COUNTER_DELIVERED, or why not: COUNTER_LOST_FULL, COUNTER_LOST_COPY.
 */
#ifndef LINTEL_DELIVER_H
#define LINTEL_DELIVER_H

#include "maps.h"
#include "shards.h"

#define EVENT_BYTES sizeof(struct packet_event)
#define CAPTURE_MAX 65536
/* A perf record's length is 16 bits and counts the event and the packet's headers too (struct perf_event_header). */
#define CAPTURE_PERF_MAX (65512 - (int)sizeof(struct packet_event))

/*
 * bpf_ringbuf_reserve() takes a constant, so records come in classes: four an octave, as an allocator has them. What a
 * record wastes is under a fifth of it. Class c of octave o holds (5 + c) << (o - 2) bytes; the first octave is 7.
 */
#define CLASS_BYTES(class) ((__u32)((5 + ((class) & 3)) << (5 + ((class) >> 2))))
#define CLASSES 37

static __always_inline __u32 class_of(__u32 bytes)
{
	__u32 top = bytes - 1, octave = 7;

	if (top >> (octave + 8)) {
		octave += 8;
	} else {
		if (top >> (octave + 4))
			octave += 4;
		if (top >> (octave + 2))
			octave += 2;
	}
	if (top >> (octave + 1))
		octave += 1;
	return (octave - 7) << 2 | (top >> (octave - 2) & 3);
}

/* `room` is a constant: the verifier sees that the copy stays inside the record. */
static __always_inline long copy_payload(CONTEXT *ctx, void *to, __u32 room, __u32 from, __u32 length)
{
	if (length == 0)
		return 0;
	if (length > room)
		length = room;
	asm volatile("" : "+r"(length));
	if (length == 0 || length > room)
		return 0;
	return load_bytes(ctx, from, to, length);
}

#define CLASS(class)                                                                                                  \
	case class:                                                                                                    \
		record = bpf_ringbuf_reserve(ring, CLASS_BYTES(class), 0);                                             \
		if (!record)                                                                                           \
			return COUNTER_LOST_FULL;                                                                      \
		failed = copy_payload(ctx, record + EVENT_BYTES, CLASS_BYTES(class) - EVENT_BYTES, from, length);      \
		break;

#define OCTAVE(class) CLASS(class) CLASS(class + 1) CLASS(class + 2) CLASS(class + 3)

VERIFIED_ALONE __u32 deliver_ring(CONTEXT *ctx, struct packet *packet)
{
	__u32 from, length, shard;
	void *record, *ring;
	long failed;

	if (!packet)
		return COUNTER_LOST_COPY;
	shard = shard_of(packet->event.connection_tag);
	ring = ring_of(shard);
	if (!ring)
		return COUNTER_LOST_FULL;
	from = packet->payload_offset + packet->event.payload_skipped;
	length = packet->event.captured_length;
	packet->event.data_offset = EVENT_BYTES;
	switch (class_of(EVENT_BYTES + length)) {
	OCTAVE(0)
	OCTAVE(4)
	OCTAVE(8)
	OCTAVE(12)
	OCTAVE(16)
	OCTAVE(20)
	OCTAVE(24)
	OCTAVE(28)
	OCTAVE(32)
	CLASS(36)
	default:
		return COUNTER_LOST_COPY;
	}
	if (failed) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return COUNTER_LOST_COPY;
	}
	copy_aligned(8, record, &packet->event, EVENT_BYTES);
	bpf_ringbuf_submit(record, wake_up_flags(ring, shard));
	return COUNTER_DELIVERED;
}

/* The kernel appends the packet's first bytes itself, headers included: data_offset points past those. */
VERIFIED_ALONE __u32 deliver_perf(CONTEXT *ctx, struct packet *packet)
{
	__u64 appended;
	__u32 from;
	long failed;

	if (!packet)
		return COUNTER_LOST_COPY;
	from = packet->payload_offset + packet->event.payload_skipped;
	appended = from + packet->event.captured_length;
	if (packet->event.captured_length == 0) {
		from = 0;
		appended = 0;
	}
	packet->event.data_offset = EVENT_BYTES + from;
	failed = bpf_perf_event_output(ctx, &events_perf, BPF_F_CURRENT_CPU | appended << 32, &packet->event, EVENT_BYTES);
	if (!failed)
		return COUNTER_DELIVERED;
	return failed == -14 /* EFAULT */ ? COUNTER_LOST_COPY : COUNTER_LOST_FULL;
}

/* Sets captured_length from what is there, and cuts it at `most`; 0 = headers only. */
static __always_inline __u32 deliver(CONTEXT *ctx, struct packet *packet, struct counters *count, __u32 most)
{
	struct packet_event *event = &packet->event;
	__u32 length = event->payload_length - event->payload_skipped;
	__u32 limit = transport_perf ? CAPTURE_PERF_MAX : CAPTURE_MAX;
	__u32 outcome;

	if (most > limit)
		most = limit;
	if (transport_perf && packet->payload_offset + event->payload_skipped + most > limit)
		most = packet->payload_offset + event->payload_skipped < limit ?
			       limit - packet->payload_offset - event->payload_skipped : 0;
	if (most == 0) {
		event->payload_skipped = event->payload_length;
		length = 0;
	}
	if (length > most) {
		event->flags |= FLAG_CUT;
		if (!(event->flags & FLAG_NOT_HTTP))
			count->value[COUNTER_BYTES_CUT] += length - most;
		length = most;
	}
	event->captured_length = length;
	outcome = transport_perf ? deliver_perf(ctx, packet) : deliver_ring(ctx, packet);
	if (outcome == COUNTER_DELIVERED)
		count->value[COUNTER_BYTES_DELIVERED] += length;
	return outcome;
}

#endif

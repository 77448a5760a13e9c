/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Hands the bytes of one call to user space, in ordered chunks, each a ring record of a size class (see deliver.h).
 *
 * In    struct call: an event complete but for what differs by chunk, and where the bytes are in the program's memory.
 * Out   one of the counters marked (=) among TLS_*.
 */
#ifndef LINTEL_TLS_DELIVER_H
#define LINTEL_TLS_DELIVER_H

#include "tls_maps.h"

#define TLS_EVENT_BYTES sizeof(struct plaintext_event)
#define TLS_CHUNKS_MAX (PLAINTEXT_CALL_MAX / PLAINTEXT_CHUNK_MAX)
/* Class c holds (5 + (c & 3)) << (5 + (c >> 2)) bytes: 160 to 20,480, of which the last serves a whole chunk. */
#define TLS_CLASS_BYTES(class) ((__u32)((5 + ((class) & 3)) << (5 + ((class) >> 2))))

struct call {
	struct plaintext_event event;
	const void *from; /* of the chunk at hand */
};

static __always_inline __u32 tls_class_of(__u32 bytes)
{
	__u32 top = bytes - 1, octave = 7;

	if (top >> (octave + 4))
		octave += 4;
	if (top >> (octave + 2))
		octave += 2;
	if (top >> (octave + 1))
		octave += 1;
	return (octave - 7) << 2 | (top >> (octave - 2) & 3);
}

/* `room` is a constant: the verifier sees that the copy stays inside the record. */
static __always_inline long copy_user(void *to, __u32 room, const void *from, __u32 length)
{
	if (length == 0)
		return 0;
	if (length > room)
		length = room;
	asm volatile("" : "+r"(length));
	if (length == 0 || length > room)
		return 0;
	return bpf_probe_read_user(to, length, from);
}

#define TLS_CLASS(class)                                                                                              \
	case class:                                                                                                    \
		record = bpf_ringbuf_reserve(&events, TLS_CLASS_BYTES(class), 0);                                      \
		if (!record)                                                                                           \
			return TLS_CALLS_LOST_FULL;                                                                    \
		failed = copy_user(record + TLS_EVENT_BYTES, TLS_CLASS_BYTES(class) - TLS_EVENT_BYTES, from, length);  \
		break;

#define TLS_OCTAVE(class) TLS_CLASS(class) TLS_CLASS(class + 1) TLS_CLASS(class + 2) TLS_CLASS(class + 3)

VERIFIED_ALONE __u32 deliver_chunk(struct call *call)
{
	const void *from;
	__u32 length;
	void *record;
	long failed;

	if (!call)
		return TLS_CALLS_LOST_COPY;
	from = call->from;
	length = call->event.captured_length;
	call->event.data_offset = TLS_EVENT_BYTES;
	switch (tls_class_of(TLS_EVENT_BYTES + length)) {
	TLS_OCTAVE(0)
	TLS_OCTAVE(4)
	TLS_OCTAVE(8)
	TLS_OCTAVE(12)
	TLS_OCTAVE(16)
	TLS_OCTAVE(20)
	TLS_OCTAVE(24)
	TLS_CLASS(28)
	default:
		return TLS_CALLS_LOST_COPY;
	}
	if (failed) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return TLS_CALLS_LOST_COPY;
	}
	__builtin_memcpy(record, &call->event, TLS_EVENT_BYTES);
	bpf_ringbuf_submit(record, wake_up_flags(&events, 0));
	return TLS_CALLS_DELIVERED;
}

/* An event without bytes. */
static __always_inline void deliver_notice(struct call *call)
{
	call->event.captured_length = 0;
	if (deliver_chunk(call) != TLS_CALLS_DELIVERED)
		count(TLS_NOTICES_LOST, 1);
}

/* What user space wants of the session: flags of the directive, and where the skip of `direction` ends. */
static __always_inline __u32 wishes_of(__u32 session, __u32 direction, __u64 *skip_until)
{
	__u32 slot = session % PLAINTEXT_DIRECTIVE_COUNT;
	struct plaintext_directive *directive = bpf_map_lookup_elem(&tls_directives, &slot);
	__u32 flags;

	*skip_until = 0;
	if (!directive || *(volatile __u32 *)&directive->session != session)
		return 0;
	*skip_until = *(volatile __u64 *)&directive->skip_until[direction & 1];
	flags = *(volatile __u32 *)&directive->flags;
	/* This program may have been preempted, and the slot given to another session meanwhile, whose wishes these are. */
	return *(volatile __u32 *)&directive->session == session ? flags : 0;
}

/*
 * Delivers `length` bytes that begin at call->from and at call->event.position.
 *
 * A skip that ends with this call is told by an event without bytes, so that whoever waits for its end learns it now.
 */
static __always_inline __u32 deliver_call(struct call *call, __u32 direction, __u32 length)
{
	struct plaintext_event *event = &call->event;
	__u64 start = event->position, end = start + length, skip_until;
	__u32 flags = wishes_of(event->session, direction, &skip_until);
	__u32 offset = 0, outcome = TLS_CALLS_DELIVERED, most = length;
	const void *from = call->from;

	if (flags & DIRECTIVE_IGNORE)
		return TLS_CALLS_IGNORED;
	if ((flags & (direction == READ ? DIRECTIVE_SKIP_0 : DIRECTIVE_SKIP_1)) && skip_until > start) {
		if (skip_until >= end) {
			if (skip_until == end) {
				event->position = end;
				event->chunk_offset = length;
				deliver_notice(call);
			}
			return TLS_CALLS_SKIPPED;
		}
		offset = skip_until - start;
	}
	if (most > PLAINTEXT_CALL_MAX) {
		most = PLAINTEXT_CALL_MAX;
		if (most < offset)
			most = offset;
		count(TLS_CALLS_CUT, 1);
		count(TLS_BYTES_CUT, length - most);
	}
	for (__u32 i = 0; i < TLS_CHUNKS_MAX; i++) {
		__u32 left = most - offset, chunk = left, told;

		if (offset >= most)
			break;
		if (chunk > PLAINTEXT_CHUNK_MAX)
			chunk = PLAINTEXT_CHUNK_MAX;
		if (chunk == left && most < length)
			event->flags |= PLAINTEXT_CUT;
		event->position = start + offset;
		event->chunk_offset = offset;
		event->captured_length = chunk;
		call->from = from + offset;
		told = deliver_chunk(call);
		if (told == TLS_CALLS_DELIVERED) {
			count(TLS_CHUNKS, 1);
			count(TLS_BYTES, chunk);
		} else {
			outcome = told;
		}
		offset += chunk;
	}
	return outcome;
}

#endif

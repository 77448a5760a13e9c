/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Long bodies of HTTP/1 responses whose length the head says: left out from the first packet on, before user space has read the head
 * and asked for it (struct directive). What is left out here is what user space would skip: bytes that it does not miss.
 *
 * A head is looked for only where a message begins beyond doubt: at the start of what the server sends, and right behind a body that
 * was left out. Whoever can choose bytes of a body could otherwise make a head of them, and hide messages behind it; of what a client
 * sends nothing is left out here. What is taken for the body of an answer to HEAD ends when the server takes its next turn.
 *
 * In    a packet of a connection whose start was seen, no body field being asked for.
 * Out   of the packet that holds the body's first byte BODY_LEAD bytes of it, so that user space sees it begin, and a record without
 *       bytes where the body ends with it; what follows up to the body's end falls under COUNTER_SKIPPED.
 * Limit heads of HEAD_SCAN_MAX bytes. Chunked bodies, and whatever else is not plain, user space frames alone.
 */
#ifndef LINTEL_BODY_H
#define LINTEL_BODY_H

#include "body_head.h"
#include "connection.h"
#include "pieces.h"

#define BODY_LEAD 512
#define BODY_WORTH 4096 /* fewer bytes are cheaper to copy than a record is to make */
#define BODY_REST 2048 /* user space awaits a shorter rest (SKIP_BYTES_MIN of src/decode/http1) */

/* Notes whose turn it is, before note_packet(). 1 = a message begins with the packet. */
VERIFIED_ALONE int begins_message(struct direction *direction, const struct packet_event *event, __u32 is_server)
{
	__u32 known;
	int begins;

	if (!direction || !event)
		return 0;
	known = direction->known;
	if (!is_server || event->payload_length == 0 || ((known & KNOWN_NEXT) && event->tcp_sequence != direction->next))
		return 0;
	begins = known & KNOWN_TURN ? (known & KNOWN_END) && event->tcp_sequence == direction->body_end
				    : (known & KNOWN_START) && event->tcp_sequence == direction->start;
	direction->known &= ~KNOWN_END;
	if (!(known & KNOWN_TURN) || event->tcp_acknowledgement != direction->answers) {
		direction->answers = event->tcp_acknowledgement;
		direction->known = (direction->known & ~(KNOWN_BODY | KNOWN_BEGUN)) | KNOWN_TURN;
	}
	return begins;
}

/* 1 = bodies of the connection are left out. `begins` = 1: the packet begins a message. */
static __always_inline int may_hold_body(const struct settings *set, const struct connection *connection, const struct direction *direction,
					 const struct packet_event *event, int begins)
{
	if (!begins && (direction->known & (KNOWN_BODY | KNOWN_BEGUN)) != KNOWN_BODY)
		return 0;
	return connection->verdict == VERDICT_HTTP && !connection->http2 && !connection->midstream && event->payload_length &&
	       !event->payload_skipped && !(event->tcp_flags & TCP_SYN) && event->hook != HOOK_CGROUP &&
	       !(set->flags & (SETTING_BODIES | SETTING_PACKETS));
}

/* All of the body has passed. */
static __always_inline void end_body(struct direction *direction)
{
	direction->known = (direction->known & ~(KNOWN_BODY | KNOWN_BEGUN)) | KNOWN_END;
}

/* User space asked first that a known body be left out, as happens where its head came alone. What ends there, it ends at the same byte. */
static __always_inline void note_left(struct direction *direction, const struct packet_event *event)
{
	if ((direction->known & KNOWN_BODY) && event->payload_skipped && event->tcp_sequence + event->payload_skipped == direction->body_end)
		end_body(direction);
}

/* Of a body that has begun: 0 = deliver, else the counter. */
VERIFIED_ALONE __u32 leave_body(struct direction *direction, struct packet_event *event)
{
	__s32 ahead;

	if (!direction || !event)
		return 0;
	ahead = sequence_after(direction->body_end, event->tcp_sequence);
	if ((direction->known & (KNOWN_BODY | KNOWN_BEGUN)) != (KNOWN_BODY | KNOWN_BEGUN) ||
	    sequence_after(direction->body, event->tcp_sequence) > 0)
		return 0;
	if (ahead <= (__s32)event->payload_length)
		end_body(direction);
	return leave_before(event, ahead);
}

/* The packet begins a message: where its body lies, if it is one to leave out. */
static __always_inline void find_body(CONTEXT *ctx, const struct packet *packet, struct direction *direction)
{
	const struct packet_event *event = &packet->event;
	__u32 zero = 0, length;
	const struct head_scratch *head = bpf_map_lookup_elem(&head_scratch, &zero);

	if (!head || decoder_reads(event->source_port))
		return;
	length = body_length(ctx, packet);
	if (length < BODY_LEAD + BODY_WORTH)
		return;
	direction->body = event->tcp_sequence + head->body_at;
	direction->body_end = direction->body + length;
	direction->known |= KNOWN_BODY;
}

/* 1 = where the body is to begin there is the next response: the request was HEAD. `at` = its offset in the payload. */
static __always_inline int lacks_body(CONTEXT *ctx, const struct packet *packet, __u32 at)
{
	__u8 bytes[8] = {};

	return !load_at(ctx, packet, at, bytes, 5) || (bytes[0] == 'H' && bytes[1] == 'T' && bytes[2] == 'T' && bytes[3] == 'P' && bytes[4] == '/');
}

/* 1 = enough of the body lies in the packet behind its first `keep` bytes, and what follows the body fits a record. */
static __always_inline int worth_cutting(const struct direction *direction, const struct packet_event *event, __u32 keep)
{
	__u32 length = event->payload_length, body_end = direction->body_end - event->tcp_sequence;

	return keep + BODY_WORTH <= length && keep <= CAPTURE_MAX && (body_end >= length || length - body_end <= CAPTURE_MAX);
}

/*
 * Delivers the first `keep` bytes as a packet of its own. Of what lies behind them the body's is left out, and a second record told
 * only where more lies behind that, or something ends.
 */
static __always_inline __u32 deliver_lead(CONTEXT *ctx, struct packet *packet, struct counters *count, struct direction *direction,
					  __u32 keep, __u32 most)
{
	struct packet_event *event = &packet->event;
	__u32 length = event->payload_length, flags = event->tcp_flags, body_end = direction->body_end - event->tcp_sequence, outcome;
	int is_last = body_end <= length || (flags & CONTROL_FLAGS);

	event->payload_length = keep;
	event->tcp_flags = flags & ~(TCP_FIN | TCP_PSH | TCP_RST);
	event->record_number = fetch_and_increment(&direction->records);
	outcome = deliver(ctx, packet, count, most);
	if (outcome != COUNTER_DELIVERED)
		direction->known &= ~(KNOWN_BODY | KNOWN_BEGUN);
	else if (body_end <= length)
		end_body(direction);
	else if (is_last)
		direction->known &= ~(KNOWN_BODY | KNOWN_BEGUN);
	if (!is_last)
		return outcome;
	count_piece(count, outcome);
	packet->payload_offset += keep;
	event->tcp_sequence += keep;
	event->payload_length = length - keep;
	event->payload_skipped = (body_end < length ? body_end : length) - keep;
	event->tcp_flags = flags;
	event->flags &= ~FLAG_CUT;
	event->record_number = fetch_and_increment(&direction->records);
	return deliver(ctx, packet, count, most);
}

/* A packet that may begin a message with a long body, or hold the first byte of one that is known. */
VERIFIED_ALONE __u32 deliver_body(CONTEXT *ctx, struct packet *packet, struct counters *count)
{
	__u32 side, most, at, outcome;
	struct connection *connection;
	struct direction *direction;
	struct connection_key key;

	if (!packet || !count)
		return COUNTER_LOST_COPY;
	side = key_of(packet, &key) & 1;
	connection = bpf_map_lookup_elem(&connections, &key);
	if (!connection)
		return COUNTER_LOST_TABLE;
	direction = &connection->direction[side];
	most = packet->plan & PLAN_MOST;
	if (packet->plan & PLAN_BEGINS)
		find_body(ctx, packet, direction);
	at = direction->body - packet->event.tcp_sequence;
	if ((direction->known & KNOWN_BODY) && at < packet->event.payload_length) {
		if (lacks_body(ctx, packet, at)) {
			direction->known &= ~KNOWN_BODY;
		} else {
			direction->known |= KNOWN_BEGUN;
			if (worth_cutting(direction, &packet->event, at + BODY_LEAD))
				return deliver_lead(ctx, packet, count, direction, at + BODY_LEAD, most);
			if (sequence_after(direction->body_end, packet->event.tcp_sequence + packet->event.payload_length) < BODY_REST)
				direction->known &= ~(KNOWN_BODY | KNOWN_BEGUN);
		}
	}
	outcome = deliver_all(ctx, packet, count, direction, most);
	/* Without its head, or its first bytes, user space does not know of the body. */
	if (outcome != COUNTER_DELIVERED)
		direction->known &= ~(KNOWN_BODY | KNOWN_BEGUN);
	return outcome;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The frames of an HTTP/2 connection, followed from its first byte on, so that the payload of DATA can be left out.
 *
 * In    a packet of a connection that began with the preface, and leave by user space (DIRECTIVE_FRAMES).
 * Out   one record for each run of bytes that is wanted: every other frame whole, of DATA the first FRAME_LEAD bytes. Each
 *       says in left_out what is missing before it. Where a frame of DATA ends with its packet, a record says that.
 * Limit FRAMES_MAX frames a packet: with more, or where a frame header may have been missed, all bytes are delivered.
 */
#ifndef LINTEL_FRAMES_H
#define LINTEL_FRAMES_H

#include "connection.h"
#include "pieces.h"

#define FRAME_DATA 0
#define FRAME_HEADER_BYTES 9
#define FRAME_HEAD_BYTES 4 /* of the header: length and type */
#define FRAME_LEAD 16      /* of DATA: its header, the pad length, and what begins a message of gRPC */
#define LEFT_OUT_MIN 512   /* fewer bytes between wanted ones are cheaper to copy than a record is to make */
#define FRAMES_MAX 512
#define FRAMES_REACH (1 << 28) /* further from where the frames stand, a sequence number may be of another round */
#define PREFACE_BYTES 24

/* One packet on its way through. Offsets count from the payload's first byte. */
struct walk {
	__u32 sequence;   /* of the payload's first byte */
	__u32 length;     /* of the payload */
	__u32 offset;     /* of the payload in the packet */
	__u32 piece;      /* what lies before it is done with */
	__u32 from;       /* the first wanted byte since; only while `open` */
	__u32 until;      /* after the last wanted byte so far; may lie behind the payload */
	__u32 stop;       /* where the piece that is delivered now ends */
	__u32 header;     /* of the next frame; may lie before the payload, then `head` holds what came of it */
	__u32 head;
	__u32 told;       /* sequence number up to which user space knows of every byte */
	__u32 most;       /* bytes to copy of one piece */
	__u32 outcome;    /* of the last piece; COUNTER_COUNT = none yet */
	__u16 tcp_flags;
	__u8 side;
	__u8 head_bytes;
	__u8 open;
	__u8 leaves;      /* 1: payload of DATA is left out */
	__u8 silent;      /* 1: nothing of the packet is wanted */
	__u8 lost;        /* 1: where the next frame begins is not known */
};

/* No packet interrupts another on one CPU: cgroup programs, where one may, leave nothing out. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

/*
 * Where the first frame header lies in the first payload of a side, + 1; 0 = it is no HTTP/2. A server begins with SETTINGS
 * (RFC 9113 section 3.4).
 */
VERIFIED_ALONE __u32 first_frame(CONTEXT *ctx, const struct packet *packet, __u32 role)
{
	static const __u8 preface[PREFACE_BYTES] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	__u8 bytes[PREFACE_BYTES] = {};

	if (!packet || packet->event.payload_length < FRAME_HEADER_BYTES)
		return 0;
	if (role == AS_SERVER) {
		if (load_bytes(ctx, packet->payload_offset, bytes, FRAME_HEADER_BYTES))
			return 0;
		return bytes[0] == 0 && bytes[3] == FRAME_SETTINGS && !(bytes[5] | bytes[6] | bytes[7] | bytes[8]);
	}
	if (packet->event.payload_length < PREFACE_BYTES || load_bytes(ctx, packet->payload_offset, bytes, PREFACE_BYTES))
		return 0;
	for (int i = 0; i < PREFACE_BYTES; i++)
		if (bytes[i] != preface[i])
			return 0;
	return PREFACE_BYTES + 1;
}

/* 0, or as first_frame(). */
static __always_inline __u32 begins_http2(CONTEXT *ctx, const struct packet *packet, const struct connection *connection, __u32 side)
{
	const struct direction *direction = &connection->direction[side & 1];

	if (!(direction->known & KNOWN_START) || connection->client == CLIENT_UNKNOWN ||
	    packet->event.tcp_sequence != direction->start || (packet->event.tcp_flags & TCP_SYN))
		return 0;
	return first_frame(ctx, packet, side == connection->client ? AS_CLIENT : AS_SERVER);
}

/* If the packet begins its side of an HTTP/2 connection, its frames are followed from here on. */
VERIFIED_ALONE int begin_frames(CONTEXT *ctx, const struct packet *packet, const struct connection *connection, __u32 side)
{
	struct followed fresh = {}, *followed;
	struct frames *frames;
	__u32 first, start, tag;

	if (!packet || !connection)
		return 0;
	first = begins_http2(ctx, packet, connection, side);
	if (!first)
		return 0;
	tag = connection->tag;
	start = packet->event.tcp_sequence;
	followed = bpf_map_lookup_elem(&followed_connections, &tag);
	if (!followed) {
		bpf_map_update_elem(&followed_connections, &tag, &fresh, BPF_NOEXIST);
		followed = bpf_map_lookup_elem(&followed_connections, &tag);
		if (!followed)
			return 0;
	}
	frames = &followed->frames[side & 1];
	frames->next = start;
	frames->told = start;
	frames->header = start + first - 1;
	frames->wanted = frames->header;
	frames->head_bytes = 0;
	frames->known = 1;
	return 1;
}

/* Delivers `piece` ... `stop` as a packet of its own, without what lies before `from`. */
VERIFIED_ALONE int deliver_piece(CONTEXT *ctx, struct packet *packet, struct walk *walk, struct counters *count,
				 struct direction *direction)
{
	struct packet_event *event;
	__s32 missing;

	if (!packet || !walk || !count || !direction)
		return 0;
	if (walk->outcome < COUNTER_COUNT)
		count_piece(count, walk->outcome);
	event = &packet->event;
	missing = walk->sequence + walk->from - walk->told;
	event->left_out = missing > 0 ? missing : 0;
	event->tcp_sequence = walk->sequence + walk->piece;
	event->payload_length = walk->stop - walk->piece;
	event->payload_skipped = walk->from - walk->piece;
	event->tcp_flags = walk->stop == walk->length ? walk->tcp_flags : walk->tcp_flags & ~(TCP_FIN | TCP_PSH);
	event->flags &= ~FLAG_CUT;
	packet->payload_offset = walk->offset + walk->piece;
	walk->piece = walk->stop;
	walk->told = walk->sequence + walk->stop;
	walk->outcome = deliver_all(ctx, packet, count, direction, walk->most);
	return 0;
}

/* Reads the next frame header, if it begins in this packet. 1 = it is whole: go on. */
VERIFIED_ALONE int next_frame(CONTEXT *ctx, struct packet *packet, struct walk *walk, struct counters *count,
			      struct direction *direction)
{
	__u32 at, end, length, head = 0;
	__u8 byte = 0;

	if (!packet || !walk || !count || !direction)
		return 0;
	at = walk->header + walk->head_bytes;
	if (at >= walk->length)
		return 0;
	if (walk->leaves && walk->open && at - walk->until >= LEFT_OUT_MIN) {
		walk->stop = walk->until;
		deliver_piece(ctx, packet, walk, count, direction);
		walk->open = 0;
	}
	if (!walk->open) {
		walk->from = at;
		walk->open = 1;
	}
	if (walk->head_bytes == 0 && walk->length - at >= FRAME_HEAD_BYTES) {
		walk->lost = !!load_bytes(ctx, walk->offset + at, &head, FRAME_HEAD_BYTES);
		walk->head = bpf_ntohl(head);
		walk->head_bytes = FRAME_HEAD_BYTES;
	}
	for (int i = 0; i < FRAME_HEAD_BYTES; i++) {
		if (walk->head_bytes >= FRAME_HEAD_BYTES || at >= walk->length)
			break;
		walk->lost |= !!load_bytes(ctx, walk->offset + at, &byte, 1);
		walk->head = walk->head << 8 | byte;
		walk->head_bytes++;
		at++;
	}
	if (walk->lost)
		return 0;
	if (walk->head_bytes < FRAME_HEAD_BYTES) {
		walk->until = walk->length;
		return 0;
	}
	length = walk->head >> 8;
	end = walk->header + FRAME_HEADER_BYTES + length;
	walk->until = (walk->head & 0xff) == FRAME_DATA && FRAME_HEADER_BYTES + length > FRAME_LEAD ? walk->header + FRAME_LEAD : end;
	walk->header = end;
	walk->head_bytes = 0;
	return 1;
}

/* 1 = user space does not want the payload of DATA. A perf record holds the packet from its start: there it would save nothing. */
static __always_inline int leaves_out(const struct connection *connection)
{
	__u32 slot = connection->tag % DIRECTIVE_COUNT;
	struct directive *directive = bpf_map_lookup_elem(&directives, &slot);

	return !transport_perf && directive && *(volatile __u32 *)&directive->connection_tag == connection->tag &&
	       (directive->flags & DIRECTIVE_FRAMES);
}

/* Delivers the packet as it is. */
static __always_inline __u32 deliver_whole(CONTEXT *ctx, struct packet *packet, struct walk *walk, struct counters *count,
					   struct direction *direction)
{
	if (walk->silent)
		return COUNTER_SKIPPED;
	walk->from = packet->event.payload_skipped;
	walk->stop = walk->length;
	deliver_piece(ctx, packet, walk, count, direction);
	return walk->outcome;
}

/* The last wanted bytes of the packet, and its end where that is the end of a frame or of the stream. */
static __always_inline void deliver_rest(CONTEXT *ctx, struct packet *packet, struct walk *walk, struct counters *count,
					 struct direction *direction)
{
	if (walk->open) {
		walk->stop = walk->until;
		if (!walk->leaves || walk->lost || walk->until >= walk->length || walk->length - walk->until < LEFT_OUT_MIN)
			walk->stop = walk->length;
		deliver_piece(ctx, packet, walk, count, direction);
	}
	if (walk->piece == walk->length)
		return;
	if (walk->header == walk->length || (walk->tcp_flags & CONTROL_FLAGS)) {
		walk->from = walk->length;
		walk->stop = walk->length;
		deliver_piece(ctx, packet, walk, count, direction);
	} else if (walk->outcome == COUNTER_COUNT) {
		walk->outcome = COUNTER_SKIPPED;
	}
}

/* Notes how far the frames are followed now. `next` comes last: on another CPU nothing is believed that it does not name. */
static __always_inline void note_frames(struct frames *frames, const struct walk *walk, const struct direction *direction)
{
	__u32 next = walk->sequence + walk->length, told = walk->told;

	frames->header = walk->sequence + walk->header;
	frames->wanted = walk->sequence + walk->until;
	frames->head = walk->head;
	frames->head_bytes = walk->head_bytes;
	if (walk->lost)
		frames->known = 0;
	/* What came before its time and was delivered whole lies within the same payload: nothing to be read was missed. */
	if (!walk->leaves && !walk->silent && walk->head_bytes == 0 && walk->until <= walk->length &&
	    (__s32)(direction->next - next) > 0 && (__s32)(frames->header - direction->next) >= 0) {
		next = direction->next;
		told = next;
	}
	frames->told = told;
	asm volatile("" ::: "memory");
	frames->next = next;
}

static __always_inline void begin_walk(struct walk *walk, const struct packet *packet)
{
	const struct packet_event *event = &packet->event;

	walk->sequence = event->tcp_sequence;
	walk->length = event->payload_length;
	walk->offset = packet->payload_offset;
	walk->tcp_flags = event->tcp_flags;
	walk->told = walk->sequence + event->payload_skipped;
	walk->most = packet->plan & PLAN_MOST;
	walk->side = !!(packet->plan & PLAN_SIDE);
	walk->silent = !!(packet->plan & PLAN_SILENT);
	walk->leaves = !!(packet->plan & PLAN_LEAVES);
	walk->outcome = COUNTER_COUNT;
	walk->piece = 0;
	walk->lost = 0;
}

/*
 * A packet with payload of an HTTP/2 connection. It is sure what it holds where it begins at the next byte, or within the
 * payload of DATA: then what is missing in between is of no interest either.
 */
VERIFIED_ALONE __u32 deliver_frames(CONTEXT *ctx, struct packet *packet, struct counters *count)
{
	struct connection *connection;
	struct direction *direction;
	struct connection_key key;
	struct followed *followed;
	struct frames *frames;
	struct walk *walk;
	__u32 end, i, tag = 0;
	__s32 ahead;

	walk = bpf_map_lookup_elem(&walks, &tag);
	if (!packet || !count || !walk)
		return COUNTER_LOST_COPY;
	key_of(packet, &key);
	connection = bpf_map_lookup_elem(&connections, &key);
	if (!connection)
		return COUNTER_LOST_TABLE;
	begin_walk(walk, packet);
	direction = &connection->direction[walk->side & 1];
	tag = connection->tag;
	followed = bpf_map_lookup_elem(&followed_connections, &tag);
	if ((!followed || !followed->frames[walk->side & 1].known) && begin_frames(ctx, packet, connection, walk->side))
		followed = bpf_map_lookup_elem(&followed_connections, &tag);
	if (!followed || !followed->frames[walk->side & 1].known)
		return deliver_whole(ctx, packet, walk, count, direction);
	frames = &followed->frames[walk->side & 1];
	end = walk->sequence + walk->length;
	ahead = walk->sequence - frames->next;
	if (ahead > FRAMES_REACH || ahead < -FRAMES_REACH || (walk->tcp_flags & TCP_SYN)) {
		frames->known = 0;
		return deliver_whole(ctx, packet, walk, count, direction);
	}
	if (ahead > 0 && (!walk->leaves || (__s32)(frames->wanted - frames->next) > 0 || frames->head_bytes ||
			  (__s32)(walk->sequence - frames->header) > 0))
		return deliver_whole(ctx, packet, walk, count, direction);
	walk->told = frames->told;
	if ((__s32)(end - frames->next) <= 0) {
		__u32 outcome = deliver_whole(ctx, packet, walk, count, direction);

		if ((__s32)(walk->told - frames->told) > 0)
			frames->told = walk->told;
		return outcome;
	}
	/* A packet that fills a hole is delivered whole, as those behind it were. */
	if (ahead < 0 || packet->event.payload_skipped || walk->silent ||
	    (__s32)(direction->next - end - !!(walk->tcp_flags & TCP_FIN)) > 0)
		walk->leaves = 0;
	walk->header = frames->header - walk->sequence;
	walk->until = (__s32)(frames->wanted - walk->sequence) > 0 ? frames->wanted - walk->sequence : 0;
	walk->head = frames->head;
	walk->head_bytes = frames->head_bytes;
	walk->from = packet->event.payload_skipped;
	walk->open = !walk->leaves || walk->until > 0;
	for (i = 0; i < FRAMES_MAX; i++)
		if (!next_frame(ctx, packet, walk, count, direction))
			break;
	if (i == FRAMES_MAX)
		walk->lost = 1;
	if (walk->silent)
		walk->outcome = COUNTER_SKIPPED;
	else
		deliver_rest(ctx, packet, walk, count, direction);
	note_frames(frames, walk, direction);
	return walk->outcome;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is known of one connection, and which of its packets that makes worth a record.
 *
 * In    a wanted packet, parsed.
 * Out   the counter it falls under: most often that of deliver(), or of tally().
 * Limit the table evicts the connection that was quiet longest; its next request makes it known again (midstream).
 */
#ifndef LINTEL_CONNECTION_H
#define LINTEL_CONNECTION_H

#include "filter.h"
#include "verdict.h"

#define HOME_SILENT 1000 /* in units of 2^20 ns, about a millisecond */
#define TIME_UNIT_BITS 20
#define FIRST_BYTES_WINDOW 65536 /* how far after the first byte a segment may still be part of a protocol's opening */
#define NOT_HTTP_BYTES 64
#define CONTROL_FLAGS (TCP_FIN | TCP_SYN | TCP_RST)

/* Sequence numbers compare modulo 2^32 (RFC 9293 section 3.4). */
static __always_inline __s32 sequence_after(__u32 a, __u32 b)
{
	return (__s32)(a - b);
}

static __always_inline int second_sorts_first(const struct packet_event *event, __u32 source_port, __u32 destination_port)
{
	for (int i = 0; i < 4; i++) {
		__u32 source = ((const __u32 *)event->source_address)[i];
		__u32 destination = ((const __u32 *)event->destination_address)[i];

		if (source != destination)
			return bpf_ntohl(source) > bpf_ntohl(destination);
	}
	return source_port > destination_port;
}

static __always_inline int is_syn(const struct packet *packet)
{
	return packet->event.ip_protocol == PROTOCOL_TCP && (packet->event.tcp_flags & TCP_SYN);
}

/* Fills the key; the result is the packet's side: 0 = its source sorts first. */
static __always_inline __u32 key_of(const struct packet *packet, struct connection_key *key)
{
	const struct packet_event *event = &packet->event;
	__u32 source_port = 0, destination_port = 0, side;

	__builtin_memset(key, 0, sizeof(*key));
	if (!(packet->more & MORE_FRAGMENT) && (event->ip_protocol == PROTOCOL_TCP || event->ip_protocol == PROTOCOL_UDP)) {
		source_port = event->source_port;
		destination_port = event->destination_port;
	}
	side = second_sorts_first(event, source_port, destination_port);
	if (side) {
		copy_aligned(8, key->address[0], event->destination_address, 16);
		copy_aligned(8, key->address[1], event->source_address, 16);
		key->port[0] = destination_port;
		key->port[1] = source_port;
	} else {
		copy_aligned(8, key->address[0], event->source_address, 32);
		key->port[0] = source_port;
		key->port[1] = destination_port;
	}
	key->ip_version = event->ip_version;
	key->protocol = event->ip_protocol;
	key->fragment = !!(packet->more & MORE_FRAGMENT);
	return side;
}

/* The same for both directions and in each process: its low half chooses the sample, its high half the worker. */
static __always_inline __u32 hash_of(const struct connection_key *key)
{
	const __u32 *words = (const __u32 *)key;
	__u32 hash = 0x811c9dc5;

	for (int i = 0; i < 9; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b1u;
		hash ^= hash >> 15;
	}
	return hash;
}

/* 16 bits. */
static __always_inline __u32 sample_of(const struct connection_key *key)
{
	return hash_of(key) & 0xffff;
}

/*
 * The same packet may pass several hooks: two ends of a veth pair, a bridge and its port, a tunnel and what carries it.
 * Each direction has a home path, the first that showed it; elsewhere a packet counts only if it brings what home has
 * not shown (then that path is the earlier one, or the route has changed), or if home has been silent.
 */
static __always_inline int on_other_path(struct direction *direction, const struct packet_event *event, __u32 end,
					 __u64 now)
{
	__u32 path = event->interface_index << 2 | event->direction;
	int fresh = 0;

	if (direction->home == path)
		return 0;
	if (direction->home != 0 && event->ip_protocol == PROTOCOL_TCP) {
		if (!(direction->known & KNOWN_NEXT) || sequence_after(end, direction->next) > 0)
			fresh = 1;
		if ((event->tcp_flags & TCP_RST) && !(direction->known & KNOWN_RESET))
			fresh = 1;
	}
	if (direction->home == 0 || fresh || (__s32)((__u32)(now >> TIME_UNIT_BITS) - direction->seen) > HOME_SILENT) {
		direction->home = path;
		return 0;
	}
	return 1;
}

/* Counts the packet in its direction and moves the highest sequence number seen. */
static __always_inline void note_packet(struct direction *direction, struct packet_event *event, __u32 end, __u64 now)
{
	direction->seen = now >> TIME_UNIT_BITS;
	direction->packets++;
	direction->bytes += event->payload_length;
	if (event->ip_protocol == PROTOCOL_TCP) {
		if (!(direction->known & KNOWN_NEXT) || sequence_after(end, direction->next) > 0)
			direction->next = end;
		else if (event->payload_length || (event->tcp_flags & (TCP_SYN | TCP_FIN)))
			direction->retransmissions++;
		direction->known |= KNOWN_NEXT;
		if (event->tcp_flags & TCP_RST)
			direction->known |= KNOWN_RESET;
	}
	event->seen_packets = direction->packets;
	event->seen_bytes = direction->bytes;
	event->retransmissions = direction->retransmissions;
	event->flags |= FLAG_COUNTED;
}

/* The first `ahead` bytes of the payload are not wanted, of which there may be fewer. 0 = deliver, else the counter. */
static __always_inline __u32 leave_before(struct packet_event *event, __s32 ahead)
{
	if (ahead <= 0)
		return 0;
	if (ahead > (__s32)event->payload_length) {
		event->payload_skipped = event->payload_length;
		return event->tcp_flags & CONTROL_FLAGS ? 0 : COUNTER_SKIPPED;
	}
	event->payload_skipped = ahead;
	return 0;
}

/* 0 = deliver, else the counter. */
static __always_inline __u32 obey_directive(struct connection *connection, struct direction *direction,
					    struct packet_event *event, __u32 side)
{
	__u32 slot = connection->tag % DIRECTIVE_COUNT;
	struct directive *directive = bpf_map_lookup_elem(&directives, &slot);
	__u32 until;
	__s32 ahead;

	if (!directive || *(volatile __u32 *)&directive->connection_tag != connection->tag)
		return 0;
	if (directive->flags & DIRECTIVE_IGNORE)
		return COUNTER_IGNORED;
	if (!(directive->flags & (side ? DIRECTIVE_SKIP_1 : DIRECTIVE_SKIP_0)))
		return 0;
	until = side ? directive->skip_until[1] : directive->skip_until[0];
	if ((direction->known & KNOWN_PASSED) && direction->passed == until)
		return 0;
	ahead = sequence_after(until, event->tcp_sequence + !!(event->tcp_flags & TCP_SYN));
	/* The same number comes round again after 4 GiB: once reached, it is remembered as done. */
	if (ahead <= (__s32)event->payload_length) {
		direction->passed = until;
		direction->known |= KNOWN_PASSED;
	}
	return leave_before(event, ahead);
}

/* The first bytes decide. The result is the connection's verdict after this packet. */
static __always_inline __u32 judge(CONTEXT *ctx, struct packet *packet, struct connection *connection, __u32 side)
{
	struct direction *direction = &connection->direction[side];
	__u32 sequence = packet->event.tcp_sequence + !!(packet->event.tcp_flags & TCP_SYN);
	__u32 role = side == connection->client ? AS_CLIENT : AS_SERVER;

	if (!(direction->known & KNOWN_START) || connection->client == CLIENT_UNKNOWN || sequence != direction->start)
		return recognise(ctx, packet, AS_MIDSTREAM) ? VERDICT_HTTP : VERDICT_NONE;
	if (recognise(ctx, packet, role))
		return VERDICT_HTTP;
	return decoder_reads(role == AS_CLIENT ? packet->event.destination_port : packet->event.source_port) ? VERDICT_HTTP : VERDICT_OTHER;
}

/* Out of order right after the handshake: the first bytes may still come. */
static __always_inline int near_start(const struct direction *direction, const struct packet_event *event)
{
	return (direction->known & KNOWN_START) && event->tcp_sequence - direction->start < FIRST_BYTES_WINDOW;
}

static __always_inline void note_syn(struct connection *connection, struct packet_event *event, __u32 side)
{
	struct direction *direction = &connection->direction[side];

	if (!(direction->known & KNOWN_START)) {
		direction->start = event->tcp_sequence + 1;
		direction->known |= KNOWN_START;
	}
	if (event->tcp_flags & TCP_ACK)
		await_acknowledgement(event);
}

#ifdef TALLY
/* With an exchange a connection is more than the stack holds. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct connection);
} fresh_connection SEC(".maps");
#endif

/*
 * Of several workers the one that the connection belongs to is in the lowest bits: see shards.h. Each counts for itself, so that
 * its connections take one slot of the directives after the other.
 */
static __always_inline __u32 new_tag(const struct connection_key *key)
{
	__u32 shard;

	if (shards == 1)
		return fetch_and_increment(&next_tag);
	shard = hash_of(key) >> 16 & (shards - 1) & (SHARDS_MAX - 1);
	return ((__u32)next_tag + (__u32)fetch_and_increment(&tags_given[shard])) * shards | shard;
}

static __always_inline int insert_connection(const struct packet *packet, struct connection *fresh, __u32 recognised)
{
	struct connection_key key;
	__u32 side = key_of(packet, &key);

	__builtin_memset(fresh, 0, sizeof(*fresh));
	fresh->client = CLIENT_UNKNOWN;
	fresh->verdict = recognised ? VERDICT_HTTP : VERDICT_NONE;
	fresh->midstream = 1;
	if (is_syn(packet)) {
		fresh->client = packet->event.tcp_flags & TCP_ACK ? 1 - side : side;
		fresh->midstream = 0;
		fresh->direction[side & 1].start = packet->event.tcp_sequence + 1;
		fresh->direction[side & 1].known = KNOWN_START;
	}
	fresh->tag = new_tag(&key);
	if (fresh->tag == 0)
		fresh->tag = new_tag(&key);
	return bpf_map_update_elem(&connections, &key, fresh, BPF_ANY) != 0;
}

/* Puts a connection into the table. `recognised`: its payload has told its protocol. 0 = done. */
VERIFIED_ALONE int open_connection(const struct packet *packet, __u32 recognised)
{
#ifdef TALLY
	__u32 zero = 0;
	struct connection *fresh = bpf_map_lookup_elem(&fresh_connection, &zero);

	return packet && fresh ? insert_connection(packet, fresh, recognised) : 1;
#else
	struct connection fresh;

	return packet ? insert_connection(packet, &fresh, recognised) : 1;
#endif
}

/* An unknown connection: a SYN opens it; without one, only bytes that look like a message do, or `any` = 1. */
static __always_inline __u32 meet(CONTEXT *ctx, const struct packet *packet, __u32 any)
{
	__u32 recognised = 0;

	if (!is_syn(packet)) {
		recognised = packet->event.ip_protocol == PROTOCOL_TCP && recognise(ctx, packet, AS_MIDSTREAM);
		if (!recognised && !any)
			return COUNTER_UNKNOWN_PROTOCOL;
	}
	return open_connection(packet, recognised) ? COUNTER_LOST_TABLE : 0;
}

#endif

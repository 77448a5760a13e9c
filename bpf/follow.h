/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A wanted packet on its way to user space: its connection, what of it is delivered, and how. */
#ifndef LINTEL_FOLLOW_H
#define LINTEL_FOLLOW_H

#include "body.h"
#include "frames.h"

static __always_inline __u32 deliver_frame(CONTEXT *ctx, struct packet *packet, struct counters *count, __u32 link)
{
	struct packet_event *event = &packet->event;

	event->kind = EVENT_FRAME;
	event->link_type = link ? 1 : 101;
	event->payload_length = event->frame_length;
	event->payload_skipped = 0;
	packet->payload_offset = 0;
	return deliver(ctx, packet, count, CAPTURE_MAX);
}

/* ARP and frames that are not fragments have no connection, so no home path: each hook shows them. */
static __always_inline __u32 stray(CONTEXT *ctx, struct packet *packet, struct counters *count, __u32 frame, __u32 link)
{
	packet->event.time_ns = bpf_ktime_get_ns();
	if (frame)
		return deliver_frame(ctx, packet, count, link);
	return deliver(ctx, packet, count, 0);
}

/* A packet of a known connection, on its home path. `most` = how many bytes of it to copy. */
static __always_inline __u32 choose(CONTEXT *ctx, const struct settings *set, struct packet *packet,
				    struct connection *connection, __u32 side, __u32 *most)
{
	struct packet_event *event = &packet->event;
	int headers_too = !!(set->flags & SETTING_PACKETS);
	__u32 reason, verdict;

	*most = set->head_bytes_max;
	if (connection->verdict == VERDICT_OTHER) {
		*most = 0;
		return headers_too ? 0 : COUNTER_UNKNOWN_PROTOCOL;
	}
	/* The body first, although user space may have asked for the same: where it ends the next one begins. */
	reason = connection->verdict == VERDICT_IGNORED ? COUNTER_IGNORED : leave_body(&connection->direction[side & 1], event);
	if (!reason && !event->payload_skipped) {
		reason = obey_directive(connection, &connection->direction[side & 1], event, side);
		if (!reason)
			note_left(&connection->direction[side & 1], event);
	}
	if (reason == COUNTER_SKIPPED && headers_too)
		return 0;
	/* Remembered here, as another connection may take the directive's place; its end is told, so that it counts as closed. */
	if (reason == COUNTER_IGNORED) {
		connection->verdict = VERDICT_IGNORED;
		*most = 0;
		return headers_too || (event->tcp_flags & CONTROL_FLAGS) ? 0 : COUNTER_IGNORED;
	}
	if (reason || event->payload_length == 0 || connection->verdict == VERDICT_HTTP)
		return reason;
	verdict = judge(ctx, packet, connection, side & 1);
	connection->verdict = verdict;
	if (verdict == VERDICT_HTTP)
		connection->http2 = begins_http2(ctx, packet, connection, side & 1);
	if (verdict == VERDICT_OTHER) {
		event->flags |= FLAG_NOT_HTTP;
		*most = NOT_HTTP_BYTES;
		return 0;
	}
	if (verdict == VERDICT_HTTP || near_start(&connection->direction[side & 1], event) || (event->tcp_flags & CONTROL_FLAGS))
		return 0;
	*most = 0;
	return headers_too ? 0 : COUNTER_UNKNOWN_PROTOCOL;
}

/*
 * Whose packet it is, from the socket that sent it: never the task at hand, which at this place may be anybody. An arriving
 * packet still has its sender's socket when it came through a virtual device of this machine (veth); a socket that was
 * put there for its receiver (bpf_sk_assign) has the ports the other way round, and the kernel's own (for resets) none.
 */
static __always_inline void note_sender(CONTEXT *ctx, struct packet_event *event)
{
#ifdef HAS_SOCKET
	struct bpf_sock *socket = names_processes ? ctx->sk : NULL;
	struct socket_owner *owner;

	if (!socket)
		return;
	if (socket->src_port == 0)
		return;
	if (event->direction == DIRECTION_INGRESS &&
	    (event->hook == HOOK_CGROUP || socket->src_port != event->source_port ||
	     socket->dst_port != bpf_htons(event->destination_port)))
		return;
	/* Of a request socket or one in TIME_WAIT there is never an owner: the helper looks. */
	owner = bpf_sk_storage_get(&socket_owners, socket, NULL, 0);
	if (owner) {
		event->process = owner->process;
		event->socket_cookie = owner->cookie;
	} else if (bpf_sk_fullsock(socket)) {
		event->socket_cookie = bpf_get_socket_cookie(ctx);
	}
#endif
}

/*
 * A connection may be left where that cuts nothing in two: before its first message, at the beginning of one, and of HTTP/2, where
 * streams overlap, at once. What is not read anyhow stays as it is.
 */
static __always_inline int may_leave(CONTEXT *ctx, const struct packet *packet, const struct connection *connection, __u32 side)
{
	if (connection->verdict == VERDICT_NONE)
		return 1;
	if (connection->verdict != VERDICT_HTTP)
		return 0;
	if (connection->http2)
		return 1;
	return packet->event.payload_length && (connection->client == side || connection->client == CLIENT_UNKNOWN) &&
	       recognise(ctx, packet, AS_MIDSTREAM);
}

/* The last record of a connection. If it finds no room the connection stays, and is left at its next message. */
static __always_inline __u32 leave(CONTEXT *ctx, struct packet *packet, struct counters *count, const struct connection_key *key,
				   const struct connection *connection)
{
	struct packet_event *event = &packet->event;
	__u32 outcome;

	event->kind = EVENT_LEFT;
	event->connection_tag = connection->tag;
	event->payload_skipped = 0;
	outcome = deliver(ctx, packet, count, 0);
	if (outcome == COUNTER_DELIVERED)
		bpf_map_delete_elem(&connections, key);
	return outcome;
}

VERIFIED_ALONE __u32 follow(CONTEXT *ctx, struct packet *packet, __u32 frame, __u32 link)
{
	__u32 zero = 0, side, reason = 0, end, most = 0, hash = 0, begins = 0;
	struct counters *count = bpf_map_lookup_elem(&counters, &zero);
	const struct settings *set = bpf_map_lookup_elem(&settings, &zero);
	struct connection *connection;
	struct packet_event *event;
	struct direction *direction;
	struct connection_key key;
	int tcp;

	if (!packet || !count || !set)
		return COUNTER_LOST_COPY;
	event = &packet->event;
	tcp = event->ip_protocol == PROTOCOL_TCP && !frame;
	side = key_of(packet, &key) & 1;
	if (set->sample_below < 65536 || set->admit_below < 65536)
		hash = sample_of(&key);
	if (hash >= set->sample_below)
		return COUNTER_SAMPLED;
	event->time_ns = bpf_ktime_get_ns();
	end = event->tcp_sequence + event->payload_length + !!(event->tcp_flags & TCP_SYN) + !!(event->tcp_flags & TCP_FIN);
	connection = bpf_map_lookup_elem(&connections, &key);
	/* A SYN with another sequence number opens a new connection between the same ports. */
	if (connection && tcp && (event->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	    connection->direction[side].start != event->tcp_sequence + 1)
		connection = NULL;
	if (!connection)
		return hash >= set->admit_below ? COUNTER_OVERLOAD : OUTCOME_NEW;
	direction = &connection->direction[side];
	if (on_other_path(direction, event, end, event->time_ns))
		return COUNTER_OTHER_PATH;
	if (hash >= set->admit_below && tcp && may_leave(ctx, packet, connection, side))
		return leave(ctx, packet, count, &key, connection);
	if (frame) {
		direction->seen = event->time_ns >> TIME_UNIT_BITS;
		return deliver_frame(ctx, packet, count, link);
	}
	if (tcp && (event->tcp_flags & TCP_SYN))
		note_syn(connection, event, side);
	if (tcp)
		begins = begins_message(direction, event, connection->client == 1 - side);
	note_packet(direction, event, end, event->time_ns);
	if (tcp) {
		reason = choose(ctx, set, packet, connection, side, &most);
		/* Frames are followed through what is skipped too. */
		if (reason && !(reason == COUNTER_SKIPPED && connection->http2))
			return reason;
	} else if (packet->more & MORE_QUIC) {
		most = set->head_bytes_max;
	}
	note_sender(ctx, event);
	event->connection_tag = connection->tag;
	event->flags |= FLAG_NUMBERED | (connection->midstream ? FLAG_MIDSTREAM : 0);
	/* A packet of several records is told from the caller's frame: the stack holds no more calls from here. */
	if (tcp && connection->http2 && event->hook != HOOK_CGROUP && (event->payload_length || (event->tcp_flags & TCP_FIN))) {
		packet->plan = most | (side ? PLAN_SIDE : 0) | (reason ? PLAN_SILENT : 0) |
			       (!(set->flags & SETTING_PACKETS) && leaves_out(connection) ? PLAN_LEAVES : 0);
		return OUTCOME_FRAMES;
	}
	if (reason)
		return reason;
	if (tcp && may_hold_body(set, connection, direction, event, begins)) {
		packet->plan = most | (begins ? PLAN_BEGINS : 0);
		return OUTCOME_BODY;
	}
	return deliver_all(ctx, packet, count, direction, most);
}

static __always_inline __u32 examine(CONTEXT *ctx, const struct settings *set, struct counters *count, struct place place)
{
	struct packet packet;
	__u32 outcome, reason, frame;

	outcome = want(ctx, set, &packet, place);
	if (outcome < COUNTER_COUNT)
		return outcome;
	frame = outcome == OUTCOME_FRAME;
	if (packet.event.ip_version == 0 || (frame && !(packet.more & MORE_FRAGMENT)))
		return stray(ctx, &packet, count, frame, place.link);
	if (packet.event.tcp_flags & TCP_SYN)
		parse_syn_options(ctx, &packet, packet.offset + sizeof(struct tcp));
	outcome = follow(ctx, &packet, frame, place.link);
	if (outcome == OUTCOME_FRAMES)
		return deliver_frames(ctx, &packet, count);
	if (outcome == OUTCOME_BODY)
		return deliver_body(ctx, &packet, count);
	if (outcome != OUTCOME_NEW)
		return outcome;
	reason = meet(ctx, &packet, frame || (packet.more & MORE_QUIC) || (set->flags & SETTING_PACKETS));
	if (reason)
		return reason;
	count->value[COUNTER_CONNECTIONS_NEW]++;
	outcome = follow(ctx, &packet, frame, place.link);
	return outcome >= COUNTER_COUNT ? COUNTER_LOST_TABLE : outcome;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Counts messages of HTTP/1 where they pass, by key; nothing leaves the kernel but the counts.
 *
 * A request is a packet of the client that begins with a request line while no request is under way; its response the next packet
 * of the server that begins with a final status. What fits neither is counted by name in "tally_totals". Bytes are those of the
 * stream, each once: what was sent twice, or shown by two hooks, is not counted twice.
 *
 * In    a wanted packet, parsed.
 * Out   COUNTER_TALLIED, or why the packet was not read.
 * Limit the map evicts the key that was quiet longest: the totals have what it held, and the difference shows.
 */
#ifndef LINTEL_TALLY_H
#define LINTEL_TALLY_H

#include "tally_head.h"

#define TALLIES_DEFAULT 16384
#define STATUS_BYTES 13 /* "HTTP/1.1 200" and what follows it */
#define CONTINUE 100
#define CONTINUE_BYTES 25 /* "HTTP/1.1 100 Continue" and two line ends */
#define SWITCHING_PROTOCOLS 101

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, TALLIES_DEFAULT);
	__type(key, struct tally_key);
	__type(value, struct tally);
} tallies SEC(".maps");

struct tally_totals {
	__u64 value[TALLY_TOTAL_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally_totals);
} tally_totals SEC(".maps");

/* Adds what is due to the tally of `key`. 0 = done; else there is no room for it. */
static __always_inline int add_to_key(const struct tally_key *key, const struct tally *due)
{
	struct tally *tally = bpf_map_lookup_elem(&tallies, key);

	if (!tally) {
		if (!bpf_map_update_elem(&tallies, key, due, BPF_NOEXIST))
			return 0;
		/* Another CPU was faster, or there is no room. */
		tally = bpf_map_lookup_elem(&tallies, key);
	}
	if (!tally)
		return 1;
	tally->requests += due->requests;
	tally->request_bytes += due->request_bytes;
	tally->response_bytes += due->response_bytes;
	return 0;
}

/* The totals come last: who reads them before the map finds there what they hold, unless it was evicted. */
static __always_inline void add_tally(const struct tally_key *key, struct tally_totals *totals, const struct tally *due)
{
	if (add_to_key(key, due))
		totals->value[TALLY_TOTAL_NO_ROOM] += due->requests;
	totals->value[TALLY_TOTAL_REQUESTS] += due->requests;
	totals->value[TALLY_TOTAL_REQUEST_BYTES] += due->request_bytes;
	totals->value[TALLY_TOTAL_RESPONSE_BYTES] += due->response_bytes;
}

/* The request is over, with this TALLY_STATUS_ or, if its response was missed, an unknown one: what it held so far is due. */
static __always_inline void settle(struct exchange *exchange, struct tally *due, __u32 status)
{
	if (status == TALLY_STATUS_NONE && exchange->is_heard)
		status = TALLY_STATUS_UNKNOWN;
	exchange->state = EXCHANGE_ANSWERED;
	exchange->key.status = tally_labels & TALLY_LABEL_STATUS ? status : 0;
	due->requests = 1;
	/* A client that still sends adds to it on another CPU. */
	due->request_bytes += __sync_lock_test_and_set(&exchange->request_bytes, 0);
	due->response_bytes += exchange->response_bytes;
	exchange->response_bytes = 0;
}

/* The status code of a status line at offset `at` of the payload; 0 = there is none, 1 = it is not whole or not a number. */
VERIFIED_ALONE __u32 begins_response(CONTEXT *ctx, const struct packet *packet, __u32 at)
{
	__u8 bytes[16] = {};
	__u64 begin;
	__u32 code = 0;

	if (!packet || !load_at(ctx, packet, at, bytes, 8))
		return 0;
	__builtin_memcpy(&begin, bytes, 8);
	if ((begin & ~(0xffULL << 56)) != LETTERS('H', 'T', 'T', 'P', '/', '1', '.', 0))
		return 0;
	if (!load_at(ctx, packet, at, bytes, STATUS_BYTES))
		return 1;
	if (bytes[8] != ' ')
		return 0;
	for (int i = 9; i < 12; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return 1;
		code = code * 10 + bytes[i] - '0';
	}
	return code < 100 ? 1 : code;
}

static __always_inline void begin_exchange(const struct packet *packet, struct exchange *exchange, __u32 method, __u32 fresh)
{
	__u32 zero = 0;
	const struct tally_scratch *head = bpf_map_lookup_elem(&tally_scratch, &zero);

	if (!head)
		return;
	copy_aligned(8, &exchange->key, &head->key, sizeof(exchange->key));
	/* The status label says NONE for now; whether the method is CONNECT matters beyond the label. */
	exchange->is_connect = method == TALLY_METHOD_CONNECT;
	if (tally_labels & TALLY_LABEL_METHOD)
		exchange->key.method = method;
	if (tally_labels & TALLY_LABEL_CLIENT) {
		exchange->key.ip_version = packet->event.ip_version;
		copy_aligned(8, exchange->key.client_address, packet->event.source_address, 16);
	}
	exchange->request_bytes = fresh;
	exchange->response_bytes = 0;
	exchange->is_heard = 0;
	exchange->state = EXCHANGE_AWAITS;
}

/* New bytes of the client, at their front if `in_order`. */
static __always_inline void read_client(CONTEXT *ctx, const struct packet *packet, struct connection *connection,
					struct tally_totals *totals, struct tally_scratch *scratch, __u32 fresh, __u32 in_order)
{
	struct exchange *exchange = &connection->exchange;
	struct tally *due = &scratch->due;
	__u32 method = in_order ? begins_request(ctx, packet) : TALLY_METHOD_NONE;

	if (exchange->state == EXCHANGE_AWAITS && method != TALLY_METHOD_NONE && exchange->is_heard) {
		settle(exchange, due, TALLY_STATUS_UNKNOWN);
		copy_aligned(8, &scratch->last, &exchange->key, sizeof(exchange->key));
		scratch->is_last = 1;
	}
	if (exchange->state == EXCHANGE_AWAITS) {
		__sync_fetch_and_add(&exchange->request_bytes, fresh);
		totals->value[TALLY_TOTAL_PIPELINED] += method != TALLY_METHOD_NONE;
		return;
	}
	if (method != TALLY_METHOD_NONE && read_head(ctx, packet)) {
		begin_exchange(packet, exchange, method, fresh);
		totals->value[TALLY_TOTAL_BEGUN]++;
		connection->verdict = VERDICT_HTTP;
		return;
	}
	if (exchange->state == EXCHANGE_ANSWERED) {
		due->request_bytes += fresh;
		totals->value[TALLY_TOTAL_UNCLEAR]++;
		return;
	}
	connection->verdict = VERDICT_OTHER;
	totals->value[TALLY_TOTAL_OTHER_PROTOCOL]++;
}

/* The same of the server. */
static __always_inline void read_server(CONTEXT *ctx, const struct packet *packet, struct connection *connection,
					struct tally_totals *totals, struct tally *due, __u32 fresh, __u32 in_order)
{
	struct exchange *exchange = &connection->exchange;
	__u32 code = in_order ? begins_response(ctx, packet, 0) : 0;

	if (exchange->state != EXCHANGE_AWAITS) {
		if (exchange->state == EXCHANGE_ANSWERED)
			due->response_bytes = fresh;
		totals->value[TALLY_TOTAL_UNASKED] += code != 0;
		if (code == 0 && exchange->state == EXCHANGE_NONE && connection->verdict != VERDICT_HTTP) {
			connection->verdict = VERDICT_OTHER;
			totals->value[TALLY_TOTAL_OTHER_PROTOCOL]++;
		}
		return;
	}
	exchange->response_bytes += fresh;
	/* The one interim response that is always the same may have the final one behind it in its packet. */
	if (code == CONTINUE && packet->event.payload_length > CONTINUE_BYTES)
		code = begins_response(ctx, packet, CONTINUE_BYTES);
	if (code == 0)
		exchange->is_heard = 1;
	/* Others are part of the response that they come before. */
	if (code == 0 || (code >= 100 && code < 200 && code != SWITCHING_PROTOCOLS))
		return;
	settle(exchange, due, code < 100 || code > 599 ? TALLY_STATUS_UNKNOWN : code / 100);
	if (code == SWITCHING_PROTOCOLS || (exchange->is_connect && code / 100 == 2)) {
		connection->verdict = VERDICT_OTHER;
		totals->value[TALLY_TOTAL_TUNNELS]++;
	}
}

/* Who is the client of a connection joined midway: who sends a request, or is sent a response. 0 = its first packet is neither. */
static __always_inline int know_client(CONTEXT *ctx, const struct packet *packet, struct connection *connection,
				       struct tally_totals *totals, __u32 side)
{
	if (connection->client != CLIENT_UNKNOWN)
		return 1;
	if (begins_request(ctx, packet) != TALLY_METHOD_NONE) {
		connection->client = side;
		return 1;
	}
	if (begins_response(ctx, packet, 0)) {
		connection->client = 1 - side;
		return 1;
	}
	connection->verdict = VERDICT_OTHER;
	totals->value[TALLY_TOTAL_OTHER_PROTOCOL]++;
	return 0;
}

/* The packet's part in its connection. */
static __always_inline void read_packet(CONTEXT *ctx, struct packet *packet, struct connection *connection, struct tally_totals *totals,
					struct tally_scratch *scratch, __u32 side)
{
	struct packet_event *event = &packet->event;
	struct direction *direction = &connection->direction[side & 1];
	__u32 begin = event->tcp_sequence + !!(event->tcp_flags & TCP_SYN), end = begin + event->payload_length;
	__u32 is_known = direction->known & KNOWN_NEXT, next = direction->next;
	/* A hole counts: when its bytes come later, they are not new any more. */
	__s32 fresh = is_known && event->payload_length ? sequence_after(end, next) : (__s32)event->payload_length;

	note_packet(direction, event, end + !!(event->tcp_flags & TCP_FIN), event->time_ns);
	if (fresh > 0 && connection->verdict != VERDICT_OTHER && know_client(ctx, packet, connection, totals, side)) {
		__u32 in_order = !is_known || sequence_after(begin, next) >= 0;

		if (connection->client == side)
			read_client(ctx, packet, connection, totals, scratch, fresh, in_order);
		else
			read_server(ctx, packet, connection, totals, &scratch->due, fresh, in_order);
	}
	if (connection->exchange.state == EXCHANGE_AWAITS &&
	    ((event->tcp_flags & TCP_RST) || ((event->tcp_flags & TCP_FIN) && connection->client != side)))
		settle(&connection->exchange, &scratch->due, TALLY_STATUS_NONE);
}

VERIFIED_ALONE __u32 tally(CONTEXT *ctx, struct packet *packet)
{
	__u32 zero = 0, side, end, outcome = COUNTER_TALLIED;
	const struct settings *set = bpf_map_lookup_elem(&settings, &zero);
	struct tally_totals *totals = bpf_map_lookup_elem(&tally_totals, &zero);
	struct tally_scratch *scratch = bpf_map_lookup_elem(&tally_scratch, &zero);
	struct connection *connection;
	struct tally *due;
	struct packet_event *event;
	struct connection_key key;

	if (!packet || !set || !totals || !scratch)
		return COUNTER_LOST_COPY;
	event = &packet->event;
	side = key_of(packet, &key) & 1;
	if (set->sample_below < 65536 && sample_of(&key) >= set->sample_below)
		return COUNTER_SAMPLED;
	event->time_ns = bpf_ktime_get_ns();
	due = &scratch->due;
	__builtin_memset(due, 0, sizeof(*due));
	due->born = event->time_ns;
	scratch->is_last = 0;
	end = event->tcp_sequence + event->payload_length + !!(event->tcp_flags & TCP_SYN) + !!(event->tcp_flags & TCP_FIN);
	connection = bpf_map_lookup_elem(&connections, &key);
	if (!connection)
		return OUTCOME_NEW;
	if ((event->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && connection->direction[side].start != event->tcp_sequence + 1) {
		/* A new connection between the same ports: what is under way on the old one is over. */
		outcome = OUTCOME_NEW;
		if (connection->exchange.state == EXCHANGE_AWAITS)
			settle(&connection->exchange, due, TALLY_STATUS_NONE);
	} else if (on_other_path(&connection->direction[side], event, end, event->time_ns)) {
		return COUNTER_OTHER_PATH;
	} else {
		if (connection->verdict == VERDICT_OTHER)
			outcome = COUNTER_UNKNOWN_PROTOCOL;
		read_packet(ctx, packet, connection, totals, scratch, side);
	}
	if (due->requests || due->request_bytes || due->response_bytes)
		add_tally(scratch->is_last ? &scratch->last : &connection->exchange.key, totals, due);
	return outcome;
}

static __always_inline __u32 examine(CONTEXT *ctx, const struct settings *set, struct counters *count, struct place place)
{
	struct packet packet;
	__u32 outcome, reason;

	outcome = want(ctx, set, &packet, place);
	if (outcome < COUNTER_COUNT)
		return outcome;
	if (outcome == OUTCOME_FRAME || packet.event.ip_version == 0 || packet.event.ip_protocol != PROTOCOL_TCP)
		return COUNTER_NOT_WANTED_PROTOCOL;
	outcome = tally(ctx, &packet);
	if (outcome != OUTCOME_NEW)
		return outcome;
	reason = meet(ctx, &packet, 0);
	if (reason)
		return reason;
	count->value[COUNTER_CONNECTIONS_NEW]++;
	outcome = tally(ctx, &packet);
	return outcome >= COUNTER_COUNT ? COUNTER_LOST_TABLE : outcome;
}

#endif

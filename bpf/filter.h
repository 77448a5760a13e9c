/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which packets are wanted. Each test gives 0 (wanted) or the counter the packet falls under; the cheap ones come first.
 * All of it is read from maps at each packet, so that it changes while the programs run.
 */
#ifndef LINTEL_FILTER_H
#define LINTEL_FILTER_H

#include "maps.h"

static __always_inline int port_listed(const struct settings *set, __u32 port)
{
	__u32 word = (port >> 6) & (PORT_WORDS - 1);
	__u64 *bits;

	if (port < set->port_lowest || port > set->port_highest)
		return 0;
	bits = bpf_map_lookup_elem(&ports, &word);

	return bits && (*bits >> (port & 63) & 1);
}

static __always_inline int decoder_reads(__u32 server_port)
{
	__u32 word = (server_port >> 6) & (PORT_WORDS - 1);
	__u64 *bits = bpf_map_lookup_elem(&decoder_ports, &word);

	return bits && (*bits >> (server_port & 63) & 1);
}

static __always_inline __u32 reject_ports(const struct settings *set, __u32 source, __u32 destination)
{
	if (!(set->flags & SETTING_PORTS) || port_listed(set, destination) || port_listed(set, source))
		return 0;
	return COUNTER_NOT_WANTED_PORT;
}

static __always_inline __u32 protocol_setting(__u32 protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return SETTING_PROTOCOL_TCP;
	case PROTOCOL_UDP:
		return SETTING_PROTOCOL_UDP;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return SETTING_PROTOCOL_ICMP;
	}
	return 0;
}

#define QUIC_VERSION_1 1          /* RFC 9000 */
#define QUIC_VERSION_2 0x6b3343cf /* RFC 9369 */

/*
 * Drafts of RFC 9000 are 0xff0000xx; of mvfst and Google the versions that look like one. A client that asks for a negotiation
 * sends a reserved one (RFC 9000 section 15).
 */
static __always_inline int is_quic_version(__u32 version)
{
	return version == QUIC_VERSION_1 || (version & 0xffffff00) == 0xff000000 || (version & 0xfffffff0) == 0xfaceb000 ||
	       (version & 0xfffffff0) == 0x54303530 || (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* A long header, a known version, and its type bits for Initial (RFC 9000 section 17.2.2). The fixed bit may be anything (RFC 9287). */
static __always_inline int is_quic_initial(CONTEXT *ctx, const struct packet *packet)
{
	__u8 start[5];
	__u32 version;

	if (packet->event.ip_version == 0 || packet->event.ip_protocol != PROTOCOL_UDP ||
	    packet->event.payload_length < sizeof(start) || load_bytes(ctx, packet->payload_offset, start, sizeof(start)))
		return 0;
	version = (__u32)start[1] << 24 | start[2] << 16 | start[3] << 8 | start[4];
	if (version == QUIC_VERSION_2)
		return (start[0] & 0xb0) == 0x90;
	return (start[0] & 0xb0) == 0x80 && is_quic_version(version);
}

/* Protocols other than TCP hold no messages: they are wanted as packets only, but for the beginnings of QUIC. */
static __always_inline __u32 reject_protocol(const struct settings *set, const struct packet_event *event)
{
	__u32 wanted;

	if (event->ip_version == 0)
		wanted = SETTING_PROTOCOL_ARP;
	else
		wanted = protocol_setting(event->ip_protocol);
	if (!(set->flags & wanted))
		return COUNTER_NOT_WANTED_PROTOCOL;
	if (wanted != SETTING_PROTOCOL_TCP && !(set->flags & SETTING_PACKETS))
		return COUNTER_NOT_WANTED_PROTOCOL;
	return 0;
}

static __always_inline __u32 cidr_verdict(const struct packet_event *event, const __u8 *address)
{
	__u32 *verdict;

	if (event->ip_version == 6) {
		struct cidr6_key key = { .prefix_bits = 128 };

		copy_aligned(4, key.address, address, 16);
		verdict = bpf_map_lookup_elem(&cidr6, &key);
	} else {
		struct cidr4_key key = { .prefix_bits = 32 };

		copy_aligned(4, key.address, address, 4);
		verdict = bpf_map_lookup_elem(&cidr4, &key);
	}
	return verdict ? *verdict : 0;
}

VERIFIED_ALONE __u32 reject_addresses(const struct settings *set, const struct packet_event *event)
{
	__u32 source, destination;

	if (!set || !event)
		return 0;
	source = cidr_verdict(event, event->source_address);
	destination = cidr_verdict(event, event->destination_address);

	if ((set->flags & SETTING_CIDR_EXCLUDE) && (source == CIDR_EXCLUDE || destination == CIDR_EXCLUDE))
		return COUNTER_NOT_WANTED_ADDRESS;
	if ((set->flags & SETTING_CIDR_INCLUDE) && source != CIDR_INCLUDE && destination != CIDR_INCLUDE)
		return COUNTER_NOT_WANTED_ADDRESS;
	return 0;
}

/*
 * The acknowledgement that ends a handshake is wanted (it gives the round-trip time), all later bare ones are not. So
 * that telling them apart costs no look-up of the connection, a SYN/ACK leaves a mark in a small table of sequence
 * numbers; two handshakes that collide lose one such packet, which is no more than a missing figure.
 */
static __always_inline __u32 handshake_mark(__u32 sequence, __u32 acknowledgement)
{
	return (sequence * 0x9e3779b1u ^ acknowledgement) | 1;
}

static __always_inline __u32 *handshake_slot(__u32 mark)
{
	__u32 slot = (mark >> 8) % HANDSHAKES;

	return bpf_map_lookup_elem(&handshakes, &slot);
}

static __always_inline void await_acknowledgement(const struct packet_event *event)
{
	__u32 mark = handshake_mark(event->tcp_acknowledgement, event->tcp_sequence + 1);
	__u32 *slot = handshake_slot(mark);

	if (slot)
		*slot = mark;
}

static __always_inline int awaits_acknowledgement(__u32 sequence, __u32 acknowledgement)
{
	__u32 mark = handshake_mark(sequence, acknowledgement);
	__u32 *slot = handshake_slot(mark);

	if (!slot || *slot != mark)
		return 0;
	*slot = 0;
	return 1;
}

/* Marks packet.more as a side effect when the packet ends a handshake. */
static __always_inline __u32 reject_acknowledgement(const struct settings *set, struct packet *packet)
{
	struct packet_event *event = &packet->event;

	if (event->payload_length || (event->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST)))
		return 0;
	if (awaits_acknowledgement(event->tcp_sequence, event->tcp_acknowledgement)) {
		packet->more |= MORE_HANDSHAKE;
		return 0;
	}
	return set->flags & SETTING_PACKETS ? 0 : COUNTER_NO_PAYLOAD;
}

/* For packets that went through the long parser; the short one has made these tests itself, before it did more. */
static __always_inline __u32 reject_segment(CONTEXT *ctx, const struct settings *set, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	__u32 reason = 0;

	if ((set->flags & SETTING_QUIC) && is_quic_initial(ctx, packet))
		packet->more |= MORE_QUIC;
	else
		reason = reject_protocol(set, event);
	if (reason)
		return reason;
	if (event->ip_protocol == PROTOCOL_TCP || event->ip_protocol == PROTOCOL_UDP) {
		reason = reject_ports(set, event->source_port, event->destination_port);
		if (reason)
			return reason;
	}
	if (event->ip_version != 0 && event->ip_protocol == PROTOCOL_TCP)
		return reject_acknowledgement(set, packet);
	return 0;
}

/*
 * A frame that is not parsed here may hold TCP under what stopped the parser. Only fragments say for sure what they
 * hold; those of UDP may be a tunnel's, so only the other protocols are left out.
 */
static __always_inline __u32 reject_frame(const struct settings *set, const struct packet *packet)
{
	const struct packet_event *event = &packet->event;

	if (!(packet->more & MORE_FRAGMENT))
		return 0;
	switch (event->ip_protocol) {
	case PROTOCOL_TCP:
		return set->flags & SETTING_PROTOCOL_TCP ? 0 : COUNTER_NOT_WANTED_PROTOCOL;
	case PROTOCOL_UDP:
	case PROTOCOL_IPIP:
	case PROTOCOL_IPV6:
	case PROTOCOL_GRE:
		return 0;
	}
	return reject_protocol(set, event);
}

static __always_inline __u32 reject_interface(const struct settings *set, __u32 index)
{
	if (!(set->flags & SETTING_INTERFACES) || bpf_map_lookup_elem(&interfaces, &index))
		return 0;
	return COUNTER_NOT_WANTED_INTERFACE;
}

#endif

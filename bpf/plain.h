/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The short parser: Ethernet or nothing, IPv4 without options or IPv6 without extensions, then TCP, all in the linear
 * part of the buffer. Most packets are that. It looks at ports before it writes anything, so an unwanted packet costs
 * a few loads; whatever it does not know it leaves to the long parser.
 */
#ifndef LINTEL_PLAIN_H
#define LINTEL_PLAIN_H

#include "filter.h"
#include "parse.h"

static __always_inline void begin_packet(CONTEXT *ctx, struct packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	packet->end = frame_bytes(ctx);
	packet->event.frame_length = packet->end;
	packet->event.tcp_window_scale = 255;
	packet->event.kind = EVENT_SEGMENT;
	/* The tag that the network card or the kernel took out of the bytes is the outermost. */
	if (has_outer_tag(ctx)) {
		packet->event.vlan[0] = outer_tag(ctx);
		packet->event.vlan_count = 1;
	}
}

static __always_inline void note_ethernet(struct packet_event *event, const struct ethernet *ethernet)
{
	copy_aligned(2, event->source_mac, ethernet->source, 6);
	copy_aligned(2, event->destination_mac, ethernet->destination, 6);
	event->flags = FLAG_LINK;
}

static __always_inline void note_tcp(struct packet *packet, const struct tcp *tcp, __u32 at, __u32 payload)
{
	struct packet_event *event = &packet->event;

	event->ip_protocol = PROTOCOL_TCP;
	event->source_port = bpf_ntohs(tcp->source);
	event->destination_port = bpf_ntohs(tcp->destination);
	event->tcp_sequence = bpf_ntohl(tcp->sequence);
	event->tcp_acknowledgement = bpf_ntohl(tcp->acknowledgement);
	event->tcp_flags = tcp->flags | (tcp->offset_reserved & 1) << 8;
	event->tcp_window = bpf_ntohs(tcp->window);
	event->payload_length = payload;
	packet->offset = at;
	packet->payload_offset = at + ((tcp->offset_reserved >> 4) << 2);
	packet->end = packet->payload_offset + payload;
}

/* Ports, then bare acknowledgements; `room` = bytes from the TCP header to the end of the IP packet. */
static __always_inline __u32 reject_tcp(const struct settings *set, const struct tcp *tcp, __u32 room, __u32 *more)
{
	__u32 header = (tcp->offset_reserved >> 4) << 2;
	__u32 reason;

	if (!(set->flags & SETTING_PROTOCOL_TCP))
		return COUNTER_NOT_WANTED_PROTOCOL;
	reason = reject_ports(set, bpf_ntohs(tcp->source), bpf_ntohs(tcp->destination));
	if (reason)
		return reason;
	if (header < sizeof(*tcp) || header > room)
		return COUNTER_MALFORMED;
	if (room == header && !(tcp->flags & (TCP_FIN | TCP_SYN | TCP_RST))) {
		if (awaits_acknowledgement(bpf_ntohl(tcp->sequence), bpf_ntohl(tcp->acknowledgement)))
			*more = MORE_HANDSHAKE;
		else if (!(set->flags & SETTING_PACKETS))
			return COUNTER_NO_PAYLOAD;
	}
	return 0;
}

/* Nothing is written before the packet is known to be wanted. `room` as for reject_tcp. */
static __always_inline __u32 begin_plain(CONTEXT *ctx, const struct settings *set, struct packet *packet,
					 const struct ethernet *ethernet, const struct tcp *tcp, __u32 room)
{
	__u32 more = 0, reason = reject_tcp(set, tcp, room, &more);

	if (reason)
		return reason;
	begin_packet(ctx, packet);
	packet->more = more;
	if (ethernet)
		note_ethernet(&packet->event, ethernet);
	return 0;
}

static __always_inline __u32 parse_plain_ipv4(CONTEXT *ctx, const struct settings *set, struct packet *packet,
					      const struct ethernet *ethernet, const struct ipv4 *ip)
{
	const struct tcp *tcp = (const void *)(ip + 1);
	__u32 at = (ethernet ? sizeof(*ethernet) : 0) + sizeof(*ip);
	__u32 length = bpf_ntohs(ip->length);
	__u32 reason;

	if (ip->version_length != 0x45 || ip->protocol != PROTOCOL_TCP || (ip->fragment & bpf_htons(0x3fff)) ||
	    length < sizeof(*ip) || length - sizeof(*ip) > frame_bytes(ctx) - at)
		return OUTCOME_UNSURE;
	reason = begin_plain(ctx, set, packet, ethernet, tcp, length - sizeof(*ip));
	if (reason)
		return reason;
	packet->event.ethertype = TYPE_IPV4;
	packet->event.ip_version = 4;
	packet->event.ip_ttl = ip->ttl;
	packet->event.ip_tos = ip->tos;
	packet->event.ip_identification = bpf_ntohs(ip->identification);
	copy_aligned(4, packet->event.source_address, &ip->source, 4);
	copy_aligned(4, packet->event.destination_address, &ip->destination, 4);
	note_tcp(packet, tcp, at, length - sizeof(*ip) - ((tcp->offset_reserved >> 4) << 2));
	return OUTCOME_SEGMENT;
}

static __always_inline __u32 parse_plain_ipv6(CONTEXT *ctx, const struct settings *set, struct packet *packet,
					      const struct ethernet *ethernet, const struct ipv6 *ip)
{
	const struct tcp *tcp = (const void *)(ip + 1);
	__u32 at = (ethernet ? sizeof(*ethernet) : 0) + sizeof(*ip);
	__u32 word = bpf_ntohl(ip->version_class_flow);
	__u32 room = bpf_ntohs(ip->payload_length);
	__u32 reason;

	if (word >> 28 != 6 || ip->next_header != PROTOCOL_TCP || room == 0 || room > frame_bytes(ctx) - at)
		return OUTCOME_UNSURE;
	reason = begin_plain(ctx, set, packet, ethernet, tcp, room);
	if (reason)
		return reason;
	packet->event.ethertype = TYPE_IPV6;
	packet->event.ip_version = 6;
	packet->event.ip_ttl = ip->hop_limit;
	packet->event.ip_tos = word >> 20;
	packet->event.ip_identification = word & 0xfffff;
	copy_aligned(4, packet->event.source_address, ip->source, 16);
	copy_aligned(4, packet->event.destination_address, ip->destination, 16);
	note_tcp(packet, tcp, at, room - ((tcp->offset_reserved >> 4) << 2));
	return OUTCOME_SEGMENT;
}

static __always_inline __u32 parse_plain(CONTEXT *ctx, const struct settings *set, struct packet *packet, int link)
{
#ifdef DIRECT_ACCESS
	const void *data = (const void *)(long)ctx->data, *end = (const void *)(long)ctx->data_end;
	const struct ethernet *ethernet = link ? data : NULL;
	const void *ip = data + (link ? sizeof(*ethernet) : 0);

	if (ip + sizeof(struct ipv4) + sizeof(struct tcp) > end)
		return OUTCOME_UNSURE;
	if (link ? ethernet->type == bpf_htons(TYPE_IPV4) : *(const __u8 *)ip == 0x45)
		return parse_plain_ipv4(ctx, set, packet, ethernet, ip);
	if (ip + sizeof(struct ipv6) + sizeof(struct tcp) > end)
		return OUTCOME_UNSURE;
	if (link ? ethernet->type == bpf_htons(TYPE_IPV6) : *(const __u8 *)ip >> 4 == 6)
		return parse_plain_ipv6(ctx, set, packet, ethernet, ip);
#endif
	return OUTCOME_UNSURE;
}

#endif

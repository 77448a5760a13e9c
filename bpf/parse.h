/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The long parser: any stack of headers, through load_bytes(), so it also reads what lies in fragments of the buffer.
 *
 * In    a frame that starts at packet.offset with the layer `next`.
 * Out   OUTCOME_SEGMENT, OUTCOME_FRAME, or the counter the packet falls under.
 * Limit LAYERS_MAX headers, TUNNELS_MAX tunnels; what is deeper goes to user space as a frame.
 */
#ifndef LINTEL_PARSE_H
#define LINTEL_PARSE_H

#include "packet.h"

#define LAYERS_MAX 20
#define TUNNELS_MAX 2

/* What the loop reads next; values over 255 are EtherTypes, under 256 IP protocols. */
#define NEXT_ETHERNET 0x10000
#define NEXT_RAW_IP 0x10001

struct step {
	__u32 next;
	__u32 outcome; /* 0 = go on */
};

static __always_inline struct step go_on(__u32 next)
{
	struct step step = { .next = next };

	return step;
}

static __always_inline struct step stop(__u32 outcome)
{
	struct step step = { .outcome = outcome };

	return step;
}

static __always_inline struct step parse_ethernet(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct ethernet ethernet;

	if (load_bytes(ctx, packet->offset, &ethernet, sizeof(ethernet)))
		return stop(COUNTER_MALFORMED);
	copy_aligned(2, event->source_mac, ethernet.source, 6);
	copy_aligned(2, event->destination_mac, ethernet.destination, 6);
	event->flags |= FLAG_LINK;
	event->ethertype = bpf_ntohs(ethernet.type);
	packet->offset += sizeof(ethernet);
	return go_on(event->ethertype);
}

static __always_inline struct step parse_vlan(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct vlan vlan;

	if (load_bytes(ctx, packet->offset, &vlan, sizeof(vlan)))
		return stop(COUNTER_MALFORMED);
	if (event->vlan_count == 0)
		event->vlan[0] = bpf_ntohs(vlan.tag);
	else if (event->vlan_count == 1)
		event->vlan[1] = bpf_ntohs(vlan.tag);
	event->vlan_count++;
	event->ethertype = bpf_ntohs(vlan.type);
	packet->offset += sizeof(vlan);
	return go_on(event->ethertype);
}

static __always_inline struct step parse_arp(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct arp arp;

	if (load_bytes(ctx, packet->offset, &arp, sizeof(arp)))
		return stop(COUNTER_MALFORMED);
	event->ip_version = 0;
	event->source_port = bpf_ntohs(arp.operation);
	if (arp.protocol == bpf_htons(TYPE_IPV4) && arp.protocol_length == 4) {
		copy_aligned(2, event->source_address, arp.sender, 4);
		copy_aligned(2, event->destination_address, arp.target, 4);
	}
	packet->payload_offset = packet->offset + sizeof(arp);
	return stop(OUTCOME_SEGMENT);
}

static __always_inline struct step parse_ipv4(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct ipv4 ip;
	__u32 header, length;

	if (load_bytes(ctx, packet->offset, &ip, sizeof(ip)))
		return stop(COUNTER_MALFORMED);
	header = (ip.version_length & 15) << 2;
	length = bpf_ntohs(ip.length);
	/* BIG TCP: a segment over 64 KiB has length 0 and ends where the buffer ends (net/ipv4/ip_input.c). */
	if (length == 0)
		length = packet->end - packet->offset;
	if ((ip.version_length >> 4) != 4 || header < sizeof(ip) || length < header ||
	    length > packet->end - packet->offset)
		return stop(COUNTER_MALFORMED);
	packet->end = packet->offset + length;
	packet->offset += header;
	event->ip_version = 4;
	event->ip_protocol = ip.protocol;
	event->ip_ttl = ip.ttl;
	event->ip_tos = ip.tos;
	event->ip_identification = bpf_ntohs(ip.identification);
	if (header > sizeof(ip))
		event->flags |= FLAG_IP_OPTIONS;
	__builtin_memset(event->source_address, 0, 32);
	copy_aligned(4, event->source_address, &ip.source, 4);
	copy_aligned(4, event->destination_address, &ip.destination, 4);
	if (ip.fragment & bpf_htons(0x3fff)) {
		packet->more |= MORE_FRAGMENT;
		return stop(OUTCOME_FRAME);
	}
	return go_on(ip.protocol);
}

static __always_inline struct step parse_ipv6(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct ipv6 ip;
	__u32 length, word;

	if (load_bytes(ctx, packet->offset, &ip, sizeof(ip)))
		return stop(COUNTER_MALFORMED);
	word = bpf_ntohl(ip.version_class_flow);
	length = bpf_ntohs(ip.payload_length) + sizeof(ip);
	/* A jumbogram (RFC 2675, BIG TCP) has length 0 and ends where the buffer ends. */
	if (ip.payload_length == 0)
		length = packet->end - packet->offset;
	if ((word >> 28) != 6 || length > packet->end - packet->offset)
		return stop(COUNTER_MALFORMED);
	packet->end = packet->offset + length;
	packet->offset += sizeof(ip);
	event->ip_version = 6;
	event->ip_protocol = ip.next_header;
	event->ip_ttl = ip.hop_limit;
	event->ip_tos = word >> 20;
	event->ip_identification = word & 0xfffff;
	copy_aligned(4, event->source_address, ip.source, 16);
	copy_aligned(4, event->destination_address, ip.destination, 16);
	return go_on(ip.next_header);
}

/* RFC 8200 section 4; AH counts its length in other units (RFC 4302 section 2.2). */
static __always_inline struct step parse_extension(CONTEXT *ctx, struct packet *packet, __u32 kind)
{
	struct packet_event *event = &packet->event;
	struct ipv6_extension extension;

	if (load_bytes(ctx, packet->offset, &extension, sizeof(extension)))
		return stop(COUNTER_MALFORMED);
	packet->offset += kind == PROTOCOL_AUTHENTICATION ? (extension.length + 2) << 2 : (extension.length + 1) << 3;
	event->ip_protocol = extension.next_header;
	event->flags |= FLAG_IP_OPTIONS;
	return go_on(extension.next_header);
}

static __always_inline struct step parse_fragment(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct ipv6_fragment fragment;

	if (load_bytes(ctx, packet->offset, &fragment, sizeof(fragment)))
		return stop(COUNTER_MALFORMED);
	packet->offset += sizeof(fragment);
	event->ip_protocol = fragment.next_header;
	event->flags |= FLAG_IP_OPTIONS;
	/* An atomic fragment is a whole packet (RFC 6946). */
	if (fragment.offset & bpf_htons(0xfff9)) {
		packet->more |= MORE_FRAGMENT;
		return stop(OUTCOME_FRAME);
	}
	return go_on(fragment.next_header);
}

static __always_inline void enter_tunnel(struct packet *packet, __u32 kind, __u32 id)
{
	packet->event.tunnel = kind;
	packet->event.tunnel_id = id;
	packet->event.tunnel_depth++;
}

static __always_inline struct step parse_ip_in_ip(struct packet *packet, __u32 type)
{
	if (packet->event.tunnel_depth >= TUNNELS_MAX)
		return stop(OUTCOME_FRAME);
	enter_tunnel(packet, TUNNEL_IPIP, 0);
	packet->event.ethertype = type;
	return go_on(type);
}

static __always_inline struct step parse_gre(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	__u32 flags, id = 0, options, type;
	struct gre gre;
	__be32 key;

	if (load_bytes(ctx, packet->offset, &gre, sizeof(gre)))
		return stop(COUNTER_MALFORMED);
	flags = bpf_ntohs(gre.flags);
	type = bpf_ntohs(gre.type);
	/* Version 1 is PPTP; source routing (R) is not parsed anywhere. */
	if ((flags & 0x4007) || event->tunnel_depth >= TUNNELS_MAX ||
	    (type != TYPE_IPV4 && type != TYPE_IPV6 && type != TYPE_BRIDGED))
		return stop(OUTCOME_FRAME);
	options = packet->offset + sizeof(gre) + (flags & 0x8000 ? 4 : 0);
	if (flags & 0x2000) {
		if (load_bytes(ctx, options, &key, sizeof(key)))
			return stop(COUNTER_MALFORMED);
		id = bpf_ntohl(key);
		options += 4;
	}
	packet->offset = options + (flags & 0x1000 ? 4 : 0);
	enter_tunnel(packet, TUNNEL_GRE, id);
	if (type == TYPE_BRIDGED)
		return go_on(NEXT_ETHERNET);
	event->ethertype = type;
	return go_on(type);
}

static __always_inline struct step parse_vxlan(CONTEXT *ctx, struct packet *packet)
{
	struct vxlan vxlan;

	/* Without the flag, or too short, it is some other use of the port: plain UDP. */
	if (load_bytes(ctx, packet->offset, &vxlan, sizeof(vxlan)) || !(vxlan.flags & 8))
		return stop(OUTCOME_SEGMENT);
	if (packet->event.tunnel_depth >= TUNNELS_MAX)
		return stop(OUTCOME_FRAME);
	packet->offset += sizeof(vxlan);
	enter_tunnel(packet, TUNNEL_VXLAN, bpf_ntohl(vxlan.vni) >> 8);
	return go_on(NEXT_ETHERNET);
}

static __always_inline struct step parse_geneve(CONTEXT *ctx, struct packet *packet)
{
	struct geneve geneve;
	__u32 type;

	if (load_bytes(ctx, packet->offset, &geneve, sizeof(geneve)) || (geneve.version_options & 0xc0))
		return stop(OUTCOME_SEGMENT);
	type = bpf_ntohs(geneve.type);
	if (packet->event.tunnel_depth >= TUNNELS_MAX ||
	    (type != TYPE_IPV4 && type != TYPE_IPV6 && type != TYPE_BRIDGED))
		return stop(OUTCOME_FRAME);
	packet->offset += sizeof(geneve) + ((geneve.version_options & 0x3f) << 2);
	enter_tunnel(packet, TUNNEL_GENEVE, bpf_ntohl(geneve.vni) >> 8);
	if (type == TYPE_BRIDGED)
		return go_on(NEXT_ETHERNET);
	packet->event.ethertype = type;
	return go_on(type);
}

static __always_inline struct step parse_udp(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct udp udp;

	if (load_bytes(ctx, packet->offset, &udp, sizeof(udp)))
		return stop(COUNTER_MALFORMED);
	packet->offset += sizeof(udp);
	if (packet->offset > packet->end)
		return stop(COUNTER_MALFORMED);
	event->source_port = bpf_ntohs(udp.source);
	event->destination_port = bpf_ntohs(udp.destination);
	event->payload_length = packet->end - packet->offset;
	packet->payload_offset = packet->offset;
	switch (event->destination_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return parse_vxlan(ctx, packet);
	case PORT_GENEVE:
		return parse_geneve(ctx, packet);
	case PORT_GTPU:
	case PORT_TEREDO:
		return stop(OUTCOME_FRAME);
	}
	return stop(OUTCOME_SEGMENT);
}

static __always_inline struct step parse_tcp(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	struct tcp tcp;
	__u32 header;

	if (load_bytes(ctx, packet->offset, &tcp, sizeof(tcp)))
		return stop(COUNTER_MALFORMED);
	header = (tcp.offset_reserved >> 4) << 2;
	if (header < sizeof(tcp) || packet->offset + header > packet->end)
		return stop(COUNTER_MALFORMED);
	event->source_port = bpf_ntohs(tcp.source);
	event->destination_port = bpf_ntohs(tcp.destination);
	event->tcp_sequence = bpf_ntohl(tcp.sequence);
	event->tcp_acknowledgement = bpf_ntohl(tcp.acknowledgement);
	event->tcp_flags = tcp.flags | (tcp.offset_reserved & 1) << 8;
	event->tcp_window = bpf_ntohs(tcp.window);
	packet->payload_offset = packet->offset + header;
	event->payload_length = packet->end - packet->payload_offset;
	return stop(OUTCOME_SEGMENT);
}

static __always_inline struct step parse_icmp(CONTEXT *ctx, struct packet *packet)
{
	struct packet_event *event = &packet->event;
	__u8 type_code[4];

	if (load_bytes(ctx, packet->offset, type_code, sizeof(type_code)))
		return stop(COUNTER_MALFORMED);
	event->source_port = type_code[0];
	event->destination_port = type_code[1];
	packet->payload_offset = packet->offset + sizeof(type_code);
	if (packet->payload_offset <= packet->end)
		event->payload_length = packet->end - packet->payload_offset;
	return stop(OUTCOME_SEGMENT);
}

static __always_inline struct step parse_raw_ip(CONTEXT *ctx, struct packet *packet)
{
	__u8 version;

	if (load_bytes(ctx, packet->offset, &version, 1))
		return stop(COUNTER_MALFORMED);
	packet->event.ethertype = version >> 4 == 4 ? TYPE_IPV4 : TYPE_IPV6;
	return go_on(packet->event.ethertype);
}

static __always_inline struct step parse_layer(CONTEXT *ctx, struct packet *packet, __u32 next)
{
	switch (next) {
	case NEXT_ETHERNET:
		return parse_ethernet(ctx, packet);
	case NEXT_RAW_IP:
		return parse_raw_ip(ctx, packet);
	case TYPE_VLAN:
	case TYPE_VLAN_PROVIDER:
	case TYPE_VLAN_OLD_QINQ:
		return parse_vlan(ctx, packet);
	case TYPE_IPV4:
		return parse_ipv4(ctx, packet);
	case TYPE_IPV6:
		return parse_ipv6(ctx, packet);
	case TYPE_ARP:
		return parse_arp(ctx, packet);
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
	case TYPE_PPPOE_SESSION:
		return stop(OUTCOME_FRAME);
	}
	if (next > 255)
		return stop(COUNTER_NOT_WANTED_PROTOCOL);
	switch (next) {
	case PROTOCOL_TCP:
		return parse_tcp(ctx, packet);
	case PROTOCOL_UDP:
		return parse_udp(ctx, packet);
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return parse_icmp(ctx, packet);
	case PROTOCOL_IPIP:
		return parse_ip_in_ip(packet, TYPE_IPV4);
	case PROTOCOL_IPV6:
		return parse_ip_in_ip(packet, TYPE_IPV6);
	case PROTOCOL_GRE:
		return parse_gre(ctx, packet);
	case PROTOCOL_AUTHENTICATION:
		return parse_extension(ctx, packet, next);
	}
	if (packet->event.ip_version != 6)
		return stop(COUNTER_NOT_WANTED_PROTOCOL);
	switch (next) {
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_DESTINATION_OPTIONS:
	case PROTOCOL_MOBILITY:
	case PROTOCOL_HIP:
	case PROTOCOL_SHIM6:
		return parse_extension(ctx, packet, next);
	case PROTOCOL_FRAGMENT:
		return parse_fragment(ctx, packet);
	}
	return stop(COUNTER_NOT_WANTED_PROTOCOL);
}

VERIFIED_ALONE __u32 parse_layers(CONTEXT *ctx, struct packet *packet, __u32 next)
{
	if (!packet)
		return COUNTER_MALFORMED;
	for (int i = 0; i < LAYERS_MAX; i++) {
		struct step step = parse_layer(ctx, packet, next);

		if (step.outcome != 0)
			return step.outcome;
		next = step.next;
	}
	return OUTCOME_FRAME;
}

/* RFC 9293 section 3.2: kind 0 ends, 1 pads, others carry their length; 2 = MSS, 3 = window scale. */
VERIFIED_ALONE int parse_syn_options(CONTEXT *ctx, struct packet *packet, __u32 offset)
{
	struct packet_event *event = &packet->event;
	__u8 option[4];

	if (!packet)
		return 0;
	event->tcp_window_scale = 255;
	for (int i = 0; i < 20; i++) {
		__u32 left = packet->payload_offset - offset;

		/* Too near the frame's end for four bytes: read what a last window scale needs. */
		if (offset >= packet->payload_offset)
			return 0;
		option[1] = option[2] = option[3] = 0;
		if (load_bytes(ctx, offset, option, 4) && load_bytes(ctx, offset, option, 3) && load_bytes(ctx, offset, option, 1))
			return 0;
		if (option[0] == 0)
			return 0;
		if (option[0] == 1) {
			offset++;
			continue;
		}
		if (option[1] < 2 || option[1] > left)
			return 0;
		if (option[0] == 2 && option[1] == 4)
			event->tcp_mss = option[2] << 8 | option[3];
		if (option[0] == 3 && option[1] == 3)
			event->tcp_window_scale = option[2];
		offset += option[1];
	}
	return 0;
}

#endif

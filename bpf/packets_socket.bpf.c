// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Socket filters on a packet socket: no direct access to the bytes, so all goes through the long parser. The socket
 * itself never receives anything.
 */
#include "packet.h"

#define CONTEXT struct __sk_buff
#define PACKET_OUTGOING 4
#define LOOPBACK_INDEX 1

static __always_inline long load_bytes(CONTEXT *ctx, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(ctx, offset, to, length);
}

static __always_inline __u32 frame_bytes(CONTEXT *ctx)
{
	return ctx->len;
}

static __always_inline int has_outer_tag(CONTEXT *ctx)
{
	return ctx->vlan_present;
}

static __always_inline __u32 outer_tag(CONTEXT *ctx)
{
	return ctx->vlan_tci;
}

#include "inspect.h"

static __always_inline int watch_socket(CONTEXT *ctx, __u32 link)
{
	int outgoing = ctx->pkt_type == PACKET_OUTGOING;
	struct place place = {
		.hook = HOOK_SOCKET,
		.direction = outgoing ? DIRECTION_EGRESS : DIRECTION_INGRESS,
		.interface = ctx->ifindex,
		.link = link,
	};

	/* The loopback shows each packet twice; libpcap leaves out the same half. */
	if (outgoing && ctx->ifindex == LOOPBACK_INDEX)
		return 0;
	inspect(ctx, place);
	return 0;
}

SEC("socket")
int lintel_socket(struct __sk_buff *ctx)
{
	return watch_socket(ctx, 1);
}

SEC("socket")
int lintel_ip_sock(struct __sk_buff *ctx)
{
	return watch_socket(ctx, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Programs that see a socket buffer: TCX and clsact classifiers, socket filters, cgroup_skb. None alters or stops a
 * packet. A classifier for devices whose frames begin with IP (tun, ipip, ...) is a program of its own, so that no
 * packet pays for the question.
 */
#include "packet.h"

#define CONTEXT struct __sk_buff

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

#define DIRECT_ACCESS
#define HAS_SOCKET
#include "inspect.h"

#define TC_NEXT -1 /* TCX_NEXT and TC_ACT_UNSPEC: the next program or the verdict of others decides */

static __always_inline int classify(CONTEXT *ctx, __u32 direction, __u32 link)
{
	struct place place = {
		.hook = hook_kind,
		.direction = direction,
		.interface = ctx->ifindex,
		.link = link,
	};

	inspect(ctx, place);
	return TC_NEXT;
}

SEC("tc")
int lintel_ingress(struct __sk_buff *ctx)
{
	return classify(ctx, DIRECTION_INGRESS, 1);
}

SEC("tc")
int lintel_egress(struct __sk_buff *ctx)
{
	return classify(ctx, DIRECTION_EGRESS, 1);
}

SEC("tc")
int lintel_ip_in(struct __sk_buff *ctx)
{
	return classify(ctx, DIRECTION_INGRESS, 0);
}

SEC("tc")
int lintel_ip_out(struct __sk_buff *ctx)
{
	return classify(ctx, DIRECTION_EGRESS, 0);
}

static __always_inline int watch_cgroup(CONTEXT *ctx, __u32 direction)
{
	struct place place = {
		.hook = HOOK_CGROUP,
		.direction = direction,
		.interface = ctx->ifindex,
		.shared = 1,
	};

	inspect(ctx, place);
	return 1;
}

SEC("cgroup_skb/ingress")
int lintel_cgroup_i(struct __sk_buff *ctx)
{
	return watch_cgroup(ctx, DIRECTION_INGRESS);
}

SEC("cgroup_skb/egress")
int lintel_cgroup_e(struct __sk_buff *ctx)
{
	return watch_cgroup(ctx, DIRECTION_EGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

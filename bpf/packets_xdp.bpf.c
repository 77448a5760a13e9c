// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Programs that see a packet before the kernel has a socket buffer for it: ingress only. */
#include "packet.h"

#define CONTEXT struct xdp_md

static __always_inline long load_bytes(CONTEXT *ctx, __u32 offset, void *to, __u32 length)
{
	return bpf_xdp_load_bytes(ctx, offset, to, length);
}

static __always_inline __u32 frame_bytes(CONTEXT *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

/* The network card may have taken a tag out; XDP is not told (the metadata hints of 6.8 are per driver). */
static __always_inline int has_outer_tag(CONTEXT *ctx)
{
	return 0;
}

static __always_inline __u32 outer_tag(CONTEXT *ctx)
{
	return 0;
}

#define DIRECT_ACCESS
#include "inspect.h"

static __always_inline int watch_xdp(CONTEXT *ctx, __u32 link)
{
	struct place place = {
		.hook = HOOK_XDP,
		.direction = DIRECTION_INGRESS,
		.interface = ctx->ingress_ifindex,
		.link = link,
	};

	inspect(ctx, place);
	return XDP_PASS;
}

SEC("xdp")
int lintel_xdp(struct xdp_md *ctx)
{
	return watch_xdp(ctx, 1);
}

SEC("xdp")
int lintel_ip_xdp(struct xdp_md *ctx)
{
	return watch_xdp(ctx, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

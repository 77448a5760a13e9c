/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Text of a payload, eight bytes at a time. */
#ifndef LINTEL_LETTERS_H
#define LINTEL_LETTERS_H

#include "packet.h"

#define LETTERS(a, b, c, d, e, f, g, h) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | \
	(__u64)(e) << 32 | (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)
#define SMALL 0x2020202020202020ULL /* makes letters small, and changes neither '-' nor ':' */

static __always_inline int has_line_feed(__u64 word)
{
	__u64 other = word ^ 0x0a0a0a0a0a0a0a0aULL;

	return ((other - 0x0101010101010101ULL) & ~other & 0x8080808080808080ULL) != 0;
}

/* Bytes of the payload; 0 = there are not so many. */
static __always_inline int load_at(CONTEXT *ctx, const struct packet *packet, __u32 at, void *to, __u32 length)
{
	return packet->event.payload_length >= at + length && !load_bytes(ctx, packet->payload_offset + at, to, length);
}

#endif

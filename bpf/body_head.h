/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The head of an HTTP/1 response whose body has a length in plain sight.
 *
 * In    a packet that may begin with one.
 * Out   "head_scratch": where the body begins and how long it is; nothing unless user space reads the same beyond doubt.
 * Limit HEAD_SCAN_MAX bytes of the packet: of a longer head nothing is told.
 */
#ifndef LINTEL_BODY_HEAD_H
#define LINTEL_BODY_HEAD_H

#include "letters.h"

#define HEAD_SCAN_MAX 1024
#define HEAD_LINE_BYTES 16 /* read of the begin of each line */
#define LENGTH_DIGITS_MAX 9 /* so that sequence numbers on both sides of a body compare */

/*
 * In a map and not in registers, so that the verifier forgets what is put here, and paths join. One for each CPU: no packet
 * interrupts another there, but in cgroup programs, which do not come here.
 */
struct head_scratch {
	__u8 before[HEAD_LINE_BYTES]; /* zeros, so that what stands before a line end can be read */
	__u8 bytes[HEAD_SCAN_MAX + HEAD_LINE_BYTES]; /* zeros behind length */
	__u32 length;
	__u32 is_doubtful; /* 1: the framing is not that of a plain Content-Length, or not only */
	__u32 body_at;     /* of the body's first byte, 0 = the head's end was not seen */
	__u32 length_at;   /* of the value of Content-Length, 0 = there is none */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct head_scratch);
} head_scratch SEC(".maps");

/* A field that says how the body is framed, or whether it comes. `name` = its first eight bytes in small letters. */
static __always_inline void note_field(struct head_scratch *head, const __u8 *line, __u64 name, __u32 value_at)
{
	__u64 rest = *(const __u64 *)(line + 8);

	if (name == LETTERS('t', 'r', 'a', 'n', 's', 'f', 'e', 'r'))
		head->is_doubtful = 1;
	if (name != LETTERS('c', 'o', 'n', 't', 'e', 'n', 't', '-') ||
	    ((rest | SMALL) & 0xffffffffffffULL) != LETTERS('l', 'e', 'n', 'g', 't', 'h', 0, 0))
		return;
	if (line[7] != '-' || line[14] != ':' || head->length_at)
		head->is_doubtful = 1;
	head->length_at = value_at;
}

/* A line ends at `place`; the next one may be a field that counts. 1 = seen enough. */
VERIFIED_ALONE int end_head_line(__u32 place)
{
	__u32 zero = 0;
	__u64 at = place;
	struct head_scratch *head = bpf_map_lookup_elem(&head_scratch, &zero);
	const __u8 *line;
	__u64 begin;

	asm volatile("" : "+r"(at)); /* the value tested is the value used */
	if (!head || at >= HEAD_SCAN_MAX)
		return 1;
	line = head->bytes + at + 1;
	asm volatile("" : "+r"(line));
	begin = *(const __u64 *)line;
	if (line[-2] != '\r')
		head->is_doubtful = 1;
	if ((__u16)begin == ('\r' | '\n' << 8))
		head->body_at = at + 3;
	else if ((__u8)begin <= ' ')
		head->is_doubtful = 1; /* a folded line, or the end in another form */
	else
		note_field(head, line, begin | SMALL, at + 16);
	return head->body_at || head->is_doubtful;
}

/* Reads lines until the head or the bytes end. */
static __always_inline void read_head_lines(struct head_scratch *head)
{
	for (__u32 at = 0; at < HEAD_SCAN_MAX; at += 8) {
		__u64 word = *(const __u64 *)(head->bytes + at);

		if (at >= head->length)
			return;
		if (!has_line_feed(word))
			continue;
		for (__u32 i = 0; i < 8; i++)
			if ((__u8)(word >> (i * 8)) == '\n' && end_head_line(at + i))
				return;
	}
}

/* `head->length_at` is read anew each time: what the verifier does not know of it cannot tell the paths through a loop apart. */
static __always_inline __u32 length_byte(const struct head_scratch *head, __u32 i)
{
	__u32 at = *(const volatile __u32 *)&head->length_at + i;

	return at < head->length ? head->bytes[at & (HEAD_SCAN_MAX - 1)] : 0;
}

/* The value of Content-Length; 0 = it is not a number of a few digits, behind one space or none. */
VERIFIED_ALONE __u32 content_length(void)
{
	__u32 zero = 0, value = 0;
	struct head_scratch *head = bpf_map_lookup_elem(&head_scratch, &zero);

	if (!head)
		return 0;
	if (length_byte(head, 0) == ' ')
		*(volatile __u32 *)&head->length_at = head->length_at + 1;
	for (__u32 i = 0; i <= LENGTH_DIGITS_MAX; i++) {
		__u32 digit = length_byte(head, i) - '0';

		if (digit > 9)
			return digit + '0' == '\r' ? value : 0;
		value = value * 10 + digit;
	}
	return 0;
}

/* A status that has a body if the request was not HEAD. */
static __always_inline int may_have_body(const __u8 *bytes)
{
	__u64 begin = *(const __u64 *)bytes, rest = *(const __u64 *)(bytes + 8);

	if ((begin & ~(0xffULL << 56)) != LETTERS('H', 'T', 'T', 'P', '/', '1', '.', 0))
		return 0;
	rest &= 0xffffffffffULL;
	return bytes[9] >= '2' && bytes[9] <= '5' && rest != LETTERS(' ', '2', '0', '4', ' ', 0, 0, 0) && rest != LETTERS(' ', '3', '0', '4', ' ', 0, 0, 0);
}

/* The length of the body of the response that the packet begins with, at head_scratch.body_at of the payload; 0 = none, or not sure. */
VERIFIED_ALONE __u32 body_length(CONTEXT *ctx, const struct packet *packet)
{
	__u32 zero = 0, length;
	struct head_scratch *head = bpf_map_lookup_elem(&head_scratch, &zero);

	/* Most payload that comes here begins no such message: the first bytes say so. */
	if (!head || !packet || !load_at(ctx, packet, 0, head->bytes, HEAD_LINE_BYTES) || !may_have_body(head->bytes))
		return 0;
	length = packet->event.payload_length;
	if (length > HEAD_SCAN_MAX)
		length = HEAD_SCAN_MAX;
	head->length = length;
	length = (length - 1) & (HEAD_SCAN_MAX - 1);
	asm volatile("" : "+r"(length)); /* as in recognise() */
	if (load_bytes(ctx, packet->payload_offset, head->bytes, length + 1))
		return 0;
	__builtin_memset(head->bytes + length + 1, 0, HEAD_LINE_BYTES);
	__builtin_memset(&head->is_doubtful, 0, 3 * sizeof(__u32));
	read_head_lines(head);
	if (head->is_doubtful || !head->body_at || !head->length_at)
		return 0;
	return content_length();
}

#endif

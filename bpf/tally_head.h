/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The first packet of a request: is it one, and what it says of method, host and user agent.
 *
 * In    a packet of a client.
 * Out   the key of its tally in "tally_scratch", but for client and status.
 * Limit TALLY_HEAD_MAX bytes of the packet; what lies beyond is unknown.
 */
#ifndef LINTEL_TALLY_HEAD_H
#define LINTEL_TALLY_HEAD_H

#include "letters.h"
#include "verdict.h"

#define TALLY_HEAD_MAX 1024
#define TALLY_AGENTS_MAX 1024
#define LINE_BYTES 16 /* read of the begin of each line */

/* Fixed before the programs are loaded: TALLY_LABEL_ bits. */
const volatile __u32 tally_labels = 0;

/* Classes of products (TALLY_AGENT_LISTED and on) by name. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TALLY_AGENTS_MAX);
	__uint(key_size, TALLY_AGENT_MAX);
	__type(value, __u32);
} tally_agents SEC(".maps");

/*
 * The head that is being read. In a map and not in registers, so that the verifier forgets what is put here, and paths join. One for
 * each CPU: classifiers run with soft interrupts off, so none of them interrupts another.
 */
struct tally_scratch {
	__u8 before[LINE_BYTES]; /* zeros, so that what stands before a line end can be read */
	__u8 bytes[TALLY_HEAD_MAX + LINE_BYTES]; /* zeros behind length */
	__u32 length;
	__u32 lines;    /* line ends seen */
	__u32 is_whole; /* 1: the empty line was seen */
	__u32 is_http;  /* 1: the first line ends in a version 1.x */
	__u32 host_at;  /* of the first Host field's value, 0 = none yet */
	__u32 agent_at; /* of the first User-Agent's */
	__u8 agent[TALLY_AGENT_MAX];
	struct tally_key key;
	struct tally due; /* what the packet at hand adds */
	struct tally_key last; /* to this key, if is_last: the packet begins the next request */
	__u32 is_last;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally_scratch);
} tally_scratch SEC(".maps");

static __always_inline __u32 method_of(__u64 letters, __u32 length)
{
	if (length > 8)
		return TALLY_METHOD_OTHER;
	switch (letters) {
	case LETTERS('G', 'E', 'T', 0, 0, 0, 0, 0):
		return TALLY_METHOD_GET;
	case LETTERS('H', 'E', 'A', 'D', 0, 0, 0, 0):
		return TALLY_METHOD_HEAD;
	case LETTERS('P', 'O', 'S', 'T', 0, 0, 0, 0):
		return TALLY_METHOD_POST;
	case LETTERS('P', 'U', 'T', 0, 0, 0, 0, 0):
		return TALLY_METHOD_PUT;
	case LETTERS('D', 'E', 'L', 'E', 'T', 'E', 0, 0):
		return TALLY_METHOD_DELETE;
	case LETTERS('C', 'O', 'N', 'N', 'E', 'C', 'T', 0):
		return TALLY_METHOD_CONNECT;
	case LETTERS('O', 'P', 'T', 'I', 'O', 'N', 'S', 0):
		return TALLY_METHOD_OPTIONS;
	case LETTERS('T', 'R', 'A', 'C', 'E', 0, 0, 0):
		return TALLY_METHOD_TRACE;
	case LETTERS('P', 'A', 'T', 'C', 'H', 0, 0, 0):
		return TALLY_METHOD_PATCH;
	case LETTERS('Q', 'U', 'E', 'R', 'Y', 0, 0, 0):
		return TALLY_METHOD_QUERY;
	}
	return TALLY_METHOD_OTHER;
}

/*
 * TALLY_METHOD_ when the payload begins with a method in capital letters and what a target begins with (RFC 9112 section 3.2);
 * else TALLY_METHOD_NONE.
 */
VERIFIED_ALONE __u32 begins_request(CONTEXT *ctx, const struct packet *packet)
{
	__u8 bytes[JUDGED_BYTES] __attribute__((aligned(8))) = {};
	__u32 method;

	/* The shortest request that is one, "A / HTTP/1.0" and two line ends, has 14 bytes; 16 are what is read at once. */
	if (!packet || !load_at(ctx, packet, 0, bytes, 16) || (packet->event.payload_length >= JUDGED_BYTES &&
	    !load_at(ctx, packet, 0, bytes, JUDGED_BYTES)))
		return TALLY_METHOD_NONE;
	for (__u32 i = 0; i < METHOD_MAX; i++) {
		__u8 byte = bytes[i], next = bytes[i + 1] | 32;

		if (byte == ' ' && i > 0) {
			method = method_of(*(const __u64 *)bytes & (i < 8 ? (1ULL << (i * 8)) - 1 : ~0ULL), i);
			return method == TALLY_METHOD_CONNECT || next == '/' || next == '*' || next == 'h' ? method : TALLY_METHOD_NONE;
		}
		if (!(characters[byte] & UPPER) && byte != '-' && byte != '_')
			return TALLY_METHOD_NONE;
	}
	return TALLY_METHOD_NONE;
}

/* A line ends at `at`: of the first the version stands before it; the next one may be a field that is looked for. 1 = seen enough. */
VERIFIED_ALONE int end_line(__u32 place)
{
	__u32 zero = 0;
	__u64 at = place;
	struct tally_scratch *head = bpf_map_lookup_elem(&tally_scratch, &zero);
	const __u8 *line;
	__u64 begin;

	asm volatile("" : "+r"(at)); /* the value tested is the value used */
	if (!head || at >= TALLY_HEAD_MAX)
		return 1;
	line = head->bytes + at + 1;
	asm volatile("" : "+r"(line));
	begin = *(const __u64 *)line;
	if (head->lines++ == 0) {
		/* " HTTP/1." and a digit; then CR LF, or LF alone */
		head->is_http = *(const __u64 *)(line[-2] == '\r' ? line - 11 : line - 10) == LETTERS(' ', 'H', 'T', 'T', 'P', '/', '1', '.');
		if (!head->is_http)
			return 1;
	}
	if ((__u8)begin == '\r' || (__u8)begin == '\n') {
		head->is_whole = 1;
		return 1;
	}
	begin |= SMALL;
	if ((begin & 0xffffffffffULL) == LETTERS('h', 'o', 's', 't', ':', 0, 0, 0) && !head->host_at)
		head->host_at = at + 6;
	if (begin == LETTERS('u', 's', 'e', 'r', '-', 'a', 'g', 'e') && !head->agent_at &&
	    (line[8] | 32) == 'n' && (line[9] | 32) == 't' && line[10] == ':')
		head->agent_at = at + 12;
	return head->host_at && head->agent_at;
}

/* Reads lines, eight bytes at a time, until the fields are found or the head or the bytes end. */
static __always_inline void read_lines(struct tally_scratch *head)
{
	for (__u32 at = 0; at < TALLY_HEAD_MAX; at += 8) {
		__u64 word = *(const __u64 *)(head->bytes + at);

		if (at >= head->length)
			return;
		if (!has_line_feed(word))
			continue;
		for (__u32 i = 0; i < 8; i++)
			if ((__u8)(word >> (i * 8)) == '\n' && end_line(at + i))
				return;
	}
}

static __always_inline int ends_value(__u32 byte)
{
	return byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t' || byte == 0;
}

/*
 * Byte `i` of the value that begins at `*from`; 256 = it is not there. `*from` is read anew each time: what the verifier does not
 * know of it cannot tell the paths through a loop apart.
 */
static __always_inline __u32 value_byte(const struct tally_scratch *head, const __u32 *from, __u32 i)
{
	__u32 at = *(const volatile __u32 *)from + i;

	return at < head->length ? head->bytes[at & (TALLY_HEAD_MAX - 1)] : 256;
}

/* Moves `*from` behind the blanks there, of which there are four at most. */
static __always_inline void skip_blanks(struct tally_scratch *head, __u32 *from)
{
	for (int i = 0; i < 4; i++) {
		__u32 byte = value_byte(head, from, 0);

		if (byte != ' ' && byte != '\t')
			return;
		*(volatile __u32 *)from = *from + 1;
	}
}

VERIFIED_ALONE int read_host(void)
{
	__u32 zero = 0, host_is = TALLY_HOST_LONG;
	struct tally_scratch *head = bpf_map_lookup_elem(&tally_scratch, &zero);

	if (!head)
		return 0;
	if (!head->host_at)
		return head->is_whole ? TALLY_HOST_ABSENT : TALLY_HOST_UNKNOWN;
	skip_blanks(head, &head->host_at);
	for (__u32 i = 0; i <= TALLY_HOST_MAX; i++) {
		__u32 byte = value_byte(head, &head->host_at, i);

		if (byte == 256) {
			host_is = TALLY_HOST_UNKNOWN;
			break;
		}
		if (ends_value(byte)) {
			host_is = i ? TALLY_HOST_GIVEN : TALLY_HOST_ABSENT;
			break;
		}
		if (i < TALLY_HOST_MAX)
			head->key.host[i] = byte;
	}
	/* Part of a name would be a wrong one. */
	if (host_is != TALLY_HOST_GIVEN)
		__builtin_memset(head->key.host, 0, sizeof(head->key.host));
	return host_is;
}

/* The class of the first product's name (RFC 9110 section 10.1.5). */
VERIFIED_ALONE int read_agent(void)
{
	__u32 zero = 0, *class;
	struct tally_scratch *head = bpf_map_lookup_elem(&tally_scratch, &zero);

	if (!head)
		return 0;
	if (!head->agent_at)
		return head->is_whole ? TALLY_AGENT_ABSENT : TALLY_AGENT_UNKNOWN;
	skip_blanks(head, &head->agent_at);
	__builtin_memset(head->agent, 0, sizeof(head->agent));
	for (__u32 i = 0; i <= TALLY_AGENT_MAX; i++) {
		__u32 byte = value_byte(head, &head->agent_at, i);

		if (byte == 256)
			return TALLY_AGENT_UNKNOWN;
		if (byte == '/' || ends_value(byte)) {
			if (i == 0)
				return TALLY_AGENT_ABSENT;
			break;
		}
		if (i == TALLY_AGENT_MAX)
			return TALLY_AGENT_OTHER;
		head->agent[i] = characters[byte & 255] & UPPER ? byte | 32 : byte;
	}
	class = bpf_map_lookup_elem(&tally_agents, head->agent);
	return class ? *class : TALLY_AGENT_OTHER;
}

/* Of a packet that begins a request. 0 = its first line is none of HTTP/1. */
VERIFIED_ALONE int read_head(CONTEXT *ctx, const struct packet *packet)
{
	__u32 zero = 0, length;
	struct tally_scratch *head = bpf_map_lookup_elem(&tally_scratch, &zero);

	if (!head || !packet || packet->event.payload_length == 0)
		return 0;
	length = packet->event.payload_length;
	if (length > TALLY_HEAD_MAX)
		length = TALLY_HEAD_MAX;
	head->length = length;
	length = (length - 1) & (TALLY_HEAD_MAX - 1);
	asm volatile("" : "+r"(length)); /* as in recognise() */
	if (load_bytes(ctx, packet->payload_offset, head->bytes, length + 1))
		return 0;
	__builtin_memset(head->bytes + length + 1, 0, LINE_BYTES);
	__builtin_memset(&head->lines, 0, 5 * sizeof(__u32));
	__builtin_memset(&head->key, 0, sizeof(head->key));
	read_lines(head);
	/* A first line that goes on in the next packet is taken for what it begins as. */
	if (head->lines && !head->is_http)
		return 0;
	if (tally_labels & TALLY_LABEL_HOST)
		head->key.host_is = read_host();
	if (tally_labels & TALLY_LABEL_AGENT)
		head->key.agent = read_agent();
	return 1;
}

#endif

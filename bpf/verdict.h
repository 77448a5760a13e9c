/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Does this payload begin a protocol that user space decodes? Judged from its first bytes.
 *
 * A new protocol is one more test in judge_client(), judge_server() or judge_midstream().
 */
#ifndef LINTEL_VERDICT_H
#define LINTEL_VERDICT_H

#include "packet.h"

#define JUDGED_BYTES 32
#define METHOD_MAX 24
#define BLANK_LINES_MAX 8 /* bytes of CR and LF before a request line (RFC 9112 section 2.2) */

/* RFC 9113 section 6; frames of more bytes must be announced. */
#define FRAME_HEADERS 1
#define FRAME_RST_STREAM 3
#define FRAME_SETTINGS 4
#define FRAME_PING 6
#define FRAME_WINDOW_UPDATE 8
#define FRAME_BYTES_MAX 16384

#define TOKEN 1
#define UPPER 2

/* RFC 9110 section 5.6.2; UPPER marks the capital letters. */
static const __u8 characters[256] = {
	['!'] = TOKEN, ['#' ... '\''] = TOKEN, ['*' ... '+'] = TOKEN, ['-' ... '.'] = TOKEN, ['0' ... '9'] = TOKEN,
	['A' ... 'Z'] = TOKEN | UPPER, ['^' ... 'z'] = TOKEN, ['|'] = TOKEN, ['~'] = TOKEN,
};

struct opening {
	__u8 bytes[JUDGED_BYTES];
	__u32 length; /* valid bytes */
};

/*
 * A TLS ClientHello (RFC 8446 sections 4.1.2 and 5.1): a handshake record of version 3.x that begins with message 1; or a
 * hello in the form of SSL 2.0 (RFC 5246 appendix E.2). Bytes that are not there yet are no reason to say no.
 */
static __always_inline int is_client_hello(const struct opening *opening)
{
	const __u8 *bytes = opening->bytes;

	if (bytes[0] == 0x16)
		return (opening->length < 2 || bytes[1] == 3) && (opening->length < 3 || bytes[2] <= 4) &&
		       (opening->length < 6 || bytes[5] == 1);
	return opening->length >= 12 && (bytes[0] & 0x80) && bytes[2] == 1 &&
	       ((bytes[3] == 3 && bytes[4] <= 3) || (bytes[3] == 0 && bytes[4] == 2));
}

/* ServerHello, or an alert: its 2 bytes in the open are the answer of a server that refuses. */
static __always_inline int is_server_hello(const struct opening *opening)
{
	const __u8 *bytes = opening->bytes;

	if (opening->length < 6 || bytes[1] != 3 || bytes[2] > 4)
		return 0;
	return (bytes[0] == 0x16 && bytes[5] == 2) || (bytes[0] == 0x15 && bytes[3] == 0 && bytes[4] == 2);
}

/*
 * The first message to a SOCKS proxy: version 5 and a list of methods, nothing behind it (RFC 1928 section 3); or version
 * 4, CONNECT, a port, an address, and a user id that is text.
 */
static __always_inline int is_socks(const struct opening *opening)
{
	const __u8 *bytes = opening->bytes;

	if (bytes[0] == 5)
		return opening->length >= 3 && opening->length == 2 + (__u32)bytes[1] && bytes[1] <= 16;
	return bytes[0] == 4 && opening->length >= 9 && bytes[1] == 1 && (bytes[2] | bytes[3]) &&
	       (bytes[8] == 0 || (bytes[8] >= 0x20 && bytes[8] < 0x7f));
}

/*
 * What follows a method in small letters, from `at` on: a target that looks like one, then " HTTP/1." as far as the bytes at
 * hand go. So a memcached "get /key" is none.
 */
VERIFIED_ALONE int judge_target(const struct opening *opening, __u32 at)
{
	static const __u8 version[8] = " HTTP/1.";
	__u32 matched = 0;

	if (!opening)
		return 0;
	for (__u32 i = 1; i < JUDGED_BYTES; i++) {
		__u8 byte = opening->bytes[i];

		if (i < at)
			continue;
		if (i >= opening->length)
			return 1;
		/* "/path", "*", "http://" (RFC 9112 section 3.2) */
		if (i == at && byte != '/' && byte != '*' && (byte | 32) != 'h')
			return 0;
		if (matched == sizeof(version))
			return 1;
		if (matched || byte == ' ') {
			if (byte != version[matched & (sizeof(version) - 1)])
				return 0;
			matched++;
		} else if (byte < ' ') {
			return 0;
		}
	}
	return 1;
}

/*
 * A request line, PROXY version 1 and the HTTP/2 preface all begin with a method-like token and a space. A payload that
 * ends inside the token counts too. Where most letters are no capitals, what follows must be that of a request line.
 */
VERIFIED_ALONE int judge_client(const struct opening *opening)
{
	static const __u8 proxy2[12] = "\r\n\r\n\0\r\nQUIT\n";
	__u32 letters = 0, capitals = 0, same = 1;

	if (!opening)
		return 0;
	for (__u32 i = 0; i < sizeof(proxy2); i++)
		if (i < opening->length && opening->bytes[i] != proxy2[i])
			same = 0;
	if (same || is_client_hello(opening) || is_socks(opening))
		return 1;
	for (__u32 i = 0; i < JUDGED_BYTES; i++) {
		__u8 byte = opening->bytes[i];
		__u8 class = characters[byte];

		if (i >= opening->length)
			return letters == 0 || capitals * 2 > letters;
		if (letters == 0 && (byte == '\r' || byte == '\n')) {
			if (i >= BLANK_LINES_MAX)
				return 0;
			continue;
		}
		if (byte == ' ' && letters > 0)
			return capitals * 2 > letters || judge_target(opening, i + 1);
		if (!class || letters >= METHOD_MAX)
			return 0;
		letters++;
		capitals += class >> 1;
	}
	return 0;
}

/* "HTTP/", or the SETTINGS frame that an HTTP/2 server may send before it hears the client (RFC 9113 section 3.4). */
VERIFIED_ALONE int judge_server(const struct opening *opening)
{
	static const __u8 status[5] = "HTTP/";
	const __u8 *bytes;
	__u32 same = 1;

	if (!opening)
		return 0;
	bytes = opening->bytes;
	for (__u32 i = 0; i < sizeof(status); i++)
		if (i < opening->length && bytes[i] != status[i])
			same = 0;
	if (same || is_server_hello(opening))
		return 1;
	return opening->length >= 9 && bytes[0] == 0 && bytes[1] == 0 && bytes[3] == 4 && bytes[4] == 0 &&
	       (bytes[5] | bytes[6] | bytes[7] | bytes[8]) == 0;
}

/* What an HPACK block may begin with: a pseudo-header, an index of the dynamic table, a table size (RFC 7541 section 6). */
static __always_inline int begins_block(__u8 byte)
{
	if (byte >= 0x80)
		return (byte >= 0x81 && byte <= 0x8e) || byte >= 0xbe;
	if ((byte & 0xe0) == 0x20)
		return 1;
	byte &= byte & 0x40 ? 0x3f : 0x0f;
	return byte >= 1 && byte <= 8;
}

/*
 * Joined late, a frame of HTTP/2 at the front of a segment: one whose header fixes enough of its bytes, or HEADERS with a block
 * that begins as one does. DATA says nothing: zeros look like it.
 */
VERIFIED_ALONE int judge_frame(const struct opening *opening)
{
	const __u8 *bytes;
	__u32 length, stream, at = 9;
	__u8 flags;

	if (!opening || opening->length < 10)
		return 0;
	bytes = opening->bytes;
	length = (__u32)bytes[0] << 16 | bytes[1] << 8 | bytes[2];
	stream = (__u32)bytes[5] << 24 | bytes[6] << 16 | bytes[7] << 8 | bytes[8];
	flags = bytes[4];
	if (length > FRAME_BYTES_MAX || stream >> 31)
		return 0;
	switch (bytes[3]) {
	case FRAME_HEADERS:
		if (stream == 0 || length == 0 || flags & ~0x2d)
			return 0;
		if (flags & 0x08)
			at += 1;
		if (flags & 0x20)
			at += 5;
		return at < opening->length && begins_block(bytes[at & (JUDGED_BYTES - 1)]);
	case FRAME_SETTINGS:
		return stream == 0 && flags == 0 && length > 0 && length % 6 == 0 && bytes[9] == 0;
	case FRAME_PING:
		return stream == 0 && flags <= 1 && length == 8;
	case FRAME_WINDOW_UPDATE:
		return flags == 0 && length == 4;
	case FRAME_RST_STREAM:
		return stream != 0 && flags == 0 && length == 4;
	}
	return 0;
}

/*
 * Joined late, any segment may be the middle of anything: capitals only, and a target that looks like one; of TLS a
 * ClientHello with its inner length and version, as the rest of a handshake says nothing without it.
 */
VERIFIED_ALONE int judge_midstream(const struct opening *opening)
{
	static const __u8 status[7] = "HTTP/1.", connect[8] = "CONNECT ";
	const __u8 *bytes;
	__u32 same = 1, same_connect = 1;

	if (!opening || opening->length < 10)
		return 0;
	if (judge_frame(opening))
		return 1;
	if (opening->length < 12)
		return 0;
	bytes = opening->bytes;
	for (__u32 i = 0; i < sizeof(status); i++)
		if (bytes[i] != status[i])
			same = 0;
	if (same || (bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 3 && bytes[5] == 1 && bytes[6] == 0 && bytes[9] == 3 && bytes[10] <= 3))
		return 1;
	if (!(characters[bytes[0]] & UPPER))
		return 0;
	for (__u32 i = 0; i < sizeof(connect); i++)
		if (bytes[i] != connect[i])
			same_connect = 0;
	if (same_connect)
		return 1;
	for (__u32 i = 1; i < JUDGED_BYTES - 3; i++) {
		__u8 byte = bytes[i], next = bytes[i + 1];

		if (i + 1 >= opening->length || i > METHOD_MAX)
			return 0;
		/* "/path", "* HTTP/", "http://" (RFC 9112 section 3.2) */
		if (byte == ' ')
			return next == '/' || (next == '*' && bytes[i + 2] == ' ' && bytes[i + 3] == 'H') ||
			       ((next | 32) == 'h' && (bytes[i + 2] | 32) == 't' && (bytes[i + 3] | 32) == 't');
		if (!(characters[byte] & UPPER) && byte != '-' && byte != '_')
			return 0;
	}
	return 0;
}

#define AS_MIDSTREAM 0
#define AS_CLIENT 1
#define AS_SERVER 2

/* 1 = the packet's payload begins a known protocol, seen as a message of `role`. */
VERIFIED_ALONE int recognise(CONTEXT *ctx, const struct packet *packet, __u32 role)
{
	struct opening opening = {};
	__u32 length;

	if (!packet || packet->event.payload_length == 0)
		return 0;
	length = packet->event.payload_length;
	if (length > JUDGED_BYTES)
		length = JUDGED_BYTES;
	opening.length = length;
	/* Clamped, masked, hidden from the optimiser, which else drops the mask that the verifier needs. */
	length = (length - 1) & (JUDGED_BYTES - 1);
	asm volatile("" : "+r"(length));
	if (load_bytes(ctx, packet->payload_offset, opening.bytes, length + 1))
		return 0;
	if (role == AS_CLIENT)
		return judge_client(&opening);
	if (role == AS_SERVER)
		return judge_server(&opening);
	return judge_midstream(&opening);
}

#endif

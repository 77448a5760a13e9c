/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which socket a TLS session runs over.
 *
 * The system call that a TLS call makes on its own thread shows it: no offset into a library's structs is needed. The
 * kernel's tracepoints sock_send_length and sock_recv_length (6.3) have the socket at hand.
 *
 * Programs that give their library memory instead of a socket (Node) make no such call. Theirs is told from the order of
 * one thread's calls: bytes received, then read in the clear; or written in the clear, then sent. Such a pair counts only
 * when nothing else was received or sent in between on the thread, and when the sizes fit: TLS adds 17 to RECORD_ADDS bytes
 * to each record of up to 16 KiB (RFC 8446 5.2: 5 of header, 1 of type, 16 of tag; RFC 5246 6.2.3: IV, MAC and padding).
 * The event says PLAINTEXT_GUESSED.
 */
#ifndef LINTEL_TLS_SOCKET_H
#define LINTEL_TLS_SOCKET_H

#include "tls_session.h"

#define AF_INET 2
#define AF_INET6 10
#define RECORD_ADDS 90
#define RECORD_LEAST 17
#define RECORD_BYTES 16384

static __always_inline void read_endpoint(struct endpoint *to, struct sock *sk, __u64 cookie)
{
	struct sock_common *common = &sk->__sk_common;

	__builtin_memset(to, 0, sizeof(*to));
	to->cookie = cookie;
	to->network_namespace = common->skc_net.net->ns.inum;
	to->local_port = common->skc_num;
	to->remote_port = bpf_ntohs(common->skc_dport);
	if (common->skc_family == AF_INET) {
		to->ip_version = 4;
		__builtin_memcpy(to->local, &common->skc_rcv_saddr, 4);
		__builtin_memcpy(to->remote, &common->skc_daddr, 4);
		return;
	}
	__u32 *local = (__u32 *)to->local, *remote = (__u32 *)to->remote;
	struct in6_addr *from = &common->skc_v6_rcv_saddr, *peer = &common->skc_v6_daddr;

	/* IPv4 on an IPv6 socket (RFC 4291 2.5.5.2): its packets are IPv4. */
	if (peer->in6_u.u6_addr32[0] == 0 && peer->in6_u.u6_addr32[1] == 0 && peer->in6_u.u6_addr32[2] == bpf_htonl(0xffff)) {
		to->ip_version = 4;
		local[0] = from->in6_u.u6_addr32[3];
		remote[0] = peer->in6_u.u6_addr32[3];
		return;
	}
	to->ip_version = 6;
	for (int i = 0; i < 4; i++) {
		local[i] = from->in6_u.u6_addr32[i];
		remote[i] = peer->in6_u.u6_addr32[i];
	}
}

static __always_inline int fits(__u32 clear, __u32 sealed)
{
	__u32 records = 1 + (clear - 1) / RECORD_BYTES;

	return clear > 0 && sealed >= clear + RECORD_LEAST && sealed <= clear + (records + 1) * RECORD_ADDS;
}

/* The session runs over `socket` from here on. */
static __always_inline void adopt(struct session *session, struct endpoint *socket, __u32 flags)
{
	session->socket = *socket;
	session->flags = (session->flags & ~SESSION_GUESSED) | flags;
}

/* A read of `bytes` in the clear (0 = none, as in a handshake) is over, with no socket call inside of it. */
static __always_inline void vote_read(struct thread *thread, struct session *session, __u32 bytes)
{
	thread->outside = 1;
	if (thread->received.cookie && !session->socket.cookie && fits(bytes, thread->received_bytes))
		adopt(session, &thread->received, SESSION_GUESSED);
	/* What was received is read now; what is read next without more of it proves nothing. */
	thread->received.cookie = 0;
}

/* A write of `bytes` in the clear is over, with no socket call inside of it. */
static __always_inline void vote_write(struct thread *thread, struct session *session, struct session_key *key, __u32 bytes)
{
	thread->outside = 1;
	if (session->socket.cookie)
		return;
	if (thread->wrote.object == key->object) {
		thread->wrote_bytes += bytes;
		return;
	}
	/* Two sessions have written: which of them is sent next is not known. */
	thread->wrote_bytes = thread->wrote.object ? 0 : bytes;
	thread->wrote = *key;
}

/* A socket call outside of every TLS call, on a thread that has such sessions. */
static __always_inline void socket_outside(struct thread *thread, struct sock *sk, __u64 cookie, __u32 direction, __u32 bytes)
{
	struct endpoint socket;
	struct session *session;

	if (direction == READ) {
		thread->received_bytes = thread->received.cookie == cookie ? thread->received_bytes + bytes : bytes;
		if (thread->received.cookie != cookie)
			read_endpoint(&thread->received, sk, cookie);
		return;
	}
	if (!thread->wrote.object)
		return;
	session = bpf_map_lookup_elem(&sessions, &thread->wrote);
	if (session && !session->socket.cookie && fits(thread->wrote_bytes, bytes)) {
		read_endpoint(&socket, sk, cookie);
		adopt(session, &socket, SESSION_GUESSED);
		tell(session, WRITE, PLAINTEXT_SOCKET);
	}
	thread->wrote.object = 0;
}

#endif

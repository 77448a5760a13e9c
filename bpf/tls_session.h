/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* TLS sessions: from the program's object to an id, a stream position of each direction, and a socket. */
#ifndef LINTEL_TLS_SESSION_H
#define LINTEL_TLS_SESSION_H

#include "tls_deliver.h"

static __always_inline __u32 current_process(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline struct session_key key_of(__u64 object)
{
	struct session_key key = { .object = object, .process = current_process() };

	return key;
}

/* A new session under `key`, in the place of an older one. */
static __always_inline struct session *open_session(struct session_key *key, __u32 flags)
{
	struct session fresh = {};

	fresh.id = __sync_fetch_and_add(&next_session, 1);
	/* 0 means none. */
	if (fresh.id == 0)
		fresh.id = __sync_fetch_and_add(&next_session, 1);
	fresh.flags = flags;
	count(TLS_SESSIONS, 1);
	if (bpf_map_update_elem(&sessions, key, &fresh, BPF_ANY))
		return 0;
	return bpf_map_lookup_elem(&sessions, key);
}

static __always_inline struct session *session_of(struct session_key *key, __u32 flags)
{
	struct session *session = bpf_map_lookup_elem(&sessions, key);

	return session ? session : open_session(key, flags);
}

/* Fills what every event of a session says. */
static __always_inline void describe(struct plaintext_event *event, struct session *session, __u32 direction)
{
	struct endpoint *socket = &session->socket;
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 ids = bpf_get_current_pid_tgid();

	event->process_id = ids >> 32;
	event->thread_id = ids;
	event->session = session->id;
	event->kind = EVENT_PLAINTEXT;
	event->hook = HOOK_UPROBE;
	event->ip_protocol = IPPROTO_TCP;
	event->direction = direction == READ ? DIRECTION_INGRESS : DIRECTION_EGRESS;
	if (session->flags & SESSION_START)
		event->flags |= PLAINTEXT_START;
	if (session->flags & SESSION_GUESSED)
		event->flags |= PLAINTEXT_GUESSED;
	BPF_CORE_READ_STR_INTO(&event->process_name, task, group_leader, comm);
	event->socket_cookie = socket->cookie;
	if (!socket->cookie)
		return;
	event->network_namespace = socket->network_namespace;
	event->ip_version = socket->ip_version;
	if (direction == READ) {
		__builtin_memcpy(event->source_address, socket->remote, 16);
		__builtin_memcpy(event->destination_address, socket->local, 16);
		event->source_port = socket->remote_port;
		event->destination_port = socket->local_port;
	} else {
		__builtin_memcpy(event->source_address, socket->local, 16);
		__builtin_memcpy(event->destination_address, socket->remote, 16);
		event->source_port = socket->local_port;
		event->destination_port = socket->remote_port;
	}
}

/* Tells something about a session that has no bytes. */
static __always_inline void tell(struct session *session, __u32 direction, __u8 flag)
{
	struct call call = {};

	call.event.time_ns = bpf_ktime_get_ns();
	call.event.flags = flag;
	describe(&call.event, session, direction);
	call.event.position = session->position[direction & 1];
	deliver_notice(&call);
}

#endif
